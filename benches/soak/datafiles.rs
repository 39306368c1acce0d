//! Datafiles that can be told apart in every answer: whatever is answered by one names its revision.
//!
//! Must not know how they are asked for.

use serde_json::{Value, json};

/// So many flags, each with an experiment.
pub(crate) const FLAGS: u64 = 20;
pub(crate) const EVENT: &str = "purchase";
/// Stands between a name and the revision that it is of.
const MARK: char = '~';
/// What somebody was shown earlier is of an earlier revision, and what a user says is of none.
const OF_OTHERS: [&str; 2] = ["credits", "userContext"];

/// The datafile of an environment: names of variations and values of variables are of the revision.
pub(crate) fn datafile(sdk_key: &str, revision: u64) -> String {
    let numbers = || 1..=FLAGS;
    json!({
        "version": "4", "revision": revision.to_string(), "sdkKey": sdk_key,
        "environmentKey": sdk_key, "accountId": "1", "projectId": "2", "anonymizeIP": false,
        "botFiltering": false, "sendFlagDecisions": true, "groups": [], "rollouts": [],
        "attributes": [{"id": "9001", "key": "country"}], "audiences": [],
        "typedAudiences": [{
            "id": "9002", "name": "Swedes",
            "conditions": ["and", ["or", ["or", {
                "type": "custom_attribute", "name": "country", "match": "exact", "value": "SE",
            }]]],
        }],
        "events": [{
            "id": "9003", "key": EVENT,
            "experimentIds": numbers().map(experiment_id).collect::<Vec<_>>(),
        }],
        "featureFlags": numbers().map(|number| flag(number, revision)).collect::<Vec<_>>(),
        "experiments": numbers().map(|number| experiment(number, revision)).collect::<Vec<_>>(),
    })
    .to_string()
}

fn experiment_id(number: u64) -> String {
    (1000 + number).to_string()
}

fn flag(number: u64, revision: u64) -> Value {
    json!({
        "id": (2000 + number).to_string(), "key": format!("flag_{number}"), "rolloutId": "",
        "experimentIds": [experiment_id(number)],
        "variables": [{
            "id": (3000 + number).to_string(), "key": "text", "type": "string",
            "defaultValue": format!("default{MARK}{revision}"),
        }],
    })
}

fn experiment(number: u64, revision: u64) -> Value {
    let variation = |which: u64, name: &str| {
        json!({
            "id": (4000 + number * 2 + which).to_string(), "key": format!("{name}{MARK}{revision}"),
            "featureEnabled": true,
            "variables": [{
                "id": (3000 + number).to_string(), "value": format!("{name}{MARK}{revision}"),
            }],
        })
    };
    let audiences = if number.is_multiple_of(2) { vec!["9002"] } else { Vec::new() };
    json!({
        "id": experiment_id(number), "key": format!("experiment_{number}"),
        "layerId": (5000 + number).to_string(), "status": "Running", "forcedVariations": {},
        "audienceIds": audiences,
        "variations": [variation(0, "first"), variation(1, "second")],
        "trafficAllocation": [
            {"entityId": (4000 + number * 2).to_string(), "endOfRange": 5000},
            {"entityId": (4000 + number * 2 + 1).to_string(), "endOfRange": 10000},
        ],
    })
}

/// Who looks for mixtures has to see them.
pub(crate) fn check_that_mixtures_are_seen() -> Result<(), String> {
    let read = |text: String| serde_json::from_str(&text).unwrap_or_default();
    let whole: Value = read(datafile("key", 12));
    let mixed: Value = read(datafile("key", 12).replacen("~12", "~13", 1));
    match (revision_of(&whole), revision_of(&mixed)) {
        (Ok(Some(12)), Err(_)) => Ok(()),
        found => Err(format!("mixtures are not seen: {found:?}")),
    }
}

/// The one revision that an answer is of; none where nothing in it is of any.
pub(crate) fn revision_of(answer: &Value) -> Result<Option<u64>, String> {
    let mut found = None;
    look(answer, &mut found)?;
    Ok(found)
}

fn look(value: &Value, found: &mut Option<u64>) -> Result<(), String> {
    match value {
        Value::String(text) => look_at_text(text, found),
        Value::Array(values) => values.iter().try_for_each(|value| look(value, found)),
        Value::Object(members) => members.iter().try_for_each(|(key, value)| match value {
            Value::String(revision) if key == "revision" => note(revision, found),
            _ if OF_OTHERS.contains(&key.as_str()) => Ok(()),
            _ => look_at_text(key, found).and_then(|()| look(value, found)),
        }),
        _ => Ok(()),
    }
}

fn look_at_text(text: &str, found: &mut Option<u64>) -> Result<(), String> {
    text.split_once(MARK).map_or(Ok(()), |(_, revision)| note(revision, found))
}

fn note(revision: &str, found: &mut Option<u64>) -> Result<(), String> {
    let revision = revision.parse().map_err(|_| format!("{revision:?} is no revision"))?;
    match found.replace(revision) {
        Some(other) if other != revision => Err(format!("of {other} and of {revision}")),
        _ => Ok(()),
    }
}
