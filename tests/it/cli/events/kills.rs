//! A replay that is killed between two answers: what it answered is in the store.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use tempfile::tempdir;

use super::{events, replay_into};
use crate::cli::SHOP;

const ROUNDS: usize = 8;
const CALLS_A_ROUND: usize = 400;

fn call(round: usize, number: usize) -> String {
    let user = number % 50;
    let time = 1_772_442_000_000 + round * 1000 + number;
    match number % 2 {
        0 => format!(
            r#"{{"call":"activate","userId":"user-{user}","experimentKey":"checkout_button","id":"{round}-{number}","time":{time}}}"#
        ),
        _ => format!(
            r#"{{"call":"track","userId":"user-{user}","eventKey":"purchase","id":"{round}-{number}","time":{time}}}"#
        ),
    }
}

/// Replays the calls of a round, and kills the replay behind so many answers; gives how many it gave.
fn killed(store: &Path, round: usize, answers_before: usize) -> usize {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(["replay", "--datafile", SHOP, "--calls", "-", "--quiet", "--store"]).arg(store);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let feeder = thread::spawn(move || {
        // The pipe breaks with the process.
        (0..CALLS_A_ROUND).all(|number| writeln!(input, "{}", call(round, number)).is_ok())
    });
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    let mut count = 0;
    let mut line = String::new();
    while answers.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        assert!(!line.contains("error"), "{line}");
        line.clear();
        count += 1;
        if count == answers_before {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    feeder.join().unwrap();
    count
}

#[test]
fn nothing_answered_is_lost() {
    let folder = tempdir().unwrap();
    let mut answered = BTreeSet::new();
    for round in 0..ROUNDS {
        let count = killed(folder.path(), round, 1 + round * 29);
        assert!(count > round * 29, "it answered {count} in round {round}");
        answered.extend((0..count).map(|number| format!("{round}-{number}")));
        let (answer, said, exit_code) = events(folder.path(), &["verify"]);
        assert_eq!(exit_code, 0, "{answer}{said}");
    }
    assert!(answered.len() < ROUNDS * CALLS_A_ROUND, "no replay was killed in the middle");
    let (exported, _, _) = events(folder.path(), &["export"]);
    let id = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["id"].as_str().unwrap().to_owned()
    };
    let ids: Vec<String> = exported.lines().map(id).collect();
    let stored: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), stored.len(), "an id is there twice");
    let lost: Vec<_> = answered.difference(&stored).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");

    // What was answered is a repeat when it is sent again.
    let mut calls = String::new();
    answered.iter().for_each(|id| {
        let (round, number) = id.split_once('-').unwrap();
        writeln!(calls, "{}", call(round.parse().unwrap(), number.parse().unwrap())).unwrap();
    });
    let answers = replay_into(folder.path(), &calls);
    let tracked: Vec<&str> = answers.lines().filter(|line| line.contains("tracked")).collect();
    assert!(tracked.iter().all(|line| line.contains("\"duplicate\":true")), "{tracked:#?}");
    assert_eq!(events(folder.path(), &["export"]).0, exported);
}
