//! `eppo_core` 10, the core of Eppo's SDKs: `Evaluator::get_assignment`, and the function below it for
//! those who hold the configuration themselves.
//!
//! Its evaluation makes the exposure's event itself, where the flag says that it is logged.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use eppo_core::ahash::{HashMap, HashMapExt as _};
use eppo_core::configuration_store::ConfigurationStore;
use eppo_core::eval::{Evaluator, EvaluatorConfig, get_assignment};
use eppo_core::ufc::{Assignment, UniversalFlagConfig, VariationType};
use eppo_core::{AttributeValue, Attributes, Configuration as Flags, SdkMetadata, Str};
use serde_json::{Value, json};

use crate::case::{Batch, Case, Configuration, Work, count};
use crate::work::{AGE, ASKED, Audience, CONTROL, COUNTRY, Person, TREATMENT, keys};

const SDK: SdkMetadata = SdkMetadata { name: "peers", version: "0.0.0" };

pub(super) fn cases(audience: Audience) -> Result<Vec<Case>> {
    let case = |call, work, configuration, batch| Case {
        engine: "eppo_core 10",
        call,
        audience,
        work,
        configuration,
        batch,
        finish: None,
        restore: None,
    };
    let is_logged = true;
    Ok(vec![
        case(
            "Evaluator::get_assignment",
            Work::Decision,
            Configuration::Loaded,
            by_evaluator(audience, !is_logged)?,
        ),
        case("eval::get_assignment", Work::Decision, Configuration::Held, by_function(audience)?),
        case(
            "Evaluator::get_assignment, event dropped",
            Work::Exposure,
            Configuration::Loaded,
            by_evaluator(audience, is_logged)?,
        ),
    ])
}

fn flags(audience: Audience, is_logged: bool) -> Result<Arc<Flags>> {
    let text = serde_json::to_vec(&json!({
        "createdAt": "2026-01-01T00:00:00Z", "format": "SERVER",
        "environment": { "name": "production" }, "bandits": {},
        "flags": keys().map(|(_, key)| (key.clone(), flag(&key, audience, is_logged))).collect::<serde_json::Map<_, _>>(),
    }))?;
    let flags = UniversalFlagConfig::from_json(SDK, text)
        .map_err(|error| anyhow!("eppo refuses its configuration: {error}"))?;
    Ok(Arc::new(Flags::from_server_response(flags, None)))
}

/// Each split has its range, as Eppo sends it, but without the further shard for traffic.
fn flag(key: &str, audience: Audience, is_logged: bool) -> Value {
    let split = |variation: &str, start: u32, end: u32| {
        json!({
            "variationKey": variation,
            "shards": [{ "salt": format!("{key}-split"), "ranges": [{ "start": start, "end": end }] }],
        })
    };
    let rules = if audience.is_some() {
        json!([{ "conditions": [
            { "attribute": COUNTRY.0, "operator": "ONE_OF", "value": [COUNTRY.1] },
            { "attribute": AGE.0, "operator": "GT", "value": AGE.1 },
        ] }])
    } else {
        json!([])
    };
    json!({
        "key": key, "enabled": true, "variationType": "STRING", "totalShards": 10_000,
        "variations": {
            CONTROL: { "key": CONTROL, "value": CONTROL },
            TREATMENT: { "key": TREATMENT, "value": TREATMENT },
        },
        "allocations": [{
            "key": "allocation", "doLog": is_logged, "rules": rules,
            "splits": [split(CONTROL, 0, 5_000), split(TREATMENT, 5_000, 10_000)],
        }],
    })
}

fn by_evaluator(audience: Audience, is_logged: bool) -> Result<Batch> {
    let configuration_store = Arc::new(ConfigurationStore::new());
    configuration_store.set_configuration(flags(audience, is_logged)?);
    let evaluator = Evaluator::new(EvaluatorConfig { configuration_store, sdk_metadata: SDK });
    Ok(Box::new(move |people| {
        count(people, |person| {
            let (subject, attributes) = subject(person, audience);
            let wanted = Some(VariationType::String);
            let answer = evaluator.get_assignment(black_box(ASKED), &subject, &attributes, wanted);
            is_treatment(answer.ok().flatten(), is_logged)
        })
    }))
}

fn by_function(audience: Audience) -> Result<Batch> {
    let is_logged = false;
    let flags = flags(audience, is_logged)?;
    Ok(Box::new(move |people| {
        count(people, |person| {
            let (subject, attributes) = subject(person, audience);
            let wanted = Some(VariationType::String);
            let now = chrono::Utc::now();
            let answer =
                get_assignment(Some(&flags), black_box(ASKED), &subject, &attributes, wanted, now);
            is_treatment(answer.ok().flatten(), is_logged)
        })
    }))
}

/// Takes the event where there is to be one, and looks at the variation. Without it, it is no answer.
#[inline(always)]
fn is_treatment(assignment: Option<Assignment>, is_logged: bool) -> bool {
    let Some(assignment) = assignment else { return false };
    let has_event = black_box(&assignment.event).is_some();
    has_event == is_logged && assignment.value.as_str() == Some(TREATMENT)
}

#[inline(always)]
fn subject(person: &Person, audience: Audience) -> (Str, Arc<Attributes>) {
    let attributes = if audience.is_some() {
        let mut attributes: Attributes = HashMap::with_capacity(2);
        attributes
            .insert(Str::from_static_str(COUNTRY.0), AttributeValue::categorical(person.country));
        #[expect(clippy::cast_precision_loss, reason = "ages are small")]
        attributes.insert(Str::from_static_str(AGE.0), AttributeValue::numeric(person.age as f64));
        attributes
    } else {
        Attributes::new()
    };
    (Str::new(&person.id), Arc::new(attributes))
}
