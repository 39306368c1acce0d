//! `GET /metrics`: each figure moves when it should, and all keep to the rules of Prometheus.
//!
//! Must not know how they are counted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::http::{Request, ask};
use super::{Daemon, PATIENCE, environment, wait_for};
use crate::events::server::{Answer as Given, Server as Hook};

const ANNA: &str = r#"{"userId":"anna"}"#;

fn page(daemon: &Daemon) -> String {
    daemon.ask_admin("GET /metrics").body
}

/// The value of a series, if it is there.
fn value(page: &str, series: &str) -> Option<f64> {
    let mut lines = page.lines();
    let rest = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(rest.parse().unwrap())
}

/// What is done makes the figure this much higher.
#[track_caller]
fn check(daemon: &Daemon, series: &str, by: f64, act: impl FnOnce()) {
    let before = value(&page(daemon), series).unwrap_or(0.0);
    act();
    let after = value(&page(daemon), series).unwrap_or_else(|| panic!("no {series}"));
    assert!((after - before - by).abs() < 1e-9, "{series}: {before}, then {after}, not by {by}");
}

fn post(daemon: &Daemon, what: &str, body: &str) {
    assert_eq!(daemon.ask(what, body).status, 200, "{what} {body}");
}

#[test]
fn what_is_asked_and_recorded_is_counted() {
    let shop = Daemon::shop();
    let own =
        |name: &str, more: &str| format!("variate_{name}{{environment=\"production\"{more}}}");
    let activate = "POST /v1/activate?experimentKey=checkout_button";
    let track = "POST /v1/track?eventKey=purchase";
    check(&shop, &own("activations_total", ""), 1.0, || post(&shop, activate, ANNA));
    check(&shop, &own("conversions_total", ""), 1.0, || post(&shop, track, ANNA));
    check(&shop, &own("credits_total", ",experiment=\"checkout_button\""), 1.0, || {
        post(&shop, track, ANNA)
    });
    check(&shop, &own("events_total", ""), 1.0, || post(&shop, track, r#"{"userId":"ben"}"#));
    check(&shop, &own("not_credited_total", ",reason=\"no-activation\""), 1.0, || {
        post(&shop, track, r#"{"userId":"cleo"}"#);
    });
    check(&shop, &own("not_credited_total", ",reason=\"unknown-event\""), 1.0, || {
        post(&shop, "POST /v1/track?eventKey=nothing", ANNA);
    });
    check(&shop, "variate_store_unknown_user_events_total", 1.0, || {
        post(&shop, track, r#"{"userId":"dora"}"#)
    });
    let once = r#"{"userId":"anna","eventId":"1"}"#;
    post(&shop, track, once);
    check(&shop, "variate_store_duplicates_total", 1.0, || post(&shop, track, once));
    let future = r#"{"userId":"anna","timestamp":9000000000000}"#;
    check(&shop, "variate_store_clamped_times_total", 1.0, || post(&shop, track, future));
    check(&shop, &own("decisions_total", ",source=\"error\""), 1.0, || {
        post(&shop, "POST /v1/decide?keys=nothing", ANNA);
    });
    check(&shop, "variate_store_users", 1.0, || post(&shop, activate, r#"{"userId":"eve"}"#));
    check(&shop, "variate_store_activations", 1.0, || post(&shop, activate, r#"{"userId":"fay"}"#));
    check(&shop, "variate_store_waiting_records", 1.0, || {
        post(&shop, activate, r#"{"userId":"gil"}"#)
    });
    check(
        &shop,
        "variate_requests_total{listener=\"api\",endpoint=\"track\",status=\"4xx\"}",
        1.0,
        || {
            assert_eq!(shop.ask("POST /v1/track", ANNA).status, 400);
        },
    );
    check(
        &shop,
        "variate_request_duration_seconds_count{listener=\"api\",endpoint=\"decide\"}",
        1.0,
        || {
            post(&shop, "POST /v1/decide?keys=search", ANNA);
        },
    );
}

#[test]
fn a_second_variation_is_a_crossover() {
    let shop = Daemon::shop();
    let forced = |variation: &str| {
        json!({
            "userId": "anna", "userAttributes": {"country": "SE", "age": 34},
            "forcedDecisions": [{"flagKey": "search", "ruleKey": "search_ranking", "variationKey": variation}],
        })
        .to_string()
    };
    post(&shop, "POST /v1/decide?keys=search", &forced("by_margin"));
    check(&shop, "variate_store_crossovers_total", 1.0, || {
        post(&shop, "POST /v1/decide?keys=search", &forced("by_popularity"));
        wait_for("the record", || {
            let records = shop.ask_admin("GET /events?type=impression").body;
            (records.lines().count() == 2).then_some(())
        });
    });
}

#[test]
fn sinks_and_sources_are_counted() {
    let refusing = Hook::start(|_, _| Given::Status(400, "", "no"));
    let sinks = [
        "webhook:http://127.0.0.1:9/down".to_owned(),
        format!("webhook:{}", refusing.url("/refusing")),
    ];
    let daemon = Daemon::with(|given| {
        given.sinks = sinks
            .iter()
            .map(|sink| variate::settings::SinkSettings::new(sink.parse().unwrap()))
            .collect();
        given.environments.push(environment("broken=http://127.0.0.1:9/x.json"));
    });
    let activate = Request::new("POST /v1/activate?experimentKey=checkout_button")
        .header("X-Optimizely-SDK-Key", super::SHOP_KEY)
        .body(ANNA);
    assert_eq!(ask(daemon.api(), &activate).status, 200);
    let [down, refused] = sinks;
    let of = |name: &str, sink: &str| format!("variate_sink_{name}{{sink=\"{sink}\"}}");
    let expect = [
        (of("waiting_records", &down), 1.0),
        (of("stopped", &down), 1.0),
        (of("dead_letters", &refused), 1.0),
        (of("waiting_records", &refused), 0.0),
        ("variate_store_dead_letters".to_owned(), 1.0),
        ("variate_datafile_state{environment=\"broken\",state=\"never-loaded\"}".to_owned(), 1.0),
        ("variate_datafile_state{environment=\"production\",state=\"fresh\"}".to_owned(), 1.0),
        ("variate_datafile_changes_total{environment=\"production\"}".to_owned(), 1.0),
        ("variate_store_taking".to_owned(), 1.0),
    ];
    wait_for("all figures", || {
        let page = page(&daemon);
        let is_so = expect.iter().all(|(series, expect)| value(&page, series) == Some(*expect));
        let above =
            |series: &str, least: f64| value(&page, series).is_some_and(|value| value > least);
        let moves = above(&of("oldest_waiting_seconds", &down), 0.0)
            && above(&of("failures_total", &down), 1.0)
            && above("variate_source_failures_total{environment=\"broken\"}", 0.0)
            && above("variate_source_attempts_total{environment=\"broken\"}", 0.0)
            && above("variate_datafile_age_seconds{environment=\"production\"}", 0.0)
            && above(
                "variate_source_last_success_timestamp_seconds{environment=\"production\"}",
                1.7e9,
            );
        (is_so && moves).then_some(())
    });
    let page = page(&daemon);
    let never = "variate_datafile_age_seconds{environment=\"broken\"}";
    assert_eq!(value(&page, never), None, "what was never confirmed has no age");
}

/// Names and labels by the rules of Prometheus, and every series with a help and a type.
#[test]
fn figures_keep_to_the_rules() {
    let daemon = Daemon::with(|given| {
        given.sinks = vec![variate::settings::SinkSettings::new(
            "webhook:http://127.0.0.1:9/down".parse().unwrap(),
        )];
    });
    post(&daemon, "POST /v1/activate?experimentKey=checkout_button", ANNA);
    post(&daemon, "POST /v1/track?eventKey=purchase", ANNA);
    post(&daemon, "POST /v1/track?eventKey=nothing", ANNA);
    let page = page(&daemon);
    let said = |word: &str| -> BTreeMap<String, String> {
        let lines = page.lines().filter_map(|line| line.strip_prefix(word)?.split_once(' '));
        lines.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    };
    let (helps, types) = (said("# HELP "), said("# TYPE "));
    let series = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names: BTreeSet<&str> = series.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    assert!(names.len() > 35, "{names:?}");
    for name in names {
        let ends = ["_bucket", "_sum", "_count"];
        let base = ends
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .filter(|base| types.contains_key(*base));
        let base = base.unwrap_or(name);
        assert!(base.starts_with("variate_"), "{base}");
        assert!(
            base.chars().all(|letter| letter.is_ascii_lowercase()
                || letter.is_ascii_digit()
                || letter == '_'),
            "{base}"
        );
        let help = helps.get(base).unwrap_or_else(|| panic!("{base} has no help"));
        assert!(
            !help.ends_with('.') && help.len() > 10 || help.starts_with("1, "),
            "{base}: {help}"
        );
        let kind = types.get(base).unwrap_or_else(|| panic!("{base} has no type")).as_str();
        assert_eq!(base.ends_with("_total"), kind == "counter", "{base} is a {kind}");
        for wrong in ["_ms", "_millis", "_minutes", "_kb", "_mb"] {
            assert!(!base.contains(wrong), "{base} is in no base unit");
        }
    }
}

#[test]
fn figures_are_read_while_the_daemon_works() {
    let shop = Daemon::shop();
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let shop = &shop;
            scope.spawn(move || {
                for call in 0..25 {
                    let body = format!(r#"{{"userId":"{caller}-{call}"}}"#);
                    post(shop, "POST /v1/activate?experimentKey=checkout_button", &body);
                }
            });
        }
        for _ in 0..10 {
            assert!(page(&shop).contains("variate_uptime_seconds"));
        }
    });
    let series = "variate_activations_total{environment=\"production\"}";
    assert_eq!(value(&page(&shop), series), Some(100.0), "within {PATIENCE:?}");
}
