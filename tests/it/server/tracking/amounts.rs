//! Much at once: a request is as large as it is, whatever it makes of memory or of the store's queue.
//!
//! Must not know how anything is kept.

use std::fs::read_to_string;

use serde_json::{Map, Value, json};

use super::super::http::{Answer, Request, ask};
use super::super::process::{Served, serve};
use super::super::{Daemon, SHOP};
use super::{credits, now_ms, unused};

const MEBIBYTE: u64 = 1024 * 1024;
const MANY: usize = 10_000;

/// The most memory that a process has had, in bytes.
fn most_memory(served: &Served) -> u64 {
    let status = read_to_string(format!("/proc/{}/status", served.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// How many events the daemon was told and stored.
fn stored_events(served: &Served) -> u64 {
    let page = ask(served.admin, &Request::new("GET /metrics")).body;
    let line = page.lines().find(|line| line.starts_with("variate_events_total{"));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// A body that says much of one user, and much that the user did.
#[track_caller]
fn check(name: &str, what: &str, body: &Value, events: usize) {
    check_with(&["--late-window", "0s"], (name, what), body, events);
}

#[track_caller]
fn check_with(arguments: &[&str], (name, what): (&str, &str), body: &Value, events: usize) {
    let body = body.to_string();
    assert!(body.len() as u64 <= MEBIBYTE, "{name}: {} bytes", body.len());
    let folder = tempfile::tempdir().unwrap();
    let fixed = ["--datafile", SHOP, "--request-timeout", "120s"];
    let served = serve(folder.path(), &[&fixed[..], arguments].concat());
    let send = |body: &str| -> Answer { ask(served.api, &Request::new(what).body(body)) };
    let before = most_memory(&served);
    let answer = send(&body);
    assert!((200..=204).contains(&answer.status), "{name}: {answer:?}");
    let grown = most_memory(&served) - before;
    assert!(grown < 100 * MEBIBYTE, "{name}: {} MiB more", grown / MEBIBYTE);
    assert_eq!(stored_events(&served), events as u64, "{name}");
    served.kill();
}

/// Attributes: many that nobody knows, and one that is known.
fn attributes(count: usize) -> Map<String, Value> {
    let many = (0..count).map(|place| (format!("a{place}"), json!(place)));
    many.chain([("country".to_owned(), json!("SE"))]).collect()
}

fn optimizely(attributes: &Map<String, Value>, events: usize) -> Value {
    let listed: Vec<Value> =
        attributes.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({"visitors": [{
        "visitor_id": "anna", "attributes": listed,
        "snapshots": [{"events": vec![json!({"key": "purchase"}); events]}],
    }]})
}

#[test]
fn attributes_of_many_events_take_no_room_for_each_of_optimizely() {
    check("many", "POST /v1/events", &optimizely(&attributes(MANY), MANY), MANY);
}

/// Each of them is in the user's row until it is stored.
#[test]
fn events_that_wait_for_late_activations_take_little_room_for_each() {
    let body = optimizely(&attributes(MANY), 2000);
    check_with(&[], ("late", "POST /v1/events"), &body, 2000);
}

#[test]
fn long_ids_and_values_take_no_room_for_each_event() {
    let mut long = Map::new();
    long.insert("country".to_owned(), json!("x".repeat(400_000)));
    check("long value", "POST /v1/events", &optimizely(&long, 2000), 2000);
    let mut body = optimizely(&Map::new(), 2000);
    body["visitors"][0]["visitor_id"] = json!("x".repeat(400_000));
    check("long id", "POST /v1/events", &body, 0);
}

#[test]
fn attributes_of_many_events_take_no_room_for_each_of_countly() {
    let body = json!({
        "app_key": "k", "device_id": "anna", "user_details": {"custom": attributes(MANY)},
        "events": vec![json!({"key": "purchase"}); MANY],
    });
    check("countly", "POST /i", &body, MANY);
}

#[test]
fn attributes_of_many_events_take_no_room_for_each_of_flagger() {
    let event = json!({"name": "purchase", "entity": {"id": "anna"}});
    let body = json!({
        "id": "p-1", "entities": [{"id": "anna", "type": "User", "attributes": attributes(MANY)}],
        "exposures": [], "events": vec![event; MANY],
    });
    check("flagger", "POST /v3/ingest/k", &body, MANY);
}

#[test]
fn attributes_of_many_events_take_no_room_for_each_of_segment() {
    let event = json!({"type": "track", "event": "purchase", "userId": "anna"});
    let body = json!({"context": {"traits": attributes(MANY)}, "batch": vec![event; MANY / 2]});
    check("segment", "POST /segment/v1/batch", &body, MANY / 2);
}

/// Whatever stands in the payload first, and although the queue is much shorter than it.
#[test]
fn a_payload_may_be_larger_than_the_queue() {
    let shop = Daemon::with(|given| given.queue_entries = Some(32));
    let now = now_ms();
    let event =
        |place: usize| json!({"key": "purchase", "uuid": format!("e-{place}"), "timestamp": now});
    let events: Vec<Value> = (0..500).map(event).collect();
    let decided = json!({
        "decisions": [{"campaign_id": "9300000801101", "experiment_id": "9300001201101", "variation_id": "1652301"}],
        "events": [{"entity_id": "9300000801101", "uuid": "d", "key": "campaign_activated", "timestamp": now}],
    });
    let body = json!({"visitors": [
        {"visitor_id": "anna", "snapshots": [{"events": events}]},
        {"visitor_id": "anna", "snapshots": [decided]},
    ]});
    let answer = shop.ask("POST /v1/events", &body.to_string());
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(credits(&shop).len(), 500);
}

#[test]
fn what_is_of_no_use_is_told_once_with_its_count() {
    let shop = Daemon::shop();
    let unknown = (0..3000).map(|place| json!({"key": format!("nothing-{place}")}));
    let same = vec![json!({"key": "nothing"}); 3000];
    let events: Vec<Value> = same.into_iter().chain(unknown).collect();
    let body = json!({"visitors": [{"visitor_id": "anna", "snapshots": [{"events": events}]}]});
    assert_eq!(shop.ask("POST /v1/events", &body.to_string()).status, 204);
    assert_eq!(unused(&shop, "optimizely", "unknown-event"), 6000);
    let problems = shop.ask_admin("GET /problems").json();
    let problems = problems["problems"].as_array().unwrap();
    let counts: Vec<u64> = problems.iter().map(|one| one["count"].as_u64().unwrap()).collect();
    assert_eq!(counts.iter().max(), Some(&3000), "{problems:?}");
    assert_eq!(counts.len(), 20, "the rest is only counted: {problems:?}");
}
