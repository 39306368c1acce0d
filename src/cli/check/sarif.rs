//! What a check found, as SARIF 2.1.0: the form that code review tools show beside the lines.
//!
//! Must not know how faults are found. A datafile that was refused is a result of its own; one that
//! cannot be read is a notification of the run, since there is nothing to point at.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Outcome, Refusal, Report, STDIN};
use crate::datafile::{CODES, LocatedFinding};

/// The rule of datafiles that are refused as a whole.
const REFUSED: (&str, &str) = (
    "refused-datafile",
    "the datafile is not readable JSON, or of a version that is not supported",
);

/// Writes all reports as one run.
pub(super) fn write(outcome: &Outcome) -> String {
    let rules = Rules::new();
    let results: Vec<Value> =
        outcome.reports.iter().flat_map(|report| results(report, &rules)).collect();
    let run = json!({
        "tool": {"driver": {
            "name": "variate",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": rules.list,
        }},
        "invocations": [invocation(outcome)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

/// The rules, and the place of each in their list.
struct Rules {
    list: Vec<Value>,
    index_by_code: BTreeMap<&'static str, usize>,
}

impl Rules {
    fn new() -> Self {
        let codes = CODES.iter().map(|code| (code.name, code.summary)).chain([REFUSED]);
        let codes: Vec<_> = codes.collect();
        let rule = |(name, summary): &(&str, &str)| json!({"id": name, "shortDescription": {"text": summary}});
        Self {
            list: codes.iter().map(rule).collect(),
            index_by_code: (0..).zip(&codes).map(|(index, (name, _))| (*name, index)).collect(),
        }
    }

    fn result(&self, code: &str, level: &str, message: String, location: Value) -> Value {
        let mut result = Map::new();
        result.insert("ruleId".to_owned(), code.into());
        if let Some(index) = self.index_by_code.get(code) {
            result.insert("ruleIndex".to_owned(), (*index).into());
        }
        result.insert("level".to_owned(), level.into());
        result.insert("message".to_owned(), json!({"text": message}));
        result.insert("locations".to_owned(), json!([location]));
        result.into()
    }
}

fn results(report: &Report, rules: &Rules) -> Vec<Value> {
    let found = report.findings.iter().map(|found| of_finding(report, found, rules));
    let refusal = report.refused.iter().filter(|refusal| refusal.is_read);
    found.chain(refusal.map(|refusal| of_refusal(report, refusal, rules))).collect()
}

fn of_finding(report: &Report, found: &LocatedFinding, rules: &Rules) -> Value {
    let (finding, span) = (&found.finding, found.span);
    let region = json!({
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.line,
        "endColumn": span.end_column,
    });
    let mut location = json!({"physicalLocation": physical(report, region)});
    if let (false, Some(location)) = (finding.path.is_empty(), location.as_object_mut()) {
        let logical = json!([{"fullyQualifiedName": finding.path}]);
        location.insert("logicalLocations".to_owned(), logical);
    }
    let message = format!("{}; {}", finding.message, finding.remedy);
    // The severities have SARIF's names.
    rules.result(finding.code, &finding.severity.to_string(), message, location)
}

fn of_refusal(report: &Report, refusal: &Refusal, rules: &Rules) -> Value {
    let (line, column) = refusal.position.unwrap_or((1, 1));
    let region = json!({"startLine": line, "startColumn": column});
    let location = json!({"physicalLocation": physical(report, region)});
    rules.result(REFUSED.0, "error", refusal.message.clone(), location)
}

fn physical(report: &Report, region: Value) -> Value {
    json!({"artifactLocation": {"uri": uri(&report.path)}, "region": region})
}

fn invocation(outcome: &Outcome) -> Value {
    let unread = outcome.reports.iter().filter_map(|report| {
        let refusal = report.refused.as_ref().filter(|refusal| !refusal.is_read)?;
        Some(json!({"level": "error", "message": {"text": refusal.message}}))
    });
    let unread: Vec<Value> = unread.collect();
    json!({
        "executionSuccessful": unread.is_empty(),
        "exitCode": outcome.exit_code,
        "toolExecutionNotifications": unread,
    })
}

/// A path as a reference that is valid in SARIF: relative ones stay so.
fn uri(path: &Path) -> String {
    if path == Path::new(STDIN) {
        return "stdin".to_owned();
    }
    let mut uri = String::new();
    if path.is_absolute() {
        uri.push_str("file://");
    }
    let path = path.to_string_lossy();
    let path = path.strip_prefix("./").unwrap_or(&path);
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
