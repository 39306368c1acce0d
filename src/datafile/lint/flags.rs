//! Rule: somebody gets to each running experiment of a flag.
//!
//! An experiment takes everyone whom it is for from those behind it if it runs, all of its traffic leads
//! to variations, no group keeps users from it, no prediction can fail, and no holdout makes the flag
//! pass over it. No fault: a rollout that nobody gets to, for it stands by until the experiment ends.
//!
//! An experiment that a flag names again is never asked again, which is a fault of its own.
//!
//! Must not know rollouts.

use hashbrown::HashSet;

use super::context::Context;
use super::reach::{takes_all_traffic, who_takes};
use super::takers::Takers;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{Rule, RuleType};
use crate::datafile::wire::WireFlag;

pub(super) fn lint(context: &mut Context<'_>, findings: &mut Findings) {
    for flag in &context.wire.flags {
        of_one(context, flag, findings);
    }
}

fn of_one(context: &mut Context<'_>, flag: &WireFlag<'_>, findings: &mut Findings) {
    if flag.experiment_ids.len() < 2 {
        return;
    }
    let mut takers = Takers::default();
    let mut seen = HashSet::new();
    for reference in &flag.experiment_ids {
        let Some(index) = context.datafile.rule_index(&reference.name) else { continue };
        if !seen.insert(index) {
            let message = || {
                format!("the flag names {} twice, the first time counts", quoted(&reference.name))
            };
            findings.warning("duplicate-id", &reference.place, message, "name it once");
            continue;
        }
        let Some((wire, rule)) = context.rules.get(index.place() as usize).copied() else {
            continue;
        };
        if !rule.is_running {
            continue;
        }
        let formula = context.whom(wire, rule);
        let leave_nobody = if rule.whitelist.is_empty() {
            takers.leave_nobody_of(&formula, &mut context.solver)
        } else {
            // Whitelisted users need not be in the audience.
            takers.leave_nobody(&mut context.solver)
        };
        if leave_nobody {
            let takes = who_takes(&takers, &formula, &mut context.solver);
            let message = || {
                format!(
                    "nobody gets to {} by this flag: {takes} everybody whom it is for",
                    quoted(&rule.key)
                )
            };
            let remedy =
                "put them into an exclusive group, lower the traffic in front, or take it out";
            findings.warning("unreachable-rule", &reference.place, message, remedy);
        } else if takes_all(context, rule) {
            takers.push(formula, &rule.key);
        }
    }
}

fn takes_all(context: &Context<'_>, rule: &Rule) -> bool {
    let datafile = context.datafile;
    let group = rule.group.and_then(|group| datafile.group(group));
    let is_passed_over = rule.rule_type != RuleType::TargetedDelivery
        && datafile.global_holdouts.iter().any(|holdout| {
            datafile.rule(*holdout).is_some_and(|holdout| holdout.excludes_targeted_deliveries)
        });
    takes_all_traffic(rule)
        && !rule.is_contextual_bandit()
        && !group.is_some_and(|group| group.is_exclusive)
        && !is_passed_over
}
