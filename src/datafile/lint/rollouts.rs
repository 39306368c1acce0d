//! Rule: somebody gets to each rule of a rollout.
//!
//! Who meets a rule gets its variation or, outside its traffic, goes straight to the last rule: so a rule
//! takes everyone whom it is for from those behind it, but the last one. That one, "Everyone Else", is
//! left with nobody only if the rules in front of it take all traffic, too, which is ordinary where it
//! is the one that Optimizely adds to every rollout.
//!
//! Must not know experiments.

use super::context::Context;
use super::logic::Formula;
use super::reach::{takes_all_traffic, who_takes};
use super::takers::Takers;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{Rule, RuleKind};
use crate::datafile::wire::WireRule;

/// Keys of rules that Optimizely adds begin so.
const ADDED: &str = "default-";

pub(super) fn lint(context: &mut Context<'_>, findings: &mut Findings) {
    let is_in_front = |rule: &&(&WireRule<'_>, &Rule)| rule.1.kind != RuleKind::Rollout;
    let mut next = context.rules.iter().take_while(is_in_front).count();
    for rollout in &context.wire.rollouts {
        let rules = context.rules.get(next..).unwrap_or_default();
        let rules: Vec<_> = rules.iter().take(rollout.rules.len()).copied().collect();
        // Of two rules with one id, one stands in both places, which is another fault.
        let is_itself = |(place, (_, rule)): (usize, &(&WireRule<'_>, &Rule))| {
            let found = context.datafile.rule_index(&rule.id);
            found.is_some_and(|index| index.place() as usize == next.saturating_add(place))
        };
        let are_themselves = rules.iter().enumerate().all(is_itself);
        next = next.saturating_add(rules.len());
        if are_themselves {
            of_one(context, &rules, findings);
        }
    }
}

fn of_one(context: &mut Context<'_>, rules: &[(&WireRule<'_>, &Rule)], findings: &mut Findings) {
    let Some(((last_wire, last), rules)) = rules.split_last() else { return };
    let mut takers = Takers::default();
    let mut take_all_traffic = true;
    for (wire, rule) in rules {
        let formula = context.whom(wire, rule);
        if takers.leave_nobody_of(&formula, &mut context.solver) {
            report(context, &takers, (wire, &formula), findings);
        } else {
            take_all_traffic &= takes_all_traffic(rule);
            takers.push(formula, &rule.key);
        }
    }
    let formula = context.whom(last_wire, last);
    let is_left_out = take_all_traffic && takers.leave_nobody_of(&formula, &mut context.solver);
    if is_left_out && !last.key.starts_with(ADDED) {
        let message = || {
            let key = quoted(&last.key);
            format!("nobody gets to {key}: the rules in front of it give everybody a variation")
        };
        let remedy =
            "leave it if it stands by for less traffic, else mend the rules in front of it";
        findings.note("unreachable-rule", &last_wire.place, message, remedy);
    }
}

fn report(
    context: &mut Context<'_>,
    takers: &Takers,
    (wire, formula): (&WireRule<'_>, &Formula),
    findings: &mut Findings,
) {
    let takes = who_takes(takers, formula, &mut context.solver);
    let message =
        || format!("nobody gets to {}: {takes} everybody whom it is for", quoted(&wire.key));
    let remedy = "move it to the front, or take it out";
    findings.warning("unreachable-rule", &wire.place, message, remedy);
}
