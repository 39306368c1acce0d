//! Bodies of the event API. Those of `backend` mode and of impressions were taken by running the
//! official Python SDK (5.7.0) on the same datafile; only `campaign_id` without an experiment differs.

use serde_json::{Value, json};
use variate::attribution::{ImpressionSource, Record};
use variate::events::{AttributionMode, event_api_request};
use variate::store::{Outbox as _, Store};
use variate::value::AttributeValue;

use super::world::{Decided, World, attributes, compile, datafile_json, world};

const US: &str = "https://logx.optimizely.com/v1/events";
const BOTS: &str = "$opt_bot_filtering";

/// Checks what is sent of a record, without uuid and timestamp; null where nothing is.
#[track_caller]
fn check(record: &Record, mode: AttributionMode, expect: &Value) {
    let request = event_api_request(record, mode);
    let mut sent = request.map_or(Value::Null, |request| json!([request.url, request.body]));
    if let Some(event) = sent.pointer_mut("/1/visitors/0/snapshots/0/events/0") {
        let event = event.as_object_mut().unwrap();
        assert!(event.remove("timestamp").unwrap().is_i64());
        uuid::Uuid::parse_str(event.remove("uuid").unwrap().as_str().unwrap()).unwrap();
    }
    assert_eq!(&sent, expect);
}

/// What is sent of the user `u` of the world's datafile.
fn sent(attributes: Value, snapshot: Value, enrich_decisions: bool) -> Value {
    json!([US, {
        "account_id": "12001", "project_id": "111001", "revision": "42",
        "client_name": "variate", "client_version": env!("CARGO_PKG_VERSION"),
        "anonymize_ip": true, "enrich_decisions": enrich_decisions,
        "visitors": [{"visitor_id": "u", "attributes": attributes, "snapshots": [snapshot]}],
    }])
}

fn bots() -> Value {
    json!({"entity_id": BOTS, "key": BOTS, "type": "custom", "value": false})
}

fn custom(entity_id: &str, key: &str, value: Value) -> Value {
    json!({"entity_id": entity_id, "key": key, "type": "custom", "value": value})
}

fn check_impression(source: ImpressionSource, decided: Decided<'_>, decision: Value) {
    let world = world();
    let record = world.show(world.impression(source, decided)).remove(0);
    let entity_id = decision["campaign_id"].clone();
    let snapshot = json!({
        "decisions": [decision],
        "events": [{"entity_id": entity_id, "key": "campaign_activated"}],
    });
    for mode in [AttributionMode::Activated, AttributionMode::Backend] {
        check(&record, mode, &sent(json!([bots()]), snapshot.clone(), true));
    }
}

#[test]
fn an_activation_of_an_experiment() {
    check_impression(
        ImpressionSource::Experiment,
        Decided { flag: "", rule: "plain", variation: "plain:in" },
        json!({
            "campaign_id": "37401", "experiment_id": "7401", "variation_id": "74011",
            "metadata": {"flag_key": "", "rule_key": "plain", "rule_type": "experiment", "variation_key": "in", "enabled": true},
        }),
    );
}

#[test]
fn a_flags_experiment_without_a_layer() {
    check_impression(
        ImpressionSource::FeatureTest,
        Decided { flag: "flag", rule: "second", variation: "second:on" },
        json!({
            "campaign_id": "7402", "experiment_id": "7402", "variation_id": "74021",
            "metadata": {"flag_key": "flag", "rule_key": "second", "rule_type": "feature-test", "variation_key": "on", "enabled": true},
        }),
    );
}

#[test]
fn a_rollout_whose_variation_has_no_numeric_id() {
    check_impression(
        ImpressionSource::Rollout,
        Decided { flag: "rolled", rule: "everyone", variation: "everyone:on" },
        json!({
            "campaign_id": "r", "experiment_id": "8001", "variation_id": null,
            "metadata": {"flag_key": "rolled", "rule_key": "everyone", "rule_type": "rollout", "variation_key": "on", "enabled": true},
        }),
    );
}

#[test]
fn an_empty_decision() {
    check_impression(
        ImpressionSource::Rollout,
        Decided { flag: "empty", rule: "", variation: "" },
        json!({
            "campaign_id": null, "experiment_id": "", "variation_id": null,
            "metadata": {"flag_key": "empty", "rule_key": "", "rule_type": "rollout", "variation_key": "", "enabled": false},
        }),
    );
}

#[test]
fn a_forced_decision_of_a_whole_flag() {
    for (key, id, enabled) in [("off", Value::Null, false), ("on", json!("74021"), true)] {
        check_impression(
            ImpressionSource::FeatureTest,
            Decided { flag: "flag", rule: "", variation: &format!("second:{key}") },
            json!({
                "campaign_id": null, "experiment_id": "", "variation_id": id,
                "metadata": {"flag_key": "flag", "rule_key": "", "rule_type": "feature-test", "variation_key": key, "enabled": enabled},
            }),
        );
    }
}

#[test]
fn a_holdout() {
    check_impression(
        ImpressionSource::Holdout,
        Decided { flag: "flag", rule: "held", variation: "held:out" },
        json!({
            "campaign_id": "900", "experiment_id": "900", "variation_id": null,
            "metadata": {"flag_key": "flag", "rule_key": "held", "rule_type": "holdout", "variation_key": "out", "enabled": false},
        }),
    );
}

#[test]
fn attributes_and_a_prediction() {
    let world = world();
    let decided = Decided { rule: "plain", variation: "plain:in", ..Decided::default() };
    let mut impression = world.impression(ImpressionSource::Experiment, decided);
    impression.attributes = attributes(&[
        ("country", "SE".into()),
        ("$opt_x", true.into()),
        ("age", 4.into()),
        ("zip", "".into()),
    ]);
    impression.prediction_id = Some("p-1".into());
    let record = world.show(impression).remove(0);
    let expect = json!([
        custom("41", "country", json!("SE")),
        custom("$opt_x", "$opt_x", json!(true)),
        custom("42", "age", json!(4)),
        custom("43", "zip", json!("")),
        bots(),
    ]);
    let body = event_api_request(&record, AttributionMode::Activated).unwrap().body;
    assert_eq!(body["visitors"][0]["attributes"], expect);
    let metadata = &body["visitors"][0]["snapshots"][0]["decisions"][0]["metadata"];
    assert_eq!(metadata["cmab_uuid"], "p-1");
}

#[test]
fn another_region_and_no_word_on_bots() {
    let mut datafile = datafile_json();
    datafile["region"] = json!("EU");
    datafile.as_object_mut().unwrap().remove("botFiltering");
    datafile.as_object_mut().unwrap().remove("anonymizeIP");
    let world = World { datafile: compile(&datafile), ..world() };
    let mut event = world.event("free");
    event.envelope.user_id = "".into();
    let request = event_api_request(&world.track(event), AttributionMode::Backend).unwrap();
    assert_eq!(request.url, "https://eu.logx.optimizely.com/v1/events");
    assert_eq!(request.body["anonymize_ip"], false);
    assert_eq!(request.body["visitors"][0]["attributes"], json!([]));
    assert_eq!(request.body["visitors"][0]["visitor_id"], "");
}

#[test]
fn conversions_for_the_backend_to_attribute() {
    let world = world();
    let mut event = world.event("buy");
    let tags = json!({"revenue": 4200, "value": "1.5", "note": null, "nested": {"a": [1]}});
    event.attributes = Some(attributes(&[("age", 7.into())]));
    event.tags = tags.as_object().cloned();
    (event.revenue_cents, event.value) = (Some(4200), Some(1.5));
    let snapshot = json!({
        "events": [{"entity_id": "61", "key": "buy", "revenue": 4200, "value": 1.5, "tags": tags}],
    });
    let given = json!([custom("42", "age", json!(7)), bots()]);
    check(&world.track(event), AttributionMode::Backend, &sent(given, snapshot, true));

    let mut event = world.event("buy");
    event.tags = Some(serde_json::Map::new());
    event.value = Some(f64::NAN);
    let snapshot = json!({"events": [{"entity_id": "61", "key": "buy", "tags": {}}]});
    check(&world.track(event), AttributionMode::Backend, &sent(json!([bots()]), snapshot, true));

    let snapshot = json!({"events": [{"entity_id": "62", "key": "free"}]});
    let record = world.track(world.event("free"));
    check(&record, AttributionMode::Backend, &sent(json!([bots()]), snapshot, true));
    check(&record, AttributionMode::Activated, &Value::Null);
}

#[test]
fn conversions_with_their_decisions() {
    let world = world();
    world.activate("in", 900);
    let decided = Decided { flag: "flag", rule: "second", variation: "second:off" };
    let mut impression = world.impression(ImpressionSource::FeatureTest, decided);
    impression.attributes = attributes(&[("country", AttributeValue::from("SE"))]);
    world.show(impression);
    let snapshot = json!({
        "decisions": [
            {"campaign_id": "37401", "experiment_id": "7401", "variation_id": "74011"},
            {"campaign_id": "7402", "experiment_id": "7402", "variation_id": null},
        ],
        "events": [{"entity_id": "61", "key": "buy"}],
    });
    let record = world.track(world.event("buy"));
    let inherited = json!([custom("41", "country", json!("SE")), bots()]);
    check(&record, AttributionMode::Activated, &sent(inherited, snapshot.clone(), false));
    let plain = json!({"events": [{"entity_id": "61", "key": "buy"}]});
    check(&record, AttributionMode::Backend, &sent(json!([bots()]), plain, true));

    let mut event = world.event("buy");
    event.attributes = Some(attributes(&[]));
    let given = sent(json!([bots()]), snapshot, false);
    check(&world.track(event), AttributionMode::Activated, &given);
}

#[test]
fn late_credits_are_told_once_and_corrected() {
    let mut world = world();
    world.rules.window_ms = Some(100);
    world.track(world.event("buy"));
    let told = |variation_id: &str| {
        let snapshot = json!({
            "decisions": [{"campaign_id": "37401", "experiment_id": "7401", "variation_id": variation_id}],
            "events": [{"entity_id": "61", "key": "buy"}],
        });
        sent(json!([bots()]), snapshot, false)
    };
    let late = |variation, at_ms, expect: &Value| {
        let record = world.activate(variation, at_ms).remove(1);
        check(&record, AttributionMode::Activated, expect);
        check(&record, AttributionMode::Backend, &Value::Null);
        event_api_request(&record, AttributionMode::Activated)
            .map(|request| request.body["visitors"][0]["snapshots"][0]["events"][0]["uuid"].clone())
    };
    let first = late("in", 940, &told("74011"));
    assert_eq!(late("in", 930, &Value::Null), None, "only the time is another");
    let corrected = late("out", 920, &told("74012"));
    assert_ne!(first, corrected, "the receiver must not take the correction for a repeat");
    assert_eq!(late("out", 100, &Value::Null), None, "nothing can be taken back");
}

#[test]
fn uuids_never_change_and_tell_records_apart() {
    let uuid = |id: &str, environment: &str, is_event: bool| {
        let world = world();
        if is_event {
            let event = variate::attribution::Event {
                envelope: world.envelope(Some(id), 950),
                ..world.event("buy")
            };
            drop(world.store.record_event(environment, &world.rules, event));
        } else {
            let decided = Decided { rule: "plain", variation: "plain:in", ..Decided::default() };
            let mut impression = world.impression(ImpressionSource::Experiment, decided);
            impression.envelope = world.envelope(Some(id), 950);
            drop(world.store.record_impression(environment, &world.rules, &(&impression).into()));
        }
        let (_, record) = world.store.outbox(0, 1, std::time::Duration::ZERO).unwrap().remove(0);
        let body = event_api_request(&record, AttributionMode::Backend).unwrap().body;
        let snapshot = &body["visitors"][0]["snapshots"][0];
        assert_eq!(snapshot["events"][0]["timestamp"], 950);
        snapshot["events"][0]["uuid"].as_str().unwrap().to_owned()
    };
    // Also where the caller's id is a UUID: it may be used for an activation and an event.
    let given = "3F2504E0-4F89-41D3-9A0C-0305E82C3301";
    assert_ne!(uuid(given, "shop", true), uuid(given, "shop", false));
    assert_ne!(uuid(given, "shop", true), uuid(&given.to_lowercase(), "shop", true));
    let made = uuid("order-1", "shop", true);
    assert_eq!(made, uuid("order-1", "shop", true));
    let others = [
        uuid("order-1", "shop", false),
        uuid("order-1", "test", true),
        uuid("order-2", "shop", true),
    ];
    assert!(!others.contains(&made), "{made} {others:?}");
}

#[test]
fn modes_are_read_and_written() {
    for mode in [AttributionMode::Activated, AttributionMode::Backend] {
        assert_eq!(mode.to_string().parse::<AttributionMode>().unwrap(), mode);
    }
    assert_eq!(AttributionMode::default(), AttributionMode::Activated);
    assert_eq!(
        "Backend".parse::<AttributionMode>().unwrap_err().to_string(),
        "attribution mode \"Backend\" is unknown: use activated or backend"
    );
}
