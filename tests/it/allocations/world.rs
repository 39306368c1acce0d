//! Datafiles in which every kind of condition is evaluated, and users to decide for.

use std::sync::Arc;

use serde_json::{Value, json};
use variate::clock::Clock;
use variate::store::{MemoryLimits, MemoryStore};
use variate::value::AttributeValue;
use variate::{Client, Datafile, UserContext};

/// As many attributes as a user may have without an allocation, of every type.
pub(super) const ATTRIBUTES: [(&str, AttributeValue<'static>); 8] = [
    ("country", AttributeValue::String("SE")),
    ("age", AttributeValue::Integer(34)),
    ("lifetime_value", AttributeValue::Double(250.75)),
    ("staff", AttributeValue::Boolean(true)),
    ("device", AttributeValue::String("iPhone 15")),
    ("app_version", AttributeValue::String("5.2.0-beta+7")),
    ("coupon", AttributeValue::Null),
    ("$opt_bucketing_id", AttributeValue::String("a household of more than one person")),
];

pub(super) fn shop() -> Client {
    Client::from_datafile(include_bytes!("../../../datafiles/shop.json")).unwrap()
}

/// A user with the first of [`ATTRIBUTES`], built from what is borrowed.
pub(super) fn user_with<'a>(client: &'a Client, id: &'a str, attributes: usize) -> UserContext<'a> {
    add_attributes(client.user(id), attributes)
}

pub(super) fn add_attributes(user: UserContext<'_>, attributes: usize) -> UserContext<'_> {
    let user = user.with_segments(&["vip"]);
    ATTRIBUTES.iter().take(attributes).fold(user, |user, &(key, value)| user.with(key, value))
}

/// A client of experiments with an audience of every match, a whitelist, a group and a bandit.
pub(super) fn every_kind() -> Client {
    Client::from_datafile(datafile()).unwrap()
}

/// The same, and what is recorded is kept.
pub(super) fn capturing_client() -> Client {
    let store = MemoryStore::new(Arc::new(Clock::system()), MemoryLimits::default());
    let datafile = Datafile::compile(datafile()).unwrap().datafile;
    Client::builder().datafile(datafile).store(Arc::new(store)).build().unwrap()
}

fn datafile() -> String {
    let audiences: Vec<Value> = conditions()
        .into_iter()
        .enumerate()
        .map(|(number, conditions)| json!({ "id": format!("70{number}"), "name": "a", "conditions": conditions }))
        .collect();
    let mut audience = rule("11", "audience");
    let ids: Vec<Value> = audiences.iter().map(|audience| audience["id"].clone()).collect();
    let mut others = vec![Value::from("or")];
    others.extend_from_slice(&ids[1..]);
    // All audiences but the first are false, so each is looked at; then the first is.
    audience["audienceConditions"] = json!(["and", ids[0], ["not", others]]);
    let mut whitelisted = rule("12", "whitelisted");
    whitelisted["forcedVariations"] =
        (0..100).map(|number| (format!("person-{}", number * 2), json!("on"))).collect();
    let mut everyone = rule("15", "everyone");
    everyone["trafficAllocation"] = json!([{"entityId": "152", "endOfRange": 10_000}]);
    let mut bandit = rule("16", "bandit");
    bandit["type"] = "cmab".into();
    bandit["cmab"] = json!({"attributeIds": ["40"], "trafficAllocation": 10_000});
    let group = json!({
        "id": "31", "policy": "random", "experiments": [rule("13", "grouped"), rule("14", "other")],
        "trafficAllocation": [{"entityId": "13", "endOfRange": 5_000}, {"entityId": "14", "endOfRange": 10_000}],
    });
    let declared: Vec<Value> = ATTRIBUTES
        .iter()
        .enumerate()
        .map(|(number, (key, _))| json!({"id": format!("4{number}"), "key": key}))
        .collect();
    json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": "3", "sendFlagDecisions": true,
        "attributes": declared,
        "audiences": [], "typedAudiences": audiences,
        "experiments": [audience, whitelisted, everyone, bandit], "groups": [group], "rollouts": [],
        "events": [{"id": "51", "key": "purchase", "experimentIds": ["15"]}],
        "featureFlags": [{
            "id": "61", "key": "flag", "rolloutId": "", "experimentIds": ["11", "13", "14"],
            "variables": [
                {"id": "91", "key": "color", "type": "string", "defaultValue": "red"},
                {"id": "92", "key": "size", "type": "integer", "defaultValue": "12"},
            ],
        }],
    })
    .to_string()
}

fn rule(id: &str, key: &str) -> Value {
    let variation = |digit: &str, key: &str| json!({"id": format!("{id}{digit}"), "key": key, "featureEnabled": key == "on", "variables": []});
    json!({
        "id": id, "key": key, "status": "Running", "layerId": format!("{id}9"), "audienceIds": [],
        "forcedVariations": {}, "variations": [variation("1", "off"), variation("2", "on")],
        "trafficAllocation": [
            {"entityId": format!("{id}1"), "endOfRange": 4_000}, {"entityId": format!("{id}2"), "endOfRange": 9_000},
        ],
    })
}

/// One that holds for the second attribute on, then one for each match, which holds for nobody here.
fn conditions() -> Vec<Value> {
    let leaf = |name: &str, how: &str, value: Value| json!({"type": "custom_attribute", "name": name, "match": how, "value": value});
    let segment = |name: &str| json!({"type": "third_party_dimension", "name": "odp.audiences", "match": "qualified", "value": name});
    vec![
        json!(["or", leaf("country", "exact", "SE".into()), leaf("coupon", "exists", Value::Null)]),
        leaf("country", "exact", "NO".into()),
        leaf("staff", "exact", false.into()),
        leaf("age", "exact", 35.into()),
        leaf("age", "gt", 34.into()),
        leaf("age", "ge", json!(34.5)),
        leaf("lifetime_value", "lt", json!(250.75)),
        leaf("lifetime_value", "le", 250.into()),
        leaf("device", "substring", "Android".into()),
        leaf("coupon", "exists", Value::Null),
        leaf("app_version", "semver_eq", "5.2.0".into()),
        leaf("app_version", "semver_gt", "5.2".into()),
        leaf("app_version", "semver_ge", "5.3.0-rc.1".into()),
        leaf("app_version", "semver_lt", "5.2.0-alpha".into()),
        leaf("app_version", "semver_le", "5.1.9".into()),
        segment("newcomers"),
    ]
}
