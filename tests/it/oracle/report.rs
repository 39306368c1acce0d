//! Counts what was compared and keeps the differences, as text and as files to look at.
//! Must not know how answers are made or compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::programs::{Job, oracle_folder, variate_command};

const MOST_FILES: usize = 60;

#[derive(Default)]
struct Counts {
    calls: usize,
    disagreements: usize,
    differences: usize,
}

/// The figures of a run.
#[derive(Default)]
pub(super) struct Report {
    datafiles: usize,
    refused_by_both: usize,
    kinds: BTreeMap<String, Counts>,
    causes: BTreeMap<String, usize>,
    unclassified: usize,
    between_the_two: usize,
    against_both: usize,
    failures: Vec<String>,
    files: usize,
}

/// Why a call is worth a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// Variate differs from what it must answer.
    Different,
    /// The SDKs disagree, the design names neither, and Variate equals neither.
    BetweenTheTwo,
    /// The SDKs agree, and Variate answers otherwise: only where names are used twice, for which the
    /// design has a rule of its own.
    AgainstBoth,
    /// The SDKs disagree for no known reason.
    Unclassified,
}

impl Report {
    pub(super) fn new() -> Result<Self, String> {
        let folder = oracle_folder().join("failures");
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder)
            .map_err(|error| format!("create {}: {error}", folder.display()))?;
        Ok(Self::default())
    }

    pub(super) fn datafile(&mut self, refused_by_both: bool) {
        self.datafiles += 1;
        self.refused_by_both += usize::from(refused_by_both);
    }

    pub(super) fn call(&mut self, kind: &str, sdks_disagree: bool) {
        let counts = self.kinds.entry(kind.to_owned()).or_default();
        counts.calls += 1;
        counts.disagreements += usize::from(sdks_disagree);
    }

    pub(super) fn cause(&mut self, cause: &str) {
        *self.causes.entry(cause.to_owned()).or_default() += 1;
    }

    /// Notes a difference, with everything that is needed to see it again.
    pub(super) fn finding(
        &mut self,
        finding: Finding,
        job: &Job,
        line: usize,
        evidence: Value,
    ) -> Result<(), String> {
        let kind = evidence["call"]["call"].as_str().unwrap_or("job").to_owned();
        let name = match finding {
            Finding::Different => "different",
            Finding::BetweenTheTwo => "between",
            Finding::AgainstBoth => "against",
            Finding::Unclassified => "unclassified",
        };
        match finding {
            Finding::Different => {
                self.kinds.entry(kind.clone()).or_default().differences += 1;
                self.failures.push(format!(
                    "datafile {} line {line} {kind}: {}",
                    job.index, evidence["what"]
                ));
            }
            Finding::BetweenTheTwo => self.between_the_two += 1,
            Finding::AgainstBoth => self.against_both += 1,
            Finding::Unclassified => self.unclassified += 1,
        }
        if self.files >= MOST_FILES {
            return Ok(());
        }
        self.files += 1;
        let mode = if job.sticky { "sticky" } else { "plain" };
        let stem =
            oracle_folder().join(format!("failures/{name}.{}.{mode}.{line}.{kind}", job.index));
        let reduced = self.write_reduced_calls(job, line, &stem)?;
        let again = format!("{:?}", variate_command(&job.datafile, &reduced, job.sticky));
        let text = serde_json::to_string_pretty(&json!({
            "datafile": job.datafile, "calls": job.calls, "line": line, "sticky": job.sticky,
            "again": again, "evidence": evidence,
        }));
        let text = text.map_err(|error| format!("write evidence: {error}"))?;
        fs::write(stem.with_extension("json"), text)
            .map_err(|error| format!("write evidence: {error}"))
    }

    /// The call, and of those before it only what changes state that it can see.
    fn write_reduced_calls(
        &self,
        job: &Job,
        line: usize,
        stem: &std::path::Path,
    ) -> Result<PathBuf, String> {
        let calls = super::programs::read_lines(&job.calls)?;
        let user = calls.get(line).map(|call| call["userId"].clone()).unwrap_or_default();
        let mut text = String::new();
        for (index, call) in calls.iter().enumerate().take(line + 1) {
            let kind = call["call"].as_str().unwrap_or_default();
            let same_user = call["userId"] == user
                && (job.sticky || kind.starts_with("set") || kind.starts_with("remove"));
            if index == line || same_user || kind == "setDatafile" {
                writeln!(text, "{call}").map_err(|error| error.to_string())?;
            }
        }
        let path = stem.with_extension("calls.jsonl");
        fs::write(&path, text).map_err(|error| format!("write {}: {error}", path.display()))?;
        Ok(path)
    }

    /// How many differences fail the test.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The figures as text.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "datafiles (plain and sticky counted apart): {}, refused by both SDKs: {}\n",
            self.datafiles, self.refused_by_both
        );
        text += "call kind                   calls   SDKs disagree   variate differs\n";
        let mut total = Counts::default();
        for (kind, counts) in &self.kinds {
            text += &format!(
                "{kind:26} {:>7} {:>14} {:>16}\n",
                counts.calls, counts.disagreements, counts.differences
            );
            total.calls += counts.calls;
            total.disagreements += counts.disagreements;
            total.differences += counts.differences;
        }
        text += &format!(
            "{:26} {:>7} {:>14} {:>16}\n",
            "all", total.calls, total.disagreements, total.differences
        );
        text += "causes of disagreements between the SDKs (answers and events counted apart):\n";
        for (cause, count) in &self.causes {
            text += &format!("  {count:>7}  {cause}\n");
        }
        text += &format!(
            "unclassified: {}, ours equals neither where the design names none: {}\n\
             names used twice, where the SDKs agree and the design does not: {}\n",
            self.unclassified, self.between_the_two, self.against_both
        );
        text
    }
}
