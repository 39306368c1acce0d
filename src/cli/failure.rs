//! What ends a command early, and the exit code that says so.
//!
//! Must not know commands.

use std::io;
use std::process::ExitCode;

use crate::error::Error;

/// Exit code: a line of calls or users is malformed, a key unknown, or a check found something.
pub(super) const MALFORMED: u8 = 1;
/// Exit code: wrong usage; also a file of calls, events or users that cannot be read or written.
pub(super) const USAGE: u8 = 2;
/// Exit code: the datafile was refused, or cannot be read.
pub(super) const DATAFILE: u8 = 3;
/// Exit code: there is no such store, or it cannot be opened.
pub(super) const STORE: u8 = 3;
/// Exit code: the daemon's settings are refused, or what they name cannot be used.
pub(super) const SETTINGS: u8 = 3;
/// Exit code: another process has the store open, or listens where the daemon was to listen.
pub(super) const IN_USE: u8 = 4;
/// Exit code: a defect of this program; the same as that of a panic.
pub(super) const DEFECT: u8 = 101;

/// The end of a command before its work is done.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    /// `None` where nothing is to be said.
    error: Option<anyhow::Error>,
}

impl Failure {
    /// Wrong usage, or files that the command cannot work with.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: USAGE, error: Some(error.into()) }
    }

    /// The datafile has nothing of the key that was asked for.
    pub(super) fn unknown_key(message: String) -> Self {
        Self { code: MALFORMED, error: Some(anyhow::Error::msg(message)) }
    }

    /// A line of the input cannot be read.
    pub(super) fn malformed(message: String) -> Self {
        Self { code: MALFORMED, error: Some(anyhow::Error::msg(message)) }
    }

    /// The datafile cannot be used.
    pub(super) fn datafile(error: anyhow::Error) -> Self {
        Self { code: DATAFILE, error: Some(error) }
    }

    /// The store cannot be used.
    pub(super) fn store(error: Error) -> Self {
        let code = if error.is_store_in_use() { IN_USE } else { STORE };
        Self { code, error: Some(error.into()) }
    }

    /// The store is in use, perhaps by a daemon that can be asked instead.
    pub(super) fn store_of_a_daemon(error: Error) -> Self {
        let remedy = "or ask it, if it is a daemon: in the place of --store, --admin with the address of its administration, http://127.0.0.1:8088 if it was given no other";
        Self { code: IN_USE, error: Some(anyhow::anyhow!("{error}; {remedy}")) }
    }

    /// A running daemon cannot be asked, or its answer is not whole.
    pub(super) fn unreachable(error: anyhow::Error) -> Self {
        Self { code: STORE, error: Some(error) }
    }

    /// The daemon cannot start: settings, a datafile or the store; or somebody has its address or store.
    pub(super) fn settings(error: Error) -> Self {
        let is_in_use = error.is_store_in_use() || error.is_address_in_use();
        let code = if is_in_use { IN_USE } else { SETTINGS };
        Self { code, error: Some(error.into()) }
    }

    /// The daemon ended, and something that it took is not stored.
    pub(super) fn not_kept(error: Error) -> Self {
        Self { code: MALFORMED, error: Some(error.into()) }
    }

    /// The program itself is at fault.
    pub(super) fn defect(message: String) -> Self {
        Self { code: DEFECT, error: Some(anyhow::Error::msg(message)) }
    }

    /// Standard output takes no more. A reader that has seen enough (`| head`) is no fault.
    pub(super) fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { code: 0, error: None };
        }
        let error = anyhow::Error::from(error)
            .context("cannot write the answers: check where standard output goes");
        Self { code: USAGE, error: Some(error) }
    }

    /// Where a reader has seen enough of a whole answer, the answer's exit code stands.
    pub(super) fn answered(self, code: u8) -> Self {
        let is_quiet = self.error.is_none();
        Self { code: if is_quiet { code } else { self.code }, ..self }
    }

    /// Says what happened and gives the exit code.
    pub(super) fn report(&self) -> ExitCode {
        if let Some(error) = &self.error {
            super::say(&format!("error: {error:#}"));
        }
        ExitCode::from(self.code)
    }
}
