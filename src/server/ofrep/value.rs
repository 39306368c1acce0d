//! Which part of a decision is the flag's one value.
//!
//! Must not know how the decision came about. Without a setting it is as OpenFeature's Go provider for
//! Optimizely has it: no variable, whether the flag is on; one, its value; several, an object of all.

use std::borrow::Cow;

use super::wire::ValueAnswer;
use crate::client::{Decision, Variables};
use crate::settings::{FlagValue, OffValue, OfrepSettings};
use crate::value::VariableValue;

/// The value of a decided flag; `None` where who asks is to take its own. The error says what is wrong
/// with the datafile or the setting.
pub(in crate::server) fn value<'d>(
    decision: &'d Decision,
    settings: &OfrepSettings,
) -> Result<Option<ValueAnswer<'d>>, Cow<'static, str>> {
    if !decision.enabled && settings.off == OffValue::Caller {
        return Ok(None);
    }
    let variables = &decision.variables;
    let only = |variables: &'d Variables| variables.iter().next().filter(|_| variables.len() == 1);
    let value = match settings.value_of(&decision.flag_key) {
        FlagValue::Enabled => ValueAnswer::Enabled(decision.enabled),
        FlagValue::Object => ValueAnswer::Object(variables),
        FlagValue::Variable(key) => {
            let mut named = variables.iter().filter(|(name, _)| name == key);
            let found = named.next().ok_or_else(|| {
                format!("the flag has no variable {key:?}: look at [ofrep] in the settings")
            })?;
            ValueAnswer::Variable(usable(found)?)
        }
        FlagValue::Auto if variables.is_empty() => ValueAnswer::Enabled(decision.enabled),
        FlagValue::Auto => match only(variables) {
            Some(variable) => ValueAnswer::Variable(usable(variable)?),
            None => ValueAnswer::Object(variables),
        },
    };
    Ok(Some(value))
}

/// OFREP has no value that is null.
fn usable<'d>(
    (key, value): (&str, Option<&'d VariableValue>),
) -> Result<&'d VariableValue, Cow<'static, str>> {
    let value = value.filter(|value| !matches!(value, VariableValue::Json(json) if json.is_null()));
    value.ok_or_else(|| {
        format!("the datafile gives the variable {key:?} no value of its type: look at it with `variate check`").into()
    })
}
