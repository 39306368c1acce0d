//! `variate diff`: what is different between two datafiles, and what it does to people.
//!
//! Must not know how differences are found, nor how they are shown.

mod json;
mod text;
mod users;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::arguments::{DiffArguments, Format};
use super::failure::Failure;
use super::say;
use super::words::counted;
use crate::datafile::{Compiled, Datafile};
use crate::difference::{Change, Comparison, Effect, changes};
use crate::error::Error;

/// Exit code under `--exit-code`: something is different.
const DIFFERENT: u8 = 1;

/// What is to be shown.
#[derive(Debug)]
pub(super) struct Report<'r> {
    pub(super) arguments: &'r DiffArguments,
    pub(super) old: &'r Compiled,
    pub(super) new: &'r Compiled,
    pub(super) changes: Vec<Change>,
    /// `None` where nobody was asked about.
    pub(super) effect: Option<Effect>,
}

impl Report<'_> {
    fn is_empty(&self) -> bool {
        let people =
            self.effect.iter().flat_map(|effect| effect.experiments.iter().chain(&effect.flags));
        let changed = people.map(|one| one.changed.saturating_add(one.values_changed));
        self.changes.is_empty() && changed.max().unwrap_or(0) == 0
    }
}

/// Compares two datafiles.
pub(super) fn run(arguments: &DiffArguments) -> Result<ExitCode, Failure> {
    let (old, new) = load_both(arguments)?;
    let comparison = Comparison::new(&old.datafile, &new.datafile);
    let report = Report {
        arguments,
        old: &old,
        new: &new,
        changes: changes(&old.datafile, &new.datafile),
        effect: users::tally(arguments, &comparison)?.map(|tally| comparison.effect(&tally)),
    };
    let text = match arguments.format {
        Format::Text => text::text(&report),
        Format::Json => json::text(&report),
    };
    let mut stdout = io::stdout().lock();
    let is_noticed = arguments.exit_code && !report.is_empty();
    let exit_code = if is_noticed { DIFFERENT } else { 0 };
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::output(error).answered(exit_code))?;
    Ok(ExitCode::from(exit_code))
}

/// Loads both datafiles; where both cannot be used, both are told.
fn load_both(arguments: &DiffArguments) -> Result<(Compiled, Compiled), Failure> {
    let old = load("old", &arguments.old).map_err(Failure::datafile);
    let new = load("new", &arguments.new).map_err(Failure::datafile);
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => return Err(failure),
        (Err(old), Err(new)) => {
            old.report();
            return Err(new);
        }
    };
    if !arguments.quiet {
        tell_findings(&arguments.old, &old);
        tell_findings(&arguments.new, &new);
    }
    Ok((old, new))
}

fn load(which: &str, path: &Path) -> anyhow::Result<Compiled> {
    let context = || format!("the {which} datafile {} is refused", path.display());
    let text = fs::read(path)
        .map_err(|error| Error::file("read the datafile", path, error))
        .with_context(|| format!("the {which} datafile cannot be used"))?;
    Datafile::compile(&text).with_context(context)
}

fn tell_findings(path: &Path, compiled: &Compiled) {
    let count = u64::try_from(compiled.findings.len()).unwrap_or(u64::MAX);
    if count > 0 {
        let (path, findings) = (path.display(), counted(count, "finding"));
        say(&format!("{path}: {findings}: `variate check {path}` tells them"));
    }
}
