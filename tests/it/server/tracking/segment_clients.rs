//! Segment's own clients, pinned, against a running daemon.
//!
//! Must not know how they send.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};
use variate::settings::{TrackingKey, TrackingSystem};

use super::super::driver::{Driver, installed};
use super::super::{Daemon, PATIENCE};
use super::{activated, credits, records};

const KEY: &str = "write-key";
const CLIENTS: [&str; 5] = ["python", "python-gzip", "javascript", "rust-single", "rust-batch"];

/// A daemon that lets in who has the key.
fn shop() -> Daemon {
    Daemon::with(|given| {
        given.tracking.keys = vec![TrackingKey::new(TrackingSystem::Segment, KEY, "production")];
    })
}

fn start(name: &'static str, address: SocketAddr, key: &str) -> Driver {
    let folder = installed("segment");
    let url = format!("http://{address}/segment");
    let modules = folder.join("node_modules");
    let modules = modules.to_str().unwrap();
    let (python, node) = ("tests/segment/client.py", "tests/segment/client.mjs");
    let venv = folder.join("venv/bin/python");
    match name {
        "python" => Driver::start(name, &venv, &[python, &url, key, "plain"]),
        "python-gzip" => Driver::start(name, &venv, &[python, &url, key, "gzip"]),
        "javascript" => Driver::start(name, Path::new("node"), &[node, modules, &url, key]),
        "rust-single" => Driver::start(name, &folder.join("client"), &[&url, key, "single"]),
        _ => Driver::start(name, &folder.join("client"), &[&url, key, "batch"]),
    }
}

/// Passes requests on, and loses the first answer: what was stored is sent again.
fn forgetful(daemon: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let passed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&passed);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(request) = read_request(&mut stream) else { continue };
            let mut behind = TcpStream::connect(daemon).unwrap();
            behind.write_all(&request).unwrap();
            let mut answer = Vec::new();
            behind.read_to_end(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                answer =
                    b"HTTP/1.1 500 Lost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
            }
            stream.write_all(&answer).unwrap();
        }
    });
    (address, passed)
}

/// A whole request, after which the connection is to be closed.
fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let text = String::from_utf8(head).unwrap();
    let is = |line: &&str, name: &str| line.to_ascii_lowercase().starts_with(name);
    let length = text.lines().find(|line| is(line, "content-length:")).unwrap();
    let mut body = vec![0; length.split(':').nth(1).unwrap().trim().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    let lines = text.trim_end().lines().filter(|line| !is(line, "connection:"));
    let head: Vec<_> = lines.chain(["Connection: close"]).collect();
    Some([head.join("\r\n").as_bytes(), b"\r\n\r\n", &body].concat())
}

fn track(user: (&str, &str), event: &str, properties: Value) -> Value {
    json!({
        "type": "track", user.0: user.1, "event": event, "properties": properties,
        "context": {"traits": {"country": "SE", "age": 34}},
    })
}

#[track_caller]
fn deliver(client: &mut Driver, name: &str, messages: &[Value]) {
    let told = client.ask(&json!(messages));
    assert_eq!(told, json!({"errors": []}), "{name}");
}

#[test]
#[ignore = "needs Segment's clients, from tests/segment/setup"]
fn they_send_what_counts() {
    for name in CLIENTS {
        let shop = shop();
        let mut client = start(name, shop.api(), KEY);
        let shown = activated(&shop, "anna");
        let bought = json!({"revenue": 19.99, "currency": "EUR", "value": 2.5});
        let purchase = |user| track(("userId", user), "Purchase", bought.clone());
        deliver(&mut client, name, &[purchase("anna"), purchase("ben")]);
        assert_eq!(credits(&shop), [format!("anna purchase {shown}")], "{name}");
        let conversions = records(&shop, "conversion");
        let conversion = conversions.iter().find(|record| record["userId"] == "anna").unwrap();
        for (member, expect) in [
            ("origin", json!("segment")),
            ("revenue", json!(1999)),
            ("value", json!(2.5)),
            ("tags", json!({"revenue": 1999, "currency": "EUR", "value": 2.5})),
        ] {
            assert_eq!(conversion[member], expect, "{name}: {conversion}");
        }
        let attributes = conversion["attributes"].to_string();
        assert!(attributes.contains("SE") && attributes.contains("34"), "{name}: {attributes}");

        let orange = json!({"experiment_name": "checkout_button", "variation_name": "orange"});
        deliver(
            &mut client,
            name,
            &[
                track(("anonymousId", "a-1"), "Experiment Viewed", orange.clone()),
                track(("userId", "cleo"), "Experiment Viewed", orange.clone()),
                track(("anonymousId", "a-2"), "Experiment Viewed", orange),
                json!({"type": "alias", "previousId": "a-1", "userId": "dora"}),
                json!({"type": "identify", "anonymousId": "a-2", "userId": "erik", "traits": {}}),
                json!({"type": "page", "userId": "ben", "name": "Purchase"}),
            ],
        );
        deliver(&mut client, name, &["cleo", "dora", "erik", "ben"].map(purchase));
        let expect =
            ["cleo", "dora", "erik"].map(|user| format!("{user} purchase checkout_button/orange"));
        let mut of_later = credits(&shop).split_off(1);
        of_later.sort();
        assert_eq!(of_later, expect, "{name}");
    }
}

#[test]
#[ignore = "needs Segment's clients, from tests/segment/setup"]
fn they_send_again_without_a_second_conversion() {
    for name in ["python", "python-gzip", "javascript"] {
        let shop = shop();
        let shown = activated(&shop, "anna");
        let (address, passed) = forgetful(shop.api());
        let mut client = start(name, address, KEY);
        deliver(&mut client, name, &[track(("userId", "anna"), "purchase", json!({}))]);
        assert_eq!(passed.load(Ordering::SeqCst), 2, "{name} sent it again");
        assert_eq!(credits(&shop), [format!("anna purchase {shown}")], "{name}");
        assert_eq!(records(&shop, "conversion").len(), 1, "{name}");
    }
}

#[test]
#[ignore = "needs Segment's clients, from tests/segment/setup"]
fn they_are_told_that_a_key_is_wrong_and_do_not_come_again() {
    for name in CLIENTS {
        let shop = shop();
        let mut client = start(name, shop.api(), "another-key");
        let told = client.ask(&json!([track(("userId", "anna"), "purchase", json!({}))]));
        let errors = told["errors"].as_array().unwrap();
        // The Rust one does not say why.
        let why = if name.starts_with("rust") { "Network error" } else { "401" };
        assert!(errors.len() == 1 && errors[0].as_str().unwrap().contains(why), "{name}: {told}");
        let metrics = shop.ask_admin("GET /metrics").body;
        let line = "endpoint=\"segment\",status=\"4xx\"} 1\n";
        assert!(metrics.contains(line), "{name} asked once");
    }
}
