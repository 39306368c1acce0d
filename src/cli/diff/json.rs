//! The answer of `variate diff` as one JSON object.
//!
//! Must not know how differences are found.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Report;
use crate::cli::arguments::DiffArguments;
use crate::datafile::Compiled;
use crate::difference::{Change, Effect, Name, Outcome, SubjectEffect, Transition};

/// The report as a line of JSON.
pub(super) fn text(report: &Report<'_>) -> String {
    let answer = Answer {
        old: Side::new(&report.arguments.old.to_string_lossy(), report.old),
        new: Side::new(&report.arguments.new.to_string_lossy(), report.new),
        changes: report.changes.iter().map(ChangeAnswer::new).collect(),
        people: report.effect.as_ref().map(|effect| People::new(report.arguments, effect)),
    };
    let mut text = serde_json::to_string(&answer).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'r> {
    old: Side<'r>,
    new: Side<'r>,
    changes: Vec<ChangeAnswer<'r>>,
    /// `null` with `--sample 0`.
    people: Option<People<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Side<'r> {
    path: String,
    revision: &'r str,
    findings: usize,
}

impl<'r> Side<'r> {
    fn new(path: &str, compiled: &'r Compiled) -> Self {
        Self {
            path: path.to_owned(),
            revision: compiled.datafile.revision(),
            findings: compiled.findings.len(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeAnswer<'r> {
    kind: &'static str,
    what: &'static str,
    path: &'r [String],
    before: Option<&'r Value>,
    after: Option<&'r Value>,
    rebuckets: bool,
    text: String,
    meaning: Option<&'r str>,
}

impl<'r> ChangeAnswer<'r> {
    fn new(change: &'r Change) -> Self {
        Self {
            kind: change.kind.as_str(),
            what: change.what,
            path: &change.path,
            before: change.before.as_ref(),
            after: change.after.as_ref(),
            rebuckets: change.rebuckets,
            text: change.to_string(),
            meaning: change.meaning.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct People<'r> {
    users: u64,
    #[serde(flatten)]
    source: Source<'r>,
    experiments: Vec<SubjectAnswer<'r>>,
    flags: Vec<SubjectAnswer<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Source<'r> {
    #[serde(rename_all = "camelCase")]
    Sample {
        seed: u64,
        attributes: Map<String, Value>,
        segments: &'r [String],
    },
    File(Cow<'r, str>),
}

impl<'r> People<'r> {
    fn new(arguments: &'r DiffArguments, effect: &'r Effect) -> Self {
        let source = match &arguments.users {
            Some(path) => Source::File(path.to_string_lossy()),
            None => Source::Sample {
                seed: arguments.seed,
                attributes: arguments.attribute.iter().cloned().collect(),
                segments: &arguments.segment,
            },
        };
        let answers = |subjects: &'r [SubjectEffect], is_flag: bool| {
            subjects.iter().map(|one| SubjectAnswer::new(one, effect.users, is_flag)).collect()
        };
        Self {
            users: effect.users,
            source,
            experiments: answers(&effect.experiments, false),
            flags: answers(&effect.flags, true),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubjectAnswer<'r> {
    key: &'r str,
    /// `both`, `old` or `new`: where it is.
    #[serde(rename = "in")]
    place: &'static str,
    id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_key: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_id: Option<&'r str>,
    changed: u64,
    share: f64,
    /// Of the changed: those who keep their variation under another name.
    renamed: u64,
    /// Of these it cannot be told: a prediction chooses.
    not_comparable: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    values_changed: Option<u64>,
    transitions: Vec<Way<'r>>,
}

impl<'r> SubjectAnswer<'r> {
    fn new(effect: &'r SubjectEffect, users: u64, is_flag: bool) -> Self {
        let (old, new) = (effect.old.as_ref(), effect.new.as_ref());
        let other = |of: fn(&'r Name) -> &'r str| {
            old.map(of).filter(|old| new.map(of).is_some_and(|new| new != *old))
        };
        Self {
            key: effect.key(),
            place: match (old, new) {
                (Some(_), Some(_)) => "both",
                (Some(_), None) => "old",
                (None, _) => "new",
            },
            id: new.or(old).map_or("", |name| &name.id),
            old_key: other(|name| &name.key),
            old_id: other(|name| &name.id),
            changed: effect.changed,
            renamed: effect.renamed,
            share: share(effect.changed, users),
            not_comparable: effect.open,
            values_changed: is_flag.then_some(effect.values_changed),
            transitions: effect
                .transitions
                .iter()
                .map(|one| Way::new(one, users, is_flag))
                .collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Way<'r> {
    from: Got<'r>,
    to: Got<'r>,
    users: u64,
    share: f64,
    is_renamed: bool,
    is_comparable: bool,
}

impl<'r> Way<'r> {
    fn new(transition: &'r Transition, users: u64, is_flag: bool) -> Self {
        Self {
            from: Got::new(&transition.before, is_flag),
            to: Got::new(&transition.after, is_flag),
            users: transition.users,
            share: share(transition.users, users),
            is_renamed: transition.is_renamed,
            is_comparable: !transition.is_open,
        }
    }
}

/// What a user gets, in the fields of the answers of `decide` and `getVariation`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Got<'r> {
    variation_key: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_key: Option<Option<&'r str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_predicted: bool,
}

impl<'r> Got<'r> {
    fn new(outcome: &'r Outcome, is_flag: bool) -> Self {
        Self {
            variation_key: outcome.variation_key.as_deref(),
            enabled: (is_flag && !outcome.is_predicted).then_some(outcome.enabled),
            rule_key: is_flag.then_some(outcome.rule_key.as_deref()),
            is_predicted: outcome.is_predicted,
        }
    }
}

/// A part of all users, from 0 to 1.
fn share(part: u64, users: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
    let share = if users == 0 { 0.0 } else { part as f64 / users as f64 };
    share
}
