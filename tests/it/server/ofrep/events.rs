//! Streams: what they tell, when, to whom, and how they end.
//!
//! Must not know flags.

use std::time::Duration;

use serde_json::{Value, json};
use variate::clock::Stopwatch;

use super::scene::{ALL, KEY, Scene, datafile};
use crate::server::http::{Request, ask};
use crate::server::streams::Reader;
use crate::server::{Daemon, SHOP, environment, wait_for};

const EVENTS: &str = "/ofrep/v1/events";

/// One event: its lines without comments, by their names.
#[derive(Debug, PartialEq, Eq)]
struct Event {
    id: String,
    event: String,
    data: String,
}

/// The next event that has data.
fn event(reader: &mut Reader) -> Event {
    loop {
        let chunk = reader.chunk().expect("the stream goes on");
        let of = |name: &str| {
            let prefix = format!("{name}: ");
            let line = chunk.lines().find_map(|line| line.strip_prefix(&prefix));
            line.unwrap_or_default().to_owned()
        };
        if !of("data").is_empty() {
            assert!(chunk.ends_with("\n\n"), "{chunk:?}");
            return Event { id: of("id"), event: of("event"), data: of("data") };
        }
    }
}

/// The tag of the datafile in force.
fn config(scene: &Scene) -> String {
    scene.daemon.ask("GET /v1/datafile", "").header("etag").unwrap().to_owned()
}

#[test]
fn a_change_is_told_with_its_tag() {
    let scene = Scene::new();
    let said = scene.post(ALL, "{}").json();
    let path = said["eventStreams"][0]["endpoint"]["requestUri"].as_str().unwrap().to_owned();
    let mut reader = Reader::open(scene.daemon.api(), &path, "");
    assert_eq!(reader.status(), 200);
    let head = reader.head.to_lowercase();
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    assert!(head.contains("cache-control: no-cache\r\n"), "{head}");
    let before = config(&scene);
    let opening = reader.chunk().unwrap();
    assert_eq!(opening, format!(":\nid: {}\n\n", before.trim_matches('"')), "nothing to tell yet");

    for revision in ["2", "3"] {
        scene.swap(&datafile(revision));
        let event = event(&mut reader);
        let now = config(&scene);
        assert_ne!(now, before);
        assert_eq!((event.id.as_str(), event.event.as_str()), (now.trim_matches('"'), "message"));
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!((&data["type"], &data["etag"]), (&json!("refetchEvaluation"), &json!(now)));
        assert!(data["lastModified"].as_u64().unwrap() > 1_700_000_000, "{data}");
        assert_eq!(scene.post(ALL, "{}").json()["metadata"]["revision"], revision);
    }
}

#[test]
fn who_comes_back_is_told_of_what_was_missed_and_only_of_that() {
    let scene = Scene::new();
    let same = format!("Last-Event-ID: {}\r\n", config(&scene).trim_matches('"'));
    let opening = Reader::open(scene.daemon.api(), EVENTS, &same).chunk().unwrap();
    assert!(!opening.contains("data:"), "{opening}");
    let opening = event(&mut Reader::open(scene.daemon.api(), EVENTS, "Last-Event-ID: other\r\n"));
    assert_eq!(opening.id, config(&scene).trim_matches('"'));
}

#[test]
fn a_change_between_asking_and_listening_is_told() {
    let scene = Scene::new();
    let before = config(&scene);
    let mut first = Reader::open(scene.daemon.api(), EVENTS, "");
    scene.swap(&datafile("2"));
    let told = event(&mut first);
    // Who asked before the swap and listens only now was not there when it was told.
    assert_eq!(event(&mut Reader::open(scene.daemon.api(), EVENTS, "")), told);
    assert_ne!(told.id, before.trim_matches('"'));
}

#[test]
fn quiet_streams_say_that_they_are_there() {
    let scene = Scene::with(|given| {
        given.ofrep.stream_keepalive = Some("50ms".parse().unwrap());
        given.ofrep.inactivity_delay = Some("300ms".parse().unwrap());
    });
    let mut reader = Reader::open(scene.daemon.api(), EVENTS, "");
    reader.chunk().unwrap();
    for _ in 0..3 {
        assert_eq!(reader.chunk().unwrap(), ":\n\n");
    }
    let said = scene.post(ALL, "{}").json();
    assert_eq!(said["eventStreams"][0]["inactivityDelaySec"], 1, "never less");
}

#[test]
fn streams_are_bounded_and_places_are_free_again() {
    let scene = Scene::with(|given| {
        given.ofrep.streams = Some(2);
        given.ofrep.stream_keepalive = Some("50ms".parse().unwrap());
    });
    let open = || Reader::open(scene.daemon.api(), EVENTS, "");
    let (first, second, third) = (open(), open(), open());
    assert_eq!((first.status(), second.status(), third.status()), (200, 200, 503));
    assert!(third.head.to_lowercase().contains("retry-after: 1\r\n"), "{}", third.head);
    drop(first);
    wait_for("a free place", || (open().status() == 200).then_some(()));
    assert_eq!(scene.one("plain", json!({}))["value"], true, "all else goes on");
}

#[test]
fn who_never_reads_holds_up_nobody() {
    let scene = Scene::new();
    let asleep: Vec<Reader> =
        (0..20).map(|_| Reader::open(scene.daemon.api(), EVENTS, "")).collect();
    let mut reader = Reader::open(scene.daemon.api(), EVENTS, "");
    for revision in ["2", "3"] {
        scene.swap(&datafile(revision));
        assert_eq!(event(&mut reader).id, config(&scene).trim_matches('"'), "{revision}");
    }
    let watch = Stopwatch::start();
    drop(scene);
    assert!(watch.elapsed() < Duration::from_secs(10), "nobody was waited for");
    drop(asleep);
}

#[test]
fn without_places_nobody_is_sent_there() {
    let scene = Scene::with(|given| given.ofrep.streams = Some(0));
    assert_eq!(scene.post(ALL, "{}").json().get("eventStreams"), None);
    assert_eq!(Reader::open(scene.daemon.api(), EVENTS, "").status(), 503);
}

#[test]
fn streams_end_with_the_daemon() {
    let scene = Scene::new();
    let mut reader = Reader::open(scene.daemon.api(), EVENTS, "");
    reader.chunk().unwrap();
    let watch = Stopwatch::start();
    let ending = std::thread::spawn(move || drop(scene));
    assert_eq!(reader.chunk(), None, "it ends in order");
    ending.join().unwrap();
    assert!(watch.elapsed() < Duration::from_secs(10), "nobody was waited for");
}

#[test]
fn only_known_environments_have_streams() {
    let scene = Scene::new();
    let status =
        |path: &str, headers: &str| Reader::open(scene.daemon.api(), path, headers).status();
    assert_eq!(status(EVENTS, ""), 200);
    assert_eq!(status(&format!("{EVENTS}?sdkKey={KEY}"), ""), 200);
    assert_eq!(status(&format!("{EVENTS}?sdkKey=Nobody"), ""), 403);
    assert_eq!(status(&format!("{EVENTS}?sdkKey=no-key"), ""), 400);
    assert_eq!(status(EVENTS, "X-API-Key: Nobody\r\n"), 403);
    assert_eq!(status(&format!("{EVENTS}?sdkKey=Nobody"), &format!("X-API-Key: {KEY}\r\n")), 200);
}

/// Clients that follow what is announced send no header along.
#[test]
fn a_stream_that_only_a_secret_leads_to_is_not_announced() {
    let daemon = Daemon::with(|given| {
        let guarded = |name: &str| {
            let mut own = environment(&format!("{name}={SHOP}"));
            own.sdk_key = Some(format!("{name}:t0ken").parse().unwrap());
            own
        };
        given.environments = vec![guarded("one"), guarded("two")];
    });
    let request = Request::new(&format!("POST {ALL}"))
        .header("X-API-Key", "one:t0ken")
        .body("{\"context\":{}}");
    let answer = ask(daemon.api(), &request);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json().get("eventStreams"), None);
}

/// Nor one that only who proves who they are could follow, although there is but one environment.
#[test]
fn the_stream_of_the_only_environment_is_announced_where_no_key_is_needed() {
    let check = |host: &str, sdk_key: &str, key: &str, expect: Option<&str>| {
        let daemon = Daemon::with(|given| {
            let mut own = environment(SHOP);
            own.sdk_key = Some(sdk_key.parse().unwrap());
            given.environments = vec![own];
            given.host = Some(host.to_owned());
            given.insecure = Some(true);
        });
        let request = Request::new(&format!("POST {ALL}"));
        let request = request.header("X-API-Key", key).body("{\"context\":{}}");
        let answer = ask(daemon.api(), &request);
        assert_eq!(answer.status, 200, "{host} {sdk_key}: {}", answer.body);
        let said = answer.json();
        let path = said["eventStreams"][0]["endpoint"]["requestUri"].as_str();
        assert_eq!(path, expect, "{host} {sdk_key}");
        if let Some(path) = path {
            assert_eq!(Reader::open(daemon.api(), path, "").status(), 200, "{host} {path}");
        }
    };
    let by_key = "/ofrep/v1/events?sdkKey=open";
    check("0.0.0.0", "one:t0ken", "one:t0ken", None);
    check("127.0.0.1", "one:t0ken", "one:t0ken", Some(EVENTS));
    check("0.0.0.0", "open", "open", Some(by_key));
    check("127.0.0.1", "open", "open", Some(by_key));
}
