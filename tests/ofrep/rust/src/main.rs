//! Asks a daemon for flags with OpenFeature's Rust client for OFREP.
//!
//! Usage: `ofrep-client URL SDK_KEY`. Reads a question a line and answers each with a line, both JSON, as
//! `client.py` does; of an object it answers the keys and those of its values that are plain. Must not know
//! what the right answers are: it only translates.

use std::fmt::Display;
use std::io::{BufRead as _, Write as _, stdin, stdout};

use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderValue};
use open_feature::provider::{FeatureProvider as _, ResolutionDetails};
use open_feature::{EvaluationContext, EvaluationError, StructValue, Value as FlagValue};
use open_feature_ofrep::{OfrepOptions, OfrepProvider};
use serde_json::{Map, Value, json};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("no URL")?;
    let sdk_key = arguments.next().context("no SDK key")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(url, &sdk_key))
}

async fn run(url: String, sdk_key: &str) -> anyhow::Result<()> {
    let mut headers = HeaderMap::new();
    headers.insert("x-optimizely-sdk-key", HeaderValue::from_str(sdk_key)?);
    let options = OfrepOptions { base_url: url, headers, ..OfrepOptions::default() };
    let provider = OfrepProvider::new(options).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    for line in stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let answer = answer(&provider, &question).await?;
        let mut output = stdout().lock();
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

async fn answer(provider: &OfrepProvider, question: &Value) -> anyhow::Result<Value> {
    let key = question["flagKey"].as_str().context("no flagKey")?;
    let context = context(&question["context"])?;
    let default = || question["default"].clone();
    Ok(match question["type"].as_str().unwrap_or_default() {
        "boolean" => told(provider.resolve_bool_value(key, &context).await, Value::from, default),
        "string" => told(provider.resolve_string_value(key, &context).await, Value::from, default),
        "integer" => told(provider.resolve_int_value(key, &context).await, Value::from, default),
        "float" => told(provider.resolve_float_value(key, &context).await, Value::from, default),
        "object" => told(provider.resolve_struct_value(key, &context).await, object, default),
        other => bail!("type {other:?} is unknown"),
    })
}

fn context(given: &Value) -> anyhow::Result<EvaluationContext> {
    let mut context = EvaluationContext::default();
    for (key, value) in given.as_object().context("no context")? {
        context = match value {
            Value::String(text) if key == "targetingKey" => context.with_targeting_key(text),
            Value::String(text) => context.with_custom_field(key, text.as_str()),
            Value::Bool(flag) => context.with_custom_field(key, *flag),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => context.with_custom_field(key, whole),
                (None, Some(number)) => context.with_custom_field(key, number),
                (None, None) => bail!("{key} is no number"),
            },
            other => bail!("{key} is {other}"),
        };
    }
    Ok(context)
}

fn told<T>(
    resolved: Result<ResolutionDetails<T>, EvaluationError>,
    shown: impl Fn(T) -> Value,
    default: impl Fn() -> Value,
) -> Value {
    match resolved {
        Ok(details) => json!({
            "value": shown(details.value), "variant": details.variant,
            "reason": details.reason.map(|reason| reason.to_string()), "errorCode": null,
        }),
        Err(error) => json!({
            "value": default(), "variant": null, "reason": "ERROR", "errorCode": code(&error.code),
        }),
    }
}

fn code(code: &impl Display) -> String {
    code.to_string()
}

fn object(value: StructValue) -> Value {
    let plain = |value: FlagValue| match value {
        FlagValue::Bool(flag) => json!(flag),
        FlagValue::Int(number) => json!(number),
        FlagValue::Float(number) => json!(number),
        FlagValue::String(text) => json!(text),
        _ => Value::Null,
    };
    let fields = value.fields.into_iter().map(|(key, value)| (key, plain(value)));
    Value::Object(fields.collect::<Map<String, Value>>())
}
