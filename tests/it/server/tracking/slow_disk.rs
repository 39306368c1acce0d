//! Much in one request, and a disk that takes its time: it is waited for as seldom as can be, and what was not
//! acknowledged counts once when it comes again.
//!
//! Must not know how anything is stored.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use variate::clock::Stopwatch;

use super::super::Daemon;
use super::super::http::{Answer, Request, ask, try_ask};
use super::super::process::{Served, serve};
use super::super::stalled::Stall;
use super::super::{SHOP, wait_for};
use super::unused;

/// As many as a body may have.
const MANY: usize = 9_000;
/// As long as a disk may take that others keep busy.
const SLOW: Duration = Duration::from_millis(150);

fn purchase(number: usize) -> Value {
    json!({"user_id": format!("u{number}"), "event_name": "purchase", "message_id": format!("m{number}")})
}

fn purchases(numbers: std::ops::Range<usize>) -> String {
    Value::from_iter(numbers.map(purchase)).to_string()
}

fn served(arguments: &[&str]) -> (tempfile::TempDir, Served) {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &[&["--datafile", SHOP], arguments].concat());
    // What is there once in a day, is there.
    assert_eq!(tell(&served, "POST /track", &purchases(0..1)).status, 200);
    (folder, served)
}

/// Who is not answered says so without the body, which is large.
#[track_caller]
fn tell(served: &Served, what: &str, body: &str) -> Answer {
    let answered = try_ask(served.api, &Request::new(what).body(body));
    answered.unwrap_or_else(|problem| panic!("{what}: {problem}"))
}

#[test]
#[ignore = "needs strace: run tests/strace/setup"]
fn a_large_request_waits_for_a_slow_disk_a_few_times() {
    let (_folder, served) = served(&["--request-timeout", "15s"]);
    let stall = Stall::for_each(&served, SLOW);
    let watch = Stopwatch::start();
    let answer = tell(&served, "POST /track", &purchases(0..MANY));
    assert_eq!(answer.status, 200, "{answer:?} after {:?}", watch.elapsed());
    stall.end();
    served.kill();
}

/// Whoever enrols is waited for in the end, as events are.
#[test]
#[ignore = "needs strace: run tests/strace/setup"]
fn enrolments_in_bulk_wait_for_a_slow_disk_a_few_times() {
    let (_folder, served) = served(&["--request-timeout", "15s"]);
    let stall = Stall::for_each(&served, SLOW);
    let enrol = |number: usize| {
        let device = format!("u{number}");
        match number % 3 {
            0 => json!({"device_id": device, "method": "ab", "keys": ["checkout_button"]}),
            1 => json!({"device_id": device, "method": "rc", "oi": 1}),
            _ => json!({"device_id": device, "old_device_id": format!("u{}", number - 1)}),
        }
    };
    let requests = Value::from_iter((0..300).map(enrol));
    let watch = Stopwatch::start();
    let bulk = json!({"app_key": "k", "requests": requests});
    let answer = tell(&served, "POST /i/bulk", &bulk.to_string());
    assert_eq!(answer.status, 200, "{answer:?} after {:?}", watch.elapsed());
    stall.end();
    served.kill();
}

/// While the disk stands still, nobody is told that all is well; afterwards all of it comes again, and counts once.
#[test]
#[ignore = "needs strace: run tests/strace/setup"]
fn what_was_not_stored_in_time_counts_once_when_it_comes_again() {
    let (_folder, served) = served(&["--request-timeout", "4s"]);
    let stall = Stall::for_each(&served, Duration::from_mins(1));
    let parts = 8;
    let part = |number: usize| purchases(number * MANY / parts..(number + 1) * MANY / parts);
    std::thread::scope(|scope| {
        for number in 0..parts {
            let (served, part) = (&served, &part);
            scope.spawn(move || {
                let answer = tell(served, "POST /track", &part(number));
                assert_eq!(answer.status, 503, "{answer:?}");
                let text = answer.json()["message"].as_str().unwrap().to_owned();
                assert!(text.contains("may be stored yet"), "{text}");
            });
        }
    });
    stall.end();
    for number in 0..parts {
        let again = || (tell(&served, "POST /track", &part(number)).status == 200).then_some(());
        wait_for("the disk", again);
    }
    let stored = ask(served.admin, &Request::new("GET /events/export?type=conversion"));
    let users = stored.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let users: Vec<_> = users.map(|record| record["userId"].to_string()).collect();
    assert_eq!((users.len(), users.iter().collect::<BTreeSet<_>>().len()), (MANY, MANY));
    served.kill();
}

/// What all of them wait with is bounded together, and each has its turn.
#[test]
fn many_large_requests_share_a_little_room() {
    const SENDERS: usize = 16;
    const EVENTS: usize = 40;
    let shop = Daemon::with(|given| given.queue_entries = Some(8));
    let acknowledged = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (shop, acknowledged) = (&shop, &acknowledged);
            scope.spawn(move || {
                let body = purchases(sender * EVENTS..(sender + 1) * EVENTS);
                let answer = try_ask(shop.api(), &Request::new("POST /track").body(&body)).unwrap();
                assert_eq!(answer.status, 200, "{answer:?}");
                acknowledged.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(acknowledged.into_inner(), SENDERS);
    let stored = shop.ask_admin("GET /events?limit=10000").body.lines().count();
    assert_eq!(stored, SENDERS * EVENTS);
    assert_eq!(unused(&shop, "thrivestack", "unknown-event"), 0);
}
