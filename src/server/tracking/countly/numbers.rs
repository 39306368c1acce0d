//! Numbers and times, which may be text.
//!
//! Must not know where they stand.

use serde_json::Value;

use crate::clock::TimeMs;
use crate::server::tracking::times::WholeSecond;

/// Seconds since the epoch have ten digits, milliseconds thirteen; what has not is no time.
const SECONDS: std::ops::Range<f64> = 1e9..1e10;
const MILLISECONDS: std::ops::Range<f64> = 1e12..1e13;
/// Whole numbers are exact up to here.
const MOST_COUNTED: f64 = 9_007_199_254_740_992.0;

/// A finite number, or text that is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// How often: a whole number from 1.
pub(super) fn count(value: &Value) -> Option<u64> {
    let number = number(value)?;
    let is_count = number.fract() == 0.0 && (1.0..=MOST_COUNTED).contains(&number);
    if is_count { format!("{number:.0}").parse().ok() } else { None }
}

/// How long, in seconds.
pub(super) fn duration_seconds(value: &Value) -> Option<f64> {
    number(value).filter(|seconds| *seconds >= 0.0)
}

/// A time in seconds or milliseconds.
pub(super) fn time_ms(value: &Value, whole_second: WholeSecond) -> Option<TimeMs> {
    let number = number(value)?;
    let is_seconds = SECONDS.contains(&number);
    let ms = match is_seconds {
        true => (number * 1000.0).floor(),
        false => Some(number.floor()).filter(|ms| MILLISECONDS.contains(ms))?,
    };
    let ms: TimeMs = format!("{ms:.0}").parse().ok()?;
    Some(if is_seconds && number.fract() == 0.0 { whole_second.of(ms) } else { ms })
}

#[cfg(test)]
mod tests {
    //! What is a number of each kind.

    use serde_json::{Value, json};

    use super::{WholeSecond, count, duration_seconds, number, time_ms};

    #[test]
    fn times() {
        let check = |value: Value, expect: Option<i64>| {
            assert_eq!(time_ms(&value, WholeSecond::End), expect, "{value}");
        };
        check(json!(1_700_000_000), Some(1_700_000_000_999));
        check(json!("1700000000"), Some(1_700_000_000_999));
        let begin = time_ms(&json!(1_700_000_000), WholeSecond::Begin);
        assert_eq!(begin, Some(1_700_000_000_000));
        check(json!(1_700_000_000.25), Some(1_700_000_000_250));
        check(json!(1_700_000_000_123_i64), Some(1_700_000_000_123));
        check(json!("1700000000123"), Some(1_700_000_000_123));
        check(json!(" 1700000000123.7 "), Some(1_700_000_000_123));
        check(json!(9_999_999_999_999_i64), Some(9_999_999_999_999));
        for none in [json!(0), json!(-1_700_000_000), json!(123_456_789), json!(17_000_000_000_i64)]
        {
            check(none, None);
        }
        for none in
            [json!("TIMESTAMP"), json!(""), json!(null), json!([1_700_000_000]), json!("inf")]
        {
            check(none, None);
        }
    }

    #[test]
    fn counts_and_durations() {
        for (value, expect) in [
            (json!(1), Some(1)),
            (json!("2"), Some(2)),
            (json!(3.0), Some(3)),
            (json!(0), None),
            (json!(-1), None),
            (json!(1.5), None),
            (json!("many"), None),
            (json!(true), None),
            (json!(1e300), None),
        ] {
            assert_eq!(count(&value), expect, "{value}");
        }
        assert_eq!(duration_seconds(&json!("12.5")), Some(12.5));
        assert_eq!(duration_seconds(&json!(-1)), None);
        assert_eq!(number(&json!("1.5")), Some(1.5));
        assert_eq!(number(&json!("-1.5")), Some(-1.5));
        assert_eq!(number(&json!("1e400")), None);
        assert_eq!(number(&json!("NaN")), None);
    }
}
