//! Parts that the answers of several interfaces have in common.
//!
//! Must not know which answer they stand in.

use serde::Serialize as Written;
use serde::ser::{Serialize, Serializer};

use crate::attribution::Credit;
use crate::value::VariableValue;

/// The value of a variable. Doubles have a decimal point or an exponent, also where they are whole: some
/// clients tell the type by it.
pub(in crate::server) struct VariableAnswer<'a>(pub(in crate::server) &'a VariableValue);

impl Serialize for VariableAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            VariableValue::Boolean(flag) => serializer.serialize_bool(*flag),
            VariableValue::String(text) => serializer.serialize_str(text),
            VariableValue::Integer(number) => serializer.serialize_i64(*number),
            VariableValue::Double(number) => serializer.serialize_f64(*number),
            VariableValue::Json(value) => value.serialize(serializer),
        }
    }
}

/// What an event counts for: of each credit the experiment's key, and the variation's.
#[derive(Debug)]
pub(in crate::server) struct CreditsAnswer<'a>(pub(in crate::server) &'a [Credit]);

impl Serialize for CreditsAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|credit| CreditAnswer {
            experiment_key: &credit.experiment.experiment_key,
            variation_key: &credit.experiment.variation_key,
        }))
    }
}

#[derive(Written)]
#[serde(rename_all = "camelCase")]
struct CreditAnswer<'a> {
    experiment_key: &'a str,
    variation_key: &'a str,
}
