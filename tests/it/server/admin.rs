//! The administration: health, readiness, records, figures.
//!
//! Must not know the interfaces of the API beyond asking them.

use serde_json::{Value, json};

use super::Daemon;

const ANNA: &str = r#"{"userId":"anna"}"#;

fn with_three_records() -> Daemon {
    let shop = Daemon::shop();
    shop.ask("POST /v1/activate?experimentKey=checkout_button", ANNA);
    shop.ask("POST /v1/track?eventKey=purchase", r#"{"userId":"anna","eventId":"1"}"#);
    shop.ask("POST /v1/track?eventKey=purchase", r#"{"userId":"ben","eventId":"2"}"#);
    shop
}

#[test]
fn a_fresh_daemon_is_alive_and_ready() {
    let shop = Daemon::shop();
    for address in [shop.api(), shop.admin()] {
        let ask = |what| super::ask(address, &super::Request::new(what));
        let health = ask("GET /health");
        assert_eq!((health.status, health.body.as_str()), (200, "{\"status\":\"ok\"}\n"));
        let ready = ask("GET /ready");
        assert_eq!(ready.status, 200);
        let age = ready.json()["environments"][0]["ageSeconds"].as_u64().unwrap();
        assert!(age < 20, "{age}");
        let mut said = ready.json();
        said["environments"][0]["ageSeconds"] = Value::Null;
        let expect = json!({
            "status": "ready",
            "environments": [{"name": "production", "state": "fresh", "revision": "87", "ageSeconds": null}],
            "store": {"state": "ok"},
        });
        assert_eq!(said, expect);
    }
}

#[test]
fn records_are_read_line_by_line_and_page_by_page() {
    let shop = with_three_records();
    let lines = |what: &str| -> Vec<Value> {
        let answer = shop.ask_admin(what);
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
        answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = lines("GET /events");
    let kinds: Vec<_> = all.iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["impression", "conversion", "conversion"]);
    assert!(all.iter().all(|record| record["origin"] == "agent"), "{all:?}");
    assert_eq!(all[1]["credits"][0]["experimentKey"], "checkout_button");
    assert_eq!(all[2]["credits"], json!([]));

    let mut paged = Vec::new();
    let mut after = "0".to_owned();
    for _ in 0..3 {
        let what = format!("GET /events?limit=1&after={after}");
        paged.extend(lines(&what));
        shop.ask_admin(&what).header("variate-next").unwrap().clone_into(&mut after);
    }
    assert_eq!(paged, all);
    assert_eq!(lines(&format!("GET /events?after={after}")), Vec::<Value>::new());
    assert_eq!(lines("GET /events?user=ben"), all[2..]);
    assert_eq!(lines("GET /events?type=impression"), all[..1]);
    let other = shop.ask_admin("GET /events?environment=other");
    assert_eq!(
        (other.status, other.body.as_str()),
        (404, "{\"error\":\"the store has no environment \\\"other\\\": it knows production\"}\n")
    );
}

#[test]
fn records_come_with_their_numbers_on_request() {
    let shop = with_three_records();
    let page = shop.ask_admin("GET /events?format=json&after=1&limit=1").json();
    assert_eq!(
        (&page["oldest"], &page["latest"], &page["next"]),
        (&json!(1), &json!(3), &json!(2))
    );
    assert_eq!(page["records"][0]["sequence"], 2);
    assert_eq!(page["records"][0]["record"]["userId"], "anna");
}

#[test]
fn wrong_questions_about_records_are_told() {
    let shop = Daemon::shop();
    for (what, text) in [
        ("GET /events?after=x", "after \"x\" is no whole number from 0: write digits"),
        ("GET /events?limit=-1", "limit \"-1\" is no whole number from 0: write digits"),
        ("GET /events?format=xml", "format \"xml\" is unknown: use ndjson or json"),
        ("GET /events?type=event", "type \"event\" is unknown: use impression or conversion"),
    ] {
        let answer = shop.ask_admin(what);
        assert_eq!((answer.status, answer.json()), (400, json!({"error": text})), "{what}");
    }
    assert_eq!(shop.ask("GET /events", "").status, 404, "not on the API's port");
    assert_eq!(shop.ask_admin("POST /v1/decide").status, 404, "not on the administration's");
}

#[test]
fn figures_count_what_happened() {
    let shop = with_three_records();
    shop.ask("POST /v1/decide?keys=homepage", ANNA);
    shop.ask("POST /v1/decide?keys=unknown", ANNA);
    shop.ask("POST /v1/track?eventKey=unknown", ANNA);
    shop.ask("POST /v1/track?eventKey=purchase", r#"{"userId":"ben","eventId":"2"}"#);
    shop.ask("GET /nothing/here", "");
    let metrics = shop.ask_admin("GET /metrics").body;
    for line in [
        "variate_requests_total{listener=\"api\",endpoint=\"track\",status=\"2xx\"} 4",
        "variate_requests_total{listener=\"api\",endpoint=\"other\",status=\"4xx\"} 1",
        "variate_request_duration_seconds_count{listener=\"api\",endpoint=\"activate\"} 1",
        "variate_decisions_total{environment=\"production\",source=\"error\"} 1",
        "variate_events_total{environment=\"production\"} 4",
        "variate_conversions_total{environment=\"production\"} 1",
        "variate_credits_total{environment=\"production\",experiment=\"checkout_button\"} 1",
        "variate_not_credited_total{environment=\"production\",reason=\"unknown-event\"} 1",
        "variate_not_credited_total{environment=\"production\",reason=\"duplicate\"} 1",
        "variate_not_credited_total{environment=\"production\",reason=\"no-activation\"} 1",
        "variate_datafile_state{environment=\"production\",state=\"fresh\"} 1",
        "variate_datafile_state{environment=\"production\",state=\"stale\"} 0",
        "variate_store_taking 1",
        "variate_store_duplicates_total 1",
        "variate_store_unknown_user_events_total 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "no line {line} in:\n{metrics}");
    }
}

#[test]
fn no_question_makes_a_new_series() {
    let shop = Daemon::shop();
    let series = || shop.ask_admin("GET /metrics").body.lines().count();
    series();
    let before = series();
    for number in 0..50 {
        shop.ask(&format!("GET /made/up/{number}"), "");
        shop.ask(&format!("POST /v1/track?eventKey=made-up-{number}"), "");
        shop.ask(&format!("POST /v1/decide?keys=made-up-{number}"), ANNA);
    }
    assert!(series() <= before + 40, "{before} lines before, {} after", series());
}

#[test]
fn information_names_the_version() {
    let info = Daemon::shop().ask_admin("GET /info").json();
    assert_eq!(
        (&info["appName"], &info["version"]),
        (&json!("variate"), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(info["environments"], json!(["production"]));
}
