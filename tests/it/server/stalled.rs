//! A disk that does not answer: who records is told in time, each on its own, and all else goes on.
//!
//! Must not know how anything is stored.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use variate::clock::Stopwatch;

use super::http::{Answer, Request, ask};
use super::process::{Served, serve};
use super::{SHOP, wait_for};

const ANNA: &str = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#;
const TIMEOUT: Duration = Duration::from_secs(4);

/// Holds up each call that waits for the disk, as long as it is there.
pub(super) struct Stall(Child);

impl Stall {
    fn of(served: &Served) -> Self {
        Self::for_each(served, Duration::from_mins(1))
    }

    pub(super) fn for_each(served: &Served, delay: Duration) -> Self {
        let id = served.child.id().to_string();
        let delay_us = delay.as_micros();
        let calls = format!("inject=fsync,fdatasync,sync_file_range:delay_enter={delay_us}");
        let mut strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &calls, "-p", &id])
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace runs; tests/strace/setup installs it");
        let said = BufReader::new(strace.stderr.as_mut().unwrap()).lines().next();
        let said = said.expect("it says that it is there").unwrap();
        assert!(said.contains("attached"), "{said}");
        Self(strace)
    }

    pub(super) fn end(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

/// Sends a body that takes more than half of the time that a request has.
fn slowly(served: &Served, what: &str, body: &str) -> Answer {
    let (method, path) = what.split_once(' ').unwrap();
    let (first, last) = body.split_at(body.len() / 2);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(served.api).unwrap();
    stream.write_all(format!("{head}{first}").as_bytes()).unwrap();
    std::thread::sleep(TIMEOUT * 5 / 8);
    stream.write_all(last.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::read(&answer).unwrap()
}

#[test]
#[ignore = "needs strace: run tests/strace/setup"]
fn who_records_is_told_in_time_and_what_else_is_asked_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--datafile", SHOP, "--request-timeout", "4s"];
    let served = serve(folder.path(), &arguments);
    let asked = |what: &str, body: &str| ask(served.api, &Request::new(what).body(body));
    let track = || asked("POST /v1/track?eventKey=purchase", ANNA);
    assert_eq!(track().status, 200);
    let stall = Stall::of(&served);
    let check = |answer: &Answer| {
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
        assert!(answer.body.contains("not stored in time"), "{answer:?}");
    };
    check(&track());
    check(&asked("POST /v1/activate?experimentKey=checkout_button", ANNA));
    let context = r#"{"context":{"targetingKey":"anna"}}"#;
    check(&asked("POST /ofrep/v1/track/purchase", context));
    assert_eq!(asked("POST /v1/decide", ANNA).status, 200);
    assert_eq!(asked("POST /ofrep/v1/evaluate/flags/search", context).status, 200);

    let watch = Stopwatch::start();
    let operation = |what: &str| json!({"method": "POST", "url": what, "body": {"userId": "anna"}});
    let mut operations = vec![operation("/v1/track?eventKey=purchase"); 30];
    operations.insert(0, operation("/v1/decide?keys=search"));
    let answer = asked("POST /v1/batch", &json!({"operations": operations}).to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(watch.elapsed() < TIMEOUT, "{:?}", watch.elapsed());
    let answers = answer.json();
    let answers = answers["response"].as_array().unwrap();
    assert_eq!((answers.len(), &answers[0]["status"]), (31, &json!(200)));
    for one in &answers[1..] {
        assert_eq!(one["status"], 503, "{one}");
        assert!(one["body"]["error"].as_str().unwrap().contains("send it again soon"), "{one}");
    }
    let begun = answers[1..].iter().filter(|one| {
        one["body"]["error"].as_str().unwrap().contains("not stored in time, and may be stored yet")
    });
    assert!(begun.count() >= 10, "what was begun may have been done: {answers:?}");
    check(&slowly(&served, "POST /v1/track?eventKey=purchase", ANNA));
    let batch = json!({"operations": [operation("/v1/track?eventKey=purchase")]}).to_string();
    let answer = slowly(&served, "POST /v1/batch", &batch);
    assert_eq!(answer.json()["response"][0]["status"], 503, "{answer:?}");
    stall.end();
    wait_for("the disk", || (track().status == 200).then_some(()));
    served.kill();
}
