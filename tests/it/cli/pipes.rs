//! Readers that close the pipe early: the command ends soon, in silence, and with the code of its answer.
//!
//! Must not know what is answered.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{SHOP, stderr};

const EDITED: &str = "datafiles/diff/shop-edited.json";

/// The command, with a standard output that nobody reads.
fn unread(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    child
}

#[track_caller]
fn check(arguments: &[&str], exit_code: i32) {
    let output = unread(arguments).wait_with_output().unwrap();
    assert_eq!((stderr(&output), output.status.code()), ("", Some(exit_code)), "{arguments:?}");
}

#[test]
fn the_code_is_that_of_the_answer() {
    check(&["check", SHOP], 0);
    for format in ["text", "json", "sarif"] {
        check(&["check", "datafiles/planted/planted.json", "--format", format], 1);
    }
    check(&["diff", SHOP, EDITED, "--sample", "10", "-q"], 0);
    check(&["diff", SHOP, EDITED, "--sample", "10", "-q", "--exit-code"], 1);
    check(&["diff", SHOP, SHOP, "--sample", "10", "-q", "--exit-code"], 0);
    check(&["decide", "--datafile", SHOP, "--all", "--user", "u", "-q"], 0);
    check(&["bench", "--duration", "1ms", "--threads", "1", "-q"], 0);
    check(&["help", "replay"], 0);
}

/// More users could still come, but nobody reads what they get.
#[test]
fn nobody_waits_for_input_that_is_of_no_use() {
    for threads in ["1", "3"] {
        let asked = ["bucket", "--datafile", SHOP, "--all", "--users", "-", "-q"];
        let mut child =
            unread(&[&asked[..], &["--input-format", "ndjson", "--threads", threads]].concat());
        let mut input = child.stdin.take().unwrap();
        let writer = thread::spawn(move || {
            let _ = input.write_all(&b"\"anna\"\n".repeat(100_000));
            input
        });
        let mut looks = 0;
        while child.try_wait().unwrap().is_none() && looks < 600 {
            looks += 1;
            thread::sleep(Duration::from_millis(50));
        }
        let is_over = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        drop(writer.join().unwrap());
        assert!(is_over, "it waits for more input");
        assert_eq!((stderr(&output), output.status.code()), ("", Some(0)));
    }
}
