//! `variate events` and `variate replay --store`: a store on disk, looked after from outside.
//!
//! Must not know how a store keeps things, but for the tests that break one on purpose.

mod broken;
mod datafiles;
#[cfg(feature = "http")]
mod delivers;
mod kills;
mod replays;
mod version_1;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::{TempDir, tempdir};
use variate::clock::Clock;
use variate::store::{
    Burial, Cursor, DurableSettings, DurableStore, Outbox as _, Step, WhenOverBudget,
};

use super::{SHOP, stderr, stdout, variate, without_folder};

const FILE: &str = "file:/records.ndjson";
const HOOK: &str = "webhook:https://example.com/hook";

/// A morning: two users are shown the button, one of them buys; a third buys and was shown nothing yet.
const CALLS: &str = r#"
{"time":1772442000000,"call":"activate","userId":"anna","experimentKey":"checkout_button","id":"a-1"}
{"time":1772442060000,"call":"activate","userId":"b","experimentKey":"checkout_button","id":"a-2"}
{"time":1772442120250,"call":"track","userId":"anna","eventKey":"purchase","id":"o-1","eventTags":{"revenue":129900}}
{"time":1772442180000,"call":"track","userId":"carl the \"third\"","eventKey":"purchase","id":"o-2"}
{"time":1772445600000,"call":"activate","userId":"anna","experimentKey":"homepage_hero","attributes":{"country":"SE"},"id":"a-3"}
"#;

/// Replays calls on the shop into a store; gives the answers.
fn replay_into(store: &Path, calls: &str) -> String {
    let store = store.to_str().unwrap();
    let output = super::replay(calls, &["--store", store, "--late-window", "2h"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output).to_owned()
}

/// Runs `variate events` on a store; gives what it answers, what it says, and the exit code.
fn events(store: &Path, arguments: &[&str]) -> (String, String, i32) {
    let store = ["--store", store.to_str().unwrap()];
    let output = variate(&[&["events"], arguments, &store].concat(), b"");
    (stdout(&output).to_owned(), stderr(&output).to_owned(), output.status.code().unwrap())
}

/// The answers to several uses of a store, one below the other.
fn transcript(store: &Path, uses: &[&[&str]]) -> String {
    let mut text = String::new();
    for arguments in uses {
        let (answer, said, exit_code) = events(store, arguments);
        writeln!(text, "$ variate events {}\n{answer}{said}=> {exit_code}\n", arguments.join(" "))
            .unwrap();
    }
    without_folder(&text, store)
}

/// The morning in a store.
fn morning() -> TempDir {
    let folder = tempdir().unwrap();
    replay_into(folder.path(), CALLS);
    folder
}

/// The morning, delivered: the file has everything but the last record, and the webhook has three
/// records, of which it did not take two.
fn delivered() -> TempDir {
    let folder = morning();
    let store = open(folder.path());
    store.claim_outbox(&[FILE, HOOK]).unwrap();
    let records = store.outbox(0, 10, Duration::ZERO).unwrap();
    let bury = |place: usize, reason: &str| {
        let (sequence, record) = &records[place];
        Burial { sequence: *sequence, record: Arc::clone(record), reason: reason.into() }
    };
    let buried =
        vec![bury(0, "refused with 422: unknown field"), bury(2, "refused with 413: too large")];
    let at = |through| Cursor { through, state: "".into() };
    store.advance(FILE, Step { cursor: at(4), ..Step::default() }).unwrap();
    store.advance(HOOK, Step { cursor: at(3), buried, ..Step::default() }).unwrap();
    folder
}

fn open(folder: &Path) -> DurableStore {
    let settings = DurableSettings { reserved_bytes: 0, ..DurableSettings::default() };
    DurableStore::open(folder, Arc::new(Clock::manual(1_772_446_000_000)), settings).unwrap()
}

/// A replay that has answered one call, and waits for more with the store open.
fn busy(store: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(["replay", "--datafile", SHOP, "--calls", "-", "--quiet", "--store"]).arg(store);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let call = b"{\"call\":\"track\",\"userId\":\"u\",\"eventKey\":\"purchase\"}\n";
    child.stdin.as_mut().unwrap().write_all(call).unwrap();
    let mut answer = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
    assert!(answer.starts_with("{\"tracked\":true"), "{answer}");
    child
}

/// Every way to use a store.
const USES: [&[&str]; 9] = [
    &["stats"],
    &["tail"],
    &["export"],
    &["dead", "list"],
    &["dead", "retry", "--all"],
    &["dead", "drop", "--all"],
    &["forget", "anna", "--environment", "production"],
    &["deliver", "--sink", "stdout"],
    &["verify"],
];

#[test]
fn a_store_is_shown_in_words() {
    let folder = delivered();
    let uses: &[&[&str]] = &[
        &["stats"],
        &["stats", "--user", "anna", "--since", "2026-03-02T09:30"],
        &["stats", "--user", "nobody"],
        &["tail"],
        &["tail", "-n", "1"],
        &["dead", "list"],
        &["verify"],
    ];
    insta::assert_snapshot!(transcript(folder.path(), uses));
}

#[test]
fn a_store_is_shown_to_programs() {
    let folder = delivered();
    let uses: &[&[&str]] = &[
        &["stats", "--format", "json"],
        &["tail", "--format", "json", "-n", "1"],
        &["export"],
        &["dead", "list", "--format", "json"],
        &["verify", "--format", "json"],
    ];
    let text = transcript(folder.path(), uses);
    for line in text.lines().filter(|line| line.starts_with('{')) {
        serde_json::from_str::<Value>(line).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// The ids of the records that an export with these filters has.
#[track_caller]
fn check(store: &Path, filters: &[&str], expect: &[&str]) {
    let (answer, said, exit_code) = events(store, &[&["export"], filters].concat());
    assert_eq!((said.as_str(), exit_code), ("", 0), "{filters:?}");
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
    let ids: Vec<Value> = answer.lines().map(id).collect();
    assert_eq!(ids, expect, "{filters:?}");
}

#[test]
fn filters_choose() {
    let folder = delivered();
    let store = folder.path();
    check(store, &[], &["a-1", "a-2", "o-1", "o-2", "a-3"]);
    check(store, &["--environment", "production"], &["a-1", "a-2", "o-1", "o-2", "a-3"]);
    check(store, &["--user", "anna"], &["a-1", "o-1", "a-3"]);
    check(store, &["--user", "ann"], &[]);
    check(store, &["--type", "impression"], &["a-1", "a-2", "a-3"]);
    check(store, &["--type", "conversion"], &["o-1", "o-2"]);
    check(store, &["--event", "purchase", "--user", "carl the \"third\""], &["o-2"]);
    check(store, &["--event", "purchas"], &[]);
    check(store, &["--experiment", "checkout_button"], &["a-1", "a-2", "o-1"]);
    check(store, &["--experiment", "9300001201101", "--type", "conversion"], &["o-1"]);
    check(store, &["--since", "1772442120250"], &["o-1", "o-2", "a-3"]);
    check(store, &["--until", "2026-03-02 09:02:00.250"], &["a-1", "a-2"]);
    check(
        store,
        &["--since", "2026-03-02T10:00:00+01:00", "--until", "2026-03-02T10:00Z"],
        &["a-1", "a-2", "o-1", "o-2"],
    );
    check(store, &["--since", "2026-03-03"], &[]);
    check(store, &["--since", "1h"], &[]);
    check(store, &["--sink", FILE], &["a-3"]);
    check(store, &["--sink", HOOK], &["o-2", "a-3"]);
    check(store, &["--limit", "2"], &["a-1", "a-2"]);
    check(store, &["--limit", "1", "--user", "b"], &["a-2"]);
    check(store, &["--limit", "0"], &[]);
}

#[test]
fn dead_letters_are_retried_and_dropped() {
    let folder = delivered();
    let uses: &[&[&str]] = &[
        &["dead", "list", "--sink", FILE],
        &["dead", "list", "--user", "anna", "--type", "conversion"],
        &["dead", "retry"],
        &["dead", "drop"],
        &["dead", "retry", "2", "7"],
        &["dead", "retry", "--sink", HOOK, "--event", "purchase", "--format", "json"],
        &["dead", "list"],
        &["dead", "drop", "1", "--event", "purchase"],
        &["dead", "drop", "1", "--format", "json"],
        &["dead", "drop", "--all"],
        &["dead", "list"],
        &["dead", "list", "--format", "json"],
        &["verify"],
    ];
    insta::assert_snapshot!(transcript(folder.path(), uses));
}

#[test]
fn what_was_shed_cannot_be_sent_again() {
    let folder = morning();
    let settings = DurableSettings {
        reserved_bytes: 0,
        budget_bytes: 0,
        when_over_budget: WhenOverBudget::ShedOldest,
        ..DurableSettings::default()
    };
    let clock = Arc::new(Clock::manual(1_772_446_000_000));
    let store = DurableStore::open(folder.path(), clock, settings).unwrap();
    // Records are shed only where a sink was to have them.
    store.claim_outbox(&["webhook"]).unwrap();
    while store.retained().unwrap().oldest < 6 {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(store);
    let uses: &[&[&str]] = &[
        &["stats"],
        &["tail"],
        &["dead", "list"],
        &["dead", "list", "--format", "json"],
        &["dead", "list", "--user", "anna"],
        &["dead", "retry", "--all"],
        &["dead", "retry", "1", "2", "--format", "json"],
        &["verify"],
        &["dead", "drop", "1"],
    ];
    insta::assert_snapshot!(transcript(folder.path(), uses));
}

#[test]
fn a_retried_letter_is_what_a_sink_is_asked_for() {
    let folder = delivered();
    events(folder.path(), &["dead", "retry", "2"]);
    let store = open(folder.path());
    let retried: Vec<_> = store.dead_letters(0, 10).unwrap();
    let asked = |place: usize| retried[place].is_retried;
    assert_eq!((retried.len(), asked(0), asked(1)), (2, false, true));
}

#[test]
fn a_forgotten_user_is_credited_with_nothing_from_before() {
    let folder = delivered();
    let uses: &[&[&str]] = &[
        &["forget", "anna", "--environment", "production"],
        &["forget", "anna", "--environment", "production"],
        &["forget", "carl the \"third\"", "--environment", "production", "--format", "json"],
        &["forget", "anna", "--environment", "prod"],
        &["forget", "b", "--environment", "x"],
        &["forget", "b"],
        &["stats"],
        &["verify"],
    ];
    insta::assert_snapshot!(transcript(folder.path(), uses));
    let track = r#"{"call":"track","userId":"USER","eventKey":"purchase","time":1772446000000}"#;
    let calls = ["anna", "b"].map(|user| track.replace("USER", user) + "\n").concat();
    let answers = replay_into(folder.path(), &calls);
    let expect = "{\"tracked\":true,\"experiments\":[],\"reason\":\"no-activation\"}\n{\"tracked\":true,\"experiments\":[{";
    assert!(answers.starts_with(expect), "{answers}");
}

#[test]
fn an_export_replaces_nothing_unasked() {
    let folder = delivered();
    let (store, home) = (folder.path(), tempdir().unwrap());
    let path = home.path().join("records.ndjson");
    let file = path.to_str().unwrap();
    let inside = store.join("records.ndjson");
    let no_folder = home.path().join("no/records.ndjson");
    let run = |arguments: &[&str]| {
        let (answer, said, exit_code) = events(store, &[&["export"], arguments].concat());
        assert_eq!(answer, "");
        let said = without_folder(&without_folder(&said, store), home.path());
        format!("{said}=> {exit_code}\n")
    };
    let mut said = run(&["--output", file]);
    let whole = fs::read_to_string(&path).unwrap();
    assert_eq!(whole, events(store, &["export"]).0);
    said += &run(&["--output", file, "--user", "b"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    said += &run(&["--output", file, "--user", "b", "--force"]);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    said += &run(&["--output", home.path().to_str().unwrap()]);
    said += &run(&["--output", inside.to_str().unwrap(), "--force"]);
    said += &run(&["--output", no_folder.to_str().unwrap()]);
    said += &run(&["--output", "/dev/null"]);
    assert!(!inside.exists());
    insta::assert_snapshot!(said);
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    let folder = tempdir().unwrap();
    let call = "{\"call\":\"decideAll\",\"userId\":\"u\",\"time\":1}\n";
    replay_into(folder.path(), &call.repeat(60));
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(["events", "export", "--store"]).arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

#[test]
fn a_store_in_use_names_the_process() {
    let folder = delivered();
    let mut child = busy(folder.path());
    let process = format!("process {}:", child.id());
    for arguments in USES {
        let (answer, said, exit_code) = events(folder.path(), arguments);
        assert_eq!((answer.as_str(), exit_code), ("", 4), "{arguments:?} {said}");
        assert!(said.contains(&process), "{said}");
    }
    let again = super::replay("", &["--store", folder.path().to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(4));
    let said = without_folder(stderr(&again), folder.path());
    insta::assert_snapshot!(said.replace(&process, "process PID:"));
    // Killed, it leaves its note behind, and no lock.
    child.kill().unwrap();
    child.wait().unwrap();
    let (_, said, exit_code) = events(folder.path(), &["stats"]);
    assert_eq!((said.as_str(), exit_code), ("", 0));
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let home = tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at("other")).unwrap();
    fs::write(at("other/notes.txt"), "mine").unwrap();
    fs::write(at("file"), "mine").unwrap();
    let mut text = String::new();
    for name in ["none", "empty", "other", "file"] {
        for arguments in USES {
            let (answer, said, exit_code) = events(&at(name), arguments);
            assert_eq!((answer.as_str(), exit_code), ("", 3), "{name} {arguments:?} {said}");
            if arguments == USES[0] {
                text += &without_folder(&said, home.path());
            }
        }
    }
    assert!(!at("none").exists());
    assert_eq!(fs::read_dir(at("empty")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(at("other")).unwrap().count(), 1);
    insta::assert_snapshot!(text);
}

#[test]
fn wrong_uses() {
    let folder = delivered();
    let uses: &[&[&str]] = &[
        &["tail", "--follow"],
        &["tail", "-n", "-1"],
        &["tail", "--format", "xml"],
        &["tail", "--type", "impresion"],
        &["tail", "--since", "yesterday"],
        &["tail", "--until", "2026-13-01"],
        &["tail", "--environment", "Production"],
        &["tail", "--sink", "file:/record.ndjson"],
        &["tail", "--sink", "x"],
        &["export", "--force"],
        &["dead", "retry", "one"],
        &["dead", "drop", "1", "--all"],
        &["verify", "--user", "anna"],
        &["export", "--format", "json"],
    ];
    insta::assert_snapshot!(transcript(folder.path(), uses));
    for arguments in [&["stats"][..], &["tail"], &["dead", "list"], &["verify"]] {
        let output = variate(&[&["events"], arguments].concat(), b"");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("  <--store <DIR>|--admin <URL>>"), "{arguments:?}");
    }
}

#[test]
fn the_help_teaches() {
    for command in [
        "stats",
        "tail",
        "export",
        "dead",
        "dead list",
        "dead retry",
        "deliver",
        "forget",
        "verify",
    ] {
        let words = command.split_whitespace();
        let arguments: Vec<&str> = ["events"].into_iter().chain(words).chain(["--help"]).collect();
        let output = variate(&arguments, b"");
        assert_eq!(output.status.code(), Some(0));
        insta::assert_snapshot!(format!("help of events {command}"), stdout(&output));
    }
}
