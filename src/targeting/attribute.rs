//! One attribute of a user, as conditions look it up.
//!
//! Must not know conditions.

use crate::name::Seen;
use crate::value::AttributeValue;

/// One attribute of a user, borrowed from the caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute<'a> {
    key: Seen<'a>,
    /// Its value.
    pub value: AttributeValue<'a>,
}

impl<'a> Attribute<'a> {
    /// An attribute by its key, as in the datafile's `attributes`, and its value.
    #[inline]
    pub fn new(key: &'a str, value: impl Into<AttributeValue<'a>>) -> Self {
        Self { key: Seen::new(key), value: value.into() }
    }

    /// Its key.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.key.text()
    }

    /// Its key, to be compared.
    #[inline]
    pub(crate) fn seen_key(&self) -> &Seen<'a> {
        &self.key
    }
}
