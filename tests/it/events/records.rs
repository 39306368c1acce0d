//! Records as JSON, schema version 1.

use serde_json::{Value, json};
use variate::attribution::{EntryId, ImpressionSource, Record, credit_id};
use variate::events::record_json;

use super::world::{Decided, attributes, world};

#[track_caller]
fn check(record: &Record, expect: &Value) {
    let line = record_json(record);
    assert!(!line.contains('\n'), "one line: {line}");
    assert_eq!(&serde_json::from_str::<Value>(&line).unwrap(), expect);
}

#[test]
fn impressions() {
    let world = world();
    let decided = Decided { flag: "flag", rule: "second", variation: "second:off" };
    let mut impression = world.impression(ImpressionSource::FeatureTest, decided);
    impression.envelope = world.envelope(Some("i-1"), 900);
    impression.attributes = attributes(&[("country", "SE".into()), ("age", 4.5.into())]);
    impression.is_forced = true;
    check(
        &world.show(impression)[0],
        &json!({
            "v": 1, "type": "impression", "id": "i-1", "time": 900, "receivedAt": 1000,
            "environment": "shop", "revision": "42", "origin": "library", "userId": "u",
            "flagKey": "flag", "ruleKey": "second", "ruleType": "feature-test", "enabled": false,
            "forced": true, "first": true, "experimentId": "7402", "experimentKey": "second",
            "variationId": "v-2", "variationKey": "off", "attributes": {"country": "SE", "age": 4.5},
        }),
    );
    let mut impression = world
        .impression(ImpressionSource::Rollout, Decided { flag: "empty", ..Decided::default() });
    impression.envelope = world.envelope(Some("i-2"), 900);
    check(
        &world.show(impression)[0],
        &json!({
            "v": 1, "type": "impression", "id": "i-2", "time": 900, "receivedAt": 1000,
            "environment": "shop", "revision": "42", "origin": "library", "userId": "u",
            "flagKey": "empty", "ruleType": "rollout", "enabled": false, "forced": false, "first": false,
        }),
    );
    let decided = Decided { flag: "rolled", rule: "everyone", variation: "everyone:on" };
    let mut impression = world.impression(ImpressionSource::Rollout, decided);
    impression.envelope = world.envelope(Some("i-3"), 900);
    check(
        &world.show(impression)[0],
        &json!({
            "v": 1, "type": "impression", "id": "i-3", "time": 900, "receivedAt": 1000,
            "environment": "shop", "revision": "42", "origin": "library", "userId": "u",
            "flagKey": "rolled", "ruleKey": "everyone", "ruleType": "rollout", "enabled": true,
            "forced": false, "first": false, "variationId": "rest", "variationKey": "on",
        }),
    );
}

#[test]
fn conversions() {
    let world = world();
    let mut event = world.event("buy");
    event.envelope = world.envelope(Some("e-1"), 950);
    event.attributes = Some(attributes(&[("zip", "".into())]));
    event.tags = json!({"note": null}).as_object().cloned();
    (event.revenue_cents, event.value) = (Some(4200), Some(0.5));
    (event.count, event.duration_seconds) = (Some(2), Some(1.25));
    check(
        &world.track(event),
        &json!({
            "v": 1, "type": "conversion", "id": "e-1", "eventId": "e-1", "time": 950, "receivedAt": 1000,
            "environment": "shop", "revision": "42", "origin": "library", "userId": "u",
            "eventKey": "buy", "credits": [], "late": false, "attributes": {"zip": ""},
            "revenue": 4200, "value": 0.5, "count": 2, "duration": 1.25, "tags": {"note": null},
        }),
    );
}

#[test]
fn late_credits_and_inherited_attributes() {
    let mut world = world();
    world.rules.window_ms = Some(100);
    let mut event = world.event("buy");
    event.envelope = world.envelope(Some("e-1"), 950);
    world.track(event);
    let credit_id = credit_id("shop", &EntryId::Given("e-1".into()), "7401").to_string();
    let expect = |variation: [&str; 2], activated_at: i64, replaces, withdrawn| {
        json!({
            "v": 1, "type": "conversion", "eventId": "e-1", "time": 950, "receivedAt": 1000,
            "environment": "shop", "revision": "42", "origin": "library", "userId": "u",
            "eventKey": "buy", "late": true,
            "credits": [{
                "id": credit_id, "experimentId": "7401", "experimentKey": "plain",
                "variationId": variation[0], "variationKey": variation[1],
                "activatedAt": activated_at, "replaces": replaces, "withdrawn": withdrawn,
            }],
        })
    };
    let check_late = |variation: &str, at_ms, expect: Value| {
        let record = world.activate(variation, at_ms).remove(1);
        let mut got: Value = serde_json::from_str(&record_json(&record)).unwrap();
        assert_ne!(got["id"], got["eventId"]);
        got.as_object_mut().unwrap().remove("id");
        assert_eq!(got, expect);
    };
    check_late("in", 940, expect(["74011", "in"], 940, false, false));
    check_late("out", 930, expect(["74012", "out"], 930, true, false));
    check_late("out", 800, expect(["74012", "out"], 930, true, true));

    let decided = Decided { rule: "plain", variation: "plain:in", ..Decided::default() };
    let mut impression = world.impression(ImpressionSource::Experiment, decided);
    impression.envelope = world.envelope(None, 945);
    impression.attributes = attributes(&[("age", 4.into())]);
    world.show(impression);
    let got: Value = serde_json::from_str(&record_json(&world.track(world.event("free")))).unwrap();
    assert_eq!(
        (&got["attributes"], &got["attributesInherited"]),
        (&json!({"age": 4}), &json!(true))
    );
}
