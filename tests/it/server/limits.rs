//! Limits of requests, and what all answers have in common.
//!
//! Must not know interfaces beyond asking them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

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
}
