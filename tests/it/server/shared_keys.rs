//! Environments with one SDK key: whom it chooses, and that it is told.
//!
//! Must not know how problems are kept.

use serde_json::{Value, json};

use super::{Daemon, Request, SHOP, SHOP_KEY, ask, environment, wait_for};

/// Environments of the shop by names and keys of their own, if they have any; which one its datafile's key chooses,
/// and what is told of it.
#[track_caller]
fn check(environments: &[(&str, &str)], chosen: &str, expect: &[(&str, &str)]) {
    let daemon = Daemon::with(|given| {
        let of = |(name, key): &(&str, &str)| {
            let mut one = environment(&format!("{name}={SHOP}"));
            one.sdk_key = (!key.is_empty()).then(|| key.parse().unwrap());
            one
        };
        given.environments = environments.iter().map(of).collect();
    });
    for (_, key) in environments.iter().filter(|(_, key)| !key.is_empty()) {
        let own = Request::new("GET /v1/config").header("X-Optimizely-SDK-Key", key);
        assert_eq!(ask(daemon.api(), &own).status, 200, "{environments:?}");
    }
    let track = Request::new("POST /v1/track?eventKey=purchase")
        .header("X-Optimizely-SDK-Key", SHOP_KEY)
        .body(r#"{"userId":"anna","eventId":"e"}"#);
    assert_eq!(ask(daemon.api(), &track).status, 200, "{environments:?}");
    let by_key = format!("POST /optimizely/{SHOP_KEY}/v1/events");
    let event = json!({"entity_id": "20203001", "key": "purchase", "uuid": "f", "timestamp": 1});
    let body = json!({"visitors": [{"visitor_id": "bo", "snapshots": [{"events": [event]}]}]});
    assert_eq!(daemon.ask(&by_key, &body.to_string()).status, 204, "{environments:?}");
    let records = daemon.ask_admin("GET /events?type=conversion").body;
    assert_eq!(records.lines().count(), 2, "{records}");
    let of_chosen = format!("\"environment\":\"{chosen}\"");
    assert!(records.lines().all(|line| line.contains(&of_chosen)), "{environments:?} {records}");
    // What is looked at every second was looked at.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let problems = daemon.ask_admin("GET /problems").json();
    let problems: &Vec<Value> = problems["problems"].as_array().unwrap();
    let shared =
        problems.iter().filter(|one| one["text"].as_str().unwrap().contains("one SDK key"));
    let shared: Vec<_> =
        shared.map(|one| [&one["kind"], &one["about"], &one["text"], &one["count"]]).collect();
    let expect: Vec<_> = expect
        .iter()
        .map(|(about, chosen)| {
            let text = format!("the environments {chosen:?} and {about:?} have one SDK key, and what asks with it gets {chosen:?}: give each an sdk_key of its own in the settings, and ask with that");
            [json!("settings"), json!(about), json!(text), json!(1)]
        })
        .collect();
    assert_eq!(json!(shared), json!(expect), "{environments:?}");
}

#[test]
fn environments_with_one_sdk_key_are_told() {
    check(&[("a", ""), ("b", "")], "a", &[("b", "a")]);
    check(&[("a", ""), ("b", ""), ("c", "")], "a", &[("c", "a"), ("b", "a")]);
    // A key of the settings goes before those of datafiles, wherever it stands.
    check(&[("a", ""), ("b", SHOP_KEY)], "b", &[]);
    // Who has a key of its own leaves its datafile's to who has none.
    check(&[("a", "mine"), ("b", "")], "b", &[]);
    check(&[("a", "mine"), ("b", ""), ("c", "")], "b", &[("c", "b")]);
    check(&[("a", "mine"), ("b", "yours")], "a", &[]);
    check(&[("a", SHOP_KEY), ("b", SHOP_KEY)], "a", &[("b", "a")]);
}

#[test]
fn an_sdk_key_that_comes_with_a_datafile_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut other: Value = serde_json::from_str(&std::fs::read_to_string(SHOP).unwrap()).unwrap();
    other["sdkKey"] = json!("other");
    let daemon = Daemon::following(&folder, &other, |given| {
        given.environments[0].name = Some("first".to_owned());
        given.environments.push(environment(&format!("second={SHOP}")));
    });
    assert!(!daemon.ask_admin("GET /problems").body.contains("one SDK key"));
    (other["sdkKey"], other["revision"]) = (json!(SHOP_KEY), json!("1000"));
    super::put(&folder, &other);
    wait_for("the problem", || {
        let problems = daemon.ask_admin("GET /problems").body;
        problems.contains("have one SDK key, and what asks with it gets").then_some(())
    });
    let page = daemon.ask_admin("GET /").body;
    assert!(page.contains("have one SDK key"), "{page}");
    assert!(!page.contains(&format!("{SHOP_KEY:?}")), "{page}");
}
