//! How a command fails: a message for people and an exit code for machines.
//!
//! Must not know the commands.

use std::io::ErrorKind;
use std::process::ExitCode;

/// A line of the input was malformed, or a key unknown.
pub(super) const MALFORMED: u8 = 1;
/// Wrong usage, or a file that cannot be used.
const USAGE: u8 = 2;
/// The datafile is refused.
const REFUSED: u8 = 3;

/// Why a command stops.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: USAGE, error: error.into() }
    }

    pub(super) fn unknown_key(message: String) -> Self {
        Self { code: MALFORMED, error: anyhow::Error::msg(message) }
    }

    pub(super) fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self { code: REFUSED, error: error.into() }
    }

    /// Says what went wrong; who closed our standard output is told nothing, and that is success.
    pub(super) fn report(self) -> ExitCode {
        if self.error.chain().any(is_broken_pipe) {
            return ExitCode::SUCCESS;
        }
        say(&format!("variate: {:#}", self.error));
        ExitCode::from(self.code)
    }
}

/// Says something to people: on standard error, so that answers stay clean.
#[expect(clippy::print_stderr, reason = "the one place where the command speaks")]
pub(super) fn say(words: &str) {
    eprintln!("{words}");
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
