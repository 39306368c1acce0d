//! Reading what may be of any kind: members of objects, ids, times, sums of money.
//!
//! Must not know any system. What is not of the kind that is asked for is as if it were not there; who needs
//! it says so.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::payload::Payload;
use super::unused::{Reason, Unused};
use crate::clock::TimeMs;

/// No number is believed beyond this, where floats are not exact any more.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
/// What ids of content are made under.
const CONTENT: Uuid = Uuid::from_u128(0x6d6f_5b54_93f8_4d0c_8a55_1f0e_27c1_7e0b);
/// From here on a time is in milliseconds: as seconds, it would be in the year 5138.
const LEAST_MS: f64 = 100_000_000_000.0;

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

/// An id that the same members always have.
pub(super) fn content_id(object: &Map<String, Value>) -> Uuid {
    Uuid::new_v5(&CONTENT, &serde_json::to_vec(object).unwrap_or_default())
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

/// What a whole second means: all of it. What was done in the second of an activation is not before it, so
/// that of what was shown its begin counts, and of what was done its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WholeSecond {
    Begin,
    End,
}

impl WholeSecond {
    pub(super) const fn of(self, begin_ms: TimeMs) -> TimeMs {
        match self {
            Self::Begin => begin_ms,
            Self::End => begin_ms.saturating_add(999),
        }
    }
}

/// A time as text (RFC 3339; without a zone it is UTC), or as a number as [`unix_ms`] reads it.
pub(super) fn time_ms(value: &Value, whole_second: WholeSecond) -> Option<TimeMs> {
    let Value::String(text) = value else { return unix_ms(value, whole_second) };
    let in_utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let Some(time) = text.parse::<Timestamp>().ok().or_else(|| Some(in_utc()?.timestamp())) else {
        return unix_ms(value, whole_second);
    };
    // A zone has a colon, too.
    let (_, clock) = text.split_once(['T', 't', ' ']).unwrap_or_default();
    let clock = clock.split(['Z', 'z', '+', '-']).next().unwrap_or_default();
    let has_seconds = clock.matches(':').count() == 2 && !clock.contains(['.', ',']);
    let ms = time.as_millisecond();
    Some(if has_seconds { whole_second.of(ms) } else { ms })
}

/// A number since the epoch, or its digits: of seconds, or of milliseconds where seconds would be thousands of years away.
pub(super) fn unix_ms(value: &Value, whole_second: WholeSecond) -> Option<TimeMs> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let is_seconds = number.abs() < LEAST_MS;
    let ms = whole(if is_seconds { number * 1000.0 } else { number }.trunc())?;
    // What is beyond all calendars is no time.
    Timestamp::from_millisecond(ms).ok()?;
    Some(if is_seconds && number.fract() == 0.0 { whole_second.of(ms) } else { ms })
}

/// Takes `revenue` in units of the currency out of tags, where it would be cents.
pub(super) fn take_revenue(tags: &mut Map<String, Value>, payload: &mut Payload) -> Option<i64> {
    let revenue = tags.remove("revenue").filter(|revenue| !revenue.is_null())?;
    let cents = cents_of_units(&revenue);
    if cents.is_none() {
        payload.unused.push(Unused::plain(Reason::WrongKind, "a revenue that is no sum"));
    }
    cents
}

/// A sum in units of the currency, as cents.
fn cents_of_units(value: &Value) -> Option<i64> {
    let units = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    whole((units * 100.0).round())
}

/// A number without a fraction, within what floats hold exactly.
fn whole(number: f64) -> Option<i64> {
    if number.abs() <= MOST_EXACT { format!("{number:.0}").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    //! Times and sums.

    use serde_json::{Value, json};

    use super::{WholeSecond, cents_of_units, time_ms};

    #[test]
    fn times_are_text_or_numbers() {
        let check = |value: Value, expect: Option<i64>| {
            assert_eq!(time_ms(&value, WholeSecond::Begin), expect, "{value}");
        };
        check(json!("2024-01-15T10:30:00Z"), Some(1_705_314_600_000));
        check(json!("2024-01-15T11:30:00.123456789+01:00"), Some(1_705_314_600_123));
        check(json!("2024-01-15T10:30:00"), Some(1_705_314_600_000));
        check(json!("2024-01-15"), Some(1_705_276_800_000));
        check(json!("20-11-23T22:28:55.111Z"), None);
        check(json!(1_705_314_600), Some(1_705_314_600_000));
        check(json!(1_705_314_600.25), Some(1_705_314_600_250));
        check(json!(1_705_314_600_123_i64), Some(1_705_314_600_123));
        check(json!("1705314600"), Some(1_705_314_600_000));
        for none in [json!(""), json!("soon"), json!(true), json!([]), json!({}), Value::Null] {
            check(none, None);
        }
        for beyond in [json!(i64::MIN), json!(u64::MAX), json!(1e300), json!("inf"), json!("nan")] {
            check(beyond, None);
        }
    }

    #[test]
    fn a_whole_second_is_all_of_it() {
        let check = |value: Value, expect: i64| {
            assert_eq!(time_ms(&value, WholeSecond::End), Some(expect), "{value}");
        };
        check(json!("2024-01-15T10:30:00Z"), 1_705_314_600_999);
        check(json!("2024-01-15 11:30:00+01:00"), 1_705_314_600_999);
        check(json!("2024-01-15T10:30:00"), 1_705_314_600_999);
        check(json!("2024-01-15T10:30:00.000Z"), 1_705_314_600_000);
        check(json!("2024-01-15T10:30:00.5+00:00"), 1_705_314_600_500);
        check(json!("2024-01-15"), 1_705_276_800_000);
        check(json!(1_705_314_600), 1_705_314_600_999);
        check(json!("1705314600"), 1_705_314_600_999);
        check(json!(1_705_314_600.25), 1_705_314_600_250);
        check(json!(1_705_314_600_000_i64), 1_705_314_600_000);
    }

    #[test]
    fn sums_are_cents() {
        let check = |value: Value, expect: Option<i64>| {
            assert_eq!(cents_of_units(&value), expect, "{value}")
        };
        check(json!(19.99), Some(1999));
        check(json!(42), Some(4200));
        check(json!("12.50"), Some(1250));
        check(json!(-0.29), Some(-29));
        check(json!(0.001), Some(0));
        check(json!(-0.001), Some(0));
        check(json!("NaN"), None);
        check(json!(1e17), None);
        check(json!("12 EUR"), None);
        check(json!(true), None);
    }
}
