//! Draws audiences and the trees that combine them.
//! Must not know experiments, flags or users.

use serde_json::{Map, Value, json};

use super::generate_values::{ATTRIBUTE_KEYS, Names, SEGMENTS, attribute_value, version};
use super::quirk::Quirk;
use super::random::Random;

const MATCHES: &[&str] = &[
    "exact",
    "exact",
    "exists",
    "gt",
    "ge",
    "lt",
    "le",
    "substring",
    "semver_eq",
    "semver_gt",
    "semver_ge",
    "semver_lt",
    "semver_le",
    "qualified",
    "regex",
    "EXACT",
    "",
];

/// The audiences of one datafile: the two lists, and the ids to refer to.
pub(super) struct Audiences {
    pub(super) untyped: Vec<Value>,
    pub(super) typed: Vec<Value>,
    pub(super) ids: Vec<String>,
}

pub(super) fn audiences(random: &mut Random, names: &mut Names, quirk: Quirk) -> Audiences {
    let mut all = Audiences { untyped: Vec::new(), typed: Vec::new(), ids: Vec::new() };
    for number in 0..random.between(2, 8) {
        let id = names.id(random);
        let conditions = conditions(random, 0, quirk);
        let name = format!("audience {number}");
        if random.chance(60) {
            all.typed.push(json!({"id": id, "name": name, "conditions": conditions}));
            if random.chance(50) {
                // What the service writes for SDKs that do not know typed audiences; the typed one must win.
                let filler = r#"["or", {"match": "exact", "name": "$opt_dummy_attribute", "type": "custom_attribute", "value": "$opt_dummy_value"}]"#;
                all.untyped.push(json!({"id": id, "name": name, "conditions": filler}));
            }
        } else {
            all.untyped.push(json!({"id": id, "name": name, "conditions": conditions.to_string()}));
        }
        all.ids.push(id);
    }
    all
}

/// `audienceIds` and, in half of the cases, `audienceConditions`, put into an experiment, rule or holdout.
pub(super) fn target(
    random: &mut Random,
    into: &mut Map<String, Value>,
    ids: &[String],
    quirk: Quirk,
) {
    let count = random.weighted(&[(60, 0), (25, 1), (15, 2)]);
    let mut listed: Vec<String> = (0..count).map(|_| audience_id(random, ids)).collect();
    // The SDKs read these as they read conditions.
    if random.chance(10) {
        listed.insert(0, random.pick(&["and", "or", "not"]).to_owned());
    }
    into.insert("audienceIds".to_owned(), json!(listed));
    if random.chance(40) {
        let tree = match random.below(10) {
            0 => Value::Null,
            1..=3 => json!([]),
            4 => json!(audience_id(random, ids)),
            _ => audience_tree(random, ids, 0, quirk),
        };
        into.insert("audienceConditions".to_owned(), tree);
    }
}

fn audience_id(random: &mut Random, ids: &[String]) -> String {
    if random.chance(7) { "no-such-audience".to_owned() } else { random.pick(ids) }
}

fn audience_tree(random: &mut Random, ids: &[String], depth: usize, quirk: Quirk) -> Value {
    if depth > 0 && (depth > 2 || random.chance(55)) {
        if quirk == Quirk::UnknownOperator && random.chance(15) {
            return json!({"name": "device", "type": "custom_attribute", "value": "ios"});
        }
        return json!(audience_id(random, ids));
    }
    let children =
        (0..random.between(1, 3)).map(|_| audience_tree(random, ids, depth + 1, quirk)).collect();
    // Without an operator, the first element must be an audience id: a list there is the quirk.
    let implicit = (random.chance(15)).then(|| json!(audience_id(random, ids)));
    list(random, children, implicit, quirk)
}

fn conditions(random: &mut Random, depth: usize, quirk: Quirk) -> Value {
    if random.chance(if depth == 0 { 15 } else { 60 }) || depth > 2 {
        return leaf(random, quirk);
    }
    let children =
        (0..random.between(1, 3)).map(|_| conditions(random, depth + 1, quirk)).collect();
    list(random, children, None, quirk)
}

/// A list of the children under some operator, including the degenerate ones.
fn list(
    random: &mut Random,
    children: Vec<Value>,
    first_of_implicit_or: Option<Value>,
    quirk: Quirk,
) -> Value {
    match quirk {
        Quirk::EmptyConditionList if random.chance(25) => return json!([]),
        Quirk::UnknownOperator if random.chance(40) => {
            return prefixed(json!(random.pick(&["AND", "xor", "NOT"])), children);
        }
        Quirk::ImplicitOrOfConditions if random.chance(50) => return Value::Array(children),
        _ => {}
    }
    if let Some(first) = first_of_implicit_or {
        return prefixed(first, children);
    }
    let operator = random.weighted(&[(4, "and"), (5, "or"), (4, "not")]);
    if random.chance(6) {
        return json!([operator]);
    }
    prefixed(json!(operator), children)
}

fn prefixed(first: Value, rest: Vec<Value>) -> Value {
    Value::Array(std::iter::once(first).chain(rest).collect())
}

fn leaf(random: &mut Random, quirk: Quirk) -> Value {
    let mut condition = Map::new();
    let mut matching = random.pick(MATCHES);
    let name =
        if matching.starts_with("semver") { "app_version" } else { random.pick(ATTRIBUTE_KEYS) };
    if quirk == Quirk::QualifiedByNonString && random.chance(50) {
        matching = "qualified";
    }
    if matching == "qualified" {
        let segment = json!(random.pick(SEGMENTS));
        let odd = quirk == Quirk::QualifiedByNonString && random.chance(60);
        let value = if odd { random.pick(&[Value::Null, json!(5), json!(true)]) } else { segment };
        condition.insert("value".to_owned(), value);
    } else if random.chance(97) {
        let object = quirk == Quirk::ObjectConditionValue && random.chance(30);
        let value = match matching {
            _ if object => json!({"k": 1}),
            _ if matching.starts_with("semver") && random.chance(95) => {
                json!(version(random, quirk))
            }
            "substring" if random.chance(80) => {
                json!(random.pick(&["", "o", "pro", "ios", "größe", "😀"]))
            }
            _ => attribute_value(random, name, quirk),
        };
        condition.insert("value".to_owned(), value);
    }
    condition.insert("name".to_owned(), json!(name));
    insert_type(random, &mut condition, matching, quirk);
    insert_match(random, &mut condition, matching, quirk);
    Value::Object(condition)
}

fn insert_type(
    random: &mut Random,
    condition: &mut Map<String, Value>,
    matching: &str,
    quirk: Quirk,
) {
    if random.chance(4) {
        let unknown = random.pick(&[Value::Null, json!("custom_dimension"), json!("")]);
        condition.insert("type".to_owned(), unknown);
    } else if random.chance(97) {
        let third_party = (matching == "qualified")
            != (quirk == Quirk::MispairedConditionType && random.chance(50));
        condition.insert(
            "type".to_owned(),
            json!(if third_party { "third_party_dimension" } else { "custom_attribute" }),
        );
    }
}

fn insert_match(
    random: &mut Random,
    condition: &mut Map<String, Value>,
    matching: &str,
    quirk: Quirk,
) {
    if quirk == Quirk::NullMatch && matching == "exact" && random.chance(70) {
        condition.insert("match".to_owned(), Value::Null);
    } else if matching != "exact" || random.chance(70) {
        condition.insert("match".to_owned(), json!(matching));
    }
}
