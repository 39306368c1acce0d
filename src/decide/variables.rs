//! The values of a flag's variables under a decision.
//!
//! Must not know how the decision came about.

use crate::datafile::{Datafile, Flag, Variable};
use crate::value::VariableValue;

use super::flag::FlagDecision;

/// The value of one variable: the variation's if it switches the flag on and gives one, else the
/// default. `None` where the datafile's text is not of the variable's type.
#[must_use]
pub fn variable_value<'d>(
    datafile: &'d Datafile,
    variable: &'d Variable,
    decision: &FlagDecision,
) -> Option<&'d VariableValue> {
    let variation = decision
        .variation
        .and_then(|(rule, variation)| datafile.rule(rule)?.variation(variation))
        .filter(|variation| variation.is_feature_enabled);
    match variation.and_then(|variation| variation.value_of(variable)) {
        Some(value) => value.as_ref(),
        None => variable.default.as_ref(),
    }
}

/// The values of all variables of a flag, in the datafile's order.
pub fn variable_values<'d>(
    datafile: &'d Datafile,
    flag: &'d Flag,
    decision: &'d FlagDecision,
) -> impl Iterator<Item = (&'d str, Option<&'d VariableValue>)> {
    flag.variables
        .iter()
        .map(move |variable| (&*variable.key, variable_value(datafile, variable, decision)))
}
