//! What the form asks for, decided and explained, and never recorded.
//!
//! Must not know how a decision is made, nor how it is shown.

use serde_json::{Map, Value};

use super::form::Filled;
use crate::client::{Decision, Snapshot, UserContext};
use crate::datafile::Datafile;
use crate::decide::{Explanation, Source};
use crate::server::app::App;
use crate::settings::nearest;
use crate::value::VariableValue;

/// What came of a form.
#[derive(Debug)]
pub(super) enum Outcome {
    Decided(Shown),
    /// What to write otherwise.
    Wrong(String),
    /// What is not there.
    Unknown(String),
}

/// A decision in words.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) said: Vec<(&'static str, String)>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) explanation: String,
}

pub(super) fn decide(app: &App, filled: &Filled) -> Outcome {
    shown(app, filled).map_or_else(|other| other, Outcome::Decided)
}

fn shown(app: &App, filled: &Filled) -> Result<Shown, Outcome> {
    let unknown = |text: &str| Outcome::Unknown(text.to_owned());
    let named = app.environments.iter().find(|one| one.name() == filled.environment);
    let environment =
        named.ok_or_else(|| unknown("there is no such environment: choose one of the list"))?;
    if filled.user.is_empty() {
        return Err(Outcome::Wrong("there is no user id: write one".to_owned()));
    }
    let attributes = attributes(&filled.attributes).map_err(Outcome::Wrong)?;
    let snapshot = environment.client.snapshot();
    let datafile =
        snapshot.datafile().ok_or_else(|| unknown("there is no datafile yet: ask again soon"))?;
    let user = user(&snapshot, &filled.user, &attributes);
    let key = filled.key.trim();
    if let Some(previewed) = user.preview(key) {
        return Ok(flag(previewed, datafile));
    }
    if let Some(previewed) = user.preview_experiment(key) {
        return Ok(experiment(key, previewed, datafile));
    }
    let flags = datafile.flags().iter().map(|flag| flag.key());
    let experiments = datafile.experiments().map(|rule| rule.key());
    Err(Outcome::Unknown(match nearest(key, flags.chain(experiments)) {
        Some(near) => format!("there is no flag or experiment {key:?}: did you mean {near}?"),
        None => format!("there is no flag or experiment {key:?}: look at the datafile's keys"),
    }))
}

fn user<'a>(
    snapshot: &'a Snapshot<'_>,
    user_id: &'a str,
    attributes: &'a Map<String, Value>,
) -> UserContext<'a> {
    snapshot.user(user_id).with_all(attributes)
}

fn flag((decision, explanation): (Decision, Explanation), datafile: &Datafile) -> Shown {
    let none = || "none".to_owned();
    let source = match decision.source {
        Some(Source::FeatureTest) => "an experiment",
        Some(Source::Holdout) => "a holdout",
        Some(Source::Rollout) if decision.rule_key.is_some() => "a rollout",
        _ => "nothing",
    };
    Shown {
        said: vec![
            ("Flag", decision.flag_key),
            ("Enabled", if decision.enabled { "yes" } else { "no" }.to_owned()),
            ("Variation", decision.variation_key.unwrap_or_else(none)),
            ("Rule", decision.rule_key.unwrap_or_else(none)),
            ("Decided by", source.to_owned()),
            ("Revision", datafile.revision().to_owned()),
        ],
        variables: decision
            .variables
            .iter()
            .map(|(key, value)| (key.to_owned(), text(value)))
            .collect(),
        explanation: explanation.to_string(),
    }
}

fn experiment(
    key: &str,
    (variation, explanation): (Option<String>, Explanation),
    datafile: &Datafile,
) -> Shown {
    let variation = variation.unwrap_or_else(|| "none".to_owned());
    Shown {
        said: vec![
            ("Experiment", key.to_owned()),
            ("Variation", variation),
            ("Revision", datafile.revision().to_owned()),
        ],
        variables: Vec::new(),
        explanation: explanation.to_string(),
    }
}

fn text(value: Option<&VariableValue>) -> String {
    match value {
        None => "null".to_owned(),
        Some(VariableValue::Boolean(flag)) => flag.to_string(),
        Some(VariableValue::String(text)) => text.to_string(),
        Some(VariableValue::Integer(number)) => number.to_string(),
        Some(VariableValue::Double(number)) => number.to_string(),
        Some(VariableValue::Json(value)) => value.to_string(),
    }
}

/// A JSON object; or `key=value`, one a line, where what is no JSON is text.
fn attributes(text: &str) -> Result<Map<String, Value>, String> {
    let text = text.trim();
    if text.starts_with('{') {
        let read = serde_json::from_str(text);
        return read.map_err(|error| format!("the attributes are no JSON object: {error}"));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (key, value) =
            line.split_once('=').filter(|(key, _)| !key.trim().is_empty()).ok_or_else(|| {
                format!("the attributes have a line {line:?}: write key=value, such as country=SE")
            })?;
        let value = value.trim();
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        Ok((key.trim().to_owned(), value))
    };
    lines.map(pair).collect()
}

#[cfg(test)]
mod tests {
    //! How attributes are written.

    use serde_json::{Value, json};

    use super::attributes;

    #[test]
    fn attributes_as_people_write_them() {
        let check = |text: &str, expect: Value| {
            assert_eq!(attributes(text).map(Value::Object), Ok(expect), "{text}");
        };
        check("", json!({}));
        check(" {\"age\": 34} ", json!({"age": 34}));
        check(
            "country=SE\n\n age = 34\nplus=true",
            json!({"country": "SE", "age": 34, "plus": true}),
        );
        check("version=\"2\"", json!({"version": "2"}));
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let check = |text: &str, expect: &str| {
            let wrong = attributes(text).err().unwrap_or_default();
            assert!(wrong.starts_with(expect), "{text}: {wrong}");
        };
        check("{", "the attributes are no JSON object: ");
        check("country", "the attributes have a line \"country\": write key=value");
        check("=SE", "the attributes have a line \"=SE\": write key=value");
    }
}
