//! `variate events export`: the records that are kept, one JSON object a line.
//!
//! Must not know the form of a record.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;

use super::filter::filter;
use super::open;
use super::scan::{count_of, each_record};
use crate::cli::arguments::ExportArguments;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::same_file::refuse_inside_store;
use crate::cli::say;
use crate::cli::words::counted;
use crate::events::record_json;

pub(super) fn run(arguments: &ExportArguments) -> Result<ExitCode, Failure> {
    let store = open(arguments.place.folder())?;
    let filter = filter(&arguments.filter, &store)?;
    let mut progress = Progress::start_steps("records", count_of(&store, &filter)?);
    if arguments.output.is_some() {
        progress = progress.alone_on_the_terminal();
    }
    let mut output = BufWriter::new(open_output(arguments)?);
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let (mut written, mut bytes) = (0_u64, 0_usize);
    let whole = each_record(&store, &filter, progress, &mut |_, record| {
        if written >= limit {
            return Ok(ControlFlow::Break(()));
        }
        let mut line = record_json(record);
        line.push('\n');
        output.write_all(line.as_bytes()).map_err(|error| unwritable(arguments, error))?;
        written += 1;
        bytes += line.len();
        Ok(ControlFlow::Continue(()))
    })?;
    output.flush().map_err(|error| unwritable(arguments, error))?;
    if let Some(path) = &arguments.output {
        say(&format!("{} in {}, {bytes} bytes", counted(written, "record"), path.display()));
    }
    Ok(ExitCode::from(whole.exit_code()))
}

pub(super) fn open_output(arguments: &ExportArguments) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = &arguments.output else { return Ok(Box::new(io::stdout().lock())) };
    let store = Some(arguments.place.folder()).filter(|folder| !folder.as_os_str().is_empty());
    refuse_inside_store(path, store, "--output")?;
    if !arguments.force && is_regular_file(path) {
        return Err(Failure::usage(anyhow!(
            "{} is there already: give another file, or --force to replace it",
            path.display()
        )));
    }
    Ok(Box::new(File::create(path).map_err(|error| unwritable(arguments, error))?))
}

fn is_regular_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

pub(super) fn unwritable(arguments: &ExportArguments, error: io::Error) -> Failure {
    let Some(path) = &arguments.output else { return Failure::output(error) };
    let path = path.display();
    Failure::usage(anyhow::Error::from(error).context(format!(
        "cannot write the records to {path}: check that its folder exists, has room and may be written to"
    )))
}
