//! Rule: the status of an experiment or holdout is one that Optimizely writes.
//!
//! Only exactly `Running` runs, so that a misspelt one switches an experiment off without a word. Rules of
//! rollouts serve whatever theirs is.
//!
//! Must not know what else is in a rule.

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::RuleKind;

const KNOWN: &[&str] =
    &["Running", "Paused", "Not started", "Draft", "Concluded", "Archived", "Launched"];

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    for (wire, rule) in &context.rules {
        if rule.kind == RuleKind::Rollout || KNOWN.contains(&&*rule.status) {
            continue;
        }
        let message = || match &*rule.status {
            "" => "there is no status: it does not run".to_owned(),
            status => format!("no status is called {}: it does not run", quoted(status)),
        };
        let remedy = "write \"Running\" if it is to run, else \"Paused\"";
        findings.warning("unknown-status", &wire.place.field("status"), message, remedy);
    }
}
