//! Replays that go on from what a store remembers.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::tempdir;

use super::{CALLS, events, replay_into};
use crate::cli::{SHOP, replay, stderr, stdout, variate, without_folder};

#[test]
fn a_second_run_goes_on_from_the_first() {
    let folder = tempdir().unwrap();
    let first = r#"
{"time":1772442000000,"call":"activate","userId":"anna","experimentKey":"checkout_button","id":"a-1"}
{"time":1772442000001,"call":"track","userId":"b","eventKey":"purchase","id":"o-1"}
"#;
    replay_into(folder.path(), first);
    // An activation of the first run, an id of the first run, and an event of it that still waits.
    let second = r#"
{"time":1772442000002,"call":"track","userId":"anna","eventKey":"purchase","id":"o-2"}
{"time":1772442000003,"call":"track","userId":"b","eventKey":"purchase","id":"o-1"}
{"time":1772442000000,"call":"activate","userId":"b","experimentKey":"checkout_button","id":"a-2"}
"#;
    let answers = replay_into(folder.path(), second);
    let expect = r#"{"tracked":true,"experiments":[{"experimentKey":"checkout_button","variationKey":"green"}]}
{"tracked":true,"duplicate":true,"experiments":[],"reason":"duplicate"}
{"variationKey":"orange"}
"#;
    assert_eq!(answers, expect);
    let (conversions, _, _) =
        events(folder.path(), &["export", "--user", "b", "--type", "conversion"]);
    let late: Vec<Value> =
        conversions.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(late.len(), 2, "{conversions}");
    assert_eq!((&late[1]["eventId"], &late[1]["late"]), (&"o-1".into(), &true.into()));
}

#[test]
fn the_clock_does_not_go_back_behind_the_store() {
    let folder = tempdir().unwrap();
    let track = |time: i64, id: &str| {
        format!(
            "{{\"call\":\"track\",\"userId\":\"u\",\"eventKey\":\"purchase\",\"time\":{time},\"id\":\"{id}\"}}\n"
        )
    };
    let day_ms = 24 * 60 * 60 * 1000;
    replay_into(folder.path(), &track(day_ms, "a"));
    // By the time of the call alone the id would be long over in the third run.
    let repeat =
        "{\"tracked\":true,\"duplicate\":true,\"experiments\":[],\"reason\":\"duplicate\"}\n";
    assert_eq!(replay_into(folder.path(), &track(0, "a")), repeat);
    replay_into(folder.path(), &track(2 * day_ms, "b"));
    assert!(!replay_into(folder.path(), &track(1, "a")).contains("duplicate"));
    let (records, _, _) = events(folder.path(), &["tail", "-n", "1", "--format", "json"]);
    let record: Value = serde_json::from_str(&records).unwrap();
    assert_eq!((&record["time"], &record["receivedAt"]), (&1.into(), &(2 * day_ms).into()));
}

#[test]
fn a_store_changes_no_answer() {
    let folder = tempdir().unwrap();
    let home = tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let calls = fs::read_to_string("datafiles/shop.calls.jsonl").unwrap();
    let run = |name: &str, more: &[&str]| {
        let path = home.path().join(name);
        let events = ["--events", path.to_str().unwrap(), "--late-window", "1h"];
        let answers = replay(&calls, &[&events, more].concat());
        let sent = fs::read_to_string(&path).unwrap();
        let shape = |line: &str| serde_json::from_str::<Vec<Value>>(line).unwrap().len();
        (stdout(&answers).to_owned(), sent.lines().map(shape).collect::<Vec<_>>())
    };
    let in_memory = run("memory", &[]);
    assert_eq!(run("disk", &["--store", store]), in_memory);
    assert!(in_memory.1.iter().sum::<usize>() > 20);
}

#[test]
fn in_words_a_store_changes_nothing_either() {
    let folder = tempdir().unwrap();
    let with_store = ["--format", "text", "--store", folder.path().to_str().unwrap()];
    let words = |more: &[&str]| stdout(&replay(CALLS, more)).to_owned();
    assert_eq!(words(&with_store), words(&["--format", "text"]));
}

#[test]
fn wrong_uses_of_a_store() {
    let home = tempdir().unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    fs::create_dir(at("other")).unwrap();
    fs::write(at("other/notes.txt"), "mine").unwrap();
    fs::write(at("file"), "mine").unwrap();
    let inside = at("store/events.jsonl");
    let mut text = String::new();
    let uses: [(&[&str], i32); 4] = [
        (&["--store", &at("other")], 3),
        (&["--store", &at("file")], 3),
        (&["--store", &at("file/below")], 3),
        (&["--store", &at("store"), "--events", &inside], 2),
    ];
    for (more, exit_code) in uses {
        let output = replay(CALLS, more);
        assert_eq!((stdout(&output), output.status.code()), ("", Some(exit_code)));
        text += stderr(&output);
    }
    assert_eq!(fs::read_dir(at("other")).unwrap().count(), 1);
    insta::assert_snapshot!(without_folder(&text, home.path()));
    // The folder is made with those above it.
    let deep = at("a/b/c");
    let arguments = ["replay", "--datafile", SHOP, "--calls", "-", "--store", &deep, "-q"];
    assert_eq!(variate(&arguments, CALLS.as_bytes()).status.code(), Some(0));
    assert!(home.path().join("a/b/c/version").exists());
}

/// Who is told that a call was not stored can rely on it, also where the process ends at that moment:
/// nothing of it is in the journal any more.
#[test]
fn what_was_refused_does_not_come_back() {
    let folder = tempdir().unwrap();
    replay_into(folder.path(), "");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 24; exec \"$@\"", "sh"]);
    command.args([env!("CARGO_BIN_EXE_variate"), "replay", "--datafile", SHOP, "--quiet"]);
    command.args(["--calls", "-", "--store"]).arg(folder.path());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let (mut calls, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines();
    let is_stored = |number: &usize| {
        let call = r#"{"call":"track","userId":"u","eventKey":"purchase","id":"NUMBER"}"#;
        writeln!(calls, "{}", call.replace("NUMBER", &number.to_string())).unwrap();
        answers.next().unwrap().unwrap().contains("\"tracked\":true")
    };
    let stored = (0..120).take_while(is_stored).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((10..110).contains(&stored), "{stored} were stored");
    let found = variate::store::inspect(folder.path()).unwrap();
    assert_eq!((found.torn_bytes, found.damages.len()), (0, 0), "{found:?}");
    assert_eq!(events(folder.path(), &["export"]).0.lines().count(), stored);
}

/// Files that may not grow stand for a full disk: recording calls get the error, and deciding goes on.
/// What was answered is there, what was not is not, and sent again it counts.
#[test]
fn what_is_not_stored_is_not_acknowledged() {
    let folder = tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    replay_into(folder.path(), "");
    let decide =
        r#"{"call":"decide","userId":"anna","flagKey":"homepage","options":["EXCLUDE_VARIABLES"]}"#;
    let track = |number: usize| {
        format!(
            r#"{{"call":"track","userId":"u","eventKey":"purchase","id":"{number}","time":{number}}}"#
        )
    };
    let mut calls: String = (0..120).map(|number| track(number) + "\n").collect();
    calls += decide;
    let home = tempdir().unwrap();
    let file = home.path().join("calls.jsonl");
    fs::write(&file, &calls).unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 24; exec \"$@\"", "sh"])
        .args([env!("CARGO_BIN_EXE_variate"), "replay", "--datafile", SHOP, "--quiet"])
        .args(["--store", store, "--calls", file.to_str().unwrap()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let answers: Vec<&str> = stdout(&output).lines().collect();
    let stored = answers.iter().take_while(|answer| answer.contains("\"tracked\":true")).count();
    assert!((10..110).contains(&stored), "{stored} were stored: {}", stderr(&output));
    let is_refusal = |answer: &&str| answer.starts_with("{\"error\":\"this was not stored");
    assert!(answers[stored..120].iter().all(is_refusal), "{answers:#?}");
    assert!(answers[120].contains("\"variationKey\":\"video\""), "{}", answers[120]);
    let first = stored + 1;
    let refused = 121 - stored;
    let said =
        format!("error: the store did not take all of {refused} calls, the first is line {first}:");
    assert!(stderr(&output).starts_with(&said), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(1));

    let kept = || events(folder.path(), &["export"]).0.lines().count();
    assert_eq!(kept(), stored);
    let answers = replay_into(folder.path(), &calls);
    let repeats = answers.lines().take_while(|answer| answer.contains("duplicate")).count();
    assert_eq!((repeats, kept()), (stored, 121));
    assert_eq!(events(folder.path(), &["verify"]).2, 0);
}
