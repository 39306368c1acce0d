//! Draws the calls on a datafile: every kind, mostly about things that the datafile has, sometimes about strangers.
//! Must not know how a datafile was drawn, only its names.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::generate_datafile::World;
use super::generate_values::{ATTRIBUTE_KEYS, SEGMENTS, attribute_value, number};
use super::quirk::Quirk;
use super::random::Random;
use super::vocabulary::Vocabulary;

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
    let mut calls: Vec<Value> = Vec::new();
    for at in 0..count {
        if swaps && (at == count / 3 || at == count / 2) {
            let path = if at == count / 2 { later } else { broken };
            calls.push(json!({"call": "setDatafile", "path": path.to_string_lossy()}));
            continue;
        }
        let next = call(random, world, &vocabulary, &calls);
        calls.push(next);
    }
    calls
}

fn call(random: &mut Random, world: &World, vocabulary: &Vocabulary, earlier: &[Value]) -> Value {
    let kind = random.weighted(KINDS);
    let few = world.users.get(..4).filter(|_| random.chance(60)).unwrap_or(&world.users);
    let mut call = Map::new();
    call.insert("userId".to_owned(), json!(random.pick(few)));
    call.insert("call".to_owned(), json!(kind));
    match kind {
        "track" => insert_event(random, world.quirk, vocabulary, &mut call),
        "activate" | "getVariation" | "getForcedVariation" | "setForcedVariation" => {
            insert_experiment(random, world.quirk, vocabulary, &mut call);
        }
        _ => insert_flag(random, world.quirk, vocabulary, &mut call),
    }
    if matches!(kind, "getForcedVariation" | "removeForcedDecision" | "getVariation")
        && random.chance(40)
    {
        repeat_the_names_of_a_setter(random, earlier, &mut call);
    }
    if kind.starts_with("decide") && random.chance(60) {
        let mut options: Vec<&str> = (0..random.below(4)).map(|_| random.pick(OPTIONS)).collect();
        // Python stumbles over an option given twice.
        without_repeats(&mut options);
        call.insert("options".to_owned(), json!(options));
    }
    let is_state =
        kind.starts_with("set") || kind.starts_with("remove") || kind == "getForcedVariation";
    if !is_state {
        insert_user_facts(random, world.quirk, &mut call);
        let attributes = call.get_mut("attributes").and_then(Value::as_object_mut);
        if let Some(attributes) =
            attributes.filter(|_| world.quirk == Quirk::BucketMapAttribute && random.chance(40))
        {
            let (experiment, variation) = random.pick(&vocabulary.experiments).stored();
            attributes.insert(
                "$opt_experiment_bucket_map".to_owned(),
                json!({experiment: {"variation_id": variation}}),
            );
        }
    }
    Value::Object(call)
}

/// Asks about what was set before, so that forced variations and decisions are hit.
fn repeat_the_names_of_a_setter(
    random: &mut Random,
    earlier: &[Value],
    call: &mut Map<String, Value>,
) {
    let about =
        if call.contains_key("flagKey") { "setForcedDecision" } else { "setForcedVariation" };
    let setters: Vec<Value> =
        earlier.iter().filter(|call| call["call"] == about).cloned().collect();
    let setter = random.pick(&setters);
    for name in ["userId", "experimentKey", "flagKey", "ruleKey"] {
        if let (Some(value), true) = (setter.get(name), call.contains_key(name)) {
            call.insert(name.to_owned(), value.clone());
        }
    }
}

fn insert_flag(
    random: &mut Random,
    quirk: Quirk,
    vocabulary: &Vocabulary,
    call: &mut Map<String, Value>,
) {
    let flag = random.pick(&vocabulary.flags);
    let kind = call.get("call").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "decideForKeys" {
        let all: Vec<String> = vocabulary.flags.iter().map(|flag| flag.key.clone()).collect();
        let mut some: Vec<String> = (0..random.below(5)).map(|_| one_of(random, &all)).collect();
        if quirk != Quirk::None {
            without_repeats(&mut some);
        }
        call.insert("flagKeys".to_owned(), json!(some));
        return;
    }
    if matches!(kind.as_str(), "decideAll" | "getEnabledFeatures" | "removeAllForcedDecisions") {
        return;
    }
    call.insert("flagKey".to_owned(), json!(one_of(random, std::slice::from_ref(&flag.key))));
    if kind == "getFeatureVariable" {
        call.insert("variableKey".to_owned(), json!(one_of(random, &flag.variable_keys)));
    }
    if kind.ends_with("ForcedDecision") {
        let rule =
            if random.chance(40) { Value::Null } else { json!(one_of(random, &flag.rule_keys)) };
        call.insert("ruleKey".to_owned(), rule);
    }
    if kind == "setForcedDecision" {
        let from =
            if random.chance(85) { &flag.variation_keys } else { &vocabulary.variation_keys };
        call.insert("variationKey".to_owned(), json!(one_of(random, from)));
    }
}

fn insert_experiment(
    random: &mut Random,
    quirk: Quirk,
    vocabulary: &Vocabulary,
    call: &mut Map<String, Value>,
) {
    // Now and then a rollout rule's key, which is no experiment's.
    let from = if random.chance(90) { &vocabulary.experiments } else { &vocabulary.rules };
    let experiment = random.pick(from);
    call.insert(
        "experimentKey".to_owned(),
        json!(one_of(random, std::slice::from_ref(&experiment.key))),
    );
    if call.get("call").is_some_and(|kind| kind == "setForcedVariation") {
        // A user with an empty id cannot be freed in one of the SDKs: that is a quirk of its own.
        let may_clear =
            call.get("userId").is_some_and(|user| user != "") || quirk == Quirk::EmptyUserForced;
        let from =
            if random.chance(85) { &experiment.variation_keys } else { &vocabulary.variation_keys };
        let variation =
            if may_clear && random.chance(25) { Value::Null } else { json!(one_of(random, from)) };
        call.insert("variationKey".to_owned(), variation);
    }
}

/// One of the keys, or now and then one that no datafile has.
fn one_of(random: &mut Random, keys: &[String]) -> String {
    if random.chance(5) {
        random.pick(&["", "no-such-key", "größe"]).to_owned()
    } else {
        random.pick(keys)
    }
}

/// Repeats make the SDKs disagree, so they wait for datafiles on which nothing else does.
fn without_repeats<T: PartialEq + Clone>(list: &mut Vec<T>) {
    let all = std::mem::take(list);
    all.into_iter().for_each(|item| {
        if !list.contains(&item) {
            list.push(item)
        }
    });
}

fn insert_user_facts(random: &mut Random, quirk: Quirk, call: &mut Map<String, Value>) {
    if random.chance(88) {
        call.insert("attributes".to_owned(), attributes(random, quirk));
    }
    if random.chance(40) {
        let segments: Vec<&str> = (0..random.below(3)).map(|_| random.pick(SEGMENTS)).collect();
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
        let choices =
            [json!("bucketing_1"), json!("用户"), json!(""), json!(5), json!(true), Value::Null];
        made.insert("$opt_bucketing_id".to_owned(), random.pick(&choices));
    }
    if random.chance(8) {
        let choices = [json!("Mozilla/5.0 (größe)"), json!(""), Value::Null];
        made.insert("$opt_user_agent".to_owned(), random.pick(&choices));
    }
    Value::Object(made)
}

fn insert_event(
    random: &mut Random,
    quirk: Quirk,
    vocabulary: &Vocabulary,
    call: &mut Map<String, Value>,
) {
    call.insert("eventKey".to_owned(), json!(one_of(random, &vocabulary.event_keys)));
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
        if random.chance(5) { Value::Null } else { Value::Object(tags) },
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
    if random.chance(45) { random.pick(&odd) } else { number(random, quirk) }
}
