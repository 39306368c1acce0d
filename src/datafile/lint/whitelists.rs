//! Rule: only experiments have whitelists. Those of rollout rules and holdouts are not looked at.
//!
//! Must not know variations: a whitelist that names none is found when compiling.

use super::context::Context;
use crate::datafile::findings::Findings;
use crate::datafile::model::RuleKind;

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    for (wire, rule) in &context.rules {
        if rule.kind == RuleKind::Experiment || wire.whitelist.is_empty() {
            continue;
        }
        let what = if rule.kind == RuleKind::Holdout { "a holdout" } else { "a rollout rule" };
        let message = || format!("{what} has no whitelist: its users are decided like any others");
        let remedy = "force a decision in the code instead, and empty the field";
        findings.warning("ignored-field", &wire.place.field("forcedVariations"), message, remedy);
    }
}
