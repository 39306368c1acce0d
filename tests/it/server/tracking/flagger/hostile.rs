//! Bad input: the client is told nothing that makes it send the same for ever, whoever looks is told why,
//! and what is good beside it counts.
//!
//! Must not know good input beyond one payload.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use variate::settings::{TrackingKey, TrackingSystem};

use super::super::{credits, records, unused, written_slowly};
use super::scene::{INGEST, KEY, Scene, ago};
use crate::server::SHOP;
use crate::server::http::{Request, ask};

/// A user's exposure and event, both good.
fn payload(id: &str, user: &str) -> Value {
    let entity = json!({"id": user, "type": "User"});
    json!({
        "id": id, "entities": [entity],
        "exposures": [{"codename": "color-theme", "variation": "blue", "entity": entity, "methodCalled": "x", "timestamp": ago(2000)}],
        "events": [{"name": "signup", "properties": {}, "entity": entity, "timestamp": ago(1000)}],
        "sdkInfo": {"name": "js", "version": "3"}, "detectedFlags": [],
    })
}

#[test]
fn what_is_bad_keeps_nothing_else_back() {
    let scene = Scene::new();
    let mut mixed = payload("p-1", "anna");
    mixed["events"].as_array_mut().unwrap().insert(0, json!(7));
    mixed["events"].as_array_mut().unwrap().push(json!({"name": "signup"}));
    mixed["exposures"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({"codename": "x", "variation": "y"}));
    scene.send(&mixed);
    assert_eq!(credits(&scene.daemon), ["anna signup theme_test/blue"]);
}

/// Whatever is no payload is of no use the next time either.
#[test]
fn bodies_that_are_none_are_not_to_come_again() {
    let scene = Scene::with(|given| given.body_limit = Some("10KiB".parse().unwrap()));
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let good = payload("p-1", "anna").to_string().into_bytes();
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let status = |packing: &str, body: &[u8], expect: u16, counted: u64| {
        let counted_now = || {
            ["wrong-kind", "too-large"]
                .map(|reason| unused(&scene.daemon, "flagger", reason))
                .iter()
                .sum::<u64>()
        };
        let before = counted_now();
        let mut request = Request::new(INGEST).header("Content-Type", "application/json");
        if !packing.is_empty() {
            request = request.header("Content-Encoding", packing);
        }
        let answer = ask(scene.daemon.api(), &request.bytes(body));
        let about = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(answer.status, expect, "{packing} {about}");
        assert_eq!(counted_now() - before, counted, "{packing} {about}");
    };
    for body in ["", "{", "[]", "7", "null", "\u{feff}{}", &deep] {
        status("", body.as_bytes(), 200, 1);
    }
    status("", b"\xff\xfe", 200, 1);
    status("", b"{}", 200, 0);
    status("", &[b' '; 20_000], 200, 1);
    status("gzip", b"not packed", 200, 1);
    status("gzip", &gzip(&good)[..30], 200, 1);
    status("gzip", &gzip(&vec![b' '; 5_000_000]), 200, 1);
    status("br", &good, 200, 1);
    status("gzip", &gzip(&good), 200, 0);
    assert_eq!(credits(&scene.daemon), ["anna signup theme_test/blue"]);

    // A page of somebody else could send it.
    let before = unused(&scene.daemon, "flagger", "wrong-kind");
    let other = payload("p-2", "anna").to_string();
    for request in [Request::new(INGEST).header("Content-Type", "text/plain"), Request::new(INGEST)]
    {
        let answer = ask(scene.daemon.api(), &request.raw_body(&other));
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    }
    assert_eq!(unused(&scene.daemon, "flagger", "wrong-kind") - before, 2);
    assert!(scene.daemon.ask_admin("GET /problems").body.contains("Content-Type"));
    assert_eq!(scene.daemon.ask(&INGEST.replace("POST", "GET"), "").status, 405);
    assert_eq!(records(&scene.daemon, "conversion").len(), 1);
}

/// A client that is cut off while it writes never hears that it need not send that again.
#[test]
fn what_is_too_large_is_read_to_its_end() {
    let scene = Scene::with(|given| given.body_limit = Some("100KiB".parse().unwrap()));
    let check = |headers: &str, reason: &str| {
        let before = unused(&scene.daemon, "flagger", reason);
        let answer = written_slowly((scene.daemon.api(), INGEST), headers, 5 << 20).unwrap();
        assert_eq!(answer, "HTTP/1.1 200 OK", "{headers}");
        assert_eq!(unused(&scene.daemon, "flagger", reason), before + 1, "{headers}");
    };
    check("Content-Type: application/json", "too-large");
    check("Content-Type: application/json\r\nContent-Encoding: gzip", "too-large");
    check("Content-Type: application/json\r\nContent-Encoding: br", "too-large");
    check("Content-Type: text/plain", "wrong-kind");
    // Beyond 64 times the limit nobody means it.
    let json = "Content-Type: application/json";
    let before = unused(&scene.daemon, "flagger", "too-large");
    assert!(written_slowly((scene.daemon.api(), INGEST), json, 100 << 20).is_err());
    assert_eq!(unused(&scene.daemon, "flagger", "too-large"), before + 1);
}

#[test]
fn keys_choose_the_environment() {
    let two = |keys: Vec<TrackingKey>| {
        Scene::with(|given| {
            given.environments.push(crate::server::environment(SHOP));
            given.tracking.keys = keys;
        })
    };
    let paths = |key: &str| [format!("POST /v3/ingest/{key}"), format!("GET /v3/config/{key}")];
    let check = |scene: &Scene, key: &str, expect: u16| {
        for path in paths(key) {
            let body = if path.starts_with("POST") { "{}" } else { "" };
            assert_eq!(scene.daemon.ask(&path, body).status, expect, "{path}");
        }
    };
    let open = two(Vec::new());
    check(&open, "FlaggerTests", 200);
    check(&open, crate::server::SHOP_KEY, 200);
    check(&open, KEY, 403);
    check(&open, "%FF", 403);
    let keyed = two(vec![TrackingKey::new(TrackingSystem::Flagger, "k/1", "FlaggerTests")]);
    check(&keyed, "k%2F1", 200);
    check(&keyed, "FlaggerTests", 403);
    check(&keyed, "", 404);
}
