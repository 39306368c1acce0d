//! The writer as who kills it sees it: a child, and the lines that it says.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::heard::Heard;

pub(super) const FOLDER: &str = "VARIATE_KILLS_FOLDER";
pub(super) const RUN: &str = "VARIATE_KILLS_RUN";
pub(super) const PORT: &str = "VARIATE_KILLS_PORT";

/// How far a writer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The process begins.
    Begins,
    /// It opens the store, which mends the journal first.
    Opens,
    /// Its sinks go on from where they were, the file is cut back, and delivery starts.
    Resumes,
    /// It records and delivers.
    Works,
}

impl Phase {
    fn of(line: &str) -> Option<Self> {
        match line {
            "opening " => Some(Self::Opens),
            "open " => Some(Self::Resumes),
            "ready " => Some(Self::Works),
            _ => None,
        }
    }
}

pub(super) struct Writer {
    child: Child,
    lines: Receiver<String>,
    pub(super) phase: Phase,
    /// Whether its file had a batch already.
    pub(super) has_passed: bool,
}

impl Writer {
    /// Starts this program again, as the writer of a test that knows by its environment what it is.
    pub(super) fn start(test: &str, folder: &Path, environment: [(&str, u64); 2]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FOLDER, folder)
            .envs(environment.map(|(name, number)| (name, number.to_string())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        // What was cut off by the kill was not said.
        let whole = |line: std::io::Result<String>| line.ok();
        std::thread::spawn(move || {
            out.lines().map_while(whole).for_each(|line| drop(sender.send(line)));
        });
        Self { child, lines, phase: Phase::Begins, has_passed: false }
    }

    /// Tells it what to send again.
    pub(super) fn tell(&mut self, ids: &[String]) {
        let line = format!("{}\n", ids.join(" "));
        self.child.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// Waits until it is so far.
    pub(super) fn wait_for(&mut self, phase: Phase, heard: &mut Heard) {
        while self.phase < phase {
            let line =
                self.lines.recv().expect("it says how far it is, and does not end by itself");
            self.hear(&line, heard);
        }
    }

    /// Kills it, whatever it does.
    pub(super) fn kill(&mut self, heard: &mut Heard) {
        self.child.kill().unwrap();
        let is_well = self.end(heard);
        assert!(!is_well, "it ended before it was killed");
    }

    /// Lets it end by itself.
    pub(super) fn dismiss(&mut self, heard: &mut Heard) {
        drop(self.child.stdin.take());
        assert!(self.end(heard), "it ends well by itself");
    }

    fn end(&mut self, heard: &mut Heard) -> bool {
        while let Ok(line) = self.lines.recv() {
            self.hear(&line, heard);
        }
        self.child.wait().unwrap().success()
    }

    fn hear(&mut self, line: &str, heard: &mut Heard) {
        self.phase = Phase::of(line).unwrap_or(self.phase);
        self.has_passed |= line == "passed ";
        heard.line(line);
    }
}
