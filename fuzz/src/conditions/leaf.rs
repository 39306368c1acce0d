//! One condition as a datafile may write it, with values that users are likely to have as well.
//!
//! Must not know what it answers.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use serde_json::{Map, Value, json};

use super::draw::Drawn;

pub(super) const ATTRIBUTES: [&str; 3] = ["x", "y", ""];
pub(super) const SEGMENTS: [&str; 3] = ["vip", "", "a"];
const TYPES: [&str; 3] = ["custom_attribute", "third_party_dimension", "custom_dimension"];
const MATCHES: [&str; 14] = [
    "exact",
    "exists",
    "substring",
    "qualified",
    "gt",
    "ge",
    "lt",
    "le",
    "semver_eq",
    "semver_gt",
    "semver_ge",
    "semver_lt",
    "semver_le",
    "semver_ne",
];
const TEXTS: [&str; 14] = [
    "",
    "a",
    "ab",
    "b",
    "vip",
    "2",
    "2.1",
    "2.1.0",
    "2.1.0-beta",
    "2.1.0+x",
    "2.1.0-2",
    "10",
    "\u{ffff}",
    "\u{10000}",
];
const WHOLES: [i64; 9] =
    [0, 1, -1, 2, 10, 9_007_199_254_740_992, 9_007_199_254_740_993, i64::MAX, i64::MIN];
const DOUBLES: [f64; 9] =
    [0.0, -0.0, 0.5, 2.0, 10.0, 9_007_199_254_740_992.0, 9_007_199_254_740_994.0, 1e300, -1e300];

/// The fields of a condition; `None` is a field left out.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) attribute: Option<&'static str>,
    pub(super) kind: Option<&'static str>,
    pub(super) matching: Option<&'static str>,
    pub(super) value: Option<Scalar>,
}

/// A value of a condition or of a user.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Boolean(bool),
    Whole(i64),
    Double(f64),
    Text(String),
}

impl Scalar {
    pub(super) fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match input.int_in_range(0..=13_u8)? {
            0 => Self::Null,
            1 | 2 => Self::Boolean(bool::arbitrary(input)?),
            3..=5 => Self::Whole(*input.choose(&WHOLES)?),
            6 | 7 => Self::Double(*input.choose(&DOUBLES)?),
            8 => Self::Double(f64::arbitrary(input)?),
            9 => {
                let text: String = String::arbitrary(input)?;
                Self::Text(text.chars().take(12).collect())
            }
            _ => Self::Text((*input.choose(&TEXTS)?).to_owned()),
        })
    }

    /// Its JSON; what JSON has no number for is null.
    fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(flag) => json!(flag),
            Self::Whole(number) => json!(number),
            Self::Double(number) => json!(number),
            Self::Text(text) => json!(text),
        }
    }
}

impl Drawn for Leaf {
    fn draw(input: &mut Unstructured<'_>) -> Result<Self> {
        let is_odd = input.ratio(1, 6)?;
        let is_there = |input: &mut Unstructured<'_>| Ok(!is_odd || input.ratio(3, 4)?);
        let kinds = if is_odd { &TYPES[..] } else { &TYPES[..2] };
        let attribute = is_there(input)?.then(|| input.choose(&ATTRIBUTES).copied()).transpose()?;
        let kind = is_there(input)?.then(|| input.choose(kinds).copied()).transpose()?;
        let matching = is_there(input)?.then(|| input.choose(&MATCHES).copied()).transpose()?;
        let value = is_there(input)?.then(|| Scalar::draw(input)).transpose()?;
        Ok(Self { attribute, kind, matching, value })
    }

    fn to_json(&self) -> Value {
        let fields = [
            ("name", self.attribute.map(Value::from)),
            ("type", self.kind.map(Value::from)),
            ("match", self.matching.map(Value::from)),
            ("value", self.value.as_ref().map(Scalar::to_json)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}
