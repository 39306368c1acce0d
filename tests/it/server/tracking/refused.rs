//! Requests that are refused: who runs the daemon hears of it, once, and without keys and users.
//!
//! Must not know what is in a request that is not refused.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};
use variate::settings::{TrackingKey, TrackingSystem};

use super::super::Daemon;
use super::super::http::{Answer, Request, ask};
use super::unused;

const KEY: &str = "the-key";
const SYSTEMS: [TrackingSystem; 6] = [
    TrackingSystem::Optimizely,
    TrackingSystem::Flagger,
    TrackingSystem::Segment,
    TrackingSystem::Thrivestack,
    TrackingSystem::Onboardflow,
    TrackingSystem::Countly,
];

fn all_unused(daemon: &Daemon) -> u64 {
    let page = daemon.ask_admin("GET /metrics").body;
    let lines = page.lines().filter(|line| line.starts_with("variate_tracking_unused_total{"));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// How often it is among the problems that something of a system was of no use for this reason.
fn told(daemon: &Daemon, (system, reason): (&str, &str)) -> u64 {
    let (of_system, why) = (format!("{system}: "), format!(" ({reason}): "));
    let is_it = |text: &str| text.starts_with(&of_system) && text.contains(&why);
    let problems = daemon.ask_admin("GET /problems").json();
    let problems = problems["problems"].as_array().unwrap().iter();
    let told = problems.filter(|one| is_it(one["text"].as_str().unwrap()));
    told.map(|one| one["count"].as_u64().unwrap()).sum()
}

/// Sends it; it is to be refused and counted once, as that of a system.
#[track_caller]
fn check(daemon: &Daemon, request: Request, status: u16, (system, reason): (&str, &str)) {
    let (before, all_before) = (unused(daemon, system, reason), all_unused(daemon));
    let told_before = told(daemon, (system, reason));
    let answer = ask(daemon.api(), &request);
    assert_eq!(answer.status, status, "{request:?}: {answer:?}");
    let counted = (unused(daemon, system, reason) - before, all_unused(daemon) - all_before);
    assert_eq!(counted, (1, 1), "{request:?}: {}", daemon.ask_admin("GET /metrics").body);
    let problems = daemon.ask_admin("GET /problems").body;
    let newly_told = told(daemon, (system, reason)) - told_before;
    assert_eq!(newly_told, 1, "{request:?}: {problems}");
    for secret in [KEY, "wrong-key", "anna"] {
        assert!(!problems.contains(secret), "{secret}: {problems}");
    }
}

fn keyed() -> Daemon {
    Daemon::with(|given| {
        given.tracking.keys =
            SYSTEMS.map(|system| TrackingKey::new(system, KEY, "production")).to_vec();
    })
}

fn post(path: &str, body: &Value) -> Request {
    Request::new(&format!("POST {path}")).body(&body.to_string())
}

#[test]
fn unknown_keys_are_told() {
    let daemon = keyed();
    let anna = json!({"userId": "anna", "writeKey": "wrong-key", "event": "purchase"});
    let check = |request, status, system| check(&daemon, request, status, (system, "unknown-key"));
    check(post("/segment/v1/track", &anna), 401, "segment");
    check(post("/segment/v1/batch", &json!({"batch": [anna]})), 401, "segment");
    check(post("/track", &anna), 401, "thrivestack");
    let event =
        json!({"s": "wrong-key", "event": "CLICK", "value": "x", "site_user": {"id": "anna"}});
    check(post("/api/v1/tracker/event/", &event), 401, "onboardflow");
    check(post("/v3/ingest/wrong-key", &json!({})), 403, "flagger");
    check(Request::new("GET /v3/config/wrong-key"), 403, "flagger");
    check(Request::new("GET /v3/sse/wrong-key"), 403, "flagger");
    check(post("/optimizely/wrong-key/v1/events", &json!({})), 403, "optimizely");
    check(post("/v1/events", &json!({"visitors": []})), 401, "optimizely");
    check(Request::new("GET /i?app_key=wrong-key&device_id=anna"), 400, "countly");
    check(Request::new("GET /i?device_id=anna"), 400, "countly");
    check(Request::new("GET /o/sdk?app_key=wrong-key&device_id=anna"), 400, "countly");
}

#[test]
fn what_is_no_request_of_a_system_is_told() {
    let daemon = Daemon::shop();
    let broken = |path: &str| Request::new(&format!("POST {path}")).body("{\"userId\": \"anna\"");
    let check_broken = |path: &str, system: &str| {
        check(&daemon, broken(path), 400, (system, "wrong-kind"));
    };
    check_broken("/segment/v1/track", "segment");
    check_broken("/track", "thrivestack");
    check_broken("/api/v1/tracker/event/", "onboardflow");
    check_broken("/v1/events", "optimizely");
    let check = |request, status, told| check(&daemon, request, status, told);
    let nobody = json!({"event": "CLICK", "s": "k", "value": "purchase", "site_user": {}});
    check(post("/api/v1/tracker/event/", &nobody), 400, ("onboardflow", "no-user"));
    check(post("/track", &json!({"event": "purchase"})), 400, ("thrivestack", "no-user"));
    let packed = post("/track", &json!({})).header("Content-Encoding", "br");
    check(packed, 415, ("thrivestack", "wrong-kind"));
    check(Request::new("GET /o/sdk?app_key=k&method=ab"), 400, ("countly", "no-user"));
    let nothing = "GET /o/sdk?app_key=k&device_id=anna&method=nothing";
    check(Request::new(nothing), 400, ("countly", "wrong-kind"));
}

#[test]
fn what_is_too_large_is_told() {
    let daemon = Daemon::shop();
    let large =
        json!({"userId": "anna", "event": "purchase", "properties": {"x": "x".repeat(3 << 20)}});
    let check = |path, status, system| {
        check(&daemon, post(path, &large), status, (system, "too-large"));
    };
    check("/segment/v1/track", 400, "segment");
    check("/track", 413, "thrivestack");
    check("/v1/events", 413, "optimizely");
    check("/api/v1/tracker/event/", 413, "onboardflow");
}

#[test]
fn a_path_that_is_meant_for_a_system_is_told() {
    let daemon = Daemon::shop();
    let check = |what: &str, status, system| {
        let request = Request::new(what).body("{}");
        check(&daemon, request, status, (system, "unknown-path"));
    };
    check("POST /segment/v1/nothing", 404, "segment");
    check("POST /segment/v2/track", 404, "segment");
    check("POST /segment/v1/segment/v1/batch", 404, "segment");
    check("POST /optimizely/KEY/events", 404, "optimizely");
    check("POST /v3/ingest", 404, "flagger");
    check("POST /api/v1/tracker/event", 404, "onboardflow");
    check("POST /i/bulk/", 404, "countly");
    check("POST /track/", 404, "thrivestack");
    check("GET /segment/v1/batch", 405, "segment");
}

/// Its sender may send it again, and nobody hears the answer: it is no fault of what was sent.
#[test]
fn what_breaks_off_is_not_told() {
    let daemon = Daemon::shop();
    let check = |what: &str, headers: &str, status: u16| {
        let mut stream = TcpStream::connect(daemon.api()).unwrap();
        let head =
            format!("{what} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: 100\r\n\r\n");
        stream.write_all(format!("{head}{{\"userId\":").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = Answer::read(&answer).map(|answer| answer.status);
        assert_eq!(answer, Some(status), "{what} {headers}");
        assert_eq!(all_unused(&daemon), 0, "{what} {headers}");
    };
    let json = "Content-Type: application/json\r\n";
    for headers in ["", json, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"] {
        check("POST /segment/v1/t", headers, 400);
        check("POST /v3/ingest/k", headers, 400);
        check("POST /i?app_key=k", headers, 400);
        check("POST /i/bulk?app_key=k", headers, 400);
        check("POST /track", headers, 400);
        check("POST /v1/events", headers, 400);
        check("POST /api/v1/tracker/event/", headers, 400);
    }
    assert_eq!(daemon.ask_admin("GET /problems").json()["problems"], json!([]));
}

/// As if it had come alone; the batch itself is answered well.
#[test]
fn what_is_refused_in_a_batch_is_told() {
    let daemon = keyed();
    let check = |path: &str, body: Value, told| {
        let operation = json!({"method": "POST", "url": path, "body": body});
        check(&daemon, post("/v1/batch", &json!({"operations": [operation]})), 200, told);
    };
    let anna = json!({"userId": "anna", "writeKey": "wrong-key", "event": "purchase"});
    check("/segment/v1/track", anna, ("segment", "unknown-key"));
    check("/segment/v1/nothing", json!({}), ("segment", "unknown-path"));
    check("/v1/events", json!({"visitors": []}), ("optimizely", "unknown-key"));
}

#[test]
fn another_host_is_told_once() {
    let daemon = Daemon::shop();
    let of_evil = |request: Request| request.header("Host", "evil.example");
    check(&daemon, of_evil(post("/track", &json!({}))), 404, ("thrivestack", "other-host"));
    let problems = daemon.ask_admin("GET /problems").body;
    assert_eq!(problems.matches("allowed_hosts").count(), 1, "{problems}");
    ask(daemon.api(), &of_evil(Request::new("POST /v1/decide").body("{}")));
    let problems = daemon.ask_admin("GET /problems").body;
    assert_eq!(problems.matches("allowed_hosts").count(), 2, "{problems}");
}

/// Agent may be behind a prefix.
#[test]
fn a_batch_is_one_behind_what_only_begins_as_a_system() {
    let daemon = Daemon::shop();
    let paths = ["/api/v1/batch", "/optimizely/batch", "/optimizely/v1/batch", "/api/batch"];
    for path in paths.into_iter().chain(["/optimizely/v1/Batch", "/optimizely/v1/BATCH"]) {
        let answer = ask(daemon.api(), &post(path, &json!({"operations": []})));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    assert_eq!(all_unused(&daemon), 0);
}

/// One problem, however many bodies are broken in however many places; who sends one is told where.
#[test]
fn broken_bodies_are_one_problem() {
    let daemon = Daemon::shop();
    let paths = ["/segment/v1/track", "/track", "/api/v1/tracker/event/", "/v1/events"];
    for path in paths {
        for blanks in 0..5 {
            let body = format!("{}{{", " ".repeat(blanks));
            let answer = ask(daemon.api(), &Request::new(&format!("POST {path}")).body(&body));
            assert!(answer.body.contains("column"), "{path}: {answer:?}");
        }
    }
    let problems = daemon.ask_admin("GET /problems").body;
    assert_eq!(problems.matches("the body is no JSON").count(), paths.len(), "{problems}");
    assert!(!problems.contains("column"), "{problems}");
}

#[test]
fn a_bulk_of_an_unknown_key_is_told_whatever_is_in_it() {
    let daemon = keyed();
    for requests in ["", "&requests=7", "&requests=%5B%7B%22device_id%22:%22anna%22%7D%5D"] {
        let what = format!("GET /i/bulk?app_key=wrong-key{requests}");
        let before = unused(&daemon, "countly", "unknown-key");
        ask(daemon.api(), &Request::new(&what));
        assert_eq!(unused(&daemon, "countly", "unknown-key") - before, 1, "{what}");
    }
    assert_eq!(all_unused(&daemon), 3);
}

/// What comes again by itself, or was meant for nobody of them, is none of it.
#[test]
fn all_else_is_not_told() {
    let daemon = Daemon::shop();
    let sent = [
        (Request::new("POST /v1/nothing"), 404),
        (Request::new("POST /v1/decide").body("{"), 400),
        (post("/v1/track?eventKey=nothing", &json!({"userId": "anna"})), 200),
        (post("/segment/v1/t", &json!({"userId": "anna", "event": "purchase"})), 200),
    ];
    for (request, status) in sent {
        assert_eq!(ask(daemon.api(), &request).status, status, "{request:?}");
    }
    assert_eq!(all_unused(&daemon), 0);
}
