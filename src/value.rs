//! Values that callers give (attributes) and values that flags serve (variables).
//!
//! Must not know anything else of this crate. Numbers follow the SDKs' rule: usable when finite and
//! at most 2^53 in magnitude; a boolean is never a number.

/// The largest magnitude at which a number still counts: 2^53, as in the official SDKs.
const LARGEST_NUMBER: f64 = 9_007_199_254_740_992.0;

/// The value of an attribute, borrowed from the caller.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum AttributeValue<'a> {
    /// Text.
    String(&'a str),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction, or beyond 64 bits.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// Given, but null: the same as not given, except that nothing is sent.
    Null,
    /// A list or an object: present for `exists`, unusable for everything else, never sent.
    Other,
}

impl AttributeValue<'_> {
    /// The value as a number that the SDKs would compare: finite, at most 2^53 in magnitude, not a boolean.
    #[inline]
    #[must_use]
    pub fn as_number(self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "exact up to 2^53, and larger ones are refused"
            )]
            Self::Integer(number) if number.unsigned_abs() <= 1 << 53 => Some(number as f64),
            Self::Double(number) if number.abs() <= LARGEST_NUMBER => Some(number),
            _ => None,
        }
    }

    /// The owned form of a value that may be sent with an event; `None` for null, lists, objects and
    /// numbers out of range, which the SDKs leave out.
    #[must_use]
    pub fn to_recorded(self) -> Option<RecordedValue> {
        match self {
            Self::String(text) => Some(RecordedValue::String(text.into())),
            Self::Boolean(flag) => Some(RecordedValue::Boolean(flag)),
            Self::Integer(number) => self.as_number().map(|_| RecordedValue::Integer(number)),
            Self::Double(number) => self.as_number().map(|_| RecordedValue::Double(number)),
            Self::Null | Self::Other => None,
        }
    }
}

impl AttributeValue<'_> {
    /// Whether it may be sent with an event.
    #[must_use]
    pub(crate) fn is_recorded(self) -> bool {
        match self {
            Self::String(_) | Self::Boolean(_) => true,
            Self::Integer(_) | Self::Double(_) => self.as_number().is_some(),
            Self::Null | Self::Other => false,
        }
    }

    /// Whether a value equals its owned form.
    #[must_use]
    pub(crate) fn is_recorded_as(self, recorded: &RecordedValue) -> bool {
        match (self, recorded) {
            (Self::String(text), RecordedValue::String(kept)) => *text == **kept,
            (Self::Boolean(flag), RecordedValue::Boolean(kept)) => flag == *kept,
            (Self::Integer(number), RecordedValue::Integer(kept)) => number == *kept,
            (Self::Double(number), RecordedValue::Double(kept)) => {
                number.to_bits() == kept.to_bits()
            }
            _ => false,
        }
    }
}

impl<'a> From<&'a str> for AttributeValue<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a String> for AttributeValue<'a> {
    fn from(text: &'a String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for AttributeValue<'_> {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for AttributeValue<'_> {
            fn from(number: $number) -> Self {
                Self::Integer(number.into())
            }
        }
    )*};
}

whole_numbers!(i8, u8, i16, u16, i32, u32);

impl From<u64> for AttributeValue<'_> {
    /// Beyond 64 bits with a sign, a number is out of range for every condition anyway.
    fn from(number: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "out of range, whatever its last digits")]
        i64::try_from(number).map_or(Self::Double(number as f64), Self::Integer)
    }
}

impl From<usize> for AttributeValue<'_> {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<f32> for AttributeValue<'_> {
    fn from(number: f32) -> Self {
        Self::Double(number.into())
    }
}

impl From<i64> for AttributeValue<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for AttributeValue<'_> {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

/// Numbers beyond 64 bits are taken as doubles.
impl<'a> From<&'a serde_json::Value> for AttributeValue<'a> {
    fn from(value: &'a serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Boolean(*flag),
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Integer(whole),
                (None, Some(number)) => Self::Double(number),
                (None, None) => Self::Other,
            },
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => Self::Other,
        }
    }
}

impl<'a, T: Into<AttributeValue<'a>>> From<Option<T>> for AttributeValue<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// An attribute value as it is kept with an activation or event: only what the SDKs would send.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RecordedValue {
    /// Text.
    String(Box<str>),
    /// A whole number, at most 2^53 in magnitude.
    Integer(i64),
    /// A finite number, at most 2^53 in magnitude.
    Double(f64),
    /// True or false.
    Boolean(bool),
}

/// The type of a flag's variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum VariableType {
    /// `"true"` or `"false"`.
    Boolean,
    /// Text. Unknown types are served as text, too.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// Any JSON value (`"json"`, or `"string"` with the sub-type `"json"`).
    Json,
}

/// The value of a flag's variable.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum VariableValue {
    /// True or false.
    Boolean(bool),
    /// Text.
    String(Box<str>),
    /// A whole number.
    Integer(i64),
    /// A number; also a whole number beyond 64 bits.
    Double(f64),
    /// A JSON value.
    Json(serde_json::Value),
}

impl VariableValue {
    /// The text, of a text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The truth value, of one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(flag) = self { Some(*flag) } else { None }
    }

    /// The whole number, of one.
    #[must_use]
    pub const fn as_i64(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The number, of one, whole or not.
    #[must_use]
    pub const fn as_f64(&self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "exact up to 2^53, as numbers of a datafile are"
            )]
            Self::Integer(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            Self::Boolean(_) | Self::String(_) | Self::Json(_) => None,
        }
    }

    /// The JSON value, of one.
    #[must_use]
    pub const fn as_json(&self) -> Option<&serde_json::Value> {
        if let Self::Json(value) = self { Some(value) } else { None }
    }

    /// Reads the datafile's text of a variable; `None` where it is not of the type.
    ///
    /// Booleans are read as JavaScript does (`"true"`, `"false"`, nothing else), numbers as Python
    /// does (the whole text, surrounding white space and `_` between digits allowed). JSON nested deeper
    /// than 128 levels, with numbers beyond a double or with halves of surrogate pairs is none.
    #[must_use]
    pub fn parse(text: &str, kind: VariableType) -> Option<Self> {
        match kind {
            VariableType::String => Some(Self::String(text.into())),
            VariableType::Boolean => match text {
                "true" => Some(Self::Boolean(true)),
                "false" => Some(Self::Boolean(false)),
                _ => None,
            },
            VariableType::Integer => parse_integer(text),
            VariableType::Double => parse_double(text).map(Self::Double),
            VariableType::Json => serde_json::from_str(text).ok().map(Self::Json),
        }
    }
}

fn parse_integer(text: &str) -> Option<VariableValue> {
    let digits = without_digit_separators(text.trim())?;
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match digits.parse() {
        Ok(number) => Some(VariableValue::Integer(number)),
        Err(_) => {
            digits.parse().ok().filter(|number: &f64| number.is_finite()).map(VariableValue::Double)
        }
    }
}

/// A finite number written out in full; also used for the `value` tag, which may be text.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let digits = without_digit_separators(text.trim())?;
    // Rust reads "inf" and "nan" too, which no JSON number can hold: they are filtered as not finite.
    digits.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Takes out each `_` that stands between two digits; `None` where one stands elsewhere.
fn without_digit_separators(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, _) in text.match_indices('_') {
        if !is_digit(at.checked_sub(1)) || !is_digit(at.checked_add(1)) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}
