//! Draws whole datafiles, each with at most one quirk, and a later version of each to swap to.
//! Must not know which calls are made.

use serde_json::{Map, Value, json};

use super::generate_audiences::{Audiences, audiences};
use super::generate_rules::{Workshop, experiment, group, holdout, variables, variations};
use super::generate_values::{ATTRIBUTE_KEYS, Names, users};
use super::quirk::Quirk;
use super::random::Random;

/// A datafile, what it may be swapped to, and the users that it knows.
pub(super) struct World {
    pub(super) quirk: Quirk,
    pub(super) datafile: Value,
    pub(super) later: Value,
    pub(super) users: Vec<String>,
}

#[derive(Default)]
struct Parts {
    experiments: Vec<Value>,
    grouped: Vec<Value>,
    rollouts: Vec<Value>,
    flags: Vec<Value>,
    rule_ids: Vec<String>,
    variation_ids: Vec<String>,
}

/// Two of three datafiles have no quirk, so that nearly all calls count; `wanted` gives all the same one.
pub(super) fn world(random: &mut Random, wanted: Option<Quirk>) -> World {
    let quirk = if let Some(wanted) = wanted {
        wanted
    } else if random.chance(65) {
        Quirk::None
    } else {
        random.pick(Quirk::ALL)
    };
    let mut names = Names::new(random, quirk);
    let users = users(random);
    let audiences = audiences(random, &mut names, quirk);
    let mut shop =
        Workshop { random, names: &mut names, audience_ids: &audiences.ids, users: &users, quirk };
    let mut parts = Parts::default();
    for _ in 0..shop.random.between(1, 5) {
        add_flag(&mut shop, &mut parts);
    }
    for _ in 0..shop.random.between(0, 4) {
        let own = variations_of(&mut shop, &[], &mut parts);
        add_experiment(&mut shop, &own, &mut parts);
    }
    let groups = groups(&mut shop, &mut parts);
    let datafile = assemble(&mut shop, parts, groups, &audiences);
    let later = later(random, &datafile, quirk);
    World { quirk, datafile, later, users }
}

fn variations_of(shop: &mut Workshop<'_>, variables: &[Value], parts: &mut Parts) -> Vec<Value> {
    let count = shop.random.between(1, 4);
    let made = variations(shop, count, variables);
    parts
        .variation_ids
        .extend(made.iter().filter_map(|variation| variation["id"].as_str().map(str::to_owned)));
    made
}

fn add_experiment(shop: &mut Workshop<'_>, variations: &[Value], parts: &mut Parts) -> String {
    let mut made = experiment(shop, variations, &parts.variation_ids);
    if shop.quirk == Quirk::DuplicateNames && shop.random.chance(50) {
        let other = shop.random.pick(&parts.experiments);
        let field = shop.random.pick(&["id", "key"]);
        if let (Some(value), Some(made)) = (other.get(field), made.as_object_mut()) {
            made.insert(field.to_owned(), value.clone());
        }
    }
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    parts.rule_ids.push(id.clone());
    if shop.random.chance(35) {
        parts.grouped.push(made)
    } else {
        parts.experiments.push(made)
    }
    id
}

fn add_flag(shop: &mut Workshop<'_>, parts: &mut Parts) {
    let variables = variables(shop.random, shop.names, shop.quirk);
    let shared = variations_of(shop, &variables, parts);
    let mut experiment_ids = Vec::new();
    for _ in 0..shop.random.between(0, 3) {
        let mut all = shared.clone();
        if shop.random.chance(25) {
            all.extend(variations_of(shop, &variables, parts));
        }
        experiment_ids.push(add_experiment(shop, &all, parts));
    }
    // An experiment of two flags makes the SDKs report odd variations, so it waits for datafiles without a quirk.
    if shop.quirk == Quirk::None && shop.random.chance(10) {
        experiment_ids
            .extend(parts.rule_ids.first().filter(|_| !parts.experiments.is_empty()).cloned());
        experiment_ids.retain(|id| {
            parts
                .experiments
                .iter()
                .chain(&parts.grouped)
                .any(|experiment| experiment["id"] == json!(id))
        });
    }
    if shop.quirk == Quirk::DanglingExperiment && shop.random.chance(60) {
        experiment_ids.push("no-such-experiment".to_owned());
    }
    let rollout_id = add_rollout(shop, &shared, &variables, parts);
    let key = if shop.quirk == Quirk::DuplicateNames && shop.random.chance(20) {
        shop.random.pick(&parts.flags)["key"].as_str().unwrap_or("first").to_owned()
    } else {
        shop.names.key(shop.random)
    };
    let id = shop.names.id(shop.random);
    parts.flags.push(json!({"id": id, "key": key, "rolloutId": rollout_id, "experimentIds": experiment_ids, "variables": variables}));
}

fn add_rollout(
    shop: &mut Workshop<'_>,
    shared: &[Value],
    variables: &[Value],
    parts: &mut Parts,
) -> String {
    if shop.quirk == Quirk::DanglingRollout && shop.random.chance(40) {
        return "no-such-rollout".to_owned();
    }
    if shop.random.chance(20) {
        return String::new();
    }
    let mut rules = Vec::new();
    for _ in 0..shop.random.between(0, 4) {
        let own = if shop.random.chance(50) {
            shared.to_vec()
        } else {
            variations_of(shop, variables, parts)
        };
        let mut rule = experiment(shop, &own, &parts.variation_ids);
        if shop.quirk == Quirk::DuplicateNames && shop.random.chance(30) {
            rule["key"] =
                shop.random.pick(&parts.experiments).get("key").unwrap_or(&rule["key"]).clone();
        }
        parts.rule_ids.extend(rule["id"].as_str().map(str::to_owned));
        rules.push(rule);
    }
    let id = shop.names.id(shop.random);
    parts.rollouts.push(json!({"id": id, "experiments": rules}));
    id
}

fn groups(shop: &mut Workshop<'_>, parts: &mut Parts) -> Vec<Value> {
    let mut groups = Vec::new();
    while !parts.grouped.is_empty() {
        let count = shop.random.between(1, 3).min(parts.grouped.len());
        let members = parts.grouped.drain(..count).collect();
        groups.push(group(shop, members));
    }
    groups
}

fn assemble(
    shop: &mut Workshop<'_>,
    parts: Parts,
    groups: Vec<Value>,
    audiences: &Audiences,
) -> Value {
    let mut made = Map::new();
    let globals = shop.random.weighted(&[(60, 0), (30, 1), (10, 2)]);
    let fewest =
        usize::from(matches!(shop.quirk, Quirk::ExcludeTargetedDeliveries | Quirk::EnabledHoldout));
    let holdouts: Vec<Value> = (0..globals.max(fewest)).map(|_| holdout(shop, None)).collect();
    let locals = shop.random.weighted(&[(55, 0), (30, 1), (15, 2)]);
    let local_holdouts: Vec<Value> =
        (0..locals).map(|_| holdout(shop, Some(&parts.rule_ids))).collect();
    for (name, list) in [("holdouts", holdouts), ("localHoldouts", local_holdouts)] {
        if !list.is_empty() || shop.random.chance(30) {
            made.insert(name.to_owned(), Value::Array(list));
        }
    }
    let events = events(shop, &parts.rule_ids);
    made.insert("events".to_owned(), events);
    made.insert("groups".to_owned(), Value::Array(groups));
    made.insert("experiments".to_owned(), Value::Array(parts.experiments));
    made.insert("rollouts".to_owned(), Value::Array(parts.rollouts));
    made.insert("featureFlags".to_owned(), Value::Array(parts.flags));
    made.insert("audiences".to_owned(), json!(audiences.untyped));
    if !audiences.typed.is_empty() {
        made.insert("typedAudiences".to_owned(), json!(audiences.typed));
    }
    insert_settings(shop, &mut made);
    Value::Object(made)
}

fn events(shop: &mut Workshop<'_>, rule_ids: &[String]) -> Value {
    let mut events = Vec::new();
    for _ in 0..shop.random.between(1, 4) {
        let mut tied: Vec<String> =
            (0..shop.random.below(4)).map(|_| shop.random.pick(rule_ids)).collect();
        if shop.random.chance(15) {
            tied.push("no-such-experiment".to_owned());
        }
        events.push(json!({"id": shop.names.id(shop.random), "key": shop.names.key(shop.random), "experimentIds": tied}));
    }
    Value::Array(events)
}

fn insert_settings(shop: &mut Workshop<'_>, made: &mut Map<String, Value>) {
    let (random, names) = (&mut *shop.random, &mut *shop.names);
    let version = if shop.quirk == Quirk::UnsupportedVersion {
        random.pick(&[json!("5"), json!("1"), json!(4), Value::Null])
    } else {
        json!(random.weighted(&[(80, "4"), (10, "3"), (10, "2")]))
    };
    made.insert("version".to_owned(), version);
    made.insert("revision".to_owned(), json!(random.below(1000).to_string()));
    made.insert("accountId".to_owned(), json!(names.id(random)));
    made.insert("projectId".to_owned(), json!(names.id(random)));
    let mut attributes = Vec::new();
    for key in ATTRIBUTE_KEYS.iter().filter(|key| **key != "undeclared") {
        if random.chance(80) {
            attributes.push(json!({"id": names.id(random), "key": key}));
        }
    }
    made.insert("attributes".to_owned(), Value::Array(attributes));
    for name in ["sendFlagDecisions", "anonymizeIP", "botFiltering"] {
        if random.chance(70) {
            made.insert(name.to_owned(), json!(random.chance(50)));
        }
    }
    if random.chance(40) || shop.quirk == Quirk::RegionInSmallLetters {
        let region = if shop.quirk == Quirk::RegionInSmallLetters {
            "eu"
        } else {
            random.pick(&["US", "EU", "", "MOON"])
        };
        made.insert("region".to_owned(), json!(region));
    }
    if random.chance(20) {
        made.insert(
            "integrations".to_owned(),
            json!([{"key": "odp", "host": "https://odp.invalid", "publicKey": "k"}]),
        );
    }
    made.insert("unheardOf".to_owned(), json!({"a": [1]}));
    if shop.quirk == Quirk::MissingFields {
        for name in ["audiences", "attributes", "groups"] {
            if random.chance(30) {
                made.remove(name);
            }
        }
    }
}

/// The same project some weeks later: other traffic, other statuses, another revision.
fn later(random: &mut Random, datafile: &Value, quirk: Quirk) -> Value {
    let mut later = datafile.clone();
    later["revision"] = json!(format!("later {}", random.below(1000)));
    for list in ["experiments", "groups", "rollouts"] {
        for item in elements_mut(&mut later, list) {
            change(random, item, quirk);
            for inner in elements_mut(item, "experiments") {
                change(random, inner, quirk);
            }
        }
    }
    later
}

fn change(random: &mut Random, experiment: &mut Value, quirk: Quirk) {
    if let Some(status) = experiment.get_mut("status").filter(|_| random.chance(15)) {
        *status = json!(random.pick(&["Running", "Paused"]));
    }
    for range in elements_mut(experiment, "trafficAllocation") {
        if random.chance(30) {
            range["endOfRange"] = json!(random.below(10_001));
        }
    }
    if quirk == Quirk::WithdrawnVariation && random.chance(50) {
        drop(experiment.get_mut("variations").and_then(Value::as_array_mut).and_then(Vec::pop));
    }
}

fn elements_mut<'a>(of: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    of.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}
