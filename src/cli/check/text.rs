//! What a check found, in words: each finding on two lines, and a last line that counts.
//!
//! Must not know exit codes.

use std::fmt::Write as _;

use super::{Outcome, Report};
use crate::cli::story::without_controls;
use crate::cli::words::counted;
use crate::datafile::{LocatedFinding, Severity};

/// Writes all reports.
pub(super) fn write(outcome: &Outcome) -> String {
    let mut text = String::new();
    for report in &outcome.reports {
        for found in &report.findings {
            finding(report, found, &mut text);
        }
    }
    for report in &outcome.reports {
        let _ = writeln!(text, "{}: {}", without_controls(&report.name()), summary(report));
    }
    text
}

fn finding(report: &Report, found: &LocatedFinding, text: &mut String) {
    let (finding, span) = (&found.finding, found.span);
    let name = without_controls(&report.name());
    let place = if finding.path.is_empty() { "(datafile)" } else { &finding.path };
    let (line, column) = (span.line, span.column);
    let (severity, code) = (finding.severity, finding.code);
    let _ = writeln!(text, "{name}:{line}:{column}: {severity}[{code}] {place}");
    let _ = writeln!(text, "    {}; {}", finding.message, finding.remedy);
}

fn summary(report: &Report) -> String {
    if report.refused.is_some() {
        return "not checked".to_owned();
    }
    let kinds = [Severity::Error, Severity::Warning, Severity::Note];
    let counts = kinds.map(|kind| (report.count(kind), kind));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> =
        counts.map(|(count, kind)| counted(*count as u64, &kind.to_string())).collect();
    if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") }
}
