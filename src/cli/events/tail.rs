//! `variate events tail`: the latest records.
//!
//! Must not know how they are kept.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::anyhow;

use super::filter::filter;
use super::scan::latest_records;
use super::wording::{moment, record_words};
use super::{answer, open};
use crate::cli::arguments::{Format, TailArguments};
use crate::cli::failure::Failure;
use crate::cli::say;
use crate::events::record_json;

pub(super) fn run(arguments: &TailArguments) -> Result<ExitCode, Failure> {
    if arguments.follow {
        return Err(Failure::usage(anyhow!(
            "a store cannot be followed: one process has it open at a time, so that whoever writes to it would be kept out; give that process a file sink and follow its file"
        )));
    }
    let store = open(arguments.held.folder())?;
    let filter = filter(&arguments.filter, &store)?;
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let (records, whole) = latest_records(&store, &filter, limit)?;
    if records.is_empty() && arguments.held.format == Format::Text {
        say("no records");
    }
    let mut text = String::new();
    for (number, record) in &records {
        // Writing to a string cannot fail.
        let _ = match arguments.held.format {
            Format::Json => writeln!(text, "{}", record_json(record)),
            Format::Text => {
                let time = moment(record.about().time_ms);
                writeln!(text, "{number:>8}  {time}  {}", record_words(record))
            }
        };
    }
    answer(&text, whole.exit_code())
}
