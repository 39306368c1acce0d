//! The members of a JSON object, read as the types that they must have; where one is not, the message
//! names it and shows how to write it.
//!
//! Must not know calls.

use serde_json::{Map, Value};

/// What is wrong with a member, and the remedy.
pub(super) type Fault = String;

/// Numbers with a fraction part are whole up to here: 2^53.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The members of an object. Null counts as absent, except where the name says otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'l>(pub(super) &'l Map<String, Value>);

impl<'l> Members<'l> {
    pub(super) fn text(self, name: &str) -> Result<&'l str, Fault> {
        let value = self.needed(name, TEXT)?;
        value.as_str().ok_or_else(|| wrong(name, TEXT, value))
    }

    /// A text that must be there, but may be null.
    pub(super) fn text_or_null(self, name: &str) -> Result<Option<&'l str>, Fault> {
        match self.needed(name, TEXT_OR_NULL)? {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(wrong(name, TEXT_OR_NULL, other)),
        }
    }

    pub(super) fn optional_text(self, name: &str) -> Result<Option<&'l str>, Fault> {
        self.optional(name, TEXT, |value| value.as_str())
    }

    pub(super) fn texts(self, name: &str) -> Result<Vec<&'l str>, Fault> {
        self.needed(name, TEXTS).and_then(|value| texts(name, value))
    }

    pub(super) fn optional_texts(self, name: &str) -> Result<Option<Vec<&'l str>>, Fault> {
        self.given(name).map(|value| texts(name, value)).transpose()
    }

    pub(super) fn optional_object(
        self,
        name: &str,
    ) -> Result<Option<&'l Map<String, Value>>, Fault> {
        self.optional(name, OBJECT, Value::as_object)
    }

    pub(super) fn optional_time_ms(self, name: &str) -> Result<Option<i64>, Fault> {
        self.optional(name, TIME_MS, whole_number)
    }

    pub(super) fn optional_count(self, name: &str) -> Result<Option<u64>, Fault> {
        self.optional(name, COUNT, |value| {
            value.as_u64().or_else(|| whole_number(value).and_then(|count| count.try_into().ok()))
        })
    }

    pub(super) fn optional_seconds(self, name: &str) -> Result<Option<f64>, Fault> {
        self.optional(name, SECONDS, |value| value.as_f64().filter(|seconds| *seconds >= 0.0))
    }

    fn given(self, name: &str) -> Option<&'l Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn needed(self, name: &str, wanted: Wanted) -> Result<&'l Value, Fault> {
        let Wanted { example, .. } = wanted;
        self.0.get(name).ok_or_else(|| format!("\"{name}\" is missing: add \"{name}\": {example}"))
    }

    fn optional<T>(
        self,
        name: &str,
        wanted: Wanted,
        read: impl FnOnce(&'l Value) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let value = self.given(name);
        value.map(|value| read(value).ok_or_else(|| wrong(name, wanted, value))).transpose()
    }
}

/// A type that a member must have, and how one is written.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    what: &'static str,
    example: &'static str,
}

const TEXT: Wanted = Wanted { what: "a string", example: "\"...\"" };
const TEXT_OR_NULL: Wanted = Wanted { what: "a string or null", example: "\"...\" or null" };
const TEXTS: Wanted = Wanted { what: "a list of strings", example: "[\"...\"]" };
const OBJECT: Wanted = Wanted { what: "an object", example: "{\"...\": ...}" };
const TIME_MS: Wanted =
    Wanted { what: "a whole number of milliseconds since 1970", example: "1772442000000" };
const COUNT: Wanted = Wanted { what: "a whole number from 0", example: "1" };
const SECONDS: Wanted = Wanted { what: "a number of seconds from 0", example: "1.5" };

fn texts<'l>(name: &str, value: &'l Value) -> Result<Vec<&'l str>, Fault> {
    let items = value.as_array().ok_or_else(|| wrong(name, TEXTS, value))?;
    let text = |(place, item): (usize, &'l Value)| {
        let Wanted { what, example } = TEXT;
        let fault = || {
            format!("\"{name}\"[{place}] must be {what}, not {}: write {example}", kind_of(item))
        };
        item.as_str().ok_or_else(fault)
    };
    items.iter().enumerate().map(text).collect()
}

fn wrong(name: &str, wanted: Wanted, found: &Value) -> Fault {
    let Wanted { what, example } = wanted;
    let found = match found {
        // Only a number that is not of the right kind is worth showing: it may be long, but not endless.
        Value::Number(number) if !example.starts_with(['"', '[', '{']) => number.to_string(),
        other => kind_of(other).to_owned(),
    };
    format!("\"{name}\" must be {what}, not {found}: write \"{name}\": {example}")
}

/// A JSON value's type, in words.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A whole number, also written with a fraction of zero.
fn whole_number(value: &Value) -> Option<i64> {
    let is_whole = |number: &f64| number.fract() == 0.0 && number.abs() <= LARGEST_WHOLE;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and at most 2^53, so nothing is cut"
    )]
    let from_double = |number: f64| number as i64;
    value.as_i64().or_else(|| value.as_f64().filter(is_whole).map(from_double))
}
