//! `variate check`: what is wrong with datafiles.
//!
//! Must not know what faults there are: the library finds them, the writers show them.

mod json;
mod sarif;
mod text;

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;

use super::arguments::{CheckArguments, CheckFormat};
use super::failure::{DATAFILE, Failure, MALFORMED};
use super::say;
use crate::datafile::{Datafile, LocatedFinding, Severity};
use crate::error::Error;

/// What came of one datafile.
#[derive(Debug)]
struct Report {
    path: PathBuf,
    /// Why there are no findings, if the datafile is of no use.
    refused: Option<Refusal>,
    findings: Vec<LocatedFinding>,
}

/// Why a datafile is of no use.
#[derive(Debug)]
struct Refusal {
    /// What is wrong and what to do, with its causes.
    message: String,
    /// The line and column, where there is one.
    position: Option<(usize, usize)>,
    /// Whether its text was seen at all.
    is_read: bool,
}

/// All reports, and what they mean for the exit code.
#[derive(Debug)]
struct Outcome {
    reports: Vec<Report>,
    fail_on: Severity,
    exit_code: u8,
}

/// Checks the datafiles and writes what was found.
pub(super) fn run(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let is_stdin = |path: &&PathBuf| path.as_path() == Path::new(STDIN);
    if arguments.datafiles.iter().filter(is_stdin).count() > 1 {
        return Err(Failure::usage(anyhow!("standard input can be read once: give `-` once")));
    }
    let reports: Vec<_> = arguments.datafiles.iter().map(|path| report(path)).collect();
    let fail_on = Severity::from(arguments.fail_on);
    let exit_code = exit_code(&reports, fail_on);
    let outcome = Outcome { reports, fail_on, exit_code };
    let text = match arguments.format {
        CheckFormat::Text => text::write(&outcome),
        CheckFormat::Json => json::write(&outcome),
        CheckFormat::Sarif => sarif::write(&outcome),
    };
    let refusals =
        outcome.reports.iter().filter_map(|report| Some((report, report.refused.as_ref()?)));
    for (report, refusal) in refusals {
        // What cannot be read is named in its message.
        let name = if refusal.is_read { format!("{}: ", report.name()) } else { String::new() };
        say(&format!("error: {name}{}", refusal.message));
    }
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::output(error).answered(outcome.exit_code))?;
    Ok(ExitCode::from(outcome.exit_code))
}

/// Stands for standard input.
const STDIN: &str = "-";

fn report(path: &Path) -> Report {
    let path = path.to_owned();
    let checked = read(&path).and_then(|text| {
        let checked = Datafile::check(text).map_err(|error| {
            let position = error.datafile_position();
            Refusal { message: words_of(error), position, is_read: true }
        })?;
        Ok(checked.findings)
    });
    match checked {
        Ok(findings) => Report { path, refused: None, findings },
        Err(refusal) => Report { path, refused: Some(refusal), findings: Vec::new() },
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    let text = if path == Path::new(STDIN) {
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text).map(|_| text)
    } else {
        fs::read(path)
    };
    text.map_err(|error| {
        let message = words_of(Error::file("read the datafile", path, error));
        Refusal { message, position: None, is_read: false }
    })
}

fn words_of(error: Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// A datafile that is of no use outweighs what was found in others.
fn exit_code(reports: &[Report], fail_on: Severity) -> u8 {
    if reports.iter().any(|report| report.refused.is_some()) {
        return DATAFILE;
    }
    let mut findings = reports.iter().flat_map(|report| &report.findings);
    if findings.any(|found| found.finding.severity >= fail_on) { MALFORMED } else { 0 }
}

impl Report {
    /// What the datafile is called.
    fn name(&self) -> String {
        if self.path == Path::new(STDIN) {
            return "standard input".to_owned();
        }
        self.path.display().to_string()
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|found| found.finding.severity == severity).count()
    }
}
