//! Brings answers and event bodies into the form in which they are compared: without what may differ (ids, times,
//! reasons, the client's own name), numbers as numbers.
//! Must not know which answer is right.

use serde_json::Value;

/// An answer without what the SDKs cannot know and without the texts of reasons.
pub(super) fn answer(kind: &str, mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        if kind == "track" {
            fields.retain(|name, _| name == "tracked" || name == "raised" || name == "error");
        }
        fields.remove("reasons");
        for decision in fields
            .get_mut("decisions")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(|all| all.values_mut())
        {
            decision.as_object_mut().and_then(|decision| decision.remove("reasons"));
        }
    }
    answer
}

/// The events of one call, without ids, times and the client's name.
pub(super) fn events(mut events: Value) -> Value {
    for event in list_mut(Some(&mut events)) {
        remove(event.get_mut("body"), &["client_name", "client_version"]);
        for visitor in list_mut(event.pointer_mut("/body/visitors")) {
            for snapshot in list_mut(visitor.get_mut("snapshots")) {
                for inner in list_mut(snapshot.get_mut("events")) {
                    remove(Some(inner), &["uuid", "timestamp"]);
                }
            }
        }
    }
    events
}

/// A campaign that is nobody's is null: one of the SDKs writes an empty text.
pub(super) fn with_null_campaigns(mut events: Value) -> Value {
    let empty = |id: &Value| id.as_str() == Some("");
    for event in list_mut(Some(&mut events)) {
        for snapshot in list_mut(event.pointer_mut("/body/visitors/0/snapshots")) {
            for id in list_mut(snapshot.get_mut("decisions"))
                .filter_map(|decision| decision.get_mut("campaign_id"))
            {
                if empty(id) {
                    *id = Value::Null;
                }
            }
            for inner in list_mut(snapshot.get_mut("events"))
                .filter(|inner| inner["key"] == "campaign_activated")
            {
                if let Some(id) = inner.get_mut("entity_id").filter(|id| empty(id)) {
                    *id = Value::Null;
                }
            }
        }
    }
    events
}

/// Equality with 1 == 1.0 and without the order of object keys.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let whole = |number: &serde_json::Number| {
                number.as_i64().map(i128::from).or(number.as_u64().map(i128::from))
            };
            match (whole(left), whole(right)) {
                (Some(left), Some(right)) => left == right,
                _ => left.as_f64() == right.as_f64(),
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

fn list_mut(of: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    of.and_then(Value::as_array_mut).into_iter().flatten()
}

fn remove(from: Option<&mut Value>, names: &[&str]) {
    if let Some(fields) = from.and_then(Value::as_object_mut) {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}
