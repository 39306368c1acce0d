//! OnboardFlow's events: its document's request, its answers, and what an event is called.
//!
//! Must not know other systems.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use variate::settings::{OnboardflowEvent, TrackingSystem};

use super::super::http::{Answer, Request, ask};
use super::super::{Daemon, wait_for};
use super::{activated, credits, keyed, records};

const PATH: &str = "POST /api/v1/tracker/event/";
/// As it stands in the document.
const SAMPLE: &str = r#"{"s":"f37F2PPh","site_user":{"id":"user_123XYZ","customer_id":"cus_123XYZ","custom_properties":{"projects_created":7}},"event":"PAGE_VIEW","value":"/manage/settings/","meta":{"title":"App Settings Page"}}"#;
const SAMPLE_TOKEN: &str = "Token e3c0c748fe9b55386eecc07c339ec4099a8b9b0e";

fn mapped(named_by: OnboardflowEvent, name: &str) -> Daemon {
    Daemon::with(|given| {
        given.tracking.onboardflow_event = Some(named_by);
        given.tracking.events = BTreeMap::from([(name.to_owned(), "purchase".to_owned())]);
    })
}

fn post(daemon: &Daemon, body: &Value) -> Answer {
    daemon.ask(PATH, &body.to_string())
}

/// A custom event of a user.
fn custom(user: &str, value: &str) -> Value {
    json!({"s": "f37F2PPh", "event": "CUSTOM", "value": value, "site_user": {"id": user, "customer_id": user}})
}

#[test]
fn the_sample_of_the_document_works_as_it_stands() {
    let shop = mapped(OnboardflowEvent::Value, "/manage/settings/");
    let send = || {
        let request = Request::new(PATH).header("Content-Type", "application/json");
        let answer =
            ask(shop.api(), &request.header("Authorization", SAMPLE_TOKEN).raw_body(SAMPLE));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let before = variate::clock::system_time_ms();
    let mut told = send();
    let after = variate::clock::system_time_ms();
    assert!(told["data"]["id"].as_u64().is_some_and(|id| id < 1 << 53), "{told}");
    for time in ["event_date", "created", "updated"] {
        let time_ms = told["data"][time].as_i64().unwrap();
        assert!((before..=after).contains(&time_ms), "{time}: {told}");
    }
    for changing in ["id", "event_date", "created", "updated"] {
        told["data"].as_object_mut().unwrap().remove(changing);
    }
    assert_eq!(
        told,
        json!({"success": true, "data": {
            "event_provider": "JSTRACKER", "event_value": "/manage/settings/", "site_hash": "f37F2PPh",
            "event_type": "PAGE_VIEW", "event_meta": {"title": "App Settings Page"},
            "site_user": {
                "id": "user_123XYZ", "customer_id": "cus_123XYZ", "custom_properties": {"projects_created": 7},
            },
        }})
    );
    assert_eq!(credits(&shop), Vec::<String>::new(), "nobody was activated");
    let shown = activated(&shop, "user_123XYZ");
    send();
    assert_eq!(credits(&shop), [format!("user_123XYZ purchase {shown}")]);
    let conversions = records(&shop, "conversion");
    let conversion = conversions.last().unwrap();
    assert_eq!(conversion["origin"], "onboardflow");
    assert_eq!(conversion["tags"], json!({"title": "App Settings Page"}));
}

#[test]
fn times_attributes_and_tags_are_kept() {
    let shop = Daemon::shop();
    activated(&shop, "anna");
    let mut event = custom("anna", "purchase");
    // After the activation, and past when it is sent.
    let seconds = variate::clock::system_time_ms() / 1000;
    wait_for("the next second", || {
        (variate::clock::system_time_ms() / 1000 > seconds).then_some(())
    });
    event["event_date"] = json!(seconds);
    event["site_user"]["custom_properties"] = json!({"country": "SE", "age": 34, "projects": 7});
    event["meta"] = json!({"title": "Cart", "revenue": 9.5});
    let told = post(&shop, &event).json();
    assert_eq!(told["data"]["event_date"], seconds * 1000, "{told}");
    let conversion = records(&shop, "conversion").pop().unwrap();
    assert_eq!(conversion["time"], seconds * 1000 + 999, "all of the second");
    assert_eq!(conversion["revenue"], 950);
    assert_eq!(conversion["tags"], json!({"title": "Cart", "revenue": 950}));
    let attributes = conversion["attributes"].to_string();
    assert!(attributes.contains("SE") && attributes.contains("34"), "{attributes}");
    assert!(!attributes.contains("projects"), "{attributes}");
    let id = conversion["eventId"].as_str().unwrap().replace('-', "");
    let number = u64::from_str_radix(&id[..13], 16).unwrap();
    assert_eq!(told["data"]["id"], number);
}

/// Dates are in whole seconds, and somebody may be activated within one.
#[test]
fn what_is_done_in_the_second_of_the_activation_counts() {
    let shop = Daemon::shop();
    let shown = activated(&shop, "anna");
    let second = variate::clock::system_time_ms() / 1000;
    for (date, expect) in [(second, 1), (second - 2, 1), (second + 2, 2)] {
        let mut event = custom("anna", "purchase");
        event["event_date"] = json!(date);
        let told = post(&shop, &event).json();
        assert_eq!(told["data"]["event_date"], date * 1000, "{told}");
        assert_eq!(credits(&shop), vec![format!("anna purchase {shown}"); expect], "{date}");
    }
}

#[test]
fn what_an_event_is_called_is_a_setting() {
    let check = |named_by, name: &str, body: Value| {
        let shop = mapped(named_by, name);
        let shown = activated(&shop, "anna");
        assert_eq!(post(&shop, &body).status, 200);
        assert_eq!(credits(&shop), [format!("anna purchase {shown}")], "{name}");
    };
    check(OnboardflowEvent::Value, "upgrade", custom("anna", "upgrade"));
    check(OnboardflowEvent::Event, "CUSTOM", custom("anna", "upgrade"));
    check(OnboardflowEvent::Both, "CUSTOM:upgrade", custom("anna", "upgrade"));
    let mut click = custom("anna", "Purchase");
    click["event"] = json!("CLICK");
    check(OnboardflowEvent::Value, "nothing", click);
}

#[test]
fn keys_and_methods() {
    let daemon = keyed(TrackingSystem::Onboardflow);
    let check = |header: (&str, &str), site: &str, expect: u16| {
        let mut event = custom("anna", "purchase");
        event["s"] = json!(site);
        let request = Request::new(PATH).body(&event.to_string());
        let request =
            if header.0.is_empty() { request } else { request.header(header.0, header.1) };
        let answer = ask(daemon.api(), &request);
        assert_eq!(answer.status, expect, "{header:?} {site}: {answer:?}");
        assert_eq!(answer.json()["success"], expect == 200);
    };
    check(("Authorization", "Token k-1"), "site", 200);
    check(("Authorization", "Bearer k-1"), "site", 200);
    check(("Authorization", "Token k-2"), "site", 401);
    check(("Authorization", "Token k-2"), "k-1", 401);
    check(("", ""), "k-1", 200);
    check(("", ""), "site", 401);
    check(("Accept", "text/html"), "k-1", 406);
    check(("Accept", "text/html, */*;q=0.1"), "k-1", 200);
    assert_eq!(daemon.ask("GET /api/v1/tracker/event/", "").status, 405);
}

#[test]
fn what_is_missing_is_told() {
    let shop = Daemon::shop();
    let refused = |body: &str, text: &str| {
        let answer = shop.ask(PATH, body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(answer.json()["success"], false);
        assert!(answer.json()["error"].as_str().unwrap().contains(text), "{answer:?}");
    };
    refused("{", "the body is no JSON");
    refused("[]", "the body is no object");
    let without = |change: &dyn Fn(&mut Value)| {
        let mut event = custom("anna", "purchase");
        change(&mut event);
        event.to_string()
    };
    for member in ["s", "event", "value"] {
        let text = format!("there is no {member}");
        refused(&without(&|event| drop(event.as_object_mut().unwrap().remove(member))), &text);
        refused(&without(&|event| event[member] = json!(7)), &text);
        refused(&without(&|event| event[member] = json!("")), &text);
    }
    refused(&without(&|event| event["event"] = json!("VIEW")), "the event is unknown");
    for user in
        [Value::Null, json!("anna"), json!({}), json!({"customer_id": "c"}), json!({"id": ""})]
    {
        refused(&without(&|event| event["site_user"] = user.clone()), "there is no site_user.id");
    }
}

#[test]
fn the_same_with_the_same_date_is_a_repeat_where_that_is_set() {
    for (known, expect) in [(vec![], 4), (vec![TrackingSystem::Onboardflow], 3)] {
        let shop = Daemon::with(|given| given.tracking.known_by_content = known);
        let shown = activated(&shop, "anna");
        let mut dated = custom("anna", "purchase");
        dated["event_date"] = json!(variate::clock::system_time_ms() / 1000 + 1);
        let ids = [&dated, &dated].map(|event| post(&shop, event).json()["data"]["id"].clone());
        assert_eq!(ids[0] == ids[1], expect == 3);
        for _ in 0..2 {
            assert_eq!(post(&shop, &custom("anna", "purchase")).status, 200);
        }
        assert_eq!(credits(&shop), vec![format!("anna purchase {shown}"); expect]);
    }
}
