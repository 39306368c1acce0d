//! Streams: what they tell, in the only form that all clients read, and how they end.
//!
//! Must not know flags.

use std::time::Duration;

use serde_json::{Value, json};
use variate::clock::Stopwatch;
use variate::settings::{Given, ServeSettings, TrackingKey, TrackingSystem};

use super::scene::{Scene, datafile};
use crate::server::streams::Reader;
use crate::server::wait_for;

const STREAM: &str = "/v3/sse/apikey123";
/// What clients with Go inside send along.
const OF_GO: &str =
    "User-Agent: Go-http-client/1.1\r\nAccept: text/name-stream\r\nAccept-Encoding: gzip\r\n";

/// A message: its id, its event and its data.
type Message = (String, String, Value);

/// The next message, which has three lines and no more.
#[track_caller]
fn message(reader: &mut Reader) -> Message {
    let chunk = reader.chunk().expect("the stream goes on");
    let lines: Vec<&str> =
        chunk.strip_suffix("\n\n").expect("a whole message").split('\n').collect();
    let [id, event, data] = lines[..] else { panic!("no three lines: {chunk:?}") };
    let of = |line: &str, name: &str| {
        line.strip_prefix(name).unwrap_or_else(|| panic!("{chunk:?}")).to_owned()
    };
    let data = serde_json::from_str(&of(data, "data: ")).unwrap();
    (of(id, "id: "), of(event, "event: "), data)
}

fn paused(revision: &str) -> Value {
    let mut datafile = datafile(revision);
    datafile["experiments"][0]["status"] = json!("Paused");
    datafile
}

#[test]
fn it_begins_with_the_flags_and_tells_changes() {
    let scene = Scene::new();
    let mut reader = Reader::open(scene.daemon.api(), STREAM, OF_GO);
    assert_eq!(reader.status(), 200, "whatever kind of answer it asks for");
    let head = reader.head.to_lowercase();
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
    let (first, event, data) = message(&mut reader);
    assert_eq!((event.as_str(), data), ("flagConfigUpdate", scene.config().json()));
    scene.swap(&paused("2"));
    let (second, event, data) = message(&mut reader);
    assert_eq!((event.as_str(), &data), ("flagConfigUpdate", &scene.config().json()));
    assert_eq!(data["flags"][0]["killSwitchEngaged"], true);
    assert_ne!(first, second);

    let mut again =
        Reader::open(scene.daemon.api(), STREAM, &format!("Last-Event-ID: {second}\r\n"));
    assert_eq!(message(&mut again), (second, "keepalive".to_owned(), json!({})), "it has them");
    let mut again =
        Reader::open(scene.daemon.api(), STREAM, &format!("Last-Event-ID: {first}\r\n"));
    assert_eq!(message(&mut again).1, "flagConfigUpdate", "it missed them");
}

/// Clients with Go inside forget what they are to report while they take flags in.
#[test]
fn who_has_just_asked_is_not_told_the_same() {
    let scene = Scene::new();
    let open = || message(&mut Reader::open(scene.daemon.api(), STREAM, OF_GO));
    scene.config();
    assert_eq!(open().1, "keepalive");
    assert_eq!(open().1, "flagConfigUpdate", "who comes back has not asked");
    scene.config();
    let mut first = Reader::open(scene.daemon.api(), STREAM, OF_GO);
    let (id, ..) = message(&mut first);
    scene.swap(&paused("2"));
    let told = message(&mut first);
    assert_eq!(told.1, "flagConfigUpdate");
    assert_ne!(told.0, id);
    scene.config();
    assert_eq!(open(), told, "so shortly behind a change it may be anybody");
}

#[test]
fn quiet_streams_say_that_they_are_there() {
    let scene = Scene::with(|given| given.ofrep.stream_keepalive = Some("50ms".parse().unwrap()));
    let mut reader = Reader::open(scene.daemon.api(), STREAM, "");
    let (id, ..) = message(&mut reader);
    for _ in 0..3 {
        assert_eq!(message(&mut reader), (id.clone(), "keepalive".to_owned(), json!({})));
    }
}

#[test]
fn streams_are_bounded_and_end_with_the_daemon() {
    let scene = Scene::with(|given| {
        given.ofrep.streams = Some(2);
        given.ofrep.stream_keepalive = Some("50ms".parse().unwrap());
    });
    let open = || Reader::open(scene.daemon.api(), STREAM, "");
    let (first, mut second, third) = (open(), open(), open());
    assert_eq!((first.status(), second.status(), third.status()), (200, 200, 503));
    drop(first);
    wait_for("a free place", || (open().status() == 200).then_some(()));
    let watch = Stopwatch::start();
    let ending = std::thread::spawn(move || drop(scene));
    while second.chunk().is_some() {}
    ending.join().unwrap();
    assert!(watch.elapsed() < Duration::from_secs(10), "nobody was waited for");
}

#[test]
fn a_stream_ends_with_its_key() {
    let key = |key: &str| vec![TrackingKey::new(TrackingSystem::Flagger, key, "FlaggerTests")];
    let mut started = None;
    let scene = Scene::with(|given| {
        given.tracking.keys = key("first");
        started = Some(given.clone());
    });
    let reload = |keys: Vec<TrackingKey>| {
        let mut given: Given = started.clone().unwrap();
        given.tracking.keys = keys;
        scene.daemon.server.reload(ServeSettings::new(given)).unwrap();
    };
    let open = |key: &str| Reader::open(scene.daemon.api(), &format!("/v3/sse/{key}"), "");
    assert_eq!((open("first").status(), open("second").status()), (200, 403));
    let mut reader = open("first");
    message(&mut reader);
    reload([key("first"), key("second")].concat());
    scene.swap(&paused("2"));
    assert_eq!(message(&mut reader).1, "flagConfigUpdate", "it is still good");
    reload(key("second"));
    assert_eq!(reader.chunk(), None);
    assert_eq!((open("first").status(), open("second").status()), (403, 200));
}

/// Clients with Go inside give up a stream over a line of 64 KiB, and ask again for ever.
#[test]
fn a_line_that_go_cannot_read_is_kept_from_it() {
    let scene = Scene::new();
    let mut of_go = Reader::open(scene.daemon.api(), STREAM, OF_GO);
    let mut of_a_browser = Reader::open(scene.daemon.api(), STREAM, "User-Agent: Mozilla/5.0\r\n");
    message(&mut of_go);
    message(&mut of_a_browser);
    let mut long = datafile("2");
    long["experiments"][0]["key"] = json!("x".repeat(10));
    long["featureFlags"][0]["variables"][0]["defaultValue"] = json!("x".repeat(40_000));
    scene.swap(&long);
    assert_eq!(message(&mut of_a_browser).1, "flagConfigUpdate");
    assert_eq!(message(&mut of_go).1, "keepalive");
    let problems = scene.daemon.ask_admin("GET /problems").body;
    assert!(problems.contains("see changes only when they start again"), "{problems}");
    scene.swap(&datafile("3"));
    assert_eq!(message(&mut of_go).1, "flagConfigUpdate", "the next that it can read");
}
