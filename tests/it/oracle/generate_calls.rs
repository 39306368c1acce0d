//! Draws the calls on a datafile: every kind, mostly about things that the datafile has, sometimes about strangers.
//! Must not know how a datafile was drawn, only its names.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::generate_datafile::World;
use super::generate_values::{ATTRIBUTE_KEYS, SEGMENTS, attribute_value, number};
use super::quirk::Quirk;
use super::random::Random;

const KINDS: &[(usize, &str)] = &[
    (10, "activate"),
    (10, "getVariation"),
    (12, "track"),
    (18, "decide"),
    (6, "decideAll"),
    (6, "decideForKeys"),
    (9, "isFeatureEnabled"),
    (4, "getEnabledFeatures"),
    (8, "getFeatureVariable"),
    (5, "getAllFeatureVariables"),
    (6, "setForcedVariation"),
    (3, "getForcedVariation"),
    (5, "setForcedDecision"),
    (3, "removeForcedDecision"),
    (1, "removeAllForcedDecisions"),
];

const OPTIONS: &[&str] = &[
    "DISABLE_DECISION_EVENT",
    "ENABLED_FLAGS_ONLY",
    "IGNORE_USER_PROFILE_SERVICE",
    "INCLUDE_REASONS",
    "EXCLUDE_VARIABLES",
    "IGNORE_CMAB_CACHE",
    "RESET_CMAB_CACHE",
    "INVALIDATE_USER_CMAB_CACHE",
    "NO_SUCH_OPTION",
];

/// The names in a datafile that calls may use.
struct Vocabulary {
    flags: Vec<Value>,
    experiment_keys: Vec<String>,
    rule_keys: Vec<String>,
    variation_keys: Vec<String>,
    event_keys: Vec<String>,
}

impl Vocabulary {
    fn of(datafile: &Value) -> Self {
        let mut experiments = elements(datafile, "experiments");
        experiments.extend(
            elements(datafile, "groups")
                .iter()
                .flat_map(|group| elements(group, "experiments")),
        );
        let mut rules = experiments.clone();
        rules.extend(
            elements(datafile, "rollouts")
                .iter()
                .flat_map(|rollout| elements(rollout, "experiments")),
        );
        let variations: Vec<Value> = rules
            .iter()
            .flat_map(|rule| elements(rule, "variations"))
            .collect();
        Self {
            flags: elements(datafile, "featureFlags"),
            experiment_keys: keys(&experiments),
            rule_keys: keys(&rules),
            variation_keys: keys(&variations),
            event_keys: keys(&elements(datafile, "events")),
        }
    }
}

fn elements(of: &Value, list: &str) -> Vec<Value> {
    of.get(list)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn keys(of: &[Value]) -> Vec<String> {
    of.iter()
        .filter_map(|item| item["key"].as_str().map(str::to_owned))
        .collect()
}

/// The calls, in order. `later` is the file that a call may swap the datafile to, `broken` one that must be refused.
pub(super) fn calls(
    random: &mut Random,
    world: &World,
    count: usize,
    later: &Path,
    broken: &Path,
) -> Vec<Value> {
    let vocabulary = Vocabulary::of(&world.datafile);
    let swaps = world.quirk == Quirk::WithdrawnVariation || random.chance(30);
    let mut calls: Vec<Value> = (0..count)
        .map(|_| call(random, world, &vocabulary))
        .collect();
    if swaps && count > 2 {
        for (at, path) in [(count / 3, broken), (count / 2, later)] {
            if let Some(slot) = calls.get_mut(at) {
                *slot = json!({"call": "setDatafile", "path": path.to_string_lossy()});
            }
        }
    }
    calls
}

fn call(random: &mut Random, world: &World, vocabulary: &Vocabulary) -> Value {
    let kind = random.weighted(KINDS);
    let user = random.pick(&world.users);
    let mut call = Map::new();
    call.insert("call".to_owned(), json!(kind));
    let flag = random.pick(&vocabulary.flags);
    let flag_key = one_of(random, &keys(std::slice::from_ref(&flag)));
    match kind {
        "activate" | "getVariation" | "getForcedVariation" => {
            insert_experiment(random, vocabulary, &mut call)
        }
        "setForcedVariation" => {
            insert_experiment(random, vocabulary, &mut call);
            // A user with an empty id cannot be freed in one of the SDKs: that is a quirk of its own.
            let may_clear = !user.is_empty() || world.quirk == Quirk::EmptyUserForced;
            let variation = one_of(random, &vocabulary.variation_keys);
            call.insert(
                "variationKey".to_owned(),
                if may_clear && random.chance(25) {
                    Value::Null
                } else {
                    json!(variation)
                },
            );
        }
        "track" => insert_event(random, world.quirk, vocabulary, &mut call),
        "decide" | "isFeatureEnabled" | "getAllFeatureVariables" => {
            drop(call.insert("flagKey".to_owned(), json!(flag_key)))
        }
        "getFeatureVariable" => {
            call.insert("flagKey".to_owned(), json!(flag_key));
            let variables = keys(&elements(&flag, "variables"));
            call.insert("variableKey".to_owned(), json!(one_of(random, &variables)));
        }
        "decideForKeys" => {
            let all = keys(&vocabulary.flags);
            let some: Vec<String> = (0..random.below(5)).map(|_| one_of(random, &all)).collect();
            call.insert("flagKeys".to_owned(), json!(some));
        }
        "setForcedDecision" | "removeForcedDecision" => {
            call.insert("flagKey".to_owned(), json!(flag_key));
            let rule = one_of(random, &vocabulary.rule_keys);
            call.insert(
                "ruleKey".to_owned(),
                if random.chance(40) {
                    Value::Null
                } else {
                    json!(rule)
                },
            );
            if kind == "setForcedDecision" {
                call.insert(
                    "variationKey".to_owned(),
                    json!(one_of(random, &vocabulary.variation_keys)),
                );
            }
        }
        _ => {}
    }
    if kind.starts_with("decide") && random.chance(60) {
        let options: Vec<&str> = (0..random.below(4)).map(|_| random.pick(OPTIONS)).collect();
        call.insert("options".to_owned(), json!(options));
    }
    let is_state =
        kind.starts_with("set") || kind.starts_with("remove") || kind == "getForcedVariation";
    if !is_state {
        insert_user_facts(random, world.quirk, &mut call);
    }
    call.insert("userId".to_owned(), json!(user));
    Value::Object(call)
}

/// One of the keys, or now and then one that no datafile has.
fn one_of(random: &mut Random, keys: &[String]) -> String {
    if random.chance(5) {
        random.pick(&["", "no-such-key", "größe"]).to_owned()
    } else {
        random.pick(keys)
    }
}

fn insert_experiment(random: &mut Random, vocabulary: &Vocabulary, call: &mut Map<String, Value>) {
    // Now and then a rollout rule's key, which is no experiment's.
    let from = if random.chance(90) {
        &vocabulary.experiment_keys
    } else {
        &vocabulary.rule_keys
    };
    call.insert("experimentKey".to_owned(), json!(one_of(random, from)));
}

fn insert_user_facts(random: &mut Random, quirk: Quirk, call: &mut Map<String, Value>) {
    if random.chance(88) {
        call.insert("attributes".to_owned(), attributes(random, quirk));
    }
    if random.chance(40) {
        let segments: Vec<&str> = (0..random.below(3))
            .map(|_| random.pick(SEGMENTS))
            .collect();
        call.insert("segments".to_owned(), json!(segments));
    }
}

fn attributes(random: &mut Random, quirk: Quirk) -> Value {
    let mut made = Map::new();
    for _ in 0..random.below(7) {
        let key = random.pick(ATTRIBUTE_KEYS);
        made.insert(key.to_owned(), attribute_value(random, key, quirk));
    }
    if random.chance(12) {
        let choices = [
            json!("bucketing_1"),
            json!("用户"),
            json!(""),
            json!(5),
            json!(true),
            Value::Null,
        ];
        made.insert("$opt_bucketing_id".to_owned(), random.pick(&choices));
    }
    if random.chance(8) {
        let choices = [json!("Mozilla/5.0 (größe)"), json!(""), Value::Null];
        made.insert("$opt_user_agent".to_owned(), random.pick(&choices));
    }
    if quirk == Quirk::BucketMapAttribute && random.chance(40) {
        made.insert(
            "$opt_experiment_bucket_map".to_owned(),
            json!({"9300000100": {"variation_id": "9300000099"}}),
        );
    }
    Value::Object(made)
}

fn insert_event(
    random: &mut Random,
    quirk: Quirk,
    vocabulary: &Vocabulary,
    call: &mut Map<String, Value>,
) {
    call.insert(
        "eventKey".to_owned(),
        json!(one_of(random, &vocabulary.event_keys)),
    );
    if random.chance(25) {
        return;
    }
    let mut tags = Map::new();
    if random.chance(50) {
        tags.insert("revenue".to_owned(), revenue(random, quirk));
    }
    if random.chance(50) {
        tags.insert("value".to_owned(), value(random, quirk));
    }
    for name in ["category", "größe", "", "nested", "nothing"] {
        if random.chance(20) {
            let choices = [
                json!("shoes"),
                json!(""),
                json!(true),
                json!(1.5),
                json!(-3),
                json!([1, null, "a"]),
                json!({"a": {"b": null}}),
                Value::Null,
                json!({}),
            ];
            tags.insert(name.to_owned(), random.pick(&choices));
        }
    }
    call.insert(
        "eventTags".to_owned(),
        if random.chance(5) {
            Value::Null
        } else {
            Value::Object(tags)
        },
    );
}

fn revenue(random: &mut Random, quirk: Quirk) -> Value {
    let odd = [
        json!("123"),
        json!("123abc"),
        json!(""),
        json!(12.7),
        json!(12.0),
        json!(true),
        Value::Null,
        json!([]),
        json!({}),
        json!("12.5"),
        json!("1e3"),
        json!(1e300),
        json!(-0.5),
        json!([7]),
    ];
    match random.below(3) {
        0 => random.pick(&odd),
        1 => json!(random.pick(&[0, 1, -1, 1999, 4_999_999_999_i64])),
        _ if quirk == Quirk::BeyondExactNumbers => number(random, quirk),
        _ => json!(random.below(100_000)),
    }
}

fn value(random: &mut Random, quirk: Quirk) -> Value {
    let odd = [
        json!("1.5"),
        json!("1,2"),
        json!(""),
        json!("abc"),
        json!(" 1.5 "),
        json!("1e3"),
        json!("0x10"),
        json!(true),
        Value::Null,
        json!([]),
        json!({}),
        json!("Infinity"),
        json!("nan"),
        json!("-.5"),
        json!("5."),
        json!("1.5x"),
        json!("1e400"),
        json!([7]),
        json!("+3"),
    ];
    if random.chance(45) {
        random.pick(&odd)
    } else {
        number(random, quirk)
    }
}
