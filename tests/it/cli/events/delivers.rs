//! `variate events deliver`: real sinks, and what becomes of a record that one of them does not take.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::tempdir;
use variate::clock::Stopwatch;

use super::{delivered, events, morning, stderr, stdout, without_folder};
use crate::events::server::{Answer, OK, Request, Server};

/// A server that refuses what is about the user `b`, until it is mended.
fn picky() -> (Server, Arc<AtomicBool>) {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = is_mended.clone();
    let server = Server::start(move |_, request| {
        let is_poison = ["\"userId\":\"b\"", "\"visitor_id\":\"b\""];
        let is_poison = is_poison.iter().any(|poison| request.body.contains(poison));
        if is_poison && !mended.load(Ordering::SeqCst) {
            return Answer::Status(400, "", "{\"error\": \"user b is not known here\"}");
        }
        OK
    });
    (server, is_mended)
}

fn json(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The ids in a request to a webhook, or the event uuids in one to the event API.
fn ids(request: &Request) -> Vec<String> {
    let ids: Vec<Value> = match request.json() {
        Value::Array(records) => records.iter().map(|record| record["id"].clone()).collect(),
        body => {
            let visitors = body["visitors"].as_array().unwrap().iter();
            visitors.map(|visitor| visitor["snapshots"][0]["events"][0]["uuid"].clone()).collect()
        }
    };
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// A morning is replayed into a store and delivered to a server that refuses one record: its neighbours
/// arrive, it is shown with a reason, and when the cause is mended it is sent again, it alone and the same.
fn check(kind: &str) {
    let folder = morning();
    let store = folder.path();
    let (server, is_mended) = picky();
    let sink = format!("{kind}:{}", server.url("/in"));
    let deliver = ["deliver", "--sink", &sink, "--format", "json"];
    let (answer, said, exit_code) = events(store, &deliver);
    assert_eq!((said.as_str(), exit_code), ("", 1), "{answer}");
    let report = json(&answer)["sinks"][0].clone();
    let counts = |report: &Value| {
        ["delivered", "refused", "deadLetters", "retried", "waiting"].map(|of| report[of].clone())
    };
    assert_eq!(report["name"], sink);
    assert_eq!(counts(&report), [3, 1, 1, 0, 0].map(Value::from));
    let (refused, taken): (Vec<Request>, Vec<Request>) =
        server.requests().into_iter().partition(|request| {
            ["\"userId\":\"b\"", "\"visitor_id\":\"b\""].iter().any(|b| request.body.contains(b))
        });
    let taken: Vec<String> = taken.iter().flat_map(ids).collect();
    assert_eq!(taken.len(), 3);
    if kind == "webhook" {
        assert_eq!(taken, ["a-1", "o-1", "a-3"]);
    }
    let alone = refused.last().unwrap();
    assert_eq!(ids(alone).len(), 1);

    // What an operator sees.
    let (answer, said, exit_code) = events(store, &["dead", "list"]);
    assert_eq!((said.as_str(), exit_code), ("", 0));
    let words = without_folder(&answer, store).replace(&server.url(""), "URL");
    assert_eq!(
        words,
        format!(
            "1  2026-03-02 10:00:00  {kind}:URL/in\n    record 2: production  b  activated in checkout_button: orange\n    URL/in refused it: 400 Bad Request; it said: {{\"error\": \"user b is not known here\"}}\n"
        )
    );
    let (answer, _, _) = events(store, &["dead", "list", "--format", "json"]);
    let letter = json(&answer);
    assert_eq!((&letter["number"], &letter["record"]["id"]), (&1.into(), &"a-2".into()));

    // Too early, it dies anew.
    let (answer, _, exit_code) = events(store, &["dead", "retry", "1", "--format", "json"]);
    assert_eq!((json(&answer)["retried"].clone(), exit_code), (1.into(), 0));
    let (answer, _, exit_code) = events(store, &deliver);
    assert_eq!(
        (counts(&json(&answer)["sinks"][0]), exit_code),
        ([0, 1, 1, 0, 0].map(Value::from), 1)
    );

    is_mended.store(true, Ordering::SeqCst);
    let before = server.requests().len();
    let (answer, said, exit_code) = events(store, &["dead", "retry", "--sink", &sink]);
    assert_eq!((said.as_str(), exit_code), ("", 0));
    assert!(answer.starts_with("1 dead letter to be sent again, when"), "{answer}");
    let (answer, said, exit_code) = events(store, &["deliver", "--sink", &sink]);
    assert_eq!((said.as_str(), exit_code), ("", 0), "{answer}");
    assert_eq!(answer, format!("sink {sink}: 1 record delivered, 0 waiting, 0 dead letters\n"));
    let requests = server.requests();
    let sent: Vec<&Request> = requests[before..].iter().collect();
    assert_eq!((sent.len(), ids(sent[0])), (1, ids(alone)), "that one alone, with the same id");
    assert_eq!(sent[0].body, alone.body, "and the same to the byte");

    let (answer, _, exit_code) = events(store, &deliver);
    assert_eq!((counts(&json(&answer)["sinks"][0]), exit_code), ([0; 5].map(Value::from), 0));
    assert_eq!(server.requests().len(), before + 1);
    assert_eq!(events(store, &["verify"]).2, 0);
}

#[test]
fn a_poison_record_is_shown_and_sent_again_when_the_cause_is_mended() {
    check("webhook");
    check("optimizely");
}

#[test]
fn a_sink_that_is_down_is_waited_for_and_nothing_grows_too_old() {
    let folder = morning();
    let port = Server::free_port();
    let sink = format!("webhook:http://127.0.0.1:{port}/");
    let run =
        |timeout: &str| events(folder.path(), &["deliver", "--sink", &sink, "--timeout", timeout]);
    let watch = Stopwatch::start();
    let (answer, said, exit_code) = run("400ms");
    assert!(watch.elapsed() < Duration::from_secs(10), "{:?}", watch.elapsed());
    assert_eq!((said.as_str(), exit_code), ("", 1));
    let first = format!(
        "sink {sink}: 0 records delivered, 5 waiting, 0 dead letters\n    http://127.0.0.1:{port}/ cannot be reached"
    );
    assert!(answer.starts_with(&first), "{answer}");
    let server = Server::start_on(port, |_, _| OK);
    let (answer, _, exit_code) = run("20s");
    assert_eq!(exit_code, 0);
    assert_eq!(answer, format!("sink {sink}: 4 records delivered, 0 waiting, 0 dead letters\n"));
    // A letter that waits for a sink that is down is told as well.
    drop(server);
    let refuses = Server::start(|_, _| Answer::Status(422, "", ""));
    let other = format!("webhook:{}", refuses.url("/"));
    let store = delivered();
    let run = |timeout: &str| {
        events(
            store.path(),
            &[
                "deliver",
                "--sink",
                &other,
                "--timeout",
                timeout,
                "--leave-out",
                super::FILE,
                "--leave-out",
                super::HOOK,
            ],
        )
    };
    assert_eq!(run("20s").2, 1);
    assert_eq!(events(store.path(), &["dead", "retry", "--sink", &other]).2, 0);
    drop(refuses);
    let (answer, _, exit_code) = run("300ms");
    assert_eq!(exit_code, 1);
    assert!(answer.contains("still to be sent again"), "{answer}");
}

#[test]
fn webhooks_are_signed_with_what_the_environment_says_and_nothing_tells_it() {
    let folder = morning();
    let server = Server::start(|_, _| OK);
    let sink = format!("webhook:{}", server.url("/in?token=hunter2"));
    let run = |sink: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_variate"));
        command.args(["events", "deliver", "--sink", sink, "--store"]).arg(folder.path());
        command.env("VARIATE_WEBHOOK_SECRET", "hunter2").output().unwrap()
    };
    let output = run(&sink);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stdout(&output).contains("hunter2"), "{}", stdout(&output));
    let request = &server.requests()[0];
    assert!(request.line.contains("token=hunter2"));
    assert!(request.header("variate-signature").unwrap().starts_with("v1="));
    for sink in [
        "http://u:hunter2@x.example",
        "webhook:u:hunter2@x.example",
        "webhook:http://u:hunter2@:1/",
    ] {
        let output = run(sink);
        assert_eq!(output.status.code(), Some(2), "{sink}");
        assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
    }
    let help = super::variate(&["events", "deliver", "--help"], b"");
    assert!(stdout(&help).contains("VARIATE_WEBHOOK_SECRET"));
}

#[test]
fn files_and_standard_output_get_records() {
    let folder = morning();
    let home = tempdir().unwrap();
    let path = home.path().join("records.ndjson");
    let file = format!("file:{}", path.display());
    let run = |arguments: &[&str]| {
        events(folder.path(), &[&["deliver", "--attribution", "backend"], arguments].concat())
    };
    let (answer, said, exit_code) = run(&["--sink", &file, "--sink", "stdout"]);
    let (records, _, _) = events(folder.path(), &["export"]);
    assert_eq!((answer.as_str(), exit_code), (records.as_str(), 0));
    assert_eq!(fs::read_to_string(&path).unwrap(), records);
    let said = said.replace(&file, "FILE");
    assert_eq!(
        said,
        "sink FILE: 5 records delivered, 0 waiting, 0 dead letters\nsink stdout: 5 records delivered, 0 waiting, 0 dead letters\n"
    );
    let (_, _, exit_code) = run(&["--sink", &file, "--sink", "stdout"]);
    assert_eq!((exit_code, fs::read_to_string(&path).unwrap()), (0, records));
}

/// The answers to wrong uses on a store whose file has all but the last record, and whose webhook misses two.
#[test]
fn wrong_deliveries_are_refused_and_deliver_nothing() {
    let folder = delivered();
    let home = tempdir().unwrap();
    let at = |name: &str| format!("file:{}", home.path().join(name).display());
    let (here, nowhere) = (at("r"), at("none/r"));
    let inside = format!("file:{}", folder.path().join("0.jnl").display());
    let folder_itself = format!("file:{}", home.path().display());
    let uses: &[&[&str]] = &[
        &[],
        &["--sink", "kafka:x"],
        &["--sink", &here],
        &["--sink", &here, "--leave-out", super::FILE],
        &["--sink", &here, "--leave-out", super::FILE, "--leave-out", "webhook"],
        &["--sink", &here, "--sink", &here],
        &["--sink", &nowhere, "--leave-out", super::FILE, "--leave-out", super::HOOK],
        &["--sink", &inside, "--leave-out", super::FILE, "--leave-out", super::HOOK],
        &["--sink", &folder_itself, "--leave-out", super::FILE, "--leave-out", super::HOOK],
        &["--sink", "stdout", "--format", "json"],
        &["--sink", &here, "--timeout", "soon"],
    ];
    let mut text = String::new();
    for arguments in uses {
        let (answer, said, exit_code) = events(folder.path(), &[&["deliver"], *arguments].concat());
        assert_eq!(answer, "");
        text +=
            &format!("$ variate events deliver {}\n{said}=> {exit_code}\n\n", arguments.join(" "));
    }
    let text = without_folder(&without_folder(&text, home.path()), folder.path());
    assert!(!Path::new(home.path()).join("r").exists());
    let stats = json(&events(folder.path(), &["stats", "--format", "json"]).0);
    assert_eq!(stats["records"]["waiting"], 2);
    assert_eq!(stats["sinks"].as_array().unwrap().len(), 2, "no sink was seen");
    insta::assert_snapshot!(text);
}
