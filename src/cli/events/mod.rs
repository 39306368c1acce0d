//! `variate events`: looks after a store on disk that no process has open; of one that a daemon has open, it
//! asks that.
//!
//! Must not know how a store keeps things: it reads what the store gives, and shows it.

mod admin;
mod choice;
mod datafiles;
mod dead;
mod deliver;
mod export;
mod filter;
mod forget;
mod json;
mod remote;
mod scan;
mod stats;
mod tail;
mod verify;
mod wording;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::arguments::{EventsArguments, EventsCommand};
use super::failure::Failure;
use crate::error::Error;
use crate::store::DurableStore;

/// Looks after a store.
pub(super) fn run(arguments: &EventsArguments) -> Result<ExitCode, Failure> {
    if let Some(answered) = remote::run(&arguments.command) {
        return answered;
    }
    match &arguments.command {
        EventsCommand::Stats(arguments) => stats::run(arguments),
        EventsCommand::Tail(arguments) => tail::run(arguments),
        EventsCommand::Export(arguments) => export::run(arguments),
        EventsCommand::Dead { command } => dead::run(command),
        EventsCommand::Deliver(arguments) => deliver::run(arguments),
        EventsCommand::Forget(arguments) => forget::run(arguments),
        EventsCommand::Verify(arguments) => verify::run(arguments),
    }
}

fn open(folder: &Path) -> Result<DurableStore, Failure> {
    DurableStore::open_at_rest(folder).map_err(unopened)
}

/// A store that a daemon has open can be asked for there.
fn unopened(error: Error) -> Failure {
    if error.is_store_in_use() { Failure::store_of_a_daemon(error) } else { Failure::store(error) }
}

/// Writes a whole answer to standard output; its exit code stands also where nobody reads to the end.
fn answer(text: &str, exit_code: u8) -> Result<ExitCode, Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(error).answered(exit_code))?;
    Ok(ExitCode::from(exit_code))
}
