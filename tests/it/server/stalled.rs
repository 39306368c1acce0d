//! A disk that does not answer: who records is told in time, each on its own, and all else goes on.
//!
//! Must not know how anything is stored.

use std::io::{BufRead as _, BufReader};
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
struct Stall(Child);

impl Stall {
    fn of(served: &Served) -> Self {
        let id = served.child.id().to_string();
        let calls = "inject=fsync,fdatasync,sync_file_range:delay_enter=60000000";
        let mut strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", calls, "-p", &id])
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace runs; tests/strace/setup installs it");
        let said = BufReader::new(strace.stderr.as_mut().unwrap()).lines().next();
        let said = said.expect("it says that it is there").unwrap();
        assert!(said.contains("attached"), "{said}");
        Self(strace)
    }

    fn end(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap();
    }
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
    stall.end();
    wait_for("the disk", || (track().status == 200).then_some(()));
    served.kill();
}
