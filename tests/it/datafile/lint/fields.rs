//! Fields whose names are nearly those that are read: one line for each.

use serde_json::{Value, json};

use super::{checked, condition, flag, with_audiences};
use crate::datafile::{datafile, experiment};

/// What is said of misspelt fields, as `path remedy`.
#[track_caller]
fn check(sections: Value, expect: &[&str]) {
    let found = checked(&datafile(sections)).findings;
    let found = found.iter().map(|found| &found.finding);
    let found = found.filter(|one| ["misspelt-field", "ignored-field"].contains(&one.code));
    let found: Vec<_> = found.map(|one| format!("{} {}", one.path, one.remedy)).collect();
    assert_eq!(found, expect);
}

/// An experiment with a field under another name.
#[track_caller]
fn check_renamed(field: &str, written: &str, is_found: bool) {
    let mut experiment = experiment("10", "x", json!({"audienceConditions": [], "type": "ab"}));
    let value = experiment.as_object_mut().unwrap().remove(field).unwrap();
    experiment[written] = value;
    let expect = format!("experiments[0].{written} did you mean {field:?}?");
    let expect = [&*expect];
    check(json!({"experiments": [experiment]}), if is_found { &expect } else { &[] });
}

#[test]
fn fields_of_rules() {
    check_renamed("trafficAllocation", "trafficAlocation", true);
    check_renamed("trafficAllocation", "traffic_allocation", true);
    check_renamed("trafficAllocation", "TrafficAllocations", true);
    check_renamed("forcedVariations", "forcedVariation", true);
    check_renamed("forcedVariations", "forced", false);
    check_renamed("audienceIds", "audienceId", true);
    check_renamed("audienceIds", "audeinceIds", true);
    check_renamed("audienceConditions", "audienceCondition", true);
    check_renamed("variations", "variation", true);
    check_renamed("status", "mode", false);
    check_renamed("type", "kind", false);
    check_renamed("type", "typ", true);
}

#[test]
fn fields_of_all_else() {
    let one = |name: &str, field: &str| json!({name: [{field: [], "id": "1", "key": "k"}]});
    let said = |place: &str, field: &str| format!("{place} did you mean {field:?}?");
    check(json!({"featureFlag": []}), &[&said("featureFlag", "featureFlags")]);
    check(json!({"typedAudience": []}), &[&said("typedAudience", "typedAudiences")]);
    check(one("events", "experimentsIds"), &[&said("events[0].experimentsIds", "experimentIds")]);
    check(one("featureFlags", "variable"), &[&said("featureFlags[0].variable", "variables")]);
    check(one("groups", "experiment"), &[&said("groups[0].experiment", "experiments")]);
    check(
        one("typedAudiences", "condition"),
        &[&said("typedAudiences[0].condition", "conditions")],
    );
    let mut misspelt = condition("n", "exact", json!(1));
    misspelt["vaule"] = misspelt.as_object_mut().unwrap().remove("value").unwrap();
    let at = "typedAudiences[0].conditions[1].vaule";
    check(with_audiences(&[json!(["or", misspelt])]), &[&said(at, "value")]);
    let range = json!([{"entityID": "101", "endOfRange": 10000}]);
    check(
        json!({"experiments": [experiment("10", "x", json!({"trafficAllocation": range}))]}),
        &[&said("experiments[0].trafficAllocation[0].entityID", "entityId")],
    );
}

#[test]
fn what_is_no_slip_is_not_told() {
    // A field beside the one that it is like, names of users, and fields that nothing here reads.
    check(
        json!({"experiments": [experiment("10", "x", json!({
            "audienceId": "1", "forcedVariations": {"audienceId": "a"}, "percentageIncluded": 1, "layer": {},
        }))]}),
        &[],
    );
    check(json!({"featureFlags": [flag("f", "", &[])], "layers": [], "dimensions": []}), &[]);
}

#[test]
fn fields_that_were_withdrawn() {
    let holdout = |fields: Value| {
        let mut holdout = experiment("10", "x", fields);
        holdout["trafficAllocation"] = json!([{"entityId": "101", "endOfRange": 500}]);
        json!({"holdouts": [holdout]})
    };
    check(holdout(json!({"includedFlags": [], "excludedFlags": []})), &[]);
    check(
        holdout(json!({"includedFlags": ["checkout"]})),
        &[
            "holdouts[0].includedFlags name the rules in \"includedRules\" of a holdout in \"localHoldouts\", or take the field out",
        ],
    );
}
