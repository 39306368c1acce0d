//! Times as clients write them: text, or a number of seconds or milliseconds.
//!
//! Must not know any system. What cannot be read is as if it were not there; who needs it says so.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::reading::whole;
use crate::clock::TimeMs;

/// From here on a time is in milliseconds: as seconds, it would be in the year 5138.
const LEAST_MS: f64 = 100_000_000_000.0;

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

/// A number since the epoch, or its digits: of seconds, or of milliseconds where seconds would be thousands of
/// years away.
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

#[cfg(test)]
mod tests {
    //! What is a time.

    use serde_json::{Value, json};

    use super::{WholeSecond, time_ms};

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
}
