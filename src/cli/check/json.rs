//! What a check found, as one JSON object. The members and their meaning are stable; new ones may come.
//!
//! Must not know how faults are found.

use serde::Serialize;

use super::{Outcome, Report};
use crate::datafile::{LocatedFinding, Severity};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonOutcome<'a> {
    datafiles: Vec<JsonReport<'a>>,
    fail_on: String,
    exit_code: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport<'a> {
    datafile: String,
    refused: Option<&'a str>,
    findings: Vec<JsonFinding<'a>>,
    errors: usize,
    warnings: usize,
    notes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonFinding<'a> {
    severity: String,
    code: &'a str,
    path: &'a str,
    line: usize,
    column: usize,
    end_column: usize,
    message: &'a str,
    remedy: &'a str,
}

/// Writes all reports.
pub(super) fn write(outcome: &Outcome) -> String {
    let outcome = JsonOutcome {
        datafiles: outcome.reports.iter().map(json_report).collect(),
        fail_on: outcome.fail_on.to_string(),
        exit_code: outcome.exit_code,
    };
    let mut text = serde_json::to_string_pretty(&outcome).unwrap_or_default();
    text.push('\n');
    text
}

fn json_report(report: &Report) -> JsonReport<'_> {
    JsonReport {
        datafile: report.path.display().to_string(),
        refused: report.refused.as_ref().map(|refusal| &*refusal.message),
        findings: report.findings.iter().map(json_finding).collect(),
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        notes: report.count(Severity::Note),
    }
}

fn json_finding(found: &LocatedFinding) -> JsonFinding<'_> {
    let (finding, span) = (&found.finding, found.span);
    JsonFinding {
        severity: finding.severity.to_string(),
        code: finding.code,
        path: &finding.path,
        line: span.line,
        column: span.column,
        end_column: span.end_column,
        message: &finding.message,
        remedy: &finding.remedy,
    }
}
