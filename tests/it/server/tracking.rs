//! Tracking calls of other systems: each form, its clients, and what becomes of what they send.
//!
//! Must not know how anything is answered inside.

mod amounts;
mod bad;
mod clocks;
mod countly;
mod flagger;
mod halves;
mod on_their_way;
mod onboardflow;
mod optimizely;
mod pairs;
mod property;
mod readme;
mod refused;
mod sdks;
mod segment;
mod segment_clients;
mod slow_disk;
mod thrivestack;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use variate::settings::{TrackingKey, TrackingSystem};

use super::Daemon;

/// The records of a type that the daemon holds, with some of their members.
fn records(daemon: &Daemon, kind: &str) -> Vec<Value> {
    let answer = daemon.ask_admin(&format!("GET /events?type={kind}&limit=10000"));
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each conversion as `user event experiment/variation`, one for each credit.
fn credits(daemon: &Daemon) -> Vec<String> {
    let mut credits = Vec::new();
    for record in records(daemon, "conversion") {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        for credit in record["credits"].as_array().into_iter().flatten() {
            credits.push(format!(
                "{} {} {}/{}",
                word(&record["userId"]),
                word(&record["eventKey"]),
                word(&credit["experimentKey"]),
                word(&credit["variationKey"])
            ));
        }
    }
    credits
}

/// How often a part of a system's requests was of no use, by the reason's word.
fn unused(daemon: &Daemon, system: &str, reason: &str) -> u64 {
    let page = daemon.ask_admin("GET /metrics").body;
    let labels = [format!("system=\"{system}\""), format!("reason=\"{reason}\"")];
    let is_this = |line: &&str| {
        line.starts_with("variate_tracking_unused_total{")
            && labels.iter().all(|label| line.contains(label.as_str()))
    };
    let count = |line: &str| -> Option<u64> { line.rsplit(' ').next()?.parse().ok() };
    page.lines().filter(is_this).filter_map(count).sum()
}

/// The first line of the answer to a body of blanks, which is written in parts.
fn written_slowly(
    (address, what): (SocketAddr, &str),
    headers: &str,
    length: usize,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "{what} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {length}\r\n\r\n"
    )?;
    let part = vec![b' '; 256 << 10];
    for _ in 0..length / part.len() {
        std::thread::sleep(Duration::from_millis(5));
        stream.write_all(&part)?;
    }
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// A time that is not in the future.
fn now_ms() -> i64 {
    variate::clock::system_time_ms() - 1000
}

/// A time as clients write it.
fn iso(time_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(time_ms).unwrap().to_string()
}

/// Activates a user in the checkout button's experiment, through Agent's interface; gives the variation.
#[track_caller]
fn activated(daemon: &Daemon, user: &str) -> String {
    let body = json!({"userId": user, "userAttributes": {"country": "SE", "age": 34}}).to_string();
    let answer = daemon.ask("POST /v1/activate?experimentKey=checkout_button", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let credit = answer.json()[0]["variationKey"].as_str().unwrap().to_owned();
    format!("checkout_button/{credit}")
}

/// A daemon with a second environment, `other`, which is what the key `k-1` of a system means.
fn keyed(system: TrackingSystem) -> Daemon {
    Daemon::with(|given| {
        let mut other = super::environment(super::SHOP);
        other.name = Some("other".to_owned());
        given.environments.push(other);
        given.tracking.keys = vec![TrackingKey::new(system, "k-1", "other")];
    })
}

/// A value of each kind, and beyond what is sensible.
fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("\u{0} \u{1f600}"),
        json!("x".repeat(5_000)),
        json!("9999-12-31T23:59:59Z"),
        json!("0001-01-01T00:00:00Z"),
        json!([]),
        json!([[{}]]),
        json!({}),
        json!({"a": {"b": [1]}}),
    ]
}
