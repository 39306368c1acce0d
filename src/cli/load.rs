//! Loading a datafile: the file read, compiled, and its findings summed up on standard error.
//!
//! Must not know what the datafile is for.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::arguments::FindingsArguments;
use super::say;
use crate::datafile::{Datafile, Finding};
use crate::error::Error;

/// Reads and compiles a datafile. Findings do not keep it from being used; one line tells of them,
/// unless all or none are asked for.
pub(super) fn load_datafile(path: &Path, told: FindingsArguments) -> anyhow::Result<Datafile> {
    let text = fs::read(path).map_err(|error| Error::file("read the datafile", path, error))?;
    let compiled = Datafile::compile(&text)
        .with_context(|| format!("the datafile {} is refused", path.display()))?;
    match (&*compiled.findings, told) {
        ([], _) | (_, FindingsArguments { quiet: true, .. }) => {}
        (all, FindingsArguments { findings: true, .. }) => {
            all.iter().for_each(|finding| say(&format!("{}: {finding}", path.display())));
        }
        ([first, ..], _) => say(&summary_of_findings(path, compiled.findings.len(), first)),
    }
    Ok(compiled.datafile)
}

fn summary_of_findings(path: &Path, count: usize, first: &Finding) -> String {
    let path = path.display();
    match count {
        1 => format!("{path}: 1 finding: {first}"),
        _ => format!("{path}: {count} findings (--findings shows all), the first: {first}"),
    }
}
