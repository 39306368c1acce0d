//! A daemon whose address of datafiles answers badly: what it had stays in force, figures and readiness say
//! so, and it recovers by itself.
//!
//! Must not know how an address is asked.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use variate::settings::Given;

use super::http::{Request, ask};
use super::{Daemon, SHOP, environment, start, wait_for};
use crate::events::server::{Answer, Server};

const ANNA: &str = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#;

/// A server that answers one thing until it is told another, and a daemon that polls it each second.
struct Trial {
    answer: Arc<Mutex<Answer>>,
    _server: Server,
    daemon: Daemon,
}

fn shop(revision: &str) -> String {
    std::fs::read_to_string(SHOP).unwrap().replace("\"87\"", &format!("\"{revision}\""))
}

fn answer(status: u16, headers: &[&str], body: &[u8]) -> Answer {
    let mut bytes = format!("HTTP/1.1 {status} \r\nConnection: close\r\n").into_bytes();
    let length = format!("Content-Length: {}", body.len());
    for header in headers.iter().chain([&length.as_str()]) {
        write!(bytes, "{header}\r\n").unwrap();
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Answer::Bytes(bytes)
}

fn good(revision: &str) -> Answer {
    answer(200, &["ETag: \"good\""], shop(revision).as_bytes())
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn polling(url: &str) -> impl FnOnce(&mut Given) {
    let mut own = environment(url);
    own.name = Some("production".to_owned());
    move |given| {
        given.environments = vec![own];
        given.poll_interval = Some("1s".parse().unwrap());
    }
}

impl Trial {
    fn new() -> Self {
        let current = Arc::new(Mutex::new(good("50")));
        let asked = Arc::clone(&current);
        let server = Server::start(move |_, _| asked.lock().unwrap().clone());
        let daemon = Daemon::with(polling(&server.url("/shop.json")));
        let trial = Self { answer: current, _server: server, daemon };
        trial.wait_for_revision("50");
        trial
    }

    fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn revision(&self) -> String {
        let decided = self.daemon.ask("POST /v1/decide?keys=search", ANNA);
        assert_eq!(decided.status, 200, "{decided:?}");
        decided.header("variate-revision").unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn wait_for_revision(&self, revision: &str) {
        wait_for(&format!("revision {revision}"), || (self.revision() == revision).then_some(()));
    }

    fn failures(&self) -> u64 {
        let page = self.daemon.ask_admin("GET /metrics").body;
        let series = "variate_source_failures_total{environment=\"production\"} ";
        page.lines().find_map(|line| line.strip_prefix(series)?.parse().ok()).unwrap()
    }

    fn environment(&self) -> serde_json::Value {
        self.daemon.ask("GET /ready", "").json()["environments"][0].clone()
    }

    /// The answer is told in figures, readiness and problems, changes nothing, and is got over.
    #[track_caller]
    fn check(&self, what: &str, bad: Answer, expect: &str) {
        let before = self.failures();
        self.set(bad);
        wait_for(what, || (self.failures() > before).then_some(()));
        let problem = self.environment()["problem"].as_str().unwrap_or_default().to_owned();
        assert!(problem.contains(expect), "{what}: no {expect:?} in {problem:?}");
        assert_eq!(self.revision(), "50", "{what}");
        assert_eq!(self.daemon.ask("GET /ready", "").status, 200, "{what}: it can do its work");
        let problems = self.daemon.ask_admin("GET /problems").body;
        wait_for("the problem", || {
            let found = self.daemon.ask_admin("GET /problems").body;
            found.contains(&expect.replace('"', "\\\"")).then_some(())
        });
        assert!(!problems.contains("t0ken"), "{problems}");
        // As a person does; it would ask again by itself.
        self.set(answer(304, &[], b""));
        let refresh = Request::new("POST /environments/production/refresh?wait=true");
        wait_for(&format!("recovery from {what}"), || {
            ask(self.daemon.admin(), &refresh);
            self.environment().get("problem").is_none().then_some(())
        });
    }
}

#[test]
fn bad_answers_change_nothing_and_are_told() {
    let trial = Trial::new();
    let whole = shop("99");
    let half = &whole.as_bytes()[..whole.len() / 2];
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", whole.len()).into_bytes();
    let gzip = ["Content-Encoding: gzip"];
    let redirect = ["Location: /shop.json"];
    trial.check("403", answer(403, &[], b""), "answered 403 Forbidden");
    trial.check("500", answer(500, &[], whole.as_bytes()), "answered 500 Internal Server Error");
    trial.check("truncated", Answer::Bytes([cut, half.to_vec()].concat()), "cut off");
    trial.check("half a text", answer(200, &[], half), "not readable JSON");
    trial.check("broken gzip", answer(200, &gzip, &packed(&whole)[..100]), "cannot be unpacked");
    trial.check("wrong JSON", answer(200, &[], b"[]"), "an array, not a JSON object");
    trial.check(
        "wrong type",
        answer(200, &["Content-Type: text/html"], b"<html>"),
        "it came as text/html",
    );
    trial.check(
        "a version from tomorrow",
        answer(200, &[], b"{\"version\": \"5\"}"),
        "is not supported",
    );
    trial.check("redirects without end", answer(302, &redirect, b""), "redirect");
    trial.check("a reset", Answer::ResetInBody, "cut off");
    trial.check("an early reset", Answer::ResetInHead, "ended the connection");
    trial.check("no HTTP", Answer::Nonsense, "ended the connection");
    trial.check(
        "huge",
        Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{".to_vec()),
        "the most that is taken",
    );
    trial.set(answer(200, &gzip, &packed(&shop("51"))));
    trial.wait_for_revision("51");
}

/// Nobody tells it to: it asks again, with back-off.
#[test]
fn it_recovers_by_itself() {
    let trial = Trial::new();
    trial.set(answer(500, &[], b""));
    wait_for("a failure", || (trial.failures() > 0).then_some(()));
    trial.set(good("51"));
    trial.wait_for_revision("51");
    assert_eq!(trial.environment().get("problem"), None);
}

/// A slow address holds nothing up: requests are answered meanwhile.
#[test]
fn a_slow_address_is_not_waited_for() {
    let trial = Trial::new();
    trial.set(Answer::Slow(Duration::from_secs(30), 200));
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(trial.revision(), "50");
        assert_eq!(trial.daemon.ask("GET /ready", "").status, 200);
    }
}

/// The clock of the address, and what it says of times, does not matter.
#[test]
fn clocks_may_disagree() {
    let trial = Trial::new();
    let from_1994 = [
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
        "Expires: Sun, 06 Nov 1994 08:49:37 GMT",
    ];
    trial.set(answer(200, &from_1994, shop("51").as_bytes()));
    trial.wait_for_revision("51");
    let from_tomorrow =
        ["Date: Fri, 01 Jan 2100 00:00:00 GMT", "Last-Modified: Fri, 01 Jan 2100 00:00:00 GMT"];
    trial.set(answer(200, &from_tomorrow, shop("52").as_bytes()));
    trial.wait_for_revision("52");
    let age = trial.environment()["ageSeconds"].as_u64().unwrap();
    assert!(age < 20, "{age}");
}

#[test]
fn an_older_revision_waits_to_be_accepted() {
    let trial = Trial::new();
    trial.set(good("49"));
    wait_for("it is held back", || {
        let page = trial.daemon.ask_admin("GET /metrics").body;
        page.contains("variate_datafile_held_back{environment=\"production\"} 1").then_some(())
    });
    assert_eq!(
        (trial.revision().as_str(), &trial.environment()["heldBackRevision"]),
        ("50", &"49".into())
    );
    let accept = Request::new("POST /environments/production/accept").body(r#"{"revision":"49"}"#);
    assert_eq!(ask(trial.daemon.admin(), &accept).status, 200);
    trial.wait_for_revision("49");
    let page = trial.daemon.ask_admin("GET /metrics").body;
    assert!(page.contains("variate_datafile_held_back{environment=\"production\"} 0"), "{page}");
}

#[test]
fn a_restart_with_the_server_gone_serves_the_last_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let upstream = Server::start(|_, _| good("50"));
    let url = upstream.url("/shop.json");
    let first = start(store.clone(), polling(&url)).unwrap();
    let decide = Request::new("POST /v1/decide?keys=search").body(ANNA);
    let revision = |server: &variate::server::Server| {
        let answer = ask(server.addresses().api.unwrap(), &decide);
        answer.header("variate-revision").unwrap_or_default().to_owned()
    };
    wait_for("the datafile", || (revision(&first) == "50").then_some(()));
    let ready = |server: &variate::server::Server| {
        ask(server.addresses().api.unwrap(), &Request::new("GET /ready"))
    };
    wait_for("the store has it", || (ready(&first).status == 200).then_some(()));
    first.shut_down(super::PATIENCE).unwrap();
    drop(upstream);

    let second = start(store, polling(&url)).unwrap();
    assert_eq!(revision(&second), "50", "at once");
    let said = ready(&second);
    assert_eq!(said.status, 200, "{said:?}");
    wait_for("the problem", || {
        let problem = ready(&second).json()["environments"][0]["problem"].clone();
        problem.as_str().is_some_and(|problem| problem.contains("cannot be reached")).then_some(())
    });
    assert_eq!(revision(&second), "50");
}

#[test]
fn without_any_datafile_it_is_not_ready_and_says_why() {
    let current = Arc::new(Mutex::new(answer(403, &[], b"")));
    let asked = Arc::clone(&current);
    let server = Server::start(move |_, _| asked.lock().unwrap().clone());
    let daemon = Daemon::with(polling(&server.url("/shop.json")));
    let ready = wait_for("the problem", || {
        let ready = daemon.ask("GET /ready", "");
        ready.json()["environments"][0]["problem"].is_string().then_some(ready)
    });
    assert_eq!(ready.status, 503);
    let ready = ready.json();
    assert_eq!(
        (&ready["status"], &ready["environments"][0]["state"]),
        (&"not-ready".into(), &"never-loaded".into())
    );
    assert_eq!(daemon.ask("GET /v1/config", "").status, 503);
    *current.lock().unwrap() = good("50");
    wait_for("it is ready", || (daemon.ask("GET /ready", "").status == 200).then_some(()));
}
