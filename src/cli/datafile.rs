//! Reading the datafile that a command was given.
//!
//! Must not know what the command does with it.

use std::path::Path;

use anyhow::Context;

use super::failure::{Failure, say};
use crate::datafile::{Datafile, Severity};

/// Reads and compiles a datafile; what is wrong with it is summed up on standard error.
pub(super) fn load(path: &Path, is_quiet: bool) -> Result<Datafile, Failure> {
    let text = std::fs::read(path)
        .with_context(|| {
            format!(
                "cannot read the datafile {}: check that it exists and that you may read it",
                path.display()
            )
        })
        .map_err(Failure::refused)?;
    let compiled = Datafile::compile(&text)
        .with_context(|| format!("the datafile {} is refused", path.display()))
        .map_err(Failure::refused)?;
    let worst = compiled.findings.iter().max_by_key(|finding| finding.severity);
    if let Some(worst) = worst.filter(|worst| !is_quiet && worst.severity > Severity::Note) {
        let count = compiled.findings.len();
        let (findings, works) = if count == 1 {
            ("finding", "its part is left out")
        } else {
            ("findings", "their parts are left out")
        };
        let path = path.display();
        say(&format!(
            "variate: {path}: {count} {findings}, {works} and the rest works; the worst:\n  {worst}"
        ));
    }
    Ok(compiled.datafile)
}
