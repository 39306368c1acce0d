//! The configuration view of a datafile, held against the official SDKs' OptimizelyConfig.

use serde_json::{Map, Value, json};
use variate::Client;
use variate::client::{Config, ConfigExperiment, ConfigVariable, ConfigVariation};
use variate::datafile::Datafile;

const SHOP: &[u8] = include_bytes!("../../datafiles/shop.json");
const SHOP_CONFIG: &str = include_str!("../../datafiles/expected/shop.config.json");

#[test]
fn the_shop_looks_as_in_the_sdks() {
    let config = config_of(SHOP);
    let expected: Value = serde_json::from_str(SHOP_CONFIG).unwrap();
    let rendered = render(&config);
    for (section, wanted) in expected.as_object().unwrap() {
        assert_eq!(&rendered[section], wanted, "{section}");
    }
    assert_eq!(rendered.as_object().unwrap().len(), expected.as_object().unwrap().len());
}

#[test]
fn the_order_is_the_datafiles() {
    let config = config_of(SHOP);
    let expected: Value = serde_json::from_str(SHOP_CONFIG).unwrap();
    for section in ["experiments", "features"] {
        // serde_json sorts object keys, so the order is read off the text.
        let keys: Vec<&str> = match section {
            "experiments" => config.experiments.iter().map(|one| &*one.key).collect(),
            _ => config.features.iter().map(|one| &*one.key).collect(),
        };
        let section_at = SHOP_CONFIG.find(&format!("\n  \"{section}\":")).unwrap();
        let places: Vec<usize> = keys
            .iter()
            .map(|key| SHOP_CONFIG[section_at..].find(&format!("\n    \"{key}\": {{")).unwrap())
            .collect();
        assert!(places.is_sorted(), "{section}: {keys:?}");
        assert_eq!(keys.len(), expected[section].as_object().unwrap().len());
    }
}

/// What the audience conditions of a rule look like in words; `1` to `3` are `us`, `female`, `adult`.
fn check(conditions: Value, expected: &str) {
    let audiences =
        [("1", "us"), ("2", "female"), ("3", "adult"), ("$opt_dummy_audience", "filler")];
    let audience = |(id, name)| json!({"id": id, "name": name, "conditions": "[\"or\"]"});
    let mut experiment = json!({
        "id": "10", "key": "x", "status": "Running", "layerId": "1", "audienceIds": ["2"],
        "variations": [], "trafficAllocation": [], "forcedVariations": {},
    });
    experiment["audienceConditions"] = conditions.clone();
    let datafile = json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": "3",
        "audiences": audiences.map(audience), "experiments": [experiment],
    });
    let config = config_of(datafile.to_string().as_bytes());
    assert_eq!(config.experiments[0].audiences, expected, "{conditions}");
}

#[test]
fn audience_conditions_in_words() {
    check(json!(null), "");
    check(json!([]), "");
    check(json!("1"), "\"us\"");
    check(json!(["1"]), "\"us\"");
    check(json!(["or", "1"]), "\"us\"");
    check(json!(["and", "1"]), "\"us\"");
    check(json!(["not", "1"]), "NOT \"us\"");
    check(json!(["1", "2"]), "\"us\" OR \"female\"");
    check(json!(["or", "1", "2"]), "\"us\" OR \"female\"");
    check(json!(["and", "1", "2", "3"]), "\"us\" AND \"female\" AND \"adult\"");
    check(json!(["and", "1", ["or", "2", "3"]]), "\"us\" AND (\"female\" OR \"adult\")");
    check(json!(["and", ["or", "2", "3"], "1"]), "(\"female\" OR \"adult\") AND \"us\"");
    check(json!(["not", ["and", "1", "2"]]), "NOT (\"us\" AND \"female\")");
    check(json!(["and", "1", ["not", "2"]]), "\"us\" AND (NOT \"female\")");
    check(
        json!(["and", ["or", "1", ["and", "2", "3"]], ["and", "1", ["or", "2", "3"]]]),
        "(\"us\" OR (\"female\" AND \"adult\")) AND (\"us\" AND (\"female\" OR \"adult\"))",
    );
    check(json!(["or", "1", "404"]), "\"us\" OR \"404\"");
    check(json!(["or", "$opt_dummy_audience", "1"]), "\"$opt_dummy_audience\" OR \"us\"");
}

#[test]
fn of_one_key_the_last_stands_in_the_place_of_the_first() {
    let experiment = |id: &str, key: &str| {
        json!({
            "id": id, "key": key, "status": "Running", "layerId": "1", "audienceIds": [], "forcedVariations": {},
            "variations": [{"id": format!("{id}1"), "key": "a"}, {"id": format!("{id}2"), "key": "b"}, {"id": format!("{id}3"), "key": "a"}],
            "trafficAllocation": [],
        })
    };
    let datafile = json!({
        "version": "2", "accountId": "1", "projectId": "2", "revision": "3",
        "experiments": [experiment("1", "x"), experiment("2", "y")],
        "groups": [{"id": "g", "policy": "random", "trafficAllocation": [], "experiments": [experiment("3", "x")]}],
    });
    let config = config_of(datafile.to_string().as_bytes());
    let ids: Vec<&str> = config.experiments.iter().map(|one| &*one.id).collect();
    assert_eq!(ids, ["3", "2"]);
    let variations: Vec<&str> =
        config.experiments[0].variations.iter().map(|one| &*one.id).collect();
    assert_eq!(variations, ["33", "32"]);
    assert_eq!(config.experiment("x").unwrap().id, "3");
    assert_eq!(config.feature("x"), None);
    assert_eq!((&*config.sdk_key, &*config.environment_key), ("", ""));
}

#[test]
fn a_variation_that_is_off_shows_the_defaults() {
    let variation = |id: &str, key: &str, is_on: Value| {
        let values = json!([{"id": "51", "value": "red"}, {"id": "gone", "value": "blue"}]);
        json!({"id": id, "key": key, "featureEnabled": is_on, "variables": values})
    };
    let rule = |id: &str| {
        let variations = [
            variation(&format!("{id}1"), "on", true.into()),
            variation(&format!("{id}2"), "off", false.into()),
            variation(&format!("{id}3"), "absent", Value::Null),
        ];
        json!({
            "id": id, "key": id, "status": "Running", "layerId": "1", "audienceIds": [],
            "variations": variations, "trafficAllocation": [], "forcedVariations": {},
        })
    };
    let datafile = json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": "3",
        "experiments": [rule("1")], "rollouts": [{"id": "r", "experiments": [rule("2")]}],
        "featureFlags": [{"id": "f", "key": "f", "rolloutId": "r", "experimentIds": ["1"], "variables": [
            {"id": "51", "key": "color", "type": "string", "defaultValue": "grey"}]}],
    });
    let config = config_of(datafile.to_string().as_bytes());
    let feature = config.feature("f").unwrap();
    for rule in [&config.experiments[0], &feature.experiment_rules[0], &feature.delivery_rules[0]] {
        let values: Vec<_> = rule
            .variations
            .iter()
            .map(|one| (one.is_feature_enabled, one.variables.len(), &*one.variables[0].value))
            .collect();
        assert_eq!(values, [(true, 1, "red"), (false, 1, "grey"), (false, 1, "grey")]);
    }
}

#[test]
fn there_is_no_view_before_the_first_datafile() {
    let client = Client::builder().build().unwrap();
    assert_eq!(client.config(), None);
    client.swap(Datafile::compile(SHOP).unwrap().datafile);
    assert_eq!(client.config().unwrap(), config_of(SHOP));
}

fn config_of(text: &[u8]) -> Config {
    Config::new(&Datafile::compile(text).unwrap().datafile)
}

fn render(config: &Config) -> Value {
    let features = config.features.iter().map(|feature| {
        let rules =
            |rules: &[ConfigExperiment]| rules.iter().map(experiment).collect::<Vec<Value>>();
        let value = json!({
            "id": feature.id, "key": feature.key, "variables": variables(&feature.variables),
            "experimentRules": rules(&feature.experiment_rules),
            "deliveryRules": rules(&feature.delivery_rules),
        });
        (feature.key.clone(), value)
    });
    json!({
        "revision": config.revision,
        "sdkKey": config.sdk_key,
        "environmentKey": config.environment_key,
        "attributes": config.attributes.iter()
            .map(|one| json!({"id": one.id, "key": one.key})).collect::<Vec<_>>(),
        "audiences": config.audiences.iter()
            .map(|one| json!({"id": one.id, "name": one.name, "conditions": json_of(&one.conditions)}))
            .collect::<Vec<_>>(),
        "events": config.events.iter()
            .map(|one| json!({"id": one.id, "key": one.key, "experimentIds": one.experiment_ids}))
            .collect::<Vec<_>>(),
        "experiments": config.experiments.iter()
            .map(|one| (one.key.clone(), experiment(one))).collect::<Map<_, _>>(),
        "features": features.collect::<Map<_, _>>(),
    })
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn experiment(one: &ConfigExperiment) -> Value {
    let variation = |one: &ConfigVariation| {
        let value = json!({
            "id": one.id, "key": one.key, "featureEnabled": one.is_feature_enabled,
            "variables": variables(&one.variables),
        });
        (one.key.clone(), value)
    };
    json!({
        "id": one.id, "key": one.key, "audiences": one.audiences,
        "variations": one.variations.iter().map(variation).collect::<Map<_, _>>(),
    })
}

fn variables(all: &[ConfigVariable]) -> Value {
    let variable = |one: &ConfigVariable| {
        let value = json!({"id": one.id, "key": one.key, "type": one.kind, "value": one.value});
        (one.key.clone(), value)
    };
    Value::Object(all.iter().map(variable).collect())
}
