//! `variate events dead`: what could not be delivered, listed, sent again or dropped.
//!
//! Must not know how letters are kept.

use std::io::{self, BufWriter, Write as _};
use std::ops::ControlFlow;
use std::process::ExitCode;

use serde::Serialize;

use super::choice::{Chosen, choose};
use super::filter::filter;
use super::json::json_line;
use super::scan::each_letter;
use super::wording::{moment, record_words};
use super::{answer, open};
use crate::cli::arguments::{DeadChoiceArguments, DeadCommand, DeadListArguments, Format};
use crate::cli::failure::{Failure, MALFORMED};
use crate::cli::say;
use crate::cli::words::{counted, listed};
use crate::error::Error;
use crate::events::LetterJson;
use crate::store::{DeadLetter, Outbox as _};

/// As many are asked for or dropped in one commit.
const LETTERS_AT_ONCE: usize = 1000;

pub(super) fn run(command: &DeadCommand) -> Result<ExitCode, Failure> {
    match command {
        DeadCommand::List(arguments) => list(arguments),
        DeadCommand::Retry(arguments) => retry(arguments),
        DeadCommand::Drop(arguments) => drop_letters(arguments),
    }
}

fn list(arguments: &DeadListArguments) -> Result<ExitCode, Failure> {
    let store = open(arguments.held.folder())?;
    let filter = filter(&arguments.filter, &store)?;
    let mut output = BufWriter::new(io::stdout().lock());
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let mut listed = 0_u64;
    each_letter(&store, &filter, &mut |letter| {
        if listed >= limit {
            return Ok(ControlFlow::Break(()));
        }
        listed += 1;
        let text = match arguments.held.format {
            Format::Json => json_line(&LetterJson::new(&letter)),
            Format::Text => letter_words(&letter),
        };
        output.write_all(text.as_bytes()).map_err(Failure::output)?;
        Ok(ControlFlow::Continue(()))
    })?;
    output.flush().map_err(Failure::output)?;
    if listed == 0 && arguments.held.format == Format::Text {
        say("no dead letters");
    }
    Ok(ExitCode::SUCCESS)
}

fn letter_words(letter: &DeadLetter) -> String {
    let DeadLetter { number, sequence, .. } = letter;
    let died = moment(letter.at_ms);
    let sink = letter.sink.as_deref().unwrap_or("all sinks");
    let what = match &letter.record {
        Some(record) => format!("record {sequence}: {}", record_words(record)),
        None => {
            let last = sequence.saturating_add(letter.count.saturating_sub(1));
            format!("{}, {sequence} to {last}, gone", counted(letter.count, "record"))
        }
    };
    let retried = if letter.is_retried { "\n    to be sent again" } else { "" };
    format!("{number}  {died}  {sink}\n    {what}\n    {}{retried}\n", letter.reason)
}

fn retry(arguments: &DeadChoiceArguments) -> Result<ExitCode, Failure> {
    let store = open(arguments.held.folder())?;
    let Chosen { whole, gone, unknown } = choose(&store, arguments)?;
    let retried = in_pieces(&whole, |numbers| store.retry_dead_letters(numbers))?;
    let text = match arguments.held.format {
        Format::Json => json_line(&Retried { retried, gone: &gone, unknown: &unknown }),
        Format::Text => {
            let letters = counted(retried, "dead letter");
            format!(
                "{letters} to be sent again, when the process of the store delivers next, or with `variate events deliver`\n"
            )
        }
    };
    if !gone.is_empty() {
        let numbers = listed(&gone);
        say(&format!("cannot be sent again, since their records are gone: {numbers}"));
    }
    answer(&text, exit_code_of(&unknown))
}

#[derive(Debug, Serialize)]
struct Retried<'c> {
    retried: u64,
    gone: &'c [u64],
    unknown: &'c [u64],
}

fn drop_letters(arguments: &DeadChoiceArguments) -> Result<ExitCode, Failure> {
    let store = open(arguments.held.folder())?;
    let Chosen { mut whole, gone, unknown } = choose(&store, arguments)?;
    whole.extend(gone);
    let dropped = in_pieces(&whole, |numbers| store.drop_dead_letters(numbers))?;
    let text = match arguments.held.format {
        Format::Json => json_line(&Dropped { dropped, unknown: &unknown }),
        Format::Text => format!("{} dropped\n", counted(dropped, "dead letter")),
    };
    answer(&text, exit_code_of(&unknown))
}

#[derive(Debug, Serialize)]
struct Dropped<'c> {
    dropped: u64,
    unknown: &'c [u64],
}

fn in_pieces(
    numbers: &[u64],
    mut act: impl FnMut(&[u64]) -> Result<u64, Error>,
) -> Result<u64, Failure> {
    let mut done = 0;
    for piece in numbers.chunks(LETTERS_AT_ONCE) {
        done += act(piece).map_err(Failure::store)?;
    }
    Ok(done)
}

fn exit_code_of(unknown: &[u64]) -> u8 {
    if unknown.is_empty() {
        return 0;
    }
    say(&format!(
        "error: there are no such dead letters, or not of those meant: {}; `variate events dead list` shows what there is",
        listed(unknown)
    ));
    MALFORMED
}
