//! Compares what a call answered and sent with what its case expects.
//!
//! Must not know where either comes from. Numbers compare as numbers; the order of keys, of credits and of a
//! visitor's attributes carries no meaning; reasons count only where the case gives them.

use serde_json::Value;

/// What is wrong with one call, in words: nothing, or its answer, or its events.
pub(super) fn complaints(expected: &Value, answer: &Value, events: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut compare = |what: &str, wanted: Option<&Value>, got: &Value| {
        if let Some(wanted) = wanted.filter(|wanted| !agrees(&settled(wanted), &settled(got))) {
            complaints.push(format!(
                "{}\n        {what}: {got}\n        expected: {wanted}",
                expected["call"]
            ));
        }
    };
    if expected["malformed"] == Value::Bool(true) {
        let is_error = answer["error"].is_string();
        compare("answer", Some(&"an object with an `error`".into()).filter(|_| !is_error), answer);
    }
    compare("answer", expected.get("answer"), answer);
    compare("events", expected.get("events"), &without_client(events));
    compare("sent", expected.get("sent"), &short_forms(events));
    complaints
}

fn agrees(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Number(_), Value::Number(_)) => match (expected.as_i64(), got.as_i64()) {
            (Some(left), Some(right)) => left == right,
            _ => expected.as_f64() == got.as_f64(),
        },
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| agrees(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let known = left
                .iter()
                .all(|(key, value)| right.get(key).is_some_and(|other| agrees(value, other)));
            let no_more = right
                .keys()
                .all(|key| left.contains_key(key) || key == "reason" || key == "reasons");
            known && no_more
        }
        _ => expected == got,
    }
}

/// The value with the lists in order whose order carries no meaning.
fn settled(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(settled).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, field)| (key.clone(), settled_field(key, field))).collect()
        }
        other => other.clone(),
    }
}

fn settled_field(key: &str, field: &Value) -> Value {
    let mut field = settled(field);
    let sort_key = match key {
        "experiments" => "experimentKey",
        "attributes" => "key",
        "decisions" => "experiment_id",
        _ => return field,
    };
    if let Some(items) = field.as_array_mut() {
        items.sort_by_key(|item| item[sort_key].to_string());
    }
    field
}

/// The events without what differs from run to run and from client to client.
fn without_client(events: &Value) -> Value {
    let mut events = events.clone();
    for event in events.as_array_mut().into_iter().flatten() {
        remove(&mut event["body"], &["client_name", "client_version"]);
        for visitor in event["body"]["visitors"].as_array_mut().into_iter().flatten() {
            for snapshot in visitor["snapshots"].as_array_mut().into_iter().flatten() {
                for inner in snapshot["events"].as_array_mut().into_iter().flatten() {
                    remove(inner, &["uuid", "timestamp"]);
                }
            }
        }
    }
    events
}

fn remove(object: &mut Value, keys: &[&str]) {
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

/// Each event in a few words, as the `sent` of a case gives them.
fn short_forms(events: &Value) -> Value {
    events.as_array().into_iter().flatten().map(|event| Value::from(short_form(event))).collect()
}

fn short_form(event: &Value) -> String {
    let snapshot = &event["body"]["visitors"][0]["snapshots"][0];
    let word = |value: &Value| match value.as_str() {
        None | Some("") => "-".to_owned(),
        Some(text) => text.to_owned(),
    };
    let decisions = snapshot["decisions"].as_array().map_or(&[][..], Vec::as_slice);
    if let (Value::String(key), [decision]) = (&snapshot["events"][0]["key"], decisions)
        && key == "campaign_activated"
    {
        let metadata = &decision["metadata"];
        return ["rule_type", "rule_key", "variation_key"]
            .map(|name| word(&metadata[name]))
            .join(" ");
    }
    let mut credits: Vec<String> = decisions
        .iter()
        .map(|decision| {
            format!(" {}={}", word(&decision["experiment_id"]), word(&decision["variation_id"]))
        })
        .collect();
    credits.sort();
    format!("conversion {}{}", word(&snapshot["events"][0]["key"]), credits.concat())
}
