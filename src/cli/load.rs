//! Loading a datafile: the file read, compiled, and its findings summed up on standard error.
//!
//! Must not know what the datafile is for.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use super::say;
use crate::datafile::{Datafile, Finding};
use crate::error::Error;

/// Reads and compiles a datafile. Findings do not keep it from being used; one line tells of them,
/// unless it is to be quiet.
pub(super) fn load_datafile(path: &Path, is_quiet: bool) -> anyhow::Result<Datafile> {
    let text = fs::read(path).map_err(|error| Error::file("read the datafile", path, error))?;
    let compiled = Datafile::compile(&text)
        .with_context(|| format!("the datafile {} is refused", path.display()))?;
    if let (false, Some(first)) = (is_quiet, compiled.findings.first()) {
        say(&summary_of_findings(path, compiled.findings.len(), first));
    }
    Ok(compiled.datafile)
}

fn summary_of_findings(path: &Path, count: usize, first: &Finding) -> String {
    let path = path.display();
    match count {
        1 => format!("{path}: 1 finding: {first}"),
        _ => format!("{path}: {count} findings, the first: {first}"),
    }
}
