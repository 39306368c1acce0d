//! Replays that go on from what a store remembers.

use std::fs;

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

/// On a disk with less room than is kept in reserve nothing is stored: recording calls get the error,
/// and deciding goes on.
#[test]
#[ignore = "needs VARIATE_SMALL_DISK, a folder on a file system with room for less than 256 MiB"]
fn what_is_not_stored_is_not_acknowledged() {
    let disk = std::env::var("VARIATE_SMALL_DISK").unwrap();
    let folder = tempfile::tempdir_in(disk).unwrap();
    let calls = r#"
{"call":"activate","userId":"anna","experimentKey":"checkout_button"}
{"call":"decide","userId":"anna","flagKey":"homepage","options":["EXCLUDE_VARIABLES"]}
{"call":"getVariation","userId":"anna","experimentKey":"checkout_button"}
{"call":"track","userId":"anna","eventKey":"purchase"}
"#;
    let output = replay(calls, &["--store", folder.path().to_str().unwrap()]);
    let answers: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for place in [0, 3] {
        let error = answers[place]["error"].as_str().unwrap();
        assert!(error.contains("kept in reserve"), "{error}");
    }
    assert_eq!(answers[1]["variationKey"], "video");
    assert_eq!(answers[2]["variationKey"], "green");
    let said = "error: the store did not take all of 3 calls, the first is line 2";
    assert!(stderr(&output).starts_with(said), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(1));
    let (records, _, exit_code) = events(folder.path(), &["export"]);
    assert_eq!((records.as_str(), exit_code), ("", 0));
}
