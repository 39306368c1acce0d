//! What rules of every kind have in common where it is asked who gets to them.
//!
//! Must not know in which order rules are asked.

use super::context::Context;
use super::logic::{Formula, Solver};
use super::takers::Takers;
use crate::allocation::Target;
use crate::datafile::findings::quoted;
use crate::datafile::model::Rule;
use crate::datafile::wire::WireRule;
use crate::hash::BUCKETS;

impl Context<'_> {
    /// Whom a rule is for.
    pub(super) fn whom(&self, wire: &WireRule<'_>, rule: &Rule) -> Formula {
        self.formula_of_rule(wire, rule, |index| self.shape_of_audience(index))
    }
}

/// Whether everyone whom the rule is for gets a variation by its ranges.
pub(super) fn takes_all_traffic(rule: &Rule) -> bool {
    let ranges = rule.allocation.ranges();
    let is_taken = |target: Target| matches!(target, Target::Entity(_));
    ranges.iter().all(|range| is_taken(range.target))
        && ranges.last().is_some_and(|last| u32::from(last.end) >= BUCKETS)
}

/// Who takes everyone whom a rule is for.
pub(super) fn who_takes(takers: &Takers, formula: &Formula, solver: &mut Solver<'_>) -> String {
    match takers.name_one(formula, solver) {
        Some(key) => format!("{} in front of it takes", quoted(key)),
        None => "the rules in front of it take".to_owned(),
    }
}
