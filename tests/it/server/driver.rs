//! A program that is asked a line at a time, and answers each with a line: clients of others, driven.
//!
//! Must not know what is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A running program; it ends with this.
pub(super) struct Driver {
    name: &'static str,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A folder below the one that cargo builds into, where setup scripts install.
#[expect(clippy::disallowed_methods, reason = "says where cargo builds")]
pub(super) fn installed(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target")).join(name)
}

impl Driver {
    /// Starts a program with its arguments.
    pub(super) fn start(name: &'static str, program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| {
            panic!("{name} does not start: {error}; run the test's setup script")
        });
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { name, questions: child.stdin.take(), child, answers }
    }

    /// Asks, and waits for the answer.
    #[track_caller]
    pub(super) fn ask(&mut self, question: &Value) -> Value {
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{question}").unwrap();
        questions.flush().unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer)
            .unwrap_or_else(|_| panic!("{} on {question}: no answer: {answer:?}", self.name))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It reads to the end; who does not look at it any more ends it all the same.
        drop(self.questions.take());
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}
