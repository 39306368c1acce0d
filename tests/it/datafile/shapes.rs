//! Good datafiles, of every version and with every feature, give no finding.

use serde_json::{Value, json};

use super::{compile, datafile, experiment, findings};

fn check_good(datafile: &Value) {
    assert_eq!(findings(&compile(datafile)), Vec::<String>::new());
}

/// Everything that a datafile can have.
pub(super) fn everything() -> Value {
    let leaf = |name: &str, kind: &str, value: Value| json!({"name": name, "type": "custom_attribute", "match": kind, "value": value});
    datafile(json!({
        "sdkKey": "KEY", "environmentKey": "production", "region": "EU", "anonymizeIP": true,
        "botFiltering": false, "sendFlagDecisions": true, "variables": [], "unknown": {"deep": [[[{}]]]},
        "attributes": [{"id": "1", "key": "device"}, {"id": "2", "key": "age"}],
        "audiences": [
            {"id": "$opt_dummy_audience", "name": "filler", "conditions": "[\"or\", {\"match\": \"exact\", \"name\": \"$opt_dummy_attribute\", \"type\": \"custom_attribute\", \"value\": \"$opt_dummy_value\"}]"},
            {"id": "u1", "name": "legacy", "conditions": "[\"and\", [\"or\", [\"or\", {\"name\": \"device\", \"type\": \"custom_attribute\", \"value\": \"phone\"}]]]"},
            {"id": "t1", "name": "hidden", "conditions": "[]"},
        ],
        "typedAudiences": [
            {"id": "t1", "name": "adults", "conditions": ["and", leaf("age", "ge", json!(18)), ["not", leaf("age", "gt", json!(99.5))]]},
            {"id": "t2", "name": "all matches", "conditions": ["or",
                {"name": "device", "type": "custom_attribute", "match": "exists"}, leaf("device", "substring", json!("")),
                leaf("device", "exact", json!(true)), leaf("age", "lt", json!(-1)), leaf("age", "le", json!(0)),
                leaf("v", "semver_eq", json!("2")), leaf("v", "semver_ge", json!("2.1.0-beta")), leaf("v", "semver_le", json!("3+b")),
                leaf("v", "semver_gt", json!("2.1")), leaf("v", "semver_lt", json!("9")),
                {"name": "odp.audiences", "type": "third_party_dimension", "match": "qualified", "value": "vip"},
                {"name": "device", "type": "custom_attribute", "match": null, "value": "phone"}]},
        ],
        "experiments": [
            experiment("100", "checkout", json!({"audienceIds": ["$opt_dummy_audience"], "audienceConditions": ["and", "u1", ["or", "t1", ["not", "t2"]]]})),
            experiment("110", "gradual", json!({"type": "fr", "variations": [{"id": "1101", "key": "on", "featureEnabled": true}],
                "trafficAllocation": [{"entityId": "1101", "endOfRange": 1000}]})),
            experiment("120", "learning", json!({"type": "cmab", "cmab": {"attributeIds": ["1", "2"], "trafficAllocation": 8000}})),
            experiment("130", "delivery", json!({"type": "td", "status": null, "forcedVariations": {"ann": "a"}})),
        ],
        "groups": [
            {"id": "500", "policy": "random", "trafficAllocation": [{"entityId": "200", "endOfRange": 4000}, {"entityId": "", "endOfRange": 5000}, {"entityId": "210", "endOfRange": 10000}],
             "experiments": [experiment("200", "one", json!({})), experiment("210", "two", json!({"audienceConditions": "t1"}))]},
            {"id": "510", "policy": "overlapping", "trafficAllocation": [], "experiments": [experiment("220", "three", json!({}))]},
        ],
        "rollouts": [
            {"id": "r1", "experiments": [
                experiment("300", "300", json!({"audienceIds": ["t1"], "variations": [{"id": "3001", "key": "rolled", "featureEnabled": true, "variables": [{"id": "v1", "value": "7"}]}],
                    "trafficAllocation": [{"entityId": "3001", "endOfRange": 5000}]})),
                experiment("310", "310", json!({"variations": [{"id": "3101", "key": "on", "featureEnabled": false, "variables": [{"id": "v1", "value": "8"}]}],
                    "trafficAllocation": [{"entityId": "3101", "endOfRange": 10000}]})),
            ]},
            {"id": "r2", "experiments": []},
        ],
        "featureFlags": [
            {"id": "f1", "key": "banner", "rolloutId": "r1", "experimentIds": ["110", "200"], "variables": [
                {"id": "v1", "key": "size", "type": "integer", "defaultValue": "5"},
                {"id": "v2", "key": "ratio", "type": "double", "defaultValue": "0.5"},
                {"id": "v3", "key": "on", "type": "boolean", "defaultValue": "true"},
                {"id": "v4", "key": "title", "type": "string", "defaultValue": ""},
                {"id": "v5", "key": "theme", "type": "string", "subType": "json", "defaultValue": "{\"a\": 1}"},
                {"id": "v6", "key": "theme2", "type": "json", "defaultValue": "[]"},
            ]},
            {"id": "f2", "key": "empty", "rolloutId": "", "experimentIds": [], "variables": []},
        ],
        "events": [{"id": "e1", "key": "purchase", "experimentIds": ["100", "200"]}, {"id": "e2", "key": "unused", "experimentIds": []}],
        "integrations": [{"key": "odp", "host": "https://odp.example", "publicKey": "k", "pixelUrl": "p"}, {"key": "other"}],
        "holdouts": [
            {"id": "700", "key": "global", "status": "Running", "audienceIds": [], "variations": [{"id": "7001", "key": "off", "featureEnabled": false}],
             "trafficAllocation": [{"entityId": "7001", "endOfRange": 500}], "excludeTargetedDeliveries": true},
            {"id": "710", "key": "draft", "status": "Draft", "audienceIds": [], "variations": [], "trafficAllocation": []},
        ],
        "localHoldouts": [
            {"id": "720", "key": "local", "status": "Running", "audienceIds": [], "variations": [{"id": "7201", "key": "off"}],
             "trafficAllocation": [{"entityId": "7201", "endOfRange": 500}], "includedRules": ["310", "100"]},
        ],
    }))
}

#[test]
fn everything_at_once_is_good() {
    check_good(&everything());
}

#[test]
fn bare_datafiles_are_good() {
    check_good(&datafile(json!({})));
    check_good(&datafile(
        json!({"version": "2", "experiments": null, "audiences": null, "botFiltering": null}),
    ));
    check_good(&datafile(json!({"version": "3", "anonymizeIP": false})));
}

#[test]
fn live_variables_are_good() {
    let valued = json!({"variations": [{"id": "101", "key": "a", "variables": [{"id": "6", "value": "x"}]}],
        "trafficAllocation": []});
    check_good(&datafile(
        json!({"version": "3", "variables": [{"id": "6", "key": "old", "type": "string"}],
        "experiments": [experiment("10", "valued", valued)]}),
    ));
}

#[test]
fn equal_keys_of_rules_in_different_flags_are_good() {
    let rules = [experiment("10", "same", json!({})), experiment("20", "same", json!({}))];
    check_good(&datafile(json!({"experiments": rules})));
}
