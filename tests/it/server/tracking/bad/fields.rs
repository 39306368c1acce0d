//! Every field of a value, and what it may be instead.
//!
//! Must not know what any field means, but that some are times.

use serde_json::{Value, json};

/// Fields that are times, in whatever form.
const TIMES: [&str; 4] = ["timestamp", "event_date", "sentAt", "originalTimestamp"];

/// Something that a field is instead.
#[derive(Debug, Clone)]
pub(super) struct Mutation {
    pub(super) word: &'static str,
    /// `None`: the field is not there.
    value: Option<Value>,
}

/// The paths of all members and elements of a value, whatever is inside of them.
pub(super) fn paths(value: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    walk(value, String::new(), &mut paths);
    paths
}

fn walk(value: &Value, path: String, paths: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect()
        }
        _ => return,
    };
    for (key, value) in inside {
        let path = format!("{path}/{key}");
        paths.push(path.clone());
        walk(value, path, paths);
    }
}

/// Whether there is a plain value, with nothing inside of it.
pub(super) fn has_value(value: &Value, path: &str) -> bool {
    !matches!(value.pointer(path), Some(Value::Object(_) | Value::Array(_)))
}

/// All that a field may be instead.
pub(super) fn mutations(path: &str) -> Vec<Mutation> {
    let is = |word, value| Mutation { word, value: Some(value) };
    let mut all = vec![
        Mutation { word: "missing", value: None },
        is("null", Value::Null),
        is("true", json!(true)),
        is("7", json!(7)),
        is("text", json!("x")),
        is("empty text", json!("")),
        is("huge text", json!("x".repeat(20_000))),
        is("list", json!([[7]])),
        is("object", json!({"a": {"b": [1]}})),
    ];
    let name = path.rsplit('/').next().unwrap_or_default();
    if TIMES.contains(&name) {
        all.extend([
            is("year 9999", json!("9999-12-31T23:59:59Z")),
            is("year 1", json!("0001-01-01T00:00:00Z")),
            is("seconds of 2286", json!(9_999_999_999_i64)),
            is("milliseconds of 2286", json!(9_999_999_999_999_i64)),
            is("seconds of 2001", json!(1_000_000_000)),
            is("largest number", json!(i64::MAX)),
            is("smallest number", json!(i64::MIN)),
            is("1e300", json!(1e300)),
            is("text NaN", json!("NaN")),
            is("text of the vendor", json!("20-11-23T22:28:55.111Z")),
        ]);
    }
    all
}

impl Mutation {
    pub(super) fn apply(&self, request: &mut Value, path: &str) {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let parent = request.pointer_mut(parent).unwrap();
        match (parent, &self.value) {
            (Value::Object(members), None) => drop(members.remove(key).unwrap()),
            (Value::Array(elements), None) => drop(elements.remove(key.parse().unwrap())),
            (Value::Object(members), Some(value)) => members[key] = value.clone(),
            (Value::Array(elements), Some(value)) => {
                elements[key.parse::<usize>().unwrap()] = value.clone();
            }
            (other, _) => panic!("nothing is in {other}"),
        }
    }

    /// Whether it leaves nothing to be of no use: members that nobody knows say nothing.
    pub(super) fn says_less(&self) -> bool {
        match &self.value {
            None | Some(Value::Null | Value::Object(_)) => true,
            Some(value) => value == "",
        }
    }
}
