//! Limits of requests, and what all answers have in common.
//!
//! Must not know interfaces beyond asking them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use serde_json::json;

use super::http::{Request, ask, exchange, try_ask};
use super::{Daemon, PATIENCE};

#[test]
fn a_body_must_be_json_and_not_too_large() {
    let shop = Daemon::with(|given| given.body_limit = Some("1KiB".parse().unwrap()));
    let post = || Request::new("POST /v1/decide");
    let answer = ask(shop.api(), &post().raw_body(r#"{"userId":"anna"}"#));
    assert_eq!(answer.status, 415, "{answer:?}");
    let text = |kind| post().header("Content-Type", kind).raw_body(r#"{"userId":"anna"}"#);
    assert_eq!(ask(shop.api(), &text("text/plain")).status, 415);
    assert_eq!(ask(shop.api(), &text("Application/JSON; charset=utf-8")).status, 200);

    let large = format!(r#"{{"userId":"{}"}}"#, "x".repeat(2_000));
    let answer = ask(shop.api(), &post().body(&large));
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (413, "{\"error\":\"the body is larger than 1024 bytes: send less at once\"}\n")
    );
    let chunks = format!("7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2_000));
    let head = "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let answered = exchange(shop.api(), format!("{head}{chunks}").as_bytes()).unwrap();
    assert!(answered.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answered));
}

/// Who is cut off while it writes may not hear why: what is too large is read to its end first.
#[test]
fn who_sends_too_much_hears_of_it() {
    let shop = Daemon::with(|given| {
        given.body_limit = Some("256KiB".parse().unwrap());
        given.agent.overrides = Some(true);
    });
    let large = format!(r#"{{"userId":"{}"}}"#, "x".repeat(8 << 20));
    for path in [
        "/v1/decide",
        "/v1/activate",
        "/v1/track?eventKey=purchase",
        "/v1/batch",
        "/v1/override",
        "/v1/events",
        "/ofrep/v1/evaluate/flags",
        "/ofrep/v1/evaluate/flags/search",
        "/ofrep/v1/track/purchase",
        "/track",
        "/api/v1/tracker/event/",
    ] {
        for (kind, expect) in [("application/json", [413, 413]), ("text/plain", [413, 415])] {
            let request =
                Request::new(&format!("POST {path}")).header("Content-Type", kind).raw_body(&large);
            let answer = try_ask(shop.api(), &request);
            let status = answer.map(|answer| answer.status).map_err(|error| error.to_string());
            assert!(expect.iter().any(|one| status == Ok(*one)), "{path} {kind}: {status:?}");
        }
    }
}

/// Clients and what stands between may pack what they send.
#[test]
fn bodies_may_be_packed() {
    let shop = Daemon::with(|given| given.body_limit = Some("4KiB".parse().unwrap()));
    let post = |path: &str, packing: &str, body: &[u8]| {
        let request = Request::new(&format!("POST {path}"))
            .header("Content-Type", "application/json")
            .header("Content-Encoding", packing)
            .bytes(body);
        ask(shop.api(), &request).status
    };
    let event = r#"{"entity_id":"20203001","key":"purchase","uuid":"u","timestamp":1}"#;
    let events =
        format!(r#"{{"visitors":[{{"visitor_id":"anna","snapshots":[{{"events":[{event}]}}]}}]}}"#);
    let of_user = r#"{"userId":"anna","context":{"targetingKey":"anna"}}"#;
    for (path, body, expect) in [
        ("/v1/events", &*events, 204),
        ("/v1/decide", of_user, 200),
        ("/v1/activate?type=feature", of_user, 200),
        ("/v1/track?eventKey=purchase", of_user, 200),
        ("/v1/batch", r#"{"operations":[]}"#, 200),
        ("/ofrep/v1/evaluate/flags", of_user, 200),
        ("/i", r#"{"app_key":"x","device_id":"anna","events":[]}"#, 200),
        ("/track", r#"{"user_id":"anna","event_name":"purchase"}"#, 200),
    ] {
        let too_large = if path == "/i" { 200 } else { 413 };
        let with_spaces = format!("{}{body}", " ".repeat(1 << 20));
        for (packing, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("deflate", deflate)] {
            assert_eq!(post(path, packing, &pack(body.as_bytes())), expect, "{path} {packing}");
            let bomb = pack(with_spaces.as_bytes());
            assert!(bomb.len() < 4096);
            assert_eq!(post(path, packing, &bomb), too_large, "{path} {packing}");
        }
        assert_eq!(post(path, "gzip", b"none"), 400, "{path}");
        // Countly's clients would send it again for ever.
        let unknown = if path == "/i" { 200 } else { 415 };
        assert_eq!(post(path, "br", body.as_bytes()), unknown, "{path}");
        assert_eq!(post(path, "br", b""), post(path, "", b""), "{path}");
    }
    let records = shop.ask_admin("GET /events?type=conversion").body;
    assert!(records.contains("\"id\":\"u\""), "{records}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_slow_body_is_not_waited_for() {
    let shop = Daemon::with(|given| given.request_timeout = Some("300ms".parse().unwrap()));
    let mut stream = TcpStream::connect(shop.api()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answered = [0; 12];
    stream.read_exact(&mut answered).unwrap();
    assert_eq!(&answered, b"HTTP/1.1 408");
}

/// Who sent all of it in time is not told to send faster, which many clients take as a reason not to come again. A
/// queue of eight gives them one seat, so that each of the events waits for the disk alone: no machine does that many
/// in the time. The store's own steps take places, too: with fewer it may be refused as full.
#[test]
fn what_takes_long_behind_the_body_is_to_come_again() {
    let shop = Daemon::with(|given| {
        given.request_timeout = Some("5s".parse().unwrap());
        given.body_limit = Some("8MiB".parse().unwrap());
        given.queue_entries = Some(8);
    });
    let event = r#"{"user_id":"anna","event_name":"purchase"}"#;
    let body = format!("[{}]", vec![event; 50_000].join(","));
    let answer = shop.ask("POST /track", &body);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    // In the system's own words, or in everybody's where not even those came in time.
    let said = answer.json();
    let message = said["message"].as_str().or(said["error"].as_str()).unwrap();
    let in_time =
        ["this was not stored in time, and may be", "this took too long here, and may be"];
    assert!(in_time.iter().any(|begin| message.starts_with(begin)), "{message}");
    assert!(message.ends_with("send it again soon, with the same id if it has one"), "{message}");
    let stored = shop.ask_admin("GET /events?limit=1").body;
    assert!(!stored.is_empty(), "and it was at work on it");
}

#[test]
fn large_heads_are_refused() {
    let shop = Daemon::shop();
    let with_long = Request::new("GET /health").header("X-Long", &"x".repeat(100_000));
    let refused = try_ask(shop.api(), &with_long).map_or(431, |answer| answer.status);
    assert_eq!(refused, 431);
    let many = (0..200).fold(Request::new("GET /health"), |request, number| {
        request.header(&format!("X-{number}"), "x")
    });
    let refused = try_ask(shop.api(), &many).map_or(431, |answer| answer.status);
    assert!((400..500).contains(&refused), "{refused}");
    assert_eq!(ask(shop.api(), &Request::new("GET /health")).status, 200);
}

#[test]
fn every_answer_has_a_request_id() {
    let shop = Daemon::shop();
    let id_of =
        |request: Request| ask(shop.api(), &request).header("x-request-id").unwrap().to_owned();
    let given = |id: &str| id_of(Request::new("GET /health").header("X-Request-Id", id));
    assert_eq!(given("mine-1"), "mine-1");
    assert!(uuid::Uuid::parse_str(&id_of(Request::new("GET /nothing"))).is_ok());
    let long = "x".repeat(1_000);
    assert_ne!(given(&long), long);
}

#[test]
fn what_is_not_there_is_told_in_the_same_form() {
    let shop = Daemon::shop();
    for (what, status) in [
        ("GET /", 404),
        ("GET /v1/reset", 404),
        ("POST /v1/reset", 404),
        ("GET /v1/decide", 405),
        ("DELETE /v1/track", 405),
        ("GET /v1/../v1/config", 404),
        ("GET //v1/config", 404),
    ] {
        let answer = shop.ask(what, "");
        assert_eq!(answer.status, status, "{what}");
        assert!(
            answer.json()["error"].is_string() && answer.body.ends_with('\n'),
            "{what}: {answer:?}"
        );
    }
}

#[test]
fn answers_say_which_datafile_and_how_old() {
    let shop = Daemon::shop();
    let answer = shop.ask("POST /v1/decide?keys=search", r#"{"userId":"anna"}"#);
    assert_eq!(answer.header("variate-revision"), Some("87"));
    let age: u64 = answer.header("variate-datafile-age").unwrap().parse().unwrap();
    assert!(age < 20, "{age}");
}

#[test]
fn a_full_queue_refuses_and_what_it_takes_is_there() {
    const CALLERS: u64 = 16;
    const CALLS: u64 = 20;
    let shop = Daemon::with(|given| given.queue_entries = Some(1));
    let (taken, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (shop, taken, refused) = (&shop, &taken, &refused);
            scope.spawn(move || {
                for call in 0..CALLS {
                    let body = format!(r#"{{"userId":"u","eventId":"{caller}-{call}"}}"#);
                    match shop.ask("POST /v1/track?eventKey=purchase", &body).status {
                        200 => taken.fetch_add(1, Ordering::Relaxed),
                        503 => refused.fetch_add(1, Ordering::Relaxed),
                        other => panic!("status {other}"),
                    };
                }
            });
        }
    });
    let (taken, refused) = (taken.into_inner(), refused.into_inner());
    assert_eq!(taken + refused, CALLERS * CALLS);
    let stored = shop.ask_admin("GET /events?limit=10000").body.lines().count();
    assert_eq!(stored as u64, taken, "acknowledged is stored, refused is not");
    assert!(taken > 0);
    if refused == 0 {
        return;
    }
    let problems = shop.ask_admin("GET /problems").json();
    let problem = &problems["problems"][0];
    assert_eq!((&problem["kind"], &problem["count"]), (&json!("store"), &json!(refused)));
    let text = problem["text"].as_str().unwrap();
    assert!(text.contains("is full, with room for 1"), "{text}");
}
