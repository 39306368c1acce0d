//! Clocks of clients: a little ahead, or exact to the second, they lose nothing.
//!
//! Must not know what else is sent.

use serde_json::{Value, json};

use super::super::Daemon;
use super::super::http::{Request, ask};
use super::{activated, credits, iso, unused};

/// Each system that says when something was shown, with a clock that is so far ahead; and then what was done,
/// without a time.
fn shown_and_done(shop: &Daemon, ahead_ms: i64) {
    let at = variate::clock::system_time_ms() + ahead_ms;
    let ask = |what: &str, body: &Value| {
        let answer = shop.ask(what, &body.to_string());
        assert!((200..=204).contains(&answer.status), "{what}: {answer:?}");
    };
    ask(
        "POST /v1/events",
        &json!({"visitors": [{"visitor_id": "optimizely", "snapshots": [{
            "decisions": [{"campaign_id": "9300000801101", "experiment_id": "9300001201101", "variation_id": "1652301"}],
            "events": [{"entity_id": "9300000801101", "key": "campaign_activated", "timestamp": at}],
        }]}]}),
    );
    ask(
        "POST /v1/events",
        &json!({"visitors": [{"visitor_id": "optimizely", "snapshots": [{
            "events": [{"key": "purchase"}],
        }]}]}),
    );
    for (system, path) in [("segment", "POST /segment/v1/track"), ("thrivestack", "POST /track")] {
        ask(
            path,
            &json!({"userId": system, "event": "Experiment Viewed", "timestamp": iso(at),
            "properties": {"experiment_id": "checkout_button", "variation_id": "green"}}),
        );
        ask(path, &json!({"userId": system, "event": "purchase"}));
    }
    let entity = json!({"id": "flagger", "type": "User"});
    ask(
        "POST /v3/ingest/k",
        &json!({"id": "p-1", "exposures": [
        {"codename": "checkout_button", "variation": "green", "entity": entity, "timestamp": iso(at)}]}),
    );
    ask(
        "POST /v3/ingest/k",
        &json!({"id": "p-2", "events": [{"name": "purchase", "entity": entity}]}),
    );
    ask(
        "POST /i",
        &json!({"app_key": "k", "device_id": "countly", "method": "ab_enroll_variant",
        "key": "checkout_button", "variant": "green", "timestamp": at}),
    );
    ask(
        "POST /i",
        &json!({"app_key": "k", "device_id": "countly", "events": [{"key": "purchase"}]}),
    );
}

#[test]
fn what_was_shown_by_a_clock_that_is_ahead_is_before_what_comes_later() {
    for ahead_ms in [60_000, 290_000, 86_400_000] {
        let shop = Daemon::shop();
        shown_and_done(&shop, ahead_ms);
        let mut seen = credits(&shop);
        seen.sort();
        let systems = ["countly", "flagger", "optimizely", "segment", "thrivestack"];
        let expect = systems.map(|system| format!("{system} purchase checkout_button/green"));
        assert_eq!(seen, expect, "{ahead_ms} ms ahead");
    }
}

/// A client that writes whole seconds tells of the one in which the user was activated.
#[test]
fn the_second_of_the_activation_is_not_before_it() {
    let shop = Daemon::shop();
    let users = ["onboardflow", "segment", "thrivestack", "flagger", "countly"];
    // Late in a second, so that its begin is surely before.
    while variate::clock::system_time_ms() % 1000 < 200 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let shown = users.map(|user| activated(&shop, user));
    // The second that was activated last in.
    let seconds = variate::clock::system_time_ms() / 1000;
    let whole = iso(seconds * 1000);
    assert!(!whole.contains('.'), "{whole}");
    let ask = |what: &str, body: &Value| {
        let answer = shop.ask(what, &body.to_string());
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
    };
    ask(
        "POST /api/v1/tracker/event/",
        &json!({"s": "site", "event": "CUSTOM", "value": "purchase",
        "event_date": seconds, "site_user": {"id": "onboardflow"}}),
    );
    ask(
        "POST /segment/v1/track",
        &json!({"userId": "segment", "event": "purchase", "timestamp": whole}),
    );
    ask("POST /track", &json!({"user_id": "thrivestack", "event": "purchase", "timestamp": whole}));
    ask(
        "POST /v3/ingest/k",
        &json!({"id": "p-2", "events": [
        {"name": "purchase", "entity": {"id": "flagger"}, "timestamp": whole}]}),
    );
    ask(
        "POST /i",
        &json!({"app_key": "k", "device_id": "countly",
        "events": [{"key": "purchase", "timestamp": seconds}]}),
    );
    let mut seen = credits(&shop);
    seen.sort();
    let mut expect: Vec<String> =
        users.iter().zip(shown).map(|(user, shown)| format!("{user} purchase {shown}")).collect();
    expect.sort();
    assert_eq!(seen, expect);
}

#[test]
fn times_and_tags_of_optimizely_that_cannot_be_read_are_counted() {
    let shop = Daemon::shop();
    let check = |member: &str, value: Value, (reason, times): (&str, u64)| {
        let before = unused(&shop, "optimizely", reason);
        let mut event = json!({"key": "purchase"});
        event[member] = value.clone();
        let body =
            json!({"visitors": [{"visitor_id": "anna", "snapshots": [{"events": [event]}]}]});
        let request = Request::new("POST /v1/events").body(&body.to_string());
        assert_eq!(ask(shop.api(), &request).status, 204);
        let counted = unused(&shop, "optimizely", reason) - before;
        assert_eq!(counted, times, "{reason}: {member} {value}");
    };
    for wrong in [
        json!("yesterday"),
        json!("1700000000000"),
        json!(1.5),
        json!(true),
        json!({}),
        json!(i64::MIN),
    ] {
        check("timestamp", wrong, ("bad-time", 1));
    }
    for right in [json!(1_700_000_000_000_i64), Value::Null] {
        check("timestamp", right, ("bad-time", 0));
    }
    for wrong in
        [json!("x"), json!([1]), json!(7), json!({"revenue": 1.5}), json!({"value": "much"})]
    {
        check("tags", wrong, ("wrong-kind", 1));
    }
    for right in [json!({}), json!({"revenue": 4200, "value": "1.5", "x": [1]}), Value::Null] {
        check("tags", right, ("wrong-kind", 0));
    }
    check("revenue", json!("4200"), ("wrong-kind", 1));
    check("value", json!([1]), ("wrong-kind", 1));
    check("value", json!(1.5), ("wrong-kind", 0));
}
