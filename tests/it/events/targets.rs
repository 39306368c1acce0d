//! Sinks by name, as settings say them; and the one that writes to standard output.

use std::process::Command;

use variate::events::{AttributionMode, SinkTarget, record_json};

use super::world::{LONG, world};

/// Checks what a text is read as, or why it is not.
#[track_caller]
fn check(text: &str, expect: &str) {
    let got = match text.parse::<SinkTarget>() {
        Ok(target) => {
            format!("{target:?} {target}")
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(got, expect);
}

#[test]
fn targets_are_read() {
    let read = |text: &str| check(text, &format!("SinkTarget({text}) {text}"));
    read("file:/var/records.ndjson");
    read("file:a:b");
    read("stdout");
    read("webhook:http://localhost:9/x");
    read("optimizely");
    read("optimizely:https://x.example/v1");
    let target: SinkTarget = "file:a:b".parse().unwrap();
    assert_eq!(target, SinkTarget::File("a:b".into()));
    let target: SinkTarget = "webhook:http://u@localhost:9/x?y=1".parse().unwrap();
    assert_eq!(target, SinkTarget::Webhook("http://u@localhost:9/x?y=1".into()));
}

#[test]
fn what_is_no_target_is_told() {
    let choices = "use file:PATH, stdout, webhook:URL, optimizely or optimizely:URL";
    check("", &format!("sink \"\" is unknown: {choices}"));
    check("kafka:x", &format!("sink \"kafka:x\" is unknown: {choices}"));
    check("File:x", &format!("sink \"File:x\" is unknown: {choices}"));
    check("records.ndjson", &format!("sink \"records.ndjson\" is unknown: {choices}"));
    check("file", "sink \"file\" has no target: write file:PATH");
    check("file:", "sink \"file:\" has no target: write file:PATH");
    check("webhook", "sink \"webhook\" has no target: write webhook:URL");
    check("optimizely:", "sink \"optimizely:\" has no target: write optimizely or optimizely:URL");
    check(
        "stdout:x",
        "sink \"stdout:x\" has a target, and there is one standard output: write stdout",
    );
    check(
        "webhook:example.com/x",
        "sink \"webhook:example.com/x\" has no address: write it like https://example.com/path",
    );
}

#[test]
fn targets_become_sinks() {
    let name = |text: &str, mode| {
        let target: SinkTarget = text.parse().unwrap();
        target.build(mode, Some("secret")).map(|sink| sink.name().to_owned())
    };
    let activated = AttributionMode::Activated;
    assert_eq!(name("file:x", activated).unwrap(), "file:x");
    assert_eq!(name("stdout", activated).unwrap(), "stdout");
    if cfg!(feature = "http") {
        assert_eq!(
            name("webhook:https://x.example/a?#b", activated).unwrap(),
            "webhook:https://x.example/a"
        );
        assert_eq!(name("optimizely", activated).unwrap(), "optimizely");
        assert_eq!(name("optimizely", AttributionMode::Backend).unwrap(), "optimizely-backend");
        assert_eq!(name("optimizely:http://x", activated).unwrap(), "optimizely:http://x/");
        // Sinks that differ in what is not told have names of their own, which are always the same.
        let hidden = ["u:p@x.example", "u@x.example", "x.example?p", "x.example?p=", "x.example?q"];
        let names = hidden.map(|address| {
            let webhook = name(&format!("webhook:https://{address}"), activated).unwrap();
            let (visible, hash) = webhook.split_once('~').unwrap();
            assert_eq!((visible, hash.len()), ("webhook:https://x.example/", 8));
            let event_api = name(&format!("optimizely:https://{address}"), activated).unwrap();
            assert_eq!(event_api, format!("optimizely:https://x.example/~{hash}"));
            hash.to_owned()
        });
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 5);
        assert_eq!(names[0], "a667ebb3");
        let error = name("webhook:http://", activated).unwrap_err().to_string();
        assert_eq!(
            error,
            "sink \"http://\" is no URL (empty host): write it like https://example.com/path"
        );
    } else {
        let error = name("optimizely", activated).unwrap_err().to_string();
        assert!(error.ends_with("this build cannot: add the feature `http`"), "{error}");
    }
}

const WRITER: &str = "VARIATE_TEST_STDOUT_WRITER";

/// Is nothing but the writer of the other test.
#[test]
fn writer() {
    #[expect(clippy::disallowed_methods, reason = "this is how a test tells its own child")]
    if std::env::var_os(WRITER).is_none() {
        return;
    }
    let world = world();
    world.track_many(3);
    let target: SinkTarget = "stdout".parse().unwrap();
    let delivery = world.deliver(vec![target.build(AttributionMode::Backend, None).unwrap()]);
    delivery.drain(LONG).unwrap();
}

#[test]
fn standard_output_gets_lines() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "events::targets::writer", "--test-threads=1"])
        .env(WRITER, "")
        .output()
        .unwrap();
    let world = world();
    world.track_many(3);
    let records = variate::store::Outbox::outbox(&*world.store, 0, 9, LONG).unwrap();
    let expect: Vec<String> = records.iter().map(|(_, record)| record_json(record)).collect();
    let text = String::from_utf8(child.stdout).unwrap();
    let start = text.find('{').unwrap();
    let lines: Vec<&str> = text[start..].lines().take(3).collect();
    assert_eq!(lines, expect, "{text}");
}
