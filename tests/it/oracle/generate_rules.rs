//! Draws variations, traffic, experiments, rollout rules and holdouts.
//! Must not know the top level of a datafile.

use serde_json::{Map, Value, json};

use super::generate_audiences::target;
use super::generate_values::Names;
use super::quirk::Quirk;
use super::random::Random;

/// What the rules of one datafile are drawn from.
pub(super) struct Workshop<'a> {
    pub(super) random: &'a mut Random,
    pub(super) names: &'a mut Names,
    pub(super) audience_ids: &'a [String],
    pub(super) users: &'a [String],
    pub(super) quirk: Quirk,
}

const STATUSES: &[(usize, &str)] =
    &[(80, "Running"), (5, "Paused"), (5, "Not started"), (5, "Launched"), (5, "running")];
const TYPES: &[(usize, &str)] =
    &[(45, ""), (15, "ab"), (10, "mab"), (12, "td"), (13, "fr"), (5, "unheard_of")];

/// Variations, as the service writes them: the rules of a flag share them, ids included.
pub(super) fn variations(shop: &mut Workshop<'_>, count: usize, variables: &[Value]) -> Vec<Value> {
    (0..count).map(|_| variation(shop, variables)).collect()
}

fn variation(shop: &mut Workshop<'_>, variables: &[Value]) -> Value {
    let mut made = Map::new();
    made.insert("id".to_owned(), json!(shop.names.id(shop.random)));
    let same = shop.quirk == Quirk::SameVariationKey && shop.random.chance(60);
    let key = if same {
        shop.random.pick(&["on", "off"]).to_owned()
    } else {
        shop.names.key(shop.random)
    };
    made.insert("key".to_owned(), json!(key));
    match shop.random.below(10) {
        0 => {}
        1 => drop(made.insert("featureEnabled".to_owned(), Value::Null)),
        2..=3 => drop(made.insert("featureEnabled".to_owned(), json!(false))),
        _ => drop(made.insert("featureEnabled".to_owned(), json!(true))),
    }
    let mut usages = Vec::new();
    for variable in variables {
        if shop.random.chance(60) {
            let kind = variable.get("type").and_then(Value::as_str).unwrap_or_default();
            usages.push(json!({"id": variable.get("id"), "value": variable_value(shop.random, kind, shop.quirk)}));
        }
    }
    if shop.random.chance(10) {
        usages.push(json!({"id": "no-such-variable", "value": "true"}));
    }
    if !usages.is_empty() || shop.random.chance(50) {
        made.insert("variables".to_owned(), Value::Array(usages));
    }
    Value::Object(made)
}

/// The variables of a flag, one or none of each type.
pub(super) fn variables(random: &mut Random, names: &mut Names, quirk: Quirk) -> Vec<Value> {
    let mut made = Vec::new();
    for kind in ["boolean", "integer", "double", "string", "json", "string/json", "weird"] {
        if random.chance(if kind == "weird" { 5 } else { 35 }) {
            let value = variable_value(random, kind, quirk);
            let mut variable = json!({"id": names.id(random), "key": names.key(random), "type": kind, "defaultValue": value});
            if kind == "string/json" {
                variable = json!({"id": variable["id"], "key": variable["key"], "type": "string", "subType": "json", "defaultValue": variable["defaultValue"]});
            }
            made.push(variable);
        }
    }
    made
}

/// A value in text form. Unparsable ones only where nothing else makes the SDKs disagree.
fn variable_value(random: &mut Random, kind: &str, quirk: Quirk) -> &'static str {
    let odd = quirk == Quirk::None && random.chance(30);
    match kind {
        "boolean" if odd => random.pick(&["TRUE", "yes", "1", "", " true"]),
        "boolean" => random.pick(&["true", "false"]),
        "integer" if odd => random.pick(&[
            "12abc",
            "1.0",
            "1e3",
            "",
            "0x10",
            "abc",
            " ",
            "- 5",
            "9007199254740993",
            "99999999999999999999",
        ]),
        "integer" => random.pick(&["0", "1", "-5", "+7", " 12 ", "007", "9007199254740992"]),
        "double" if odd => {
            random.pick(&["1.5x", "", "1,5", "0x10", "nan", "Infinity", "-inf", "1e400", "."])
        }
        "double" => random.pick(&["0", "1.0", "1.5", "-0.5", "1e3", ".5", "5.", " 2.5 ", "+1e-3"]),
        "json" | "string/json" if odd => {
            random.pick(&["{", "", "{'a': 1}", "[1,]", "NaN", "{\"a\":1}x"])
        }
        "json" | "string/json" => random.pick(&[
            "{}",
            "[]",
            "null",
            "1",
            "\"text\"",
            "{\"a\": [1, 2.50, {\"größe\": null}]}",
            " true ",
        ]),
        _ => random.pick(&["", "text", "größe 🚀", "true", "12"]),
    }
}

/// Traffic over the variations: mostly whole and rising, sometimes with gaps, disorder, repeats and strangers.
fn traffic(random: &mut Random, entities: &[String]) -> Vec<Value> {
    if random.chance(4) {
        return Vec::new();
    }
    let whole = random.chance(55);
    let last = entities.len().saturating_sub(1);
    let mut end = 0;
    let mut ranges: Vec<Value> = Vec::new();
    for (index, entity) in entities.iter().enumerate() {
        end = if whole && index == last {
            10_000
        } else {
            end + random.below(10_000 - end.min(9_999))
        };
        if random.chance(5) {
            ranges.push(json!({"entityId": random.pick(&["", "no-such-entity"]), "endOfRange": end.saturating_sub(random.below(2_000))}));
        }
        ranges.push(json!({"entityId": entity, "endOfRange": end}));
        if random.chance(5) {
            ranges.push(json!({"entityId": random.pick(entities), "endOfRange": end}));
        }
    }
    if random.chance(6) {
        ranges.reverse();
    }
    if random.chance(4) {
        ranges.push(json!({"entityId": "", "endOfRange": 10_000}));
    }
    ranges
}

fn ids_of(entities: &[Value]) -> Vec<String> {
    entities.iter().filter_map(|entity| entity["id"].as_str().map(str::to_owned)).collect()
}

/// An experiment or a rollout rule over some of the given variations.
pub(super) fn experiment(
    shop: &mut Workshop<'_>,
    variations: &[Value],
    strangers: &[String],
) -> Value {
    let mut chosen: Vec<Value> =
        variations.iter().filter(|_| shop.random.chance(75)).cloned().collect();
    if chosen.is_empty() && shop.random.chance(95) {
        chosen.push(shop.random.pick(variations));
    }
    // Rules may share keys; within one rule a repeated key is another fault, which `datafiles/cases` holds.
    let mut keys = std::collections::HashSet::new();
    chosen.retain(|variation| keys.insert(variation["key"].clone()));
    let mut entities = ids_of(&chosen);
    if shop.quirk == Quirk::ForeignVariation && shop.random.chance(50) {
        entities.push(shop.random.pick(strangers));
    }
    let blank = shop.quirk == Quirk::BlankKey && shop.random.chance(40);
    let id = shop.names.id(shop.random);
    // Each blank of a length of its own: an experiment and a rollout rule of one key are another quirk.
    let serial = id
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0, |sum, digit| (sum * 10 + usize::from(digit - b'0')) % 1000);
    let key = if blank { " ".repeat(1 + serial) } else { shop.names.key(shop.random) };
    let mut made = Map::new();
    made.insert("id".to_owned(), json!(id));
    made.insert("key".to_owned(), json!(key));
    made.insert("status".to_owned(), json!(shop.random.weighted(STATUSES)));
    made.insert(
        "layerId".to_owned(),
        json!(if shop.random.chance(15) { String::new() } else { shop.names.id(shop.random) }),
    );
    made.insert("trafficAllocation".to_owned(), Value::Array(traffic(shop.random, &entities)));
    made.insert("forcedVariations".to_owned(), whitelist(shop, &chosen));
    let delivers = shop.quirk == Quirk::ExcludeTargetedDeliveries && shop.random.chance(40);
    let kind = if delivers { "td" } else { shop.random.weighted(TYPES) };
    if !kind.is_empty() {
        made.insert("type".to_owned(), json!(kind));
    }
    made.insert("variations".to_owned(), Value::Array(chosen));
    target(shop.random, &mut made, shop.audience_ids, shop.quirk);
    if shop.quirk == Quirk::MissingFields && shop.random.chance(40) {
        made.remove(shop.random.pick(&["audienceIds", "forcedVariations"]));
    }
    Value::Object(made)
}

fn whitelist(shop: &mut Workshop<'_>, variations: &[Value]) -> Value {
    let mut listed = Map::new();
    while shop.random.chance(40) {
        let variation = shop.random.pick(variations);
        let key = if shop.random.chance(85) {
            variation["key"].as_str().unwrap_or_default()
        } else {
            "no-such-variation"
        };
        listed.insert(shop.random.pick(shop.users), json!(key));
    }
    Value::Object(listed)
}

/// A group over the experiments.
pub(super) fn group(shop: &mut Workshop<'_>, experiments: Vec<Value>) -> Value {
    let policy = shop.random.weighted(&[(65, "random"), (25, "overlapping"), (10, "Random")]);
    let ranges = traffic(shop.random, &ids_of(&experiments));
    json!({"id": shop.names.id(shop.random), "policy": policy, "trafficAllocation": ranges, "experiments": experiments})
}

/// A holdout of some of the traffic. Local ones name rules.
pub(super) fn holdout(shop: &mut Workshop<'_>, rule_ids: Option<&[String]>) -> Value {
    let enabled = shop.quirk == Quirk::EnabledHoldout && shop.random.chance(70);
    let id = shop.names.id(shop.random);
    let variation_id = shop.names.id(shop.random);
    let mut off =
        json!({"id": variation_id, "key": shop.names.key(shop.random), "featureEnabled": enabled});
    if shop.random.chance(30) {
        off = json!({"id": off["id"], "key": off["key"]});
    }
    let entity = if shop.random.chance(95) { variation_id } else { "no-such-entity".to_owned() };
    let mut made = Map::new();
    made.insert("id".to_owned(), json!(id));
    made.insert("key".to_owned(), json!(shop.names.key(shop.random)));
    let statuses = &[(80, "Running"), (7, "Draft"), (7, "Concluded"), (6, "Archived")];
    made.insert("status".to_owned(), json!(shop.random.weighted(statuses)));
    let end = if rule_ids.is_some() { shop.random.below(8_000) } else { shop.random.below(3_000) };
    made.insert("trafficAllocation".to_owned(), json!([{"entityId": entity, "endOfRange": end}]));
    made.insert("variations".to_owned(), json!([off]));
    target(shop.random, &mut made, shop.audience_ids, shop.quirk);
    if shop.quirk == Quirk::ExcludeTargetedDeliveries && shop.random.chance(70) {
        made.insert("excludeTargetedDeliveries".to_owned(), json!(true));
        made.insert(
            "trafficAllocation".to_owned(),
            json!([{"entityId": entity, "endOfRange": 7_000}]),
        );
    } else if shop.random.chance(20) {
        made.insert("excludeTargetedDeliveries".to_owned(), json!(false));
    }
    let none = ["no-such-rule".to_owned()];
    let rules = rule_ids.unwrap_or(&none);
    match shop.random.below(12) {
        0 => {}
        1 => drop(made.insert("includedRules".to_owned(), Value::Null)),
        2 => drop(made.insert("includedRules".to_owned(), json!([]))),
        3 => drop(made.insert("includedRules".to_owned(), json!(["no-such-rule"]))),
        _ if rule_ids.is_none() => {}
        _ => {
            let some: Vec<String> = (0..3).map(|_| shop.random.pick(rules)).collect();
            made.insert("includedRules".to_owned(), json!(some));
        }
    }
    Value::Object(made)
}
