//! Events: the document's request, numbers, times, repeats, people who change.
//!
//! Must not know bulks.

use serde_json::{Value, json};

use super::super::{credits, records, unused};
use super::{
    APP, Daemon, Request, SUCCESS, activate, ask, form, get, now_ms, post, purchase, shop, tell,
};

/// The document's command as it is printed: a backslash is missing, so that curl never gets the events.
const AS_PRINTED: &str = "app_key=APP_KEY&device_id=DEVICE_ID&timestamp=TIMESTAMP&hour=HOUR&dow=DAYOFTHEWEEK&tz=TIMEZONE";
/// As it is meant, before anything is filled in.
const AS_MEANT: &str = concat!(
    "app_key=APP_KEY&device_id=DEVICE_ID&timestamp=TIMESTAMP&hour=HOUR&dow=DAYOFTHEWEEK&tz=TIMEZONE",
    r#"&events=[{"key":"EVENT_NAME","count":EVENT_COUNT,"sum":EVENT_SUM,"dur":EVENT_DUR,"segmentation":EVENT_SEGMENTATION}]"#
);

fn curl(daemon: &Daemon, body: &str) -> super::Answer {
    let request = Request::new("POST /i")
        .header("Accept", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded");
    ask(daemon.api(), &request.raw_body(body))
}

#[test]
fn the_document_s_request_works_as_it_is_written() {
    let shop = shop();
    activate(&shop, "DEVICE_ID");
    for body in [AS_PRINTED, AS_MEANT] {
        let answer = curl(&shop, body);
        assert_eq!((answer.status, &*answer.body), SUCCESS, "{body}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    }
    assert_eq!(credits(&shop), Vec::<String>::new());
    assert_eq!(unused(&shop, "countly", "wrong-kind"), 1, "what is no JSON is no list");
    let filled = AS_MEANT
        .replace("EVENT_NAME", "item purchase")
        .replace("EVENT_COUNT", "2")
        .replace("EVENT_SUM", "1.5")
        .replace("EVENT_DUR", "30")
        .replace("EVENT_SEGMENTATION", r#"{"item_name": "rolex & co"}"#)
        .replace("TIMESTAMP", &now_ms().to_string());
    let answer = curl(&shop, &filled);
    assert_eq!((answer.status, &*answer.body), SUCCESS);
    assert_eq!(credits(&shop), ["DEVICE_ID purchase checkout_button/orange"]);
    let conversion = &records(&shop, "conversion")[0];
    for (name, expect) in [
        ("origin", json!("countly")),
        ("count", json!(2)),
        ("value", json!(1.5)),
        ("duration", json!(30.0)),
        ("tags", json!({"item_name": "rolex & co"})),
    ] {
        assert_eq!(conversion[name], expect, "{name}: {conversion}");
    }
}

#[test]
fn numbers_may_be_text_and_attributes_are_those_of_the_request() {
    let shop = shop();
    activate(&shop, "anna");
    let details = r#"{"name":"Anna","custom":{"country":"SE","age":34,"visits":{"$inc":1}}}"#;
    let metrics = r#"{"_os":"Linux","plan":"pro","country":"NO"}"#;
    let event = json!([{
        "key": "item purchase", "count": "3", "sum": "-2.5", "dur": "0.5",
        "segmentation": {"a": [1, 2], "b": null, "c": {"d": true}},
    }]);
    tell(&shop, "anna", &[("user_details", details), ("metrics", metrics)], &event);
    let conversion = &records(&shop, "conversion")[0];
    assert_eq!(conversion["count"], 3);
    assert_eq!((&conversion["value"], &conversion["duration"]), (&json!(-2.5), &json!(0.5)));
    assert_eq!(conversion["tags"]["c"], json!({"d": true}));
    let attributes = conversion["attributes"].to_string();
    for (text, is_there) in
        [("SE", true), ("34", true), ("pro", true), ("NO", false), ("Anna", false), ("inc", false)]
    {
        assert_eq!(attributes.contains(text), is_there, "{text}: {attributes}");
    }
    assert_eq!(unused(&shop, "countly", "wrong-kind"), 0);
}

#[test]
fn a_segmentation_measures_nothing_and_stays_as_it_is() {
    let check = |segmentation: Value, sum: Option<f64>| {
        let shop = shop();
        activate(&shop, "anna");
        let mut event = json!({"key": "item purchase", "segmentation": segmentation});
        sum.into_iter().for_each(|sum| event["sum"] = json!(sum));
        tell(&shop, "anna", &[], &json!([event]));
        let conversion = &records(&shop, "conversion")[0];
        assert_eq!(conversion["tags"], segmentation, "{conversion}");
        assert_eq!(conversion["revenue"], Value::Null, "{conversion}");
        assert_eq!(conversion["value"].as_f64(), sum, "{conversion}");
        assert_eq!(unused(&shop, "countly", "wrong-kind"), 0);
    };
    check(json!({"value": "high", "plan": "pro"}), Some(9.5));
    check(json!({"value": 7}), Some(9.5));
    check(json!({"value": 7}), None);
    check(json!({"revenue": 42, "value": "1.5"}), None);
    check(json!({"revenue": "19.99"}), Some(0.0));
    check(json!({"tags": null, "revenue": null, "plan": "pro"}), None);
    check(json!({"value": null, "decisions": null, "plan": null}), Some(1.0));
    check(json!({}), Some(-2.5));
}

#[test]
fn times_are_those_of_the_event_else_of_the_request_else_now() {
    let shop = shop();
    let user = "anna";
    activate(&shop, user);
    let activated_at = records(&shop, "impression")[0]["time"].as_i64().unwrap();
    let last = |shop: &Daemon| {
        let conversions = records(shop, "conversion");
        let last = conversions.iter().max_by_key(|record| record["tags"]["n"].as_i64());
        last.unwrap()["time"].as_i64().unwrap()
    };
    let mut n = 0;
    let mut at = |request: Option<&str>, event: Value| {
        n += 1;
        let mut told = json!({"key": "item purchase", "segmentation": {"n": n}});
        if !event.is_null() {
            told["timestamp"] = event;
        }
        let request: Vec<_> = request.into_iter().map(|time| ("timestamp", time)).collect();
        tell(&shop, user, &request, &json!([told]));
        last(&shop)
    };
    let later = activated_at + 1;
    let (own, other) = (later.to_string(), (later + 1).to_string());
    assert_eq!(at(Some(&other), json!(later)), later);
    assert_eq!(at(Some(&other), json!(own)), later);
    assert_eq!(at(Some(&other), Value::Null), later + 1);
    // The second of the activation is not before it.
    let second = activated_at / 1000;
    for seconds in [json!(second), json!(second.to_string())] {
        let seen = at(None, seconds);
        assert!(seen >= activated_at && seen <= second * 1000 + 999, "{seen}");
    }
    let before = now_ms();
    for (request, event) in [
        (None, Value::Null),
        (None, json!(9_999_999_999_999_i64)),
        (Some("9999999999"), Value::Null),
        (Some("soon"), json!("tomorrow")),
    ] {
        let seen = at(request, event.clone());
        assert!((before..=now_ms()).contains(&seen), "{request:?} {event}: {seen}");
    }
    assert_eq!(unused(&shop, "countly", "bad-time"), 2);
    // Far in the past is before the activation, and no conversion.
    tell(&shop, user, &[], &json!([{"key": "item purchase", "timestamp": 1_000_000_000}]));
    assert_eq!(credits(&shop).len(), n);
}

#[test]
fn both_methods_are_understood_and_the_body_goes_before_the_query() {
    let shop = shop();
    activate(&shop, "anna");
    let events = purchase().to_string();
    let all = form(&[APP, ("device_id", "anna"), ("events", &events)]);
    assert_eq!(get(&shop, "/i", &all).status, 200);
    assert_eq!(credits(&shop).len(), 1);
    let query = form(&[APP, ("device_id", "nobody"), ("events", "[]")]);
    let body = form(&[("device_id", "anna"), ("events", &events)]);
    assert_eq!(post(&shop, &format!("/i?{query}"), &body).status, 200);
    assert_eq!(credits(&shop).len(), 2);
    // JSON is none of their forms, and understood.
    let body = json!({"app_key": "APP_KEY", "device_id": "anna", "events": purchase()}).to_string();
    assert_eq!(shop.ask("POST /i", &body).body, SUCCESS.1);
    assert_eq!(credits(&shop).len(), 3);
    assert_eq!(shop.ask("PUT /i", "{}").status, 405);
    // The Node SDK posts from 2000 characters.
    let many: Vec<_> = (0..30).map(|n| json!({"key": "item purchase", "dur": n})).collect();
    tell(&shop, "anna", &[], &Value::Array(many));
    assert_eq!(credits(&shop).len(), 33);
}

#[test]
fn what_is_sent_again_counts_once() {
    let shop = shop();
    activate(&shop, "anna");
    let (now, events) = (now_ms().to_string(), purchase().to_string());
    let send = |time: &str, more: &[(&str, &str)]| {
        let timed = [APP, ("device_id", "anna"), ("events", &events), ("timestamp", time)];
        form(&[&timed[..], more].concat())
    };
    let first = send(&now, &[("rr", "1")]);
    for _ in 0..2 {
        assert_eq!(post(&shop, "/i", &first).body, SUCCESS.1);
    }
    // As the clients do: another number of those that wait, another method.
    assert_eq!(post(&shop, "/i", &send(&now, &[("rr", "7")])).body, SUCCESS.1);
    assert_eq!(get(&shop, "/i", &first).body, SUCCESS.1);
    assert_eq!(credits(&shop).len(), 1);
    // Another one in between does not hide it.
    assert_eq!(post(&shop, "/i", &send(&now_ms().to_string(), &[])).body, SUCCESS.1);
    assert_eq!(post(&shop, "/i", &first).body, SUCCESS.1);
    assert_eq!(credits(&shop).len(), 2);
    // The web SDK's events have ids.
    let own = json!([{"key": "item purchase", "id": "e-1"}, {"key": "item purchase", "id": "e-2"}]);
    for rr in ["1", "2"] {
        tell(&shop, "anna", &[("rr", rr)], &own);
    }
    assert_eq!(credits(&shop).len(), 4);
    assert!(records(&shop, "conversion").iter().any(|record| record["eventId"] == "e-2"));
    // Without an id and without a time, a repeat may be meant.
    for _ in 0..2 {
        tell(&shop, "anna", &[], &purchase());
    }
    assert_eq!(credits(&shop).len(), 6);
}

#[test]
fn who_has_another_device_id_now_keeps_what_was_shown() {
    let shop = shop();
    activate(&shop, "user123");
    let change = form(&[APP, ("device_id", "user456"), ("old_device_id", "user123")]);
    for _ in 0..2 {
        assert_eq!(get(&shop, "/i", &change).body, SUCCESS.1);
    }
    tell(&shop, "user456", &[], &purchase());
    tell(&shop, "other", &[], &purchase());
    assert_eq!(credits(&shop).len(), 1, "{:?}", credits(&shop));
    assert!(credits(&shop)[0].starts_with("user456 purchase checkout_button/"));
}

#[test]
fn what_clients_tell_of_themselves_is_acknowledged_and_no_fault() {
    let shop = Daemon::with(|given| {
        given.tracking.events.insert("[CLY]_view".to_owned(), "purchase".to_owned());
    });
    activate(&shop, "anna");
    let of_clients = json!([
        {"key": "[CLY]_orientation", "segmentation": {"mode": "portrait"}},
        {"key": "[CLY]_view", "segmentation": {"name": "/shop"}, "dur": 3},
    ]);
    tell(&shop, "anna", &[], &of_clients);
    assert_eq!(credits(&shop).len(), 1, "the settings name the view");
    for more in [
        ("begin_session", "1"),
        ("session_duration", "12"),
        ("end_session", "1"),
        ("crash", r#"{"_error":"x"}"#),
        ("consent", r#"{"sessions":true}"#),
        ("location", ""),
        ("hc", r#"{"el":0}"#),
        ("user_details", r#"{"name":"Ann"}"#),
        ("method", "ab_opt_out"),
    ] {
        let answer = post(&shop, "/i", &form(&[APP, ("device_id", "anna"), more]));
        assert_eq!((answer.status, &*answer.body), SUCCESS, "{more:?}");
    }
    let problems = shop.ask_admin("GET /problems").body;
    assert!(!problems.contains("countly"), "{problems}");
}
