//! The process that kills: starts the writer, listens to it, kills it at a random moment, again and again.

#![expect(
    clippy::disallowed_methods,
    reason = "the environment says how often to kill; the summary is for who asked for it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::check::check;
use super::writer::{open, write};
use variate::store::inspect;

const FOLDER: &str = "VARIATE_KILLS_FOLDER";
const RUN: &str = "VARIATE_KILLS_RUN";
const KILLS: &str = "VARIATE_KILLS";
const TEST: &str = "attribution::kills::harness::what_was_acknowledged_outlives_kills";

/// A run in so many ends by itself instead.
const RUNS_PER_GENTLE_END: u64 = 7;
/// At most so many ids of an unknown fate are sent again in the next run.
const SENT_AGAIN: usize = 100;

/// What is known from the writer.
#[derive(Debug, Default)]
pub(in crate::attribution) struct Heard {
    /// How often each id was sent.
    pub(in crate::attribution) sent: BTreeMap<String, u64>,
    pub(in crate::attribution) acknowledged: BTreeSet<String>,
    /// Acknowledged as repeats.
    pub(in crate::attribution) repeats: u64,
    /// Sent without an answer when the kill came, by what became of it when it was sent again: it had
    /// been stored, or not.
    pub(in crate::attribution) survived: u64,
    pub(in crate::attribution) gone: u64,
    /// Sent in former runs, and not answered.
    unanswered: BTreeSet<String>,
}

impl Heard {
    fn line(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("sent", id)) => *self.sent.entry(id.into()).or_default() += 1,
            Some(("stored", id)) => {
                self.gone += u64::from(self.unanswered.remove(id));
                self.acknowledged.insert(id.into());
            }
            Some(("repeat", id)) => {
                self.survived += u64::from(self.unanswered.remove(id));
                self.acknowledged.insert(id.into());
                self.repeats += 1;
            }
            Some(("refused", what)) => panic!("refused on a sound disk: {what}"),
            // What the test harness of the writer says of itself.
            _ => {}
        }
    }

    /// What is to be sent again.
    fn unanswered(&mut self) -> Vec<String> {
        let sent = self.sent.keys().filter(|id| !self.acknowledged.contains(*id));
        self.unanswered = sent.cloned().collect();
        self.unanswered.iter().take(SENT_AGAIN).cloned().collect()
    }
}

/// `VARIATE_KILLS=300` for the long form.
#[test]
fn what_was_acknowledged_outlives_kills() {
    if let Ok(folder) = std::env::var(FOLDER) {
        // This is the writer: the same program, started by the code below.
        return write(folder.as_ref(), std::env::var(RUN).unwrap().parse().unwrap());
    }
    let runs = std::env::var(KILLS).map(|kills| kills.parse().expect(KILLS)).unwrap_or(10);
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(runs);
    let mut heard = Heard::default();
    let mut kills = 0;
    for run in 0..runs {
        let (mut child, lines) = start(folder.path(), run, &heard.unanswered());
        if random.random_range(0..4) > 0 {
            let mut early = lines.iter().take_while(|line| line != "ready ");
            early.by_ref().for_each(drop);
        }
        let over = Duration::from_millis(random.random_range(0..700));
        std::thread::sleep(over);
        let is_gentle = run % RUNS_PER_GENTLE_END == RUNS_PER_GENTLE_END - 1;
        if is_gentle {
            drop(child.stdin.take());
        } else {
            child.kill().unwrap();
            kills += 1;
        }
        lines.iter().for_each(|line| heard.line(&line));
        let status = child.wait().unwrap();
        assert!(is_gentle == status.success(), "run {run}: {status}, killed: {}", !is_gentle);
    }
    let summary = check(open(folder.path()), folder.path(), &heard);
    assert_eq!(inspect(&folder.path().join("store")).unwrap().damages.len(), 0);
    println!("{kills} kills, {summary}");
}

/// Starts the writer; its lines end when it does.
fn start(folder: &Path, run: u64, unanswered: &[String]) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(FOLDER, folder)
        .env(RUN, run.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{}\n", unanswered.join(" ")).as_bytes()).unwrap();
    child.stdin = Some(stdin);
    let out = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    // What was cut off by the kill was not said.
    let whole = |line: std::io::Result<String>| line.ok();
    std::thread::spawn(move || {
        out.lines().map_while(whole).for_each(|line| drop(sender.send(line)));
    });
    (child, lines)
}
