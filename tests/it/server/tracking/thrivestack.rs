//! ThriveStack's API: its documents' requests, and each way of sending them.
//!
//! Must not know other systems.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use variate::settings::TrackingSystem;

use super::super::Daemon;
use super::super::http::{Request, ask};
use super::{activated, credits, iso, keyed, records, unused};

/// As it stands in the document of the track call, its time included.
const SAMPLE: &str = r#"{
    "event": "event_name",
    "properties": {
        "property1": "value1",
        "property2": "value2"
    },
    "user_id": "user123",
    "timestamp": "20-11-23T22:28:55.111Z"
}"#;

#[track_caller]
fn send(daemon: &Daemon, path: &str, body: &Value) -> Value {
    let answer = daemon.ask(&format!("POST {path}"), &body.to_string());
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    let told = answer.json();
    assert_eq!(told["success"], true, "{told}");
    assert!(told["message"].is_string() && told["response_id"].is_string(), "{told}");
    told
}

#[test]
fn the_sample_of_the_document_works_as_it_stands() {
    let shop = Daemon::with(|given| {
        given.tracking.events = BTreeMap::from([("event_name".to_owned(), "purchase".to_owned())]);
    });
    for kind in ["application/json", "application/x-www-form-urlencoded"] {
        for path in ["POST /track", "POST /api/track"] {
            let request = Request::new(path).header("Content-Type", kind).raw_body(SAMPLE);
            let answer = ask(shop.api(), &request);
            assert_eq!(answer.status, 200, "{answer:?}");
            let told = answer.json();
            assert_eq!(told["success"], true);
            assert_eq!(told["message"], "Event(s) tracked successfully");
            assert!(told["response_id"].as_str().unwrap().len() > 30, "{told}");
            assert!(told["eventId"].as_str().unwrap().starts_with("evt_"), "{told}");
        }
    }
    assert_eq!(unused(&shop, "thrivestack", "bad-time"), 4);
    assert_eq!(credits(&shop), Vec::<String>::new(), "nobody was activated");
    let shown = activated(&shop, "user123");
    let told = shop.ask("POST /track", SAMPLE).json();
    assert_eq!(credits(&shop), [format!("user123 purchase {shown}")]);
    let conversions = records(&shop, "conversion");
    let conversion = conversions.last().unwrap();
    assert_eq!(conversion["origin"], "thrivestack");
    assert_eq!(conversion["eventId"], told["eventId"]);
    assert_eq!(conversion["tags"], json!({"property1": "value1", "property2": "value2"}));
}

#[test]
fn one_event_or_many_with_all_that_goes_with_them() {
    let shop = Daemon::shop();
    let shown = activated(&shop, "anna");
    let at = variate::clock::system_time_ms();
    let event = |name: &str, user: &str| {
        json!({
            "event_name": name, "user_id": user, "timestamp": iso(at),
            "properties": {"revenue": 49.9, "currency": "USD", "value": 2},
            "context": {"group_id": "g-1", "country": "SE", "traits": {"age": 34}},
        })
    };
    let told = send(
        &shop,
        "/api/track",
        &json!([event("purchase", "anna"), event("Add To Cart", "anna"), event("purchase", "ben")]),
    );
    assert!(told["eventId"].is_string(), "{told}");
    assert_eq!(
        credits(&shop),
        [format!("anna purchase {shown}"), format!("anna add_to_cart {shown}")]
    );
    let conversion = &records(&shop, "conversion")[0];
    for (name, expect) in [
        ("revenue", json!(4990)),
        ("value", json!(2.0)),
        ("time", json!(at)),
        ("tags", json!({"revenue": 4990, "currency": "USD", "value": 2})),
    ] {
        assert_eq!(conversion[name], expect, "{name}: {conversion}");
    }
    let attributes = conversion["attributes"].to_string();
    assert!(attributes.contains("SE") && attributes.contains("34"), "{attributes}");
    // Without an id two are two, with one a repeat is none.
    for (id, expect) in [(Value::Null, 2), (json!("m-1"), 1)] {
        let before = credits(&shop).len();
        let body = json!({"event": "purchase", "user_id": "anna", "messageId": id});
        let told = [send(&shop, "/track", &body), send(&shop, "/track", &body)];
        assert_eq!(credits(&shop).len(), before + expect, "{id}");
        assert_eq!(told[1]["eventId"] == "m-1", !id.is_null());
    }
}

#[test]
fn exposures_identities_groups_and_pages() {
    let shop = Daemon::with(|given| {
        let viewed = ("Viewed Pricing Page".to_owned(), "purchase".to_owned());
        given.tracking.events = BTreeMap::from([viewed]);
    });
    let shown = json!({"experiment_name": "checkout_button", "variation_name": "green"});
    let exposure = json!({"event": "experiment_viewed", "user_id": "anna", "properties": shown});
    let told = send(&shop, "/track", &exposure);
    assert_eq!(told.get("eventId"), None, "no event: {told}");
    for prefix in ["", "/api"] {
        let path = |name: &str| format!("{prefix}/{name}");
        let identity =
            json!({"user_id": "anna", "traits": {"email": "a@b.c"}, "context": {"group_id": "g"}});
        send(&shop, &path("identify"), &identity);
        send(
            &shop,
            &path("group"),
            &json!([{"group_id": "g", "user_id": "anna", "traits": {"plan": "pro"}}]),
        );
        send(&shop, &path("page"), &json!({"page_name": "Purchase", "user_id": "anna"}));
        send(&shop, &path("page"), &json!([{"page_name": "Pricing", "user_id": "anna"}]));
    }
    let credit = "anna purchase checkout_button/green".to_owned();
    assert_eq!(credits(&shop), [credit.clone(), credit]);
    assert!(!shop.ask_admin("GET /metrics").body.contains("system=\"thrivestack\""));
}

#[test]
fn keys_are_found_in_each_place() {
    let daemon = keyed(TrackingSystem::Thrivestack);
    let check = |header: (&str, &str), path: &str, body: &Value, expect: u16| {
        let request = Request::new(&format!("POST {path}")).body(&body.to_string());
        let request =
            if header.0.is_empty() { request } else { request.header(header.0, header.1) };
        let answer = ask(daemon.api(), &request);
        assert_eq!(answer.status, expect, "{header:?} {path} {body}");
        assert_eq!(answer.json()["success"], expect == 200);
        assert!(answer.json()["response_id"].is_string());
    };
    let event = json!({"event": "purchase", "user_id": "anna"});
    let with = |name: &str| json!({"event": "purchase", "user_id": "anna", name: "k-1"});
    check(("", ""), "/track", &event, 401);
    check(("x-api-key", "k-2"), "/track", &event, 401);
    for header in [
        ("x-api-key", "k-1"),
        ("KEY", "k-1"),
        ("Authorization", "Bearer k-1"),
        ("Authorization", "Token k-1"),
        ("Authorization", "Basic ay0xOg=="),
    ] {
        check(header, "/api/track", &event, 200);
        check(header, "/identify", &json!([event]), 200);
    }
    check(("", ""), "/track", &with("api_key"), 200);
    check(("", ""), "/track", &with("writeKey"), 200);
    check(("", ""), "/api/page", &json!([with("api_key")]), 200);
    check(("", ""), "/track?api_key=k-1", &event, 200);
    check(("", ""), "/track?api_key=k-2", &event, 401);
}

#[test]
fn faults_are_told() {
    let shop = Daemon::shop();
    let refused = |body: &str, text: &str| {
        let answer = shop.ask("POST /track", body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let told = answer.json();
        assert_eq!(told["success"], false);
        assert!(told["message"].as_str().unwrap().contains(text), "{told}");
        assert!(told["response_id"].is_string(), "{told}");
    };
    refused("{", "the body is no JSON");
    refused("", "the body is no JSON");
    refused("7", "the body is no object");
    refused(r#"{"event": "purchase"}"#, "have the client send who it was");
    refused(r#"{"event": "purchase", "user_id": ""}"#, "have the client send who it was");
    refused(r#"{"event": "purchase", "user_id": ["anna"]}"#, "have the client send who it was");
    refused(r#"{"user_id": "anna"}"#, "have the client send what it was");
    refused(r#"{"user_id": "anna", "event": 7}"#, "have the client send what it was");
    refused("[7]", "what is no object in a list");
    // What a client cannot know is no fault of it.
    send(&shop, "/track", &json!({"event": "nothing", "user_id": "anna"}));
    send(&shop, "/track", &json!([]));
    assert_eq!(shop.ask("GET /track", "").status, 405);
    let large = json!({"event": "purchase", "user_id": "x".repeat(1_100_000)}).to_string();
    let answer = shop.ask("POST /track", &large);
    assert_eq!((answer.status, answer.json()["success"].clone()), (413, json!(false)));
}

#[test]
fn the_same_with_the_same_time_is_a_repeat_where_that_is_set() {
    for (known, expect) in [(vec![], 7), (vec![TrackingSystem::Thrivestack], 5)] {
        let shop = Daemon::with(|given| given.tracking.known_by_content = known);
        let shown = activated(&shop, "anna");
        let at = variate::clock::system_time_ms();
        let event = |time_ms: i64, sku: &str| json!({"event": "purchase", "user_id": "anna", "timestamp": iso(time_ms), "properties": {"sku": sku}});
        let mut sent_later = event(at, "a");
        sent_later["sentAt"] = json!(iso(at + 1));
        let without_time = json!({"event": "purchase", "user_id": "anna"});
        for body in [
            event(at, "a"),
            event(at, "a"),
            sent_later,
            event(at, "b"),
            event(at + 1, "a"),
            without_time.clone(),
            without_time,
        ] {
            send(&shop, "/track", &body);
        }
        assert_eq!(credits(&shop), vec![format!("anna purchase {shown}"); expect]);
    }
}
