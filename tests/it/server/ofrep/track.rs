//! Tracking, which OFREP does not have yet: what is said, what is acknowledged.
//!
//! Must not know the attribution rule beyond one credit.

use serde_json::{Value, json};

use super::scene::Scene;

const TRACK: &str = "/ofrep/v1/track/";

#[test]
fn an_event_counts_for_what_was_shown() {
    let scene = Scene::new();
    scene.one("test", json!({"targetingKey": "fia", "country": "SE"}));
    let body = json!({
        "context": {"targetingKey": "fia", "country": "NO"},
        "details": {"value": 99.5, "revenue": 129_900, "currency": "SEK"},
        "eventId": "order-1",
    });
    let answer = scene.post(&format!("{TRACK}bought"), &body.to_string());
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (
            200,
            "{\"key\":\"bought\",\"eventId\":\"order-1\",\"credits\":[{\"experimentKey\":\"test_rule\",\"variationKey\":\"on\"}],\"duplicate\":false,\"revision\":\"1\"}\n"
        )
    );
    let again = scene.post(&format!("{TRACK}bought"), &body.to_string()).json();
    assert_eq!((&again["duplicate"], &again["reason"]), (&json!(true), &json!("duplicate")));
    let records = scene.records("conversion");
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record["origin"], "ofrep");
    assert_eq!((&record["value"], &record["revenue"]), (&json!(99.5), &json!(129_900)));
    assert_eq!(record["tags"], json!({"value": 99.5, "revenue": 129_900, "currency": "SEK"}));
    assert_eq!(record["attributes"], json!({"country": "NO"}));
}

#[test]
fn an_event_without_an_id_gets_one_and_says_why_it_counts_for_nothing() {
    let scene = Scene::new();
    let answer =
        scene.post(&format!("{TRACK}bought"), r#"{"context":{"targetingKey":"fia"}}"#).json();
    assert!(uuid::Uuid::parse_str(answer["eventId"].as_str().unwrap()).is_ok(), "{answer}");
    assert_eq!((&answer["credits"], &answer["reason"]), (&json!([]), &json!("no-activation")));
    let slash =
        scene.post(&format!("{TRACK}looked/around"), r#"{"context":{"targetingKey":"fia"}}"#);
    assert_eq!((slash.status, &slash.json()["key"]), (200, &json!("looked/around")));
}

#[track_caller]
fn check(scene: &Scene, event_key: &str, body: Value, expect: (u16, &str)) {
    let answer = scene.post(&format!("{TRACK}{event_key}"), &body.to_string());
    let said = answer.json();
    assert_eq!((answer.status, said["errorCode"].as_str().unwrap_or("none")), expect, "{body}");
    if expect.0 != 200 {
        assert_eq!(said["key"], event_key);
        assert!(said["errorDetails"].is_string(), "{said}");
    }
}

#[test]
fn wrong_requests_get_the_protocols_errors() {
    let scene = Scene::new();
    let fia = |more: Value| {
        let mut body = json!({"context": {"targetingKey": "fia"}});
        more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        body
    };
    check(&scene, "nothing", fia(json!({})), (404, "GENERAL"));
    check(&scene, "bought", json!({}), (400, "TARGETING_KEY_MISSING"));
    check(
        &scene,
        "bought",
        json!({"context": {"targetingKey": ""}}),
        (400, "TARGETING_KEY_MISSING"),
    );
    check(&scene, "bought", json!({"context": 1}), (400, "INVALID_CONTEXT"));
    check(&scene, "bought", json!([]), (400, "PARSE_ERROR"));
    check(&scene, "bought", fia(json!({"details": 1})), (400, "PARSE_ERROR"));
    check(&scene, "bought", fia(json!({"eventId": 1})), (400, "PARSE_ERROR"));
    check(&scene, "bought", fia(json!({"timestamp": "now"})), (400, "PARSE_ERROR"));
    check(&scene, "bought", fia(json!({"timestamp": 1.5})), (400, "PARSE_ERROR"));
    check(
        &scene,
        "bought",
        fia(json!({"details": null, "eventId": null, "timestamp": null})),
        (200, "none"),
    );
    check(
        &scene,
        "bought",
        fia(json!({"timestamp": 1_795_263_311_000_i64, "eventId": ""})),
        (200, "none"),
    );
    let records = scene.records("conversion");
    assert!(records.iter().all(|record| record["credits"] == json!([])), "{records:?}");
    assert_eq!(records.len(), 2, "only what was acknowledged: {records:?}");
}
