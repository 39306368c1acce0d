//! The notification stream: its frames, filters, and what becomes of readers who do not read.
//!
//! Must not know how frames are handed out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use variate::clock::Stopwatch;
use variate::settings::Given;

use super::{Daemon, PATIENCE, SHOP, environment, wait_for};

fn enabled(given: &mut Given) {
    given.agent.notifications = Some(true);
}

/// Somebody who listens.
pub(super) struct Reader {
    lines: BufReader<TcpStream>,
}

impl Reader {
    /// Listens with a query, until the head of the answer is there.
    pub(super) fn new(daemon: &Daemon, query: &str) -> Self {
        let mut stream = TcpStream::connect(daemon.api()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "GET /v1/notifications/event-stream{query} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = Self { lines: BufReader::new(stream) };
        let mut head = Vec::new();
        loop {
            let line = reader.line().unwrap();
            if line.is_empty() {
                break;
            }
            head.push(line.to_lowercase());
        }
        assert_eq!(head[0], "http/1.1 200 ok");
        assert!(head.contains(&"content-type: text/event-stream".to_owned()), "{head:?}");
        assert!(head.contains(&"cache-control: no-cache".to_owned()), "{head:?}");
        reader
    }

    /// The next line, without the marks of pieces; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next frame as it stands behind `data: `; other lines are left out.
    pub(super) fn frame(&mut self) -> Value {
        loop {
            let line = self.line().expect("the stream goes on");
            if let Some(frame) = line.strip_prefix("data: ") {
                assert_eq!(self.line().as_deref(), Some(""), "an empty line ends it");
                return serde_json::from_str(frame).unwrap();
            }
        }
    }

    /// The next frame that is a line of its own.
    fn raw_frame(&mut self) -> Value {
        loop {
            let line = self.line().expect("the stream goes on");
            if line.starts_with('{') {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }

    /// Reads to the end.
    fn rest(mut self) -> String {
        let mut rest = Vec::new();
        self.lines.read_to_end(&mut rest).unwrap();
        String::from_utf8(rest).unwrap()
    }
}

const ANNA: &str = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#;

#[test]
fn it_is_off_unless_enabled() {
    let answer = Daemon::shop().ask("GET /v1/notifications/event-stream", "");
    assert_eq!((answer.status, answer.body.as_str()), (403, "Notification stream not enabled\n"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn the_frames_of_agent() {
    let shop = Daemon::with(enabled);
    let mut reader = Reader::new(&shop, "");
    let decision = shop.ask("POST /v1/decide?keys=search", ANNA).json();
    let user = json!({"ID": "anna", "Attributes": {"country": "SE", "age": 34}, "QualifiedSegments": null});
    let frame = reader.frame();
    let info = &frame["DecisionInfo"];
    assert_eq!((&frame["Type"], &frame["UserContext"]), (&json!("flag"), &user));
    for (ours, agents) in [
        ("flagKey", "flagKey"),
        ("ruleKey", "ruleKey"),
        ("variationKey", "variationKey"),
        ("enabled", "enabled"),
        ("variables", "variables"),
        ("reasons", "reasons"),
    ] {
        assert_eq!(info[agents], decision[ours], "{frame}");
    }
    let members: Vec<_> = info.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "decisionEventDispatched",
            "enabled",
            "experimentId",
            "flagKey",
            "reasons",
            "ruleKey",
            "variables",
            "variationId",
            "variationKey"
        ]
    );
    assert_eq!(info["decisionEventDispatched"], true, "{frame}");

    shop.ask("POST /v1/activate?experimentKey=checkout_button", ANNA);
    let activated = json!({"Type": "ab-test", "UserContext": user, "DecisionInfo": {"experimentKey": "checkout_button", "variationKey": "green"}});
    assert_eq!(reader.frame(), activated);
    shop.ask(
        "POST /v1/activate?experimentKey=onboarding_tour&experimentKey=nothing",
        r#"{"userId":"ben"}"#,
    );
    let nobody = json!({"ID": "ben", "Attributes": {}, "QualifiedSegments": null});
    let not_running = json!({"Type": "ab-test", "UserContext": nobody, "DecisionInfo": {"experimentKey": "onboarding_tour"}});
    assert_eq!(reader.frame(), not_running);

    let body = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34},"eventTags":{"revenue":4200,"value":1.5,"size":"m"}}"#;
    shop.ask("POST /v1/track?eventKey=purchase", body);
    let tracked = reader.frame();
    let tags = json!({"revenue": 4200, "value": 1.5, "size": "m"});
    assert_eq!(
        (&tracked["EventKey"], &tracked["UserContext"], &tracked["EventTags"]),
        (&json!("purchase"), &user, &tags)
    );
    let conversion = &tracked["ConversionEvent"];
    assert_eq!((&conversion["key"], &conversion["tags"]), (&json!("purchase"), &tags), "{tracked}");
    assert_eq!((&conversion["revenue"], &conversion["value"]), (&json!(4200), &json!(1.5)));
    assert_eq!(
        conversion["Attributes"][1],
        json!({"value": "SE", "key": "country", "type": "custom", "entity_id": "29001"})
    );
    assert!(conversion["entity_id"].is_string(), "{tracked}");
    shop.ask("POST /v1/track?eventKey=nothing", ANNA);
    let without = anna_without_event();
    shop.ask("POST /v1/decide?keys=search", &without);
    assert_eq!(
        reader.frame()["DecisionInfo"]["decisionEventDispatched"],
        false,
        "unknown events are not told"
    );
}

fn anna_without_event() -> String {
    json!({"userId": "anna", "decideOptions": ["DISABLE_DECISION_EVENT"]}).to_string()
}

#[test]
fn filters_and_raw_lines() {
    let folder = tempfile::tempdir().unwrap();
    let datafile = folder.path().join("shop.json");
    let text = std::fs::read_to_string(SHOP).unwrap();
    std::fs::write(&datafile, &text).unwrap();
    let shop = Daemon::with(|given| {
        enabled(given);
        given.environments = vec![environment(&format!("shop={}", datafile.display()))];
    });
    let mut updates = Reader::new(&shop, "?filter=project_config_update");
    let mut tracks = Reader::new(&shop, "?filter=track,nothing&raw");
    let mut two = Reader::new(&shop, "?filter=track&filter=decision");
    shop.ask("POST /v1/decide?keys=search", ANNA);
    shop.ask("POST /v1/track?eventKey=purchase", ANNA);
    assert_eq!(tracks.raw_frame()["EventKey"], "purchase");
    assert_eq!(two.frame()["Type"], "flag");
    assert_eq!(two.frame()["EventKey"], "purchase");
    std::fs::write(&datafile, text.replace("\"revision\": \"87\"", "\"revision\": \"88\""))
        .unwrap();
    assert_eq!(updates.frame(), json!({"Type": "project_config_update", "Revision": "88"}));
}

#[test]
fn streams_outlive_the_request_timeout_and_end_with_the_daemon() {
    let shop = Daemon::with(|given| {
        enabled(given);
        given.request_timeout = Some("300ms".parse().unwrap());
    });
    let mut reader = Reader::new(&shop, "");
    std::thread::sleep(Duration::from_millis(900));
    shop.ask("POST /v1/decide?keys=search", ANNA);
    assert_eq!(reader.frame()["Type"], "flag");
    let watch = Stopwatch::start();
    drop(shop);
    assert!(
        watch.elapsed() < Duration::from_secs(10),
        "it waits for nobody: {:?}",
        watch.elapsed()
    );
    assert!(reader.rest().ends_with("0\r\n\r\n"), "the stream ends whole");
}

/// Who takes nothing loses the connection; who reads gets everything, and deciding goes on.
#[test]
fn who_does_not_read_is_let_go_of() {
    let shop = Daemon::with(|given| {
        enabled(given);
        given.request_timeout = Some("1s".parse().unwrap());
    });
    let idle = Reader::new(&shop, "");
    let mut reader = Reader::new(&shop, "?filter=track");
    let large =
        json!({"userId": "anna", "userAttributes": {"device": "x".repeat(200_000)}}).to_string();
    for _ in 0..100 {
        assert_eq!(shop.ask("POST /v1/decide?keys=search", &large).status, 200);
    }
    shop.ask("POST /v1/track?eventKey=purchase", ANNA);
    assert_eq!(reader.frame()["EventKey"], "purchase");
    // The sockets of both sides hold a few of these; all of them, nobody holds for it.
    let got = wait_for("the end of the idle reader's connection", {
        let mut idle = Some(idle);
        move || {
            std::thread::sleep(Duration::from_secs(3));
            let mut got = Vec::new();
            let mut idle = idle.take()?;
            // Broken or ended.
            drop(idle.lines.read_to_end(&mut got));
            Some(got.len())
        }
    });
    assert!(got < 100 * 200_000, "{got} bytes");
}

/// An evaluation decides once, whatever it finds out behind that of who is exposed.
#[test]
fn an_evaluation_by_ofrep_is_heard_once() {
    let shop = Daemon::with(|given| {
        enabled(given);
        given.ofrep.bulk_activates = Some(true);
    });
    let mut reader = Reader::new(&shop, "?filter=decision");
    let context = r#"{"context":{"targetingKey":"anna","country":"SE","age":34}}"#;
    let single = shop.ask("POST /ofrep/v1/evaluate/flags/search", context).json();
    let bulk = shop.ask("POST /ofrep/v1/evaluate/flags", context);
    let tag = bulk.header("etag").unwrap().to_owned();
    let again = super::http::Request::new("POST /ofrep/v1/evaluate/flags").body(context);
    let again = super::http::ask(shop.api(), &again.header("If-None-Match", &tag));
    assert_eq!((&single["key"], again.status), (&json!("search"), 304), "{single}");
    shop.ask("POST /v1/decide?keys=search", r#"{"userId":"ben"}"#);

    let flags: Vec<Value> =
        bulk.json()["flags"].as_array().unwrap().iter().map(|flag| flag["key"].clone()).collect();
    let mut heard = Vec::new();
    let mut exposed_to_search = Vec::new();
    loop {
        let frame = reader.frame();
        if frame["UserContext"]["ID"] == "ben" {
            break;
        }
        let info = &frame["DecisionInfo"];
        if info["flagKey"] == "search" {
            exposed_to_search.push(info["decisionEventDispatched"] == true);
        }
        heard.push(info["flagKey"].clone());
    }
    let expect = [vec![json!("search")], flags.clone(), flags].concat();
    assert_eq!(heard, expect);
    assert_eq!(exposed_to_search, [true, true, false], "who has it already is not exposed again");
}
