//! What is right where only JavaScript takes a datafile: its answer, without the departures that the design does
//! not follow, since there is no answer of Python's to tell them by.
//! Must not know Variate's answer.

use serde_json::{Value, json};

/// JavaScript's answer to a call, with the design's where they are known to differ.
pub(super) fn answer(call: &Value, datafile: &Value, javascript: &Value) -> Value {
    let clears = call["call"] == "setForcedVariation" && call["variationKey"].is_null();
    if clears && has_experiment(datafile, &call["experimentKey"]) {
        return json!({"ok": true});
    }
    javascript.clone()
}

/// JavaScript's events of a call, with the design's tags, revenue and value.
pub(super) fn events(call: &Value, javascript: &Value) -> Value {
    let mut events = javascript.clone();
    if call["call"] != "track" {
        return events;
    }
    let path = "/body/visitors/0/snapshots/0/events/0";
    for event in events.as_array_mut().into_iter().flatten() {
        let Some(event) = event.pointer_mut(path).and_then(Value::as_object_mut) else { continue };
        let tags = call["eventTags"].as_object();
        for (name, found) in [
            ("revenue", tags.and_then(|tags| tags.get("revenue")).and_then(revenue)),
            ("value", tags.and_then(|tags| tags.get("value")).and_then(value)),
        ] {
            match found {
                Some(found) => event.insert(name.to_owned(), found),
                None => event.remove(name),
            };
        }
        if let Some(tags) = tags {
            let kept = tags.iter().filter(|(name, tag)| {
                !(tag.is_null() && ["revenue", "value"].contains(&name.as_str()))
            });
            let kept = kept.map(|(name, tag)| (name.clone(), tag.clone())).collect();
            event.insert("tags".to_owned(), Value::Object(kept));
        }
    }
    events
}

fn revenue(tag: &Value) -> Option<Value> {
    tag.as_i64().map(Value::from)
}

fn value(tag: &Value) -> Option<Value> {
    match tag {
        Value::Number(_) => Some(tag.clone()),
        Value::String(text) => {
            text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
        }
        _ => None,
    }
}

fn has_experiment(datafile: &Value, key: &Value) -> bool {
    let lists = ["groups", "rollouts"].iter().flat_map(|list| datafile[*list].as_array());
    let nested = lists.flatten().flat_map(|item| item["experiments"].as_array()).flatten();
    let flat = datafile["experiments"].as_array().into_iter().flatten();
    flat.chain(nested).any(|experiment| experiment["key"] == *key)
}
