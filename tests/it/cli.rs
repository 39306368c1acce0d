//! The command line: messages, exit codes, formats, and that no input makes it panic.
//!
//! Must not know how decisions come about; the cases and the oracle look at answers.

mod bench;
mod bucket;
mod check;
mod decide;
mod diff;
mod events;
mod malformed;
mod pipes;
mod replay;
mod text;
mod usage;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

const SHOP: &str = "datafiles/shop.json";

/// Runs the command in the project's folder.
fn variate(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    // The help would be as wide as the tester's terminal.
    command.env_remove("COLUMNS");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // Written beside the reading, or both would wait. A command that ends early closes the pipe.
    thread::scope(|scope| {
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("the command ends")
    })
}

/// Replays calls on the shop.
fn replay(calls: &str, more: &[&str]) -> Output {
    let arguments = [&["replay", "--datafile", SHOP, "--calls", "-", "--quiet"], more].concat();
    variate(&arguments, calls.as_bytes())
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("answers are text")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("messages are text")
}

/// The answers to calls on the shop, and the exit code.
#[track_caller]
fn check(calls: &str, expect: &str, exit_code: i32) {
    let output = replay(calls, &[]);
    assert_eq!(stdout(&output), expect, "answers to {calls}");
    assert_eq!(output.status.code(), Some(exit_code), "{}", stderr(&output));
}

/// A message without the folder of scratch files.
fn without_folder(message: &str, folder: &Path) -> String {
    message.replace(&folder.display().to_string(), "FOLDER")
}
