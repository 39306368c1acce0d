//! What is wrong, field by field: the client goes on, the operator sees why, and nothing else is affected.
//!
//! Must not know what is right.

use serde_json::{Value, json};
use variate::settings::{TrackingKey, TrackingSystem};

use super::super::{credits, unused};
use super::{
    APP, Daemon, Request, SUCCESS, activate, ask, form, get, post, purchase, shop, shop_with, tell,
};

/// A wrong event between two good ones: both count, and with the wrong one what can be used of it.
#[track_caller]
fn check(shop: &Daemon, event: Value, (reason, times): (&str, u64), is_counted: bool) {
    let (counted, before) = (credits(shop).len(), unused(shop, "countly", reason));
    let good = json!({"key": "item purchase"});
    tell(shop, "anna", &[], &json!([good, event, good]));
    assert_eq!(credits(shop).len(), counted + 2 + usize::from(is_counted), "{event}");
    assert_eq!(unused(shop, "countly", reason), before + times, "{reason}: {event}");
}

#[test]
fn each_field_of_an_event() {
    let shop = shop();
    activate(&shop, "anna");
    let with = |name: &str, value: Value| {
        let mut event = json!({"key": "item purchase"});
        event[name] = value;
        event
    };
    for no_object in [json!(null), json!(7), json!("x"), json!([])] {
        check(&shop, no_object, ("wrong-kind", 1), false);
    }
    check(&shop, json!({}), ("no-name", 1), false);
    for no_name in [json!(null), json!(""), json!(7), json!({}), json!(["item purchase"])] {
        check(&shop, with("key", no_name), ("no-name", 1), false);
    }
    check(&shop, with("key", json!("nothing")), ("unknown-event", 1), false);
    check(&shop, with("key", json!("x".repeat(100_000))), ("unknown-event", 1), false);
    for wrong in [json!(0), json!(-1), json!(1.5), json!("x"), json!([1]), json!(true)] {
        check(&shop, with("count", wrong), ("wrong-kind", 1), true);
    }
    for wrong in [json!("x"), json!({}), json!(false), json!("1e999")] {
        check(&shop, with("sum", wrong.clone()), ("wrong-kind", 1), true);
        check(&shop, with("dur", wrong), ("wrong-kind", 1), true);
    }
    check(&shop, with("dur", json!(-1)), ("wrong-kind", 1), true);
    for wrong in [json!("x"), json!([1]), json!(7)] {
        check(&shop, with("segmentation", wrong), ("wrong-kind", 1), true);
    }
    for none in [Value::Null, json!("")] {
        check(&shop, with("segmentation", none), ("wrong-kind", 0), true);
    }
    for absent in ["count", "sum", "dur", "timestamp", "id"] {
        check(&shop, with(absent, Value::Null), ("wrong-kind", 0), true);
    }
    for wrong in [json!("x"), json!(7), json!(-1), json!({}), json!(1e300)] {
        check(&shop, with("timestamp", wrong), ("bad-time", 1), true);
    }
    check(&shop, with("timestamp", json!(9_999_999_999_i64)), ("bad-time", 0), true);
    check(&shop, with("timestamp", json!(1_000_000_000)), ("bad-time", 0), false);
    check(&shop, with("id", json!(["x"])), ("wrong-kind", 0), true);
    let problems = shop.ask_admin("GET /problems").body;
    assert!(problems.contains("countly: ") && !problems.contains("anna"), "{problems}");
    let page = shop.ask_admin("GET /").body;
    assert!(page.contains("is of no use"), "on the status page");
}

#[test]
fn each_parameter_of_a_request() {
    let shop = shop();
    activate(&shop, "anna");
    let events = purchase().to_string();
    let good = || {
        let counted = credits(&shop).len();
        tell(&shop, "anna", &[], &purchase());
        assert_eq!(credits(&shop).len(), counted + 1);
    };
    for bad in ["", "x", "{", "{}", "7", "null", "[[]]"] {
        let answer = post(&shop, "/i", &form(&[APP, ("device_id", "anna"), ("events", bad)]));
        assert_eq!((answer.status, &*answer.body), SUCCESS, "{bad}");
        good();
    }
    for (name, bad) in [
        ("user_details", "{"),
        ("user_details", r#"{"custom":7}"#),
        ("metrics", "[]"),
        ("timestamp", "x"),
        ("hour", "99"),
        ("old_device_id", ""),
        ("old_device_id", "anna"),
        ("method", "nothing"),
        ("rr", "x"),
        ("checksum256", "no salt, so not looked at"),
    ] {
        let counted = credits(&shop).len();
        tell(&shop, "anna", &[(name, bad)], &purchase());
        assert_eq!(credits(&shop).len(), counted + 1, "{name}={bad}");
    }
    // Nobody: it will be nobody the next time, too.
    let nobody =
        r#"{"info":"Request ignored: Missing parameter \"device_id\"","result":"Success"}"#;
    for device in [None, Some("")] {
        let device: Vec<_> = device.map(|device| ("device_id", device)).into_iter().collect();
        let answer = post(&shop, "/i", &form(&[&[APP, ("events", &events)], &device[..]].concat()));
        assert_eq!((answer.status, &*answer.body), (200, nobody));
    }
    assert_eq!(unused(&shop, "countly", "no-user"), 2);
    // Bytes that are no text, and a form that is none.
    for body in ["device_id=anna&app_key=A&events=%FF%FE%5B", "app_key=A&device_id=anna&%%%=&&&=="]
    {
        assert_eq!(post(&shop, "/i", body).body, SUCCESS.1, "{body}");
    }
    good();
}

/// The client waits, with all that it has, until somebody has named its key.
#[test]
fn a_key_that_nobody_has_named_yet_is_not_acknowledged() {
    let missing = "{\"result\":\"Missing parameter \\\"app_key\\\" or \\\"device_id\\\"\"}";
    let shop = shop_with(|given| {
        given.tracking.keys = vec![TrackingKey::new(TrackingSystem::Countly, "k", "production")];
    });
    for path in ["/i", "/i/sdk", "/o/sdk"] {
        let answer = get(&shop, path, "app_key=other&device_id=anna&method=rc");
        assert_eq!(
            (answer.status, &*answer.body),
            (400, "{\"result\":\"App does not exist\"}"),
            "{path}"
        );
    }
    for query in ["device_id=anna", "app_key=&device_id=anna", ""] {
        let answer = get(&shop, "/i", query);
        assert_eq!((answer.status, &*answer.body), (400, missing), "{query}");
    }
    assert_eq!(get(&shop, "/i", "app_key=k&device_id=anna").body, SUCCESS.1);
    let problems = shop.ask_admin("GET /problems").body;
    assert!(problems.contains("[[tracking.key]] of countly"), "{problems}");
}

#[test]
fn what_is_too_large_is_let_go() {
    let shop = shop_with(|given| given.body_limit = Some("2KiB".parse().unwrap()));
    activate(&shop, "anna");
    let large = form(&[APP, ("device_id", "anna"), ("events", &"x".repeat(100_000))]);
    let ignored = r#"{"info":"Request ignored: Too large","result":"Success"}"#;
    let answer = post(&shop, "/i", &large);
    assert_eq!((answer.status, &*answer.body), (200, ignored));
    let answer = post(&shop, "/i?app_key=APP_KEY", &large);
    assert_eq!((answer.status, &*answer.body), (200, ignored));
    let answer = post(&shop, "/i/bulk?app_key=APP_KEY", &large);
    assert_eq!((answer.status, &*answer.body), (200, ignored));
    assert_eq!(unused(&shop, "countly", "too-large"), 2);
    assert!(shop.ask_admin("GET /problems").body.contains("larger than body_limit"));
    tell(&shop, "anna", &[], &purchase());
    assert_eq!(credits(&shop).len(), 1);
}

/// The Node SDK sends pictures of users in parts, among its queue.
#[test]
fn pictures_are_acknowledged() {
    let shop = shop();
    let request = Request::new("POST /i").header("Content-Type", "multipart/form-data; boundary=x");
    let body =
        "--x\r\nContent-Disposition: form-data; name=\"app_key\"\r\n\r\nAPP_KEY\r\n--x--\r\n";
    let answer = ask(shop.api(), &request.raw_body(body));
    assert_eq!((answer.status, &*answer.body), SUCCESS);
}
