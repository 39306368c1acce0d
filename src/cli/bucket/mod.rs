//! `variate bucket`: a file of users in, the variations of each out, as a stream on all threads.
//!
//! Must not know how anybody is bucketed: `bulk` does.

mod assign;
mod form;
mod pipeline;
mod summary;

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use super::arguments::BucketArguments;
use super::failure::{Failure, MALFORMED};
use super::load::load_datafile;
use super::progress::Progress;
use super::same_file::is_same_file;
use super::say;
use super::subject::refuse_unknown_key;
use super::users::{UsersFile, UsersFormat};
use crate::bulk::Crowd;
use crate::clock::Stopwatch;
use crate::targeting::Attribute;
use assign::Assigner;
use form::OutputForm;

/// Assigns the users of a file.
pub(super) fn run(arguments: &BucketArguments) -> Result<ExitCode, Failure> {
    let datafile =
        load_datafile(&arguments.datafile, arguments.findings).map_err(Failure::datafile)?;
    let key = arguments.subject.experiment.as_deref();
    refuse_unknown_key(&datafile, (None, key))?;
    if datafile.experiments().next().is_none() {
        return Err(Failure::unknown_key(
            "the datafile has no experiments: there is nothing to assign".to_owned(),
        ));
    }
    let users =
        UsersFile::open(&arguments.users, arguments.input_format, arguments.id_field.as_deref())?;
    let shared: Vec<Attribute<'_>> = arguments.shared_attributes();
    let crowd = Crowd { attributes: &shared, segments: None };
    let format = arguments.format.unwrap_or_else(|| users.format());
    let form = OutputForm::new(format, key.is_some());
    let assigner = Assigner::new(&datafile, (key, crowd), form);
    let mut output = open_output(arguments)?;
    let watch = Stopwatch::start();
    if format == UsersFormat::Csv {
        output.write_all(&assigner.header()).map_err(|error| unwritable(arguments, error))?;
    }
    let threads = arguments.threads();
    let mut progress = Progress::start_counting("users", users.total_bytes());
    if arguments.output.is_some() {
        progress = progress.alone_on_the_terminal();
    }
    let assigned = pipeline::run(users, &assigner, threads, progress, &mut |text| {
        output.write_all(text).map_err(|error| unwritable(arguments, error))
    })?;
    output.flush().map_err(|error| unwritable(arguments, error))?;
    let lines = summary::lines(&assigner, &assigned, (watch.elapsed(), threads));
    lines.iter().chain(&assigned.faults.lines()).for_each(|line| say(line));
    let is_whole = assigned.faults.count == 0;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(MALFORMED) })
}

fn open_output(arguments: &BucketArguments) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = &arguments.output else { return Ok(Box::new(io::stdout().lock())) };
    for (input, what) in [(&arguments.datafile, "datafile"), (&arguments.users, "users")] {
        if is_same_file(path, input) {
            return Err(Failure::usage(anyhow::anyhow!(
                "--output would overwrite the {what} in {}: give another file",
                input.display()
            )));
        }
    }
    Ok(Box::new(File::create(path).map_err(|error| unwritable(arguments, error))?))
}

fn unwritable(arguments: &BucketArguments, error: io::Error) -> Failure {
    let Some(path) = &arguments.output else { return Failure::output(error) };
    let path = path.display();
    Failure::usage(anyhow::Error::from(error).context(format!(
        "cannot write the variations to {path}: check that its folder exists, has room and may be written to"
    )))
}
