//! What is wrong, field by field: the client goes on, the operator sees why, and nothing else is affected.
//!
//! Must not know what is right.

use variate::settings::{TrackingKey, TrackingSystem};

use super::super::{credits, unused};
use super::{
    APP, Request, SUCCESS, activate, ask, form, get, post, purchase, shop, shop_with, tell,
};

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
    assert_eq!(unused(&shop, "countly", "too-large"), 3);
    assert!(shop.ask_admin("GET /problems").body.contains("raise body_limit"));
    tell(&shop, "anna", &[], &purchase());
    assert_eq!(credits(&shop).len(), 1);
}

/// SDKs put the key before what is large; the request counts whether it is found or not.
#[test]
fn what_is_too_large_is_counted_wherever_its_key_is() {
    let keyed = shop_with(|given| {
        given.tracking.keys = vec![TrackingKey::new(TrackingSystem::Countly, "k", "production")];
    });
    let large = "x".repeat(3 << 20);
    let of_environment = |name: &str| {
        let page = keyed.ask_admin("GET /metrics").body;
        let label = format!("{{environment=\"{name}\",system=\"countly\",reason=\"too-large\"}} ");
        let line = page.lines().find_map(|line| line.split_once(&label));
        line.map_or(0, |(_, count)| count.parse::<u64>().unwrap())
    };
    let check = |path: &str, body: String, environment: &str| {
        let before = (of_environment(environment), unused(&keyed, "countly", "too-large"));
        assert_eq!(post(&keyed, path, &body).status, 200, "{path}");
        let after = (of_environment(environment), unused(&keyed, "countly", "too-large"));
        assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{path} {environment}");
    };
    check("/i", format!("app_key=k&device_id=anna&events={large}"), "production");
    check("/i/bulk", format!("app_key=k&requests={large}"), "production");
    check("/i", format!("app_key=wrong&device_id=anna&events={large}"), "");
    check("/i", format!("events={large}&app_key=k&device_id=anna"), "");
    // Half a key is none.
    check("/i", format!("device_id={}&app_key=kk", "x".repeat((1 << 20) - 19)), "");
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
    assert_eq!(unused(&shop, "countly", "wrong-kind"), 0);
}

/// What would count in any other form is told to the operator.
#[test]
fn what_comes_in_parts_beside_pictures_is_counted() {
    let shop = shop();
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let check = |path: &str, names: &[&str], picture: usize, expect: u64| {
        let before = unused(&shop, "countly", "wrong-kind");
        let named: String = names.iter().map(|name| part(name, "[]")).collect();
        let picture = part("user_picture", &"x".repeat(picture));
        let body = format!("{named}{picture}--x--\r\n");
        let request = Request::new(&format!("POST {path}"));
        let request = request.header("Content-Type", "multipart/form-data; boundary=x");
        let answer = ask(shop.api(), &request.raw_body(&body));
        assert_eq!((answer.status, &*answer.body), SUCCESS, "{path} {names:?}");
        assert_eq!(unused(&shop, "countly", "wrong-kind") - before, expect, "{path} {names:?}");
    };
    check("/i", &["app_key", "device_id", "user_details"], 10, 0);
    check("/i", &["app_key", "device_id", "events"], 10, 1);
    check("/i?app_key=k", &["device_id", "events"], 10, 1);
    check("/i?app_key=k", &["events", "old_device_id"], 10, 1);
    check("/i?app_key=k", &["events"], 3 << 20, 1);
    check("/i?app_key=k", &["device_id"], 3 << 20, 0);
    check("/i?app_key=k&device_id=anna&old_device_id=ben", &[], 10, 1);
    check("/i/bulk", &["app_key", "requests"], 10, 1);
    let problems = shop.ask_admin("GET /problems").body;
    assert!(problems.contains("several parts"), "{problems}");
}

/// It stands in each of a user's records, by whichever call.
#[test]
fn no_call_records_an_id_that_is_too_long() {
    let shop = shop();
    let keys = ("keys", r#"["checkout_button"]"#);
    let check = |path: &str, method: &str, length: usize, status: u16, recorded: usize| {
        let before = super::super::records(&shop, "impression").len();
        let device = "d".repeat(length);
        let pairs = [APP, ("device_id", &*device), ("method", method), ("oi", "1"), keys];
        let answer = post(&shop, path, &form(&pairs));
        assert_eq!(answer.status, status, "{path} {method} {length}: {}", answer.body);
        let recorded_now = super::super::records(&shop, "impression").len() - before;
        assert_eq!(recorded_now, recorded, "{path} {method} {length}");
    };
    check("/o/sdk", "ab", 4096, 200, 1);
    check("/o/sdk", "ab", 4097, 400, 0);
    check("/o/sdk", "rc", 4097, 400, 0);
    check("/i", "ab", 4097, 200, 0);
    assert_eq!(unused(&shop, "countly", "too-large"), 3);
    let device = "d".repeat(4097);
    let request =
        serde_json::json!([{"device_id": device, "method": "ab", "keys": ["checkout_button"]}]);
    let answer = post(&shop, "/i/bulk", &form(&[APP, ("requests", &request.to_string())]));
    assert_eq!((answer.status, &*answer.body), SUCCESS);
    assert_eq!(unused(&shop, "countly", "too-large"), 4);
    assert_eq!(unused(&shop, "countly", "wrong-kind"), 0);
}
