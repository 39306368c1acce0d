//! Rule: a running holdout leaves somebody, and those in front of a global one leave it somebody.
//!
//! Must not know flags. Local holdouts are asked before each of their rules, so only a rule's own stand in
//! front of each other; that is not looked at.

use super::context::Context;
use super::logic::Wanted;
use super::reach::{takes_all_traffic, who_takes};
use super::takers::Takers;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::RuleKind;

pub(super) fn lint(context: &mut Context<'_>, findings: &mut Findings) {
    let mut takers = Takers::default();
    let first_local = context.rules.len().saturating_sub(local_count(context));
    for place in 0..context.rules.len() {
        let Some((wire, rule)) = context.rules.get(place).copied() else { continue };
        if rule.kind != RuleKind::Holdout || !rule.is_running {
            continue;
        }
        let is_local = place >= first_local;
        let formula = context.whom(wire, rule);
        if !is_local && takers.leave_nobody_of(&formula, &mut context.solver) {
            let takes = who_takes(&takers, &formula, &mut context.solver);
            let message = || {
                format!("nobody gets to {}: {takes} everybody whom it is for", quoted(&rule.key))
            };
            let remedy = "lower the traffic in front of it, or take it out";
            findings.warning("unreachable-rule", &wire.place, message, remedy);
            continue;
        }
        if !takes_all_traffic(rule) {
            continue;
        }
        if context.solver.is_impossible(&[Wanted::NotTrue(&formula)]) {
            let of = match (is_local, rule.excludes_targeted_deliveries) {
                (true, _) => "the rules that it names",
                (false, true) => "everything but targeted deliveries",
                (false, false) => "every flag",
            };
            let message = || format!("{} holds everybody out of {of}", quoted(&rule.key));
            let remedy = "lower its traffic, or conclude it";
            findings.warning("holdout-takes-all", &wire.place, message, remedy);
        }
        if !is_local {
            takers.push(formula, &rule.key);
        }
    }
}

fn local_count(context: &Context<'_>) -> usize {
    let local = &context.wire.local_holdouts;
    local.iter().filter(|holdout| holdout.included_rules.is_some()).count()
}
