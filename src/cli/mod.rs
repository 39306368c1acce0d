//! The command line: one file per command, typed arguments in, an exit code out.
//!
//! Must not know how anything is decided or attributed: the client does, and `bulk`. Answers go to standard output, everything else that is said to standard error.

mod answer;
mod arguments;
mod bench;
mod bucket;
mod call;
mod check;
mod decide;
mod diff;
mod engine;
mod events;
mod failure;
mod ledger;
mod lessons;
mod line_end;
mod load;
mod members;
mod progress;
mod read_call;
mod rehearse;
mod replay;
mod same_file;
mod serve;
mod story;
mod subject;
mod summary;
mod users;
mod words;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
#[doc(hidden)]
pub use rehearse::{Rehearsal, RehearsalSetup, rehearse};

/// Runs the command with the arguments of the process.
///
/// The exit code is 0, 1 for a malformed line, an unknown key, findings of `check`, a difference under
/// `diff --exit-code`, something that a store did not take or has lost, 2 for wrong usage or a file that
/// cannot be used, 3 for a datafile that is unreadable or refused or a store that cannot be opened, 4 for
/// a store that another process has open, 101 (that of a panic, too) for a defect of the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help that nobody reads any more is no fault.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    let done = match arguments.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Decide(arguments) => decide::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Bucket(arguments) => bucket::run(&arguments),
        Command::Events(arguments) => events::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    done.unwrap_or_else(|failure| failure.report())
}

/// Says a line on standard error, also where nobody listens.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
