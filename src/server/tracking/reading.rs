//! Reading what may be of any kind: members of objects, ids, times, sums of money.
//!
//! Must not know any system. What is not of the kind that is asked for is as if it were not there; who needs
//! it says so.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::clock::TimeMs;

/// No number of a sum is believed beyond this many cents, where floats are not exact any more.
const MOST_CENTS: f64 = 9_007_199_254_740_992.0;

/// A text that is not empty.
pub(super) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// An id: a text that is not empty, or a whole number, which is its digits.
pub(super) fn id(object: &Map<String, Value>, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// An object; none is an empty one.
pub(super) fn object(object: &Map<String, Value>, key: &str) -> Map<String, Value> {
    object.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The objects of a list, and whether there was anything else in it.
pub(super) fn objects<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> (Vec<&'a Map<String, Value>>, bool) {
    let list = match object.get(key) {
        None | Some(Value::Null) => return (Vec::new(), false),
        Some(Value::Array(list)) => list,
        Some(_) => return (Vec::new(), true),
    };
    let objects: Vec<_> = list.iter().filter_map(Value::as_object).collect();
    let is_mixed = objects.len() < list.len();
    (objects, is_mixed)
}

/// A time as text with its zone (RFC 3339), or in milliseconds since the epoch.
pub(super) fn time_ms(value: &Value) -> Option<TimeMs> {
    match value {
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// A sum in units of the currency, as cents.
#[expect(dead_code, reason = "for the systems whose revenue is in units")]
pub(super) fn cents_of_units(value: &Value) -> Option<i64> {
    let units = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let cents = (units * 100.0).round();
    // There is no fraction left, and it is within what whole numbers hold.
    if cents.abs() <= MOST_CENTS { format!("{cents:.0}").parse().ok() } else { None }
}
