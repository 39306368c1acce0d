//! Mutations that keep JSON JSON: values exchanged, copied, nested, left out, fields renamed.
//!
//! Must not know what the JSON means, except for the words that may stand in it.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// Words that mean something somewhere in a datafile, and values that are hard to read.
const WORDS: &[&str] = &[
    "",
    "and",
    "or",
    "not",
    "Running",
    "Paused",
    "ab",
    "fr",
    "td",
    "mab",
    "cmab",
    "true",
    "false",
    "json",
    "integer",
    "double",
    "boolean",
    "string",
    "exact",
    "exists",
    "substring",
    "gt",
    "ge",
    "lt",
    "le",
    "semver_eq",
    "semver_gt",
    "semver_ge",
    "semver_lt",
    "semver_le",
    "qualified",
    "custom_attribute",
    "third_party_dimension",
    "$opt_bucketing_id",
    "$opt_dummy_audience",
    "2.1.3-beta",
    "1e400",
    "-0",
    "9007199254740993",
    "{}",
    "[\"or\"]",
    "\u{fffd}",
    "\u{10000}",
    "2",
    "3",
    "4",
    "EU",
    "everyone",
];

/// Fields of a datafile.
const FIELDS: &[&str] = &[
    "id",
    "key",
    "name",
    "type",
    "match",
    "value",
    "version",
    "revision",
    "experiments",
    "featureFlags",
    "rollouts",
    "groups",
    "holdouts",
    "localHoldouts",
    "includedRules",
    "includedFlags",
    "excludedFlags",
    "audiences",
    "typedAudiences",
    "audienceIds",
    "audienceConditions",
    "conditions",
    "attributes",
    "events",
    "experimentIds",
    "variations",
    "variables",
    "trafficAllocation",
    "entityId",
    "endOfRange",
    "forcedVariations",
    "policy",
    "rolloutId",
    "layerId",
    "status",
    "featureEnabled",
    "defaultValue",
    "subType",
    "cmab",
    "trafficAllocation",
    "attributeIds",
    "botFiltering",
    "anonymizeIP",
    "sendFlagDecisions",
    "integrations",
    "region",
    "excludeTargetedDeliveries",
    "call",
    "sticky",
    "lateWindow",
    "text",
    "backend",
    "datafile",
    "userId",
    "time",
    "eventTags",
    "segments",
    "options",
];

/// Changes one to four places of a JSON text; `None` if the text is not JSON.
#[must_use]
pub fn mutate(text: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut root: Value = serde_json::from_slice(text).ok()?;
    for _ in 0..=random.below(4) {
        change(&mut root, random);
    }
    serde_json::to_vec(&root).ok()
}

fn change(root: &mut Value, random: &mut Random) {
    let count = count(root);
    let donor = nth(root, random.below(count)).cloned();
    let Some(place) = nth(root, random.below(count)) else { return };
    match random.below(10) {
        0 | 1 => *place = odd_value(random),
        2 => *place = donor.unwrap_or(Value::Null),
        3 => *place = json!([place.take()]),
        4 => *place = json!(["not", place.take()]),
        5 | 6 => shorten(place, random),
        7 => repeat(place, random),
        8 => rename(place, random),
        _ => nudge(place, random),
    }
}

fn odd_value(random: &mut Random) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!(random.below(2) == 0),
        4 => json!(random.below(10_002)),
        5 => json!(-1),
        6 => json!(0.5),
        7 => json!(u64::MAX),
        _ => json!(random.one_of(WORDS)),
    }
}

/// Leaves out one element or field.
fn shorten(place: &mut Value, random: &mut Random) {
    match place {
        Value::Array(items) if !items.is_empty() => drop(items.remove(random.below(items.len()))),
        Value::Object(fields) => {
            if let Some(name) = nth_name(fields, random) {
                fields.remove(&name);
            }
        }
        other => *other = Value::Null,
    }
}

/// Gives one element twice, or swaps two; gives an object a field that is known somewhere.
fn repeat(place: &mut Value, random: &mut Random) {
    match place {
        Value::Array(items) if !items.is_empty() => {
            let (from, to) = (random.below(items.len()), random.below(items.len()));
            if random.below(2) == 0 {
                items.swap(from, to);
            } else {
                items.insert(to, items[from].clone());
            }
        }
        Value::Object(fields) => {
            fields.insert((*random.one_of(FIELDS)).to_owned(), odd_value(random));
        }
        other => *other = json!([other.clone(), other.clone()]),
    }
}

fn rename(place: &mut Value, random: &mut Random) {
    let Value::Object(fields) = place else { return nudge(place, random) };
    if let Some(value) = nth_name(fields, random).and_then(|name| fields.remove(&name)) {
        fields.insert((*random.one_of(FIELDS)).to_owned(), value);
    }
}

/// Changes a scalar a little.
fn nudge(place: &mut Value, random: &mut Random) {
    match place {
        Value::Number(number) => {
            let near = number.as_f64().unwrap_or(0.0) + *random.one_of(&[-1.0, 1.0, 0.5, 1e300]);
            *place = json!(near);
        }
        Value::String(text) => match random.below(4) {
            0 => text.clear(),
            1 => text.push_str(WORDS[random.below(WORDS.len())]),
            2 => *text = text.chars().rev().collect(),
            _ => *text = text.repeat(2),
        },
        Value::Bool(flag) => *flag = !*flag,
        other => *other = odd_value(random),
    }
}

fn nth_name(fields: &Map<String, Value>, random: &mut Random) -> Option<String> {
    fields.keys().nth(random.below(fields.len())).cloned()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// The value at this place, counted from the root downwards.
fn nth(value: &mut Value, place: usize) -> Option<&mut Value> {
    fn walk<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
        if *left == 0 {
            return Some(value);
        }
        *left -= 1;
        match value {
            Value::Array(items) => items.iter_mut().find_map(|item| walk(item, left)),
            Value::Object(fields) => fields.values_mut().find_map(|field| walk(field, left)),
            _ => None,
        }
    }
    walk(value, &mut { place })
}
