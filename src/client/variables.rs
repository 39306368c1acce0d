//! The values of a flag's variables, as callers see them.
//!
//! Must not know how a flag is decided.

use crate::datafile::{Datafile, Flag};
use crate::decide::{FlagDecision, variable_values};
use crate::value::VariableValue;

/// The values of a flag's variables, in the datafile's order; `None` where the datafile's text is not
/// of the variable's type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variables {
    values: Vec<(Box<str>, Option<VariableValue>)>,
}

impl Variables {
    pub(super) fn of(datafile: &Datafile, flag: &Flag, decision: &FlagDecision) -> Self {
        let values = variable_values(datafile, flag, decision);
        Self { values: values.map(|(key, value)| (key.into(), value.cloned())).collect() }
    }

    /// The value of a variable, if the flag has it and it has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&VariableValue> {
        self.values.iter().find(|(name, _)| **name == *key)?.1.as_ref()
    }

    /// All variables and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&VariableValue>)> {
        self.values.iter().map(|(key, value)| (&**key, value.as_ref()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<'v> IntoIterator for &'v Variables {
    type Item = (&'v str, Option<&'v VariableValue>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter().collect::<Vec<_>>().into_iter()
    }
}
