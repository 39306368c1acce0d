//! Each value of the shop changed alone: something is said of it, and nobody changes unsaid.
//!
//! Must not know what is said.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use variate::Datafile;
use variate::difference::{Comparison, Sample, changes};
use variate::targeting::Attribute;

use super::SHOP;

/// Values are looked at in steps of this, since tests are slow.
const STRIDE: usize = 3;

#[test]
fn no_value_changes_unsaid() {
    #[expect(clippy::disallowed_methods, reason = "says how many values to try")]
    let stride = std::env::var("VARIATE_DIFF_STRIDE").ok().and_then(|stride| stride.parse().ok());
    let shop: Value = serde_json::from_str(SHOP).unwrap();
    let old = super::compiled(SHOP);
    let mut pointers = Vec::new();
    leaves(&shop, String::new(), &mut pointers);
    let mut unread = BTreeSet::new();
    for pointer in pointers.iter().step_by(stride.unwrap_or(STRIDE)) {
        for changed in variants(&shop, pointer) {
            // An unsupported version is refused.
            let Ok(new) = Datafile::compile(changed.to_string()) else { continue };
            let found = changes(&old, &new.datafile);
            assert!(!found.is_empty(), "{pointer}: nothing is said");
            assert!(changes(&new.datafile, &new.datafile).is_empty(), "{pointer}: against itself");
            if found.iter().all(|change| change.what == "text") {
                unread.insert(pointer.as_str());
                assert_eq!(
                    people_changed(&old, &new.datafile),
                    0,
                    "{pointer}: people change unsaid"
                );
            }
        }
    }
    let unexpected: Vec<_> =
        unread.iter().filter(|pointer| !SAYS_THE_SAME.contains(pointer)).collect();
    assert!(unexpected.is_empty(), "nothing but another text is told of {unexpected:?}");
}

/// Where another value, or none, says the same.
const SAYS_THE_SAME: &[&str] = &[
    // An untyped audience beside a typed one of the same id, and conditions that match nobody anyway.
    "/audiences/2",
    "/audiences/2/conditions",
    "/audiences/2/name",
    "/audiences/3/conditions",
    // The last range, which leads nowhere on purpose.
    "/experiments/1/trafficAllocation/3",
    "/experiments/1/trafficAllocation/3/endOfRange",
    "/experiments/1/trafficAllocation/3/entityId",
    "/groups/0/trafficAllocation/2",
    "/groups/0/trafficAllocation/2/endOfRange",
    "/groups/0/trafficAllocation/2/entityId",
    // An operator before a single operand; a list without operator is an "or".
    "/experiments/2/audienceConditions/0",
    "/experiments/4/audienceConditions/2/0",
    "/experiments/6/audienceConditions/0",
    "/rollouts/0/experiments/0/audienceConditions/0",
    "/rollouts/0/experiments/1/audienceConditions/0",
    "/rollouts/2/experiments/0/audienceConditions/0",
    "/rollouts/3/experiments/0/audienceConditions/0",
    "/rollouts/4/experiments/1/audienceConditions/0",
    "/rollouts/4/experiments/2/audienceConditions/0",
    "/typedAudiences/0/conditions/0",
    "/typedAudiences/1/conditions/0",
    "/typedAudiences/4/conditions/0",
    "/typedAudiences/5/conditions/0",
    "/typedAudiences/7/conditions/0",
    "/typedAudiences/8/conditions/2/1/0",
    // Audience ids beside conditions.
    "/experiments/2/audienceIds/0",
    "/experiments/4/audienceIds/0",
    "/experiments/6/audienceIds/0",
    "/experiments/8/audienceIds/0",
    "/rollouts/0/experiments/0/audienceIds/0",
    // The type of what is a bandit by its "cmab", a rollout that does not exist, and no policy but one.
    "/experiments/6/type",
    "/featureFlags/2/rolloutId",
    "/featureFlags/5/rolloutId",
    "/featureFlags/7/rolloutId",
    "/groups/1/policy",
];

/// JSON pointers to all values that are neither list nor object, and to the elements of lists.
fn leaves(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (place, value) in items.iter().enumerate() {
                let pointer = format!("{pointer}/{place}");
                if value.is_object() {
                    found.push(pointer.clone());
                }
                leaves(value, pointer, found);
            }
        }
        _ => found.push(pointer),
    }
}

/// The shop with another value at a place, and (for elements of lists) without it.
fn variants(shop: &Value, pointer: &str) -> Vec<Value> {
    let mut variants = Vec::new();
    let (list, place) = pointer.rsplit_once('/').unwrap();
    if let (Some(Value::Array(_)), Ok(place)) = (shop.pointer(list), place.parse::<usize>()) {
        let mut without = shop.clone();
        without.pointer_mut(list).unwrap().as_array_mut().unwrap().remove(place);
        variants.push(without);
    }
    let other = match shop.pointer(pointer).unwrap() {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_f64().unwrap() / 2.0),
        Value::String(text) => json!(format!("{text}0")),
        _ => return variants,
    };
    let mut changed = shop.clone();
    *changed.pointer_mut(pointer).unwrap() = other;
    variants.push(changed);
    variants
}

fn people_changed(old: &Datafile, new: &Datafile) -> u64 {
    let comparison = Comparison::new(old, new);
    let sets: [&[Attribute<'_>]; 2] = [
        &[],
        &[
            Attribute::new("country", "SE"),
            Attribute::new("age", 34),
            Attribute::new("logged_in", true),
            Attribute::new("lifetime_value", 700),
            Attribute::new("device", "iPhone"),
            Attribute::new("app_version", "5.3"),
        ],
    ];
    let segments = ["loyal_buyers"];
    let changed = sets.map(|attributes| {
        let sample = Sample { users: 150, seed: 3, attributes, segments: Some(&segments) };
        let effect = comparison.effect(&sample.tally(&comparison, 1, &|_| {}));
        let all = effect.experiments.iter().chain(&effect.flags);
        all.map(|one| one.changed + one.values_changed).sum::<u64>()
    });
    changed.iter().sum()
}
