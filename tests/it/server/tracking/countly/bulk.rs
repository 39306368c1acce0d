//! `/i/bulk`: several requests in one.
//!
//! Must not know what single requests may say.

use serde_json::{Value, json};
use variate::settings::{TrackingKey, TrackingSystem};

use super::super::{credits, unused};
use super::{
    APP, Daemon, SUCCESS, activate, environment, form, get, now_ms, post, purchase, shop, shop_with,
};

#[track_caller]
fn send(daemon: &Daemon, requests: &Value) {
    let body = form(&[APP, ("requests", &requests.to_string())]);
    let answer = post(daemon, "/i/bulk", &body);
    assert_eq!((answer.status, &*answer.body), SUCCESS, "{requests}");
}

#[test]
fn each_is_as_if_it_came_alone() {
    let shop = shop();
    activate(&shop, "u1");
    activate(&shop, "u3");
    let now = now_ms();
    let requests = json!([
        {"device_id": "u3", "begin_session": 1, "timestamp": now / 1000},
        // Both shapes of events; seconds and milliseconds.
        {"device_id": "u1", "events": [
            {"key": "item purchase", "count": 1, "segmentation": {}, "timestamp": now / 1000},
            {"key": "item purchase", "count": 1, "segmentation": {}, "timestamp": now},
        ]},
        {"device_id": "u2", "events": purchase()},
        7,
        {"events": purchase()},
        {"device_id": 3, "events": purchase().to_string(), "timestamp": now},
        {"device_id": "u3", "events": purchase().to_string(), "timestamp": now},
    ]);
    for _ in 0..2 {
        send(&shop, &requests);
    }
    let mut seen = credits(&shop);
    seen.sort();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[0].starts_with("u1 ") && seen[1].starts_with("u1 ") && seen[2].starts_with("u3 "));
    assert_eq!(unused(&shop, "countly", "wrong-kind"), 2, "the number, each time");
    assert_eq!(unused(&shop, "countly", "no-user"), 2);
}

#[test]
fn what_came_alone_before_counts_once_and_get_is_understood() {
    let shop = shop();
    activate(&shop, "anna");
    let (now, events) = (now_ms().to_string(), purchase().to_string());
    let alone = [APP, ("device_id", "anna"), ("events", &*events), ("timestamp", &*now)];
    assert_eq!(post(&shop, "/i", &form(&alone)).body, SUCCESS.1);
    let request =
        json!([{"app_key": "APP_KEY", "device_id": "anna", "events": events, "timestamp": now}]);
    let answer = get(&shop, "/i/bulk", &form(&[("requests", &request.to_string())]));
    assert_eq!((answer.status, &*answer.body), SUCCESS);
    assert_eq!(credits(&shop).len(), 1);
}

#[test]
fn who_changes_in_between_is_one_person() {
    let shop = shop();
    activate(&shop, "old");
    let now = now_ms();
    send(
        &shop,
        &json!([
            {"device_id": "old", "events": [{"key": "item purchase", "timestamp": now}]},
            {"device_id": "new", "old_device_id": "old", "timestamp": now + 1},
            {"device_id": "new", "events": [{"key": "item purchase", "timestamp": now + 2}]},
            {"device_id": "new", "method": "ab_enroll_variant", "key": "homepage_hero",
             "variant": "still", "timestamp": now},
            {"device_id": "new", "events": [{"key": "watch_product_video", "timestamp": now + 3}]},
        ]),
    );
    let mut seen = credits(&shop);
    seen.sort();
    // The enrolment arrives last, and is as old as the first event, under whichever id.
    assert_eq!(
        seen,
        [
            "new purchase checkout_button/green",
            "new purchase homepage_hero/still",
            "new watch_product_video homepage_hero/still",
            "old purchase checkout_button/green",
            "old purchase homepage_hero/still",
        ]
        .map(str::to_owned)
        .to_vec(),
    );
}

#[test]
fn what_is_no_bulk_is_acknowledged_where_it_is_known_whose_it_is() {
    let shop = shop();
    let ignored = r#"{"info":"Request ignored: Missing or invalid parameter \"requests\"","result":"Success"}"#;
    for requests in [None, Some(""), Some("[{"), Some("{}"), Some("7")] {
        let requests: Vec<_> = requests.map(|text| ("requests", text)).into_iter().collect();
        let answer = post(&shop, "/i/bulk", &form(&[&[APP], &requests[..]].concat()));
        assert_eq!((answer.status, &*answer.body), (200, ignored), "{requests:?}");
    }
    assert_eq!(unused(&shop, "countly", "wrong-kind"), 5);
    let answer = post(&shop, "/i/bulk", "requests=%7B");
    assert_eq!(answer.status, 400, "nobody's");
    assert_eq!(post(&shop, "/i/bulk", &form(&[("requests", "[]")])).body, SUCCESS.1);
}

#[test]
fn each_may_be_of_another_application() {
    let shop = shop_with(|given| {
        let mut other = environment(super::super::super::SHOP);
        other.name = Some("other".to_owned());
        given.environments.push(other);
        let key = |key, environment| TrackingKey::new(TrackingSystem::Countly, key, environment);
        given.tracking.keys = vec![key("a", "production"), key("b", "other")];
    });
    let enrol = |app: &str| {
        json!({"app_key": app, "device_id": "anna", "method": "ab_enroll_variant",
               "key": "checkout_button", "variant": "green"})
    };
    let event = json!({"device_id": "anna", "events": purchase()});
    let requests = json!([enrol("b"), event, enrol("c"), {"app_key": "b", "device_id": "anna", "events": purchase()}]);
    let answer =
        post(&shop, "/i/bulk", &form(&[("app_key", "a"), ("requests", &requests.to_string())]));
    assert_eq!((answer.status, &*answer.body), SUCCESS);
    assert_eq!(credits(&shop).len(), 1, "in b alone: {:?}", credits(&shop));
    let problems = shop.ask_admin("GET /problems").body;
    assert!(problems.contains("a request in a bulk is of no use (unknown-key)"), "{problems}");
    assert_eq!(unused(&shop, "countly", "unknown-key"), 1);
}

/// A client sends a bulk again until it is told of success: what has a key counts, what has none is told to the
/// operator.
#[test]
fn a_key_that_is_unknown_keeps_nothing_back() {
    let shop = shop_with(|given| {
        given.tracking.keys = vec![TrackingKey::new(TrackingSystem::Countly, "k", "production")];
    });
    activate(&shop, "anna");
    let requests = json!([
        {"device_id": "anna", "events": purchase()},
        {"app_key": "k", "device_id": "anna", "events": purchase()},
        {"app_key": 7.5, "device_id": "anna", "events": purchase()},
    ]);
    for (outer, unknown) in [(&[("app_key", "other")][..], 2), (&[], 4), (&[("app_key", "k")], 5)] {
        let body = form(&[outer, &[("requests", &requests.to_string())]].concat());
        let answer = post(&shop, "/i/bulk", &body);
        assert_eq!((answer.status, &*answer.body), SUCCESS);
        assert_eq!(unused(&shop, "countly", "unknown-key"), unknown, "{outer:?}");
    }
    assert_eq!(credits(&shop).len(), 4);
    let problems = shop.ask_admin("GET /problems").body;
    assert!(problems.contains("[[tracking.key]]"), "{problems}");
    let many = json!(vec![json!({"app_key": "other", "device_id": "anna", "events": []}); 2000]);
    let answer = post(&shop, "/i/bulk", &form(&[APP, ("requests", &many.to_string())]));
    assert_eq!((answer.status, &*answer.body), SUCCESS);
    assert_eq!(unused(&shop, "countly", "unknown-key"), 2005);
}
