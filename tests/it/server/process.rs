//! The command `variate serve`: where it listens, how it ends, what it refuses.
//!
//! Must not know interfaces beyond asking them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::http::{Request, ask, try_ask};
use super::{Answer, SHOP, wait_for};

const ANNA: &str = r#"{"userId":"anna","userAttributes":{"country":"SE","age":34}}"#;

/// A command that was started, and may not listen yet.
pub(super) struct Started {
    child: Running,
}

/// A process that does not outlive the test, also where that fails.
pub(super) struct Running(Child);

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is no problem.
        drop((self.0.kill(), self.0.wait()));
    }
}

/// A running command.
pub(super) struct Served {
    pub(super) child: Running,
    pub(super) api: SocketAddr,
    pub(super) admin: SocketAddr,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.arg("serve").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it with a store in this folder, on free ports.
pub(super) fn start(folder: &Path, arguments: &[&str]) -> Started {
    let store = folder.join("store");
    let fixed = ["--port", "0", "--admin-port", "0", "--data-dir", store.to_str().unwrap()];
    Started { child: Running(command(&[&fixed[..], arguments].concat()).spawn().unwrap()) }
}

/// The same where it may have so many files open.
#[cfg(target_os = "linux")]
fn serve_with_files(folder: &Path, files: u32, arguments: &[&str]) -> Served {
    let served = serve(folder, arguments);
    let limit = format!("--nofile={files}");
    let id = served.child.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &id, &limit]).status().unwrap().success());
    served
}

pub(super) fn serve(folder: &Path, arguments: &[&str]) -> Served {
    start(folder, arguments).listening()
}

impl Started {
    pub(super) fn listening(mut self) -> Served {
        let mut lines = BufReader::new(self.child.stdout.as_mut().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().expect("it says where it listens").unwrap();
            let address = line.strip_prefix(&format!("{name} http")).unwrap();
            address.trim_start_matches('s').trim_start_matches("://").parse().unwrap()
        };
        let (api, admin) = (address("api"), address("admin"));
        Served { child: self.child, api, admin }
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Served {
    fn ask(&self, what: &str, body: &str) -> Answer {
        ask(self.api, &Request::new(what).body(body))
    }

    fn records(&self) -> String {
        ask(self.admin, &Request::new("GET /events")).body
    }

    /// SIGKILL.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives the exit code and what was said.
    pub(super) fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}

#[test]
fn what_was_acknowledged_is_there_once_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--datafile", SHOP];
    let first = serve(folder.path(), &arguments);
    assert_eq!(first.ask("POST /v1/activate?experimentKey=checkout_button", ANNA).status, 200);
    let order = r#"{"userId":"anna","eventId":"order-1"}"#;
    assert_eq!(first.ask("POST /v1/track?eventKey=purchase", order).status, 200);
    first.kill();

    let second = serve(folder.path(), &arguments);
    let again = second.ask("POST /v1/track?eventKey=purchase", order).json();
    assert_eq!(again["duplicate"], true, "{again}");
    let later = second.ask("POST /v1/track?eventKey=purchase", r#"{"userId":"anna"}"#).json();
    assert_eq!(later["credits"][0]["variationKey"], "green", "the ledger is there: {later}");
    let records = second.records();
    let conversions = records.lines().filter(|line| line.contains("\"id\":\"order-1\""));
    assert_eq!(conversions.count(), 1, "{records}");
    let (code, said) = second.stop();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn connections_that_are_not_accepted_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve_with_files(folder.path(), 64, &["--datafile", SHOP]);
    let many: Vec<_> = (0..100).map(|_| TcpStream::connect(served.api).unwrap()).collect();
    std::thread::sleep(Duration::from_secs(1));
    drop(many);
    let problem = wait_for("the problem", || {
        let problems = try_ask(served.admin, &Request::new("GET /problems")).ok()?.json();
        problems["problems"].as_array()?.iter().find(|one| one["about"] == "api").cloned()
    });
    assert_eq!(problem["kind"], "listener");
    assert!(problem["count"].as_u64() > Some(3), "{problem}");
    let text = problem["text"].as_str().unwrap();
    assert!(text.contains("raise the limit on open files"), "{text}");
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    let of_the_api = "connections are not accepted listener=\"api\"";
    assert_eq!(said.matches(of_the_api).count(), 1, "{said}");
}

#[test]
fn who_asks_for_the_head_of_an_export_breaks_nothing_off() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &["--datafile", SHOP]);
    served.ask("POST /v1/activate?experimentKey=checkout_button", ANNA);
    let head = ask(served.admin, &Request::new("HEAD /events/export"));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-type"), Some("application/x-ndjson"));
    let whole = ask(served.admin, &Request::new("GET /events/export"));
    assert_eq!(whole.body.lines().count(), 1, "{whole:?}");
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("broken off"), "{said}");
}

#[test]
fn it_ends_in_order_and_says_so_without_users() {
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("records.ndjson");
    let sink = format!("file:{}", records.display());
    let served = serve(folder.path(), &["--datafile", SHOP, "--sink", &sink]);
    served.ask("POST /v1/activate?experimentKey=checkout_button", ANNA);
    served.ask("POST /v1/track?eventKey=purchase", ANNA);
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    for part in ["started", "datafile in force", "revision=\"87\"", "stopping", "stopped"] {
        assert!(said.contains(part), "no {part:?} in:\n{said}");
    }
    assert!(!said.contains("anna"), "{said}");
    let records = std::fs::read_to_string(&records).unwrap();
    assert_eq!(records.lines().count(), 2, "delivered before the end: {records}");
    assert!(!folder.path().join("store/process").exists(), "the store is closed");
}

/// A script may write the settings and ask for them to be read before it is up.
#[test]
fn a_hangup_while_it_starts_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut started = start(folder.path(), &["--datafile", SHOP]);
    let store = folder.path().join("store");
    while !store.exists() {
        assert!(started.child.try_wait().unwrap().is_none(), "it is up or about to be");
    }
    let id = started.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    let (code, said) = started.listening().stop();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn the_log_names_no_key_of_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let key = "segment:s3cret=production";
    let arguments = ["--datafile", SHOP, "--log", "debug", "--tracking-key", key];
    let served = serve(folder.path(), &arguments);
    for path in ["v3/config/s3cret", "optimizely/s3cret/v1/events", "s3cret"] {
        served.ask(&format!("GET /{path}?key=s3cret"), "");
    }
    assert_eq!(served.ask("POST /v3/ingest/s3cret", "{}").status, 200);
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("/v3/ingest/"), "it is at debug: {said}");
    assert!(!said.contains("s3cret"), "{said}");
}

/// Answers that are Agent's own where something is not set up are no failures.
#[test]
fn what_is_answered_as_it_should_be_is_no_error_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &["--datafile", SHOP]);
    for (what, body) in [
        ("POST /v1/lookup", r#"{"userId":"anna"}"#),
        ("POST /v1/save", r#"{"userId":"anna"}"#),
        ("POST /v1/send-odp-event", r#"{"action":"x","identifiers":{"a":"b"}}"#),
        ("POST /v1/decide", r#"{"userId":"anna","fetchSegments":true}"#),
    ] {
        assert_eq!(served.ask(what, body).status, 500, "{what}");
    }
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("ERROR") && !said.contains("a request failed"), "{said}");
}

#[test]
fn the_log_speaks_json_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &["--datafile", SHOP, "--log-format", "json"]);
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn a_stdout_sink_has_standard_output_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let arguments = ["--datafile", SHOP, "--sink", "stdout", "--port", "0", "--admin-port", "off"];
    let mut command = command(&[&arguments[..], &["--data-dir", store.to_str().unwrap()]].concat());
    let mut child = Running(command.spawn().unwrap());
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = said.find_map(|line| line.unwrap().strip_prefix("api http://").map(str::to_owned));
    let api: SocketAddr = line.unwrap().parse().unwrap();
    ask(api, &Request::new("POST /v1/activate?experimentKey=checkout_button").body(ANNA));
    let mut records = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let record = records.next().unwrap().unwrap();
    assert!(record.starts_with("{\"v\":1,\"type\":\"impression\""), "{record}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Runs the command to its end, with a store in this folder.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let store = folder.join("store");
    command(&[arguments, &["--data-dir", store.to_str().unwrap()]].concat()).output().unwrap()
}

/// What the command refuses, and the exit code.
#[track_caller]
fn check_refused(arguments: &[&str], code: i32, said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(stderr.contains(said), "{arguments:?}: no {said:?} in:\n{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
}

const FREE: [&str; 4] = ["--port", "0", "--admin-port", "0"];

#[test]
fn what_cannot_be_served_is_refused_with_the_remedy() {
    let with = |more: &[&'static str]| [&FREE[..], more].concat();
    check_refused(&with(&[]), 3, "there is no environment: give --datafile or --sdk-key");
    check_refused(
        &with(&["--datafile", "nowhere.json"]),
        3,
        "environment nowhere.json has no datafile",
    );
    check_refused(&with(&["--datafile", "Cargo.toml"]), 3, "Cargo.toml");
    check_refused(
        &with(&["--datafile", SHOP, "--datafile", SHOP]),
        3,
        "two environments are called \"production\"",
    );
    check_refused(
        &with(&["--datafile", SHOP, "--host", "0.0.0.0"]),
        3,
        "can be reached by other machines",
    );
    check_refused(&with(&["--datafile", SHOP, "--sink", "webhook:nowhere"]), 2, "has no address");
    check_refused(&["--datafile", SHOP, "--port", "http"], 2, "a number up to 65535");
    let twice = |first, second| with(&["--datafile", SHOP, "--sink", first, "--sink", second]);
    check_refused(&twice("stdout", "stdout"), 3, "sink 1 and sink 2 both go to stdout");
    check_refused(
        &twice("file:records.ndjson", "file:./src/../records.ndjson"),
        3,
        "sink 1 and sink 2 both go to file:",
    );
    check_refused(&with(&["--datafile", SHOP, "--config", "nowhere.toml"]), 3, "nowhere.toml");
    check_refused(
        &with(&["--datafile", SHOP, "--request-timeout", "0s"]),
        3,
        "request_timeout lets nothing through: give more than 0",
    );
    check_refused(&with(&["--sdk-key", "a-b"]), 2, "the SDK key is none");
    for key in [
        "s3cret",
        "s3cret=production",
        "s3cret:part=production",
        "segment:s3cret",
        "countly:s3cret=",
    ] {
        let arguments = with(&["--datafile", SHOP, "--tracking-key", key]);
        check_refused(&arguments, 2, "write SYSTEM:KEY=ENVIRONMENT");
        let folder = tempfile::tempdir().unwrap();
        let said = String::from_utf8(run(folder.path(), &arguments).stderr).unwrap();
        assert!(!said.contains("s3cret"), "{key}: {said}");
    }
    for sink in ["webhook:https://h/hook;token=s3cret", "webhook:http//u:s3cret@h"] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = with(&["--datafile", SHOP, "--sink", sink]);
        let said = String::from_utf8(run(folder.path(), &arguments).stderr).unwrap();
        assert!(said.contains("--sink") && !said.contains("s3cret"), "{sink}: {said}");
    }
    for (argument, name) in [
        ("--webhook-secret", "webhook_secret"),
        ("--datafile-webhook-secret", "datafile_webhook_secret"),
    ] {
        let arguments = with(&["--datafile", SHOP, argument, ""]);
        check_refused(&arguments, 3, &format!("the {name} is empty: give one, or leave it out"));
    }
    check_refused(&with(&["--sdk-key", "production="]), 2, "write KEY, KEY:TOKEN or NAME=KEY");
    let ports = |api, admin| ["--datafile", SHOP, "--port", api, "--admin-port", admin];
    check_refused(&ports("off", "off"), 3, "are both off, so that nobody could ask");
    check_refused(&ports("18099", "18099"), 3, "are both 18099: give them two");
}

#[test]
fn what_others_have_is_told_apart() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    check_refused(
        &["--datafile", SHOP, "--port", &port, "--admin-port", "off"],
        4,
        "somebody listens there",
    );

    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path(), &["--datafile", SHOP]);
    let output = run(folder.path(), &[&FREE[..], &["--datafile", SHOP]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains(&format!("in use by process {}", served.child.id())), "{said}");
    served.kill();
}

#[test]
fn a_restart_begins_with_the_last_good_datafile() {
    let folder = tempfile::tempdir().unwrap();
    let datafile = folder.path().join("shop.json");
    std::fs::copy(SHOP, &datafile).unwrap();
    let arguments = ["--datafile", datafile.to_str().unwrap()];
    serve(folder.path(), &arguments).kill();
    std::fs::write(&datafile, "{").unwrap();
    let served = serve(folder.path(), &arguments);
    assert_eq!(
        served.ask("POST /v1/decide?keys=search", ANNA).header("variate-revision"),
        Some("87")
    );
    let ready = served.ask("GET /ready", "").json();
    assert_eq!(ready["environments"][0]["name"], "production", "its name from before: {ready}");
    assert!(ready["environments"][0]["problem"].is_string(), "{ready}");

    std::fs::copy(SHOP, &datafile).unwrap();
    wait_for("the file", || {
        let ready = served.ask("GET /ready", "").json();
        ready["environments"][0].get("problem").is_none().then_some(())
    });
    served.kill();
}
