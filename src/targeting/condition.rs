//! One condition of an audience: an attribute and the test that its value must pass.
//!
//! Must not know datafiles: unusable conditions become [`Test::Unknown`] before they get here.

use std::fmt;

use super::attribute::Attribute;
use crate::name::Name;
use crate::value::AttributeValue;
use crate::version::Version;

/// A leaf of an audience's tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The key of the attribute that is looked at.
    pub attribute: Name,
    /// What is asked of it.
    pub test: Test,
}

/// What a condition asks of an attribute's value. Everything that can be prepared is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// Given, and not null.
    Exists,
    /// The same text, code point by code point.
    ExactString(Name),
    /// The same number.
    ExactNumber(f64),
    /// The same boolean.
    ExactBoolean(bool),
    /// Contains the text.
    Substring(Box<str>),
    /// A number in this relation to the given one.
    Number(Comparison, f64),
    /// A version in this relation to the given one.
    Version(Comparison, Version),
    /// One of the user's segments is the given one.
    Qualified(Box<str>),
    /// Cannot be answered: neither true nor false, whatever the user.
    Unknown,
}

/// A relation of an ordered value to the condition's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
}

impl Comparison {
    /// Whether an ordering (of the user's value against the condition's) is in this relation.
    #[inline]
    #[must_use]
    pub fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}

impl Comparison {
    /// Whether a number is in this relation to the condition's; neither is NaN.
    #[inline]
    #[must_use]
    #[expect(clippy::float_cmp, reason = "the SDKs compare numbers exactly")]
    fn holds(self, number: f64, wanted: f64) -> bool {
        match self {
            Self::Equal => number == wanted,
            Self::Greater => number > wanted,
            Self::GreaterOrEqual => number >= wanted,
            Self::Less => number < wanted,
            Self::LessOrEqual => number <= wanted,
        }
    }

    /// The datafile's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }
}

impl Condition {
    /// True, false or (`None`) unknown for a user's attributes and segments.
    ///
    /// `segments` is `None` where they were never fetched. Of attributes given twice, the last counts.
    #[inline(always)]
    #[must_use]
    pub fn evaluate(
        &self,
        attributes: &[Attribute<'_>],
        segments: Option<&[&str]>,
    ) -> Option<bool> {
        let value = self.value_seen(attributes);
        match (&self.test, value) {
            (Test::ExactString(wanted), Some(AttributeValue::String(text))) => {
                Some(wanted.is(text))
            }
            (Test::Number(comparison, wanted), Some(AttributeValue::Integer(number))) => {
                let number = AttributeValue::Integer(*number).as_number()?;
                Some(comparison.holds(number, *wanted))
            }
            (test, value) => test.answer(value, segments),
        }
    }

    /// The value that this condition looks at, if the user has it.
    #[inline]
    #[must_use]
    pub fn value_seen<'u, 'a>(
        &self,
        attributes: &'u [Attribute<'a>],
    ) -> Option<&'u AttributeValue<'a>> {
        attributes
            .iter()
            .rev()
            .find(|attribute| self.attribute.is_seen_as(attribute.seen_key()))
            .map(|attribute| &attribute.value)
    }
}

impl Test {
    /// What is not asked often. Not inlined, since it is long and would make the others slow.
    #[inline(never)]
    fn answer(
        &self,
        value: Option<&AttributeValue<'_>>,
        segments: Option<&[&str]>,
    ) -> Option<bool> {
        match self {
            Self::Exists => Some(!matches!(value, None | Some(AttributeValue::Null))),
            Self::Qualified(segment) => {
                Some(segments.is_some_and(|segments| segments.contains(&&**segment)))
            }
            _ => self.accepts(*value?),
        }
    }

    fn accepts(&self, value: AttributeValue<'_>) -> Option<bool> {
        match (self, value) {
            (Self::ExactBoolean(wanted), AttributeValue::Boolean(flag)) => Some(*wanted == flag),
            (Self::ExactNumber(wanted), value) => {
                value.as_number().map(|number| Comparison::Equal.holds(number, *wanted))
            }
            (Self::Number(comparison, wanted), value) => {
                value.as_number().map(|number| comparison.holds(number, *wanted))
            }
            (Self::Substring(part), AttributeValue::String(text)) => Some(text.contains(&**part)),
            (Self::Version(comparison, wanted), AttributeValue::String(text)) => {
                wanted.compare(text).map(|ordering| comparison.accepts(ordering))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Test {
    /// The test in words, as the datafile's: `exact "us"`, `gt 18`, `semver_ge 2.1`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => formatter.write_str("exists"),
            Self::ExactString(text) => write!(formatter, "exact {:?}", &**text),
            Self::ExactNumber(number) => write!(formatter, "exact {number}"),
            Self::ExactBoolean(flag) => write!(formatter, "exact {flag}"),
            Self::Substring(text) => write!(formatter, "substring {text:?}"),
            Self::Number(comparison, number) => {
                write!(formatter, "{} {number}", comparison.as_str())
            }
            Self::Version(comparison, version) => {
                write!(formatter, "semver_{} {:?}", comparison.as_str(), version.as_str())
            }
            Self::Qualified(segment) => write!(formatter, "qualified {segment:?}"),
            Self::Unknown => formatter.write_str("cannot be answered"),
        }
    }
}
