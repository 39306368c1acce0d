//! Keys where ids belong: what the remedy of a reference that leads nowhere says.

use serde_json::{Value, json};

use super::{checked, flag};
use crate::datafile::{datafile, experiment};

const OTHERWISE: &str = "add it, or take the reference out";

/// The remedies of all references that lead nowhere.
#[track_caller]
fn check(sections: Value, expect: &[&str]) {
    let found = checked(&datafile(sections)).findings;
    let found = found.iter().filter(|found| found.finding.code == "dangling-reference");
    let found: Vec<_> = found.map(|found| &*found.finding.remedy).collect();
    assert_eq!(found, expect);
}

fn of_experiment(fields: Value, more: &Value) -> Value {
    let mut sections = json!({"experiments": [experiment("10", "x", fields)]});
    sections.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sections
}

#[test]
fn keys_of_experiments_and_rules() {
    let key = ["that is a key: write the id, \"10\""];
    let event = |id: &str| json!({"events": [{"id": "e", "key": "e", "experimentIds": [id]}]});
    check(of_experiment(json!({}), &event("x")), &key);
    check(of_experiment(json!({}), &event("y")), &[OTHERWISE]);
    check(of_experiment(json!({}), &json!({"featureFlags": [flag("f", "", &["x"])]})), &key);
    let mut holdout = experiment("20", "h", json!({"includedRules": ["x", "f"]}));
    holdout["trafficAllocation"] = json!([{"entityId": "201", "endOfRange": 500}]);
    check(of_experiment(json!({}), &json!({"localHoldouts": [holdout]})), &[key[0], OTHERWISE]);
    let two = json!({"experiments": [experiment("10", "x", json!({})), experiment("20", "x", json!({}))],
        "events": [{"id": "e", "key": "e", "experimentIds": ["x"]}]});
    check(two, &[OTHERWISE]);
    let group = json!({"groups": [{
        "id": "g", "policy": "random", "experiments": [experiment("10", "x", json!({}))],
        "trafficAllocation": [{"entityId": "x", "endOfRange": 10000}],
    }]});
    check(group, &key);
}

#[test]
fn names_of_audiences_and_attributes() {
    let audiences =
        json!({"typedAudiences": [{"id": "a1", "name": "Adults", "conditions": ["or"]}]});
    let name = ["that is a name: write the id, \"a1\""];
    check(of_experiment(json!({"audienceIds": ["Adults"]}), &audiences), &name);
    check(of_experiment(json!({"audienceConditions": ["or", "Adults"]}), &audiences), &name);
    let bandit = json!({"cmab": {"attributeIds": ["age"], "trafficAllocation": 5000}});
    let attributes = json!({"attributes": [{"id": "a2", "key": "age"}]});
    check(of_experiment(bandit, &attributes), &["that is a key: write the id, \"a2\""]);
}

#[test]
fn keys_of_variations_and_ids_in_whitelists() {
    let range = json!({"trafficAllocation": [{"entityId": "b", "endOfRange": 10000}]});
    check(of_experiment(range, &json!({})), &["that is a key: write the id, \"102\""]);
    let listed = json!({"forcedVariations": {"anna.trafficAllocation[0]": "101", "berta": "c"}});
    let expect = ["that is an id: write the variation's key, \"a\"", OTHERWISE];
    check(of_experiment(listed, &json!({})), &expect);
}
