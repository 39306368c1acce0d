//! Checking a datafile: everything that compiling finds and everything that linting finds, with where
//! in the text it stands.
//!
//! Must not know the rules: they are in `lint`, and in `compile` where they are needed to decide.

use super::finding::Finding;
use super::findings::Findings;
use super::model::Datafile;
use super::span::{TextSpan, spans};
use super::{compile, lint, wire};
use crate::error::Error;

/// A datafile that was checked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Checked {
    /// The datafile, compiled as [`Datafile::compile`] does.
    pub datafile: Datafile,
    /// What is wrong, in the order of the text. At most 1000 are listed, and a last one, as severe as the
    /// worst that it stands for, tells of the rest.
    pub findings: Vec<LocatedFinding>,
}

/// A finding and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocatedFinding {
    /// What is wrong.
    pub finding: Finding,
    /// The text at its path; of a field that is missing, the object that it is missing from.
    pub span: TextSpan,
}

impl Datafile {
    /// Compiles a datafile from its JSON text, and also looks for what works but can hardly be meant:
    /// ranges that nobody falls into, rules that nobody reaches, audiences that nobody or everybody is
    /// in, attributes that are not declared and the like. [`CODES`](super::CODES) lists all kinds.
    ///
    /// # Errors
    ///
    /// Only if the text is not readable JSON, or its version is not `"2"`, `"3"` or `"4"`.
    pub fn check(text: impl AsRef<[u8]>) -> Result<Checked, Error> {
        let mut findings = Findings::default();
        let text = wire::utf8(text.as_ref(), &mut findings)?;
        let datafile = compile::compile(text, &mut findings)?;
        // Compiling uses the wire form up. Its faults are known by now, so they are not listed again.
        let wire = wire::read(text, &mut Findings::default())?;
        lint::lint(&wire, &datafile, &mut findings);
        Ok(Checked { datafile, findings: located(text, findings) })
    }
}

fn located(text: &str, findings: Findings) -> Vec<LocatedFinding> {
    let listed = findings.finish_with_places();
    let places: Vec<_> = listed.iter().map(|(_, place)| place).collect();
    let spans = spans(text, &places);
    let located = listed.into_iter().zip(spans);
    let mut located: Vec<_> =
        located.map(|((finding, _), span)| LocatedFinding { finding, span }).collect();
    let is_last = |found: &LocatedFinding| found.finding.code == "too-many-findings";
    located.sort_by_key(|found| (is_last(found), found.span.line, found.span.column));
    located
}
