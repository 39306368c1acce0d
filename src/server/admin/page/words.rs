//! Spans, times and numbers in words, for people.
//!
//! Must not know what they are of.

use std::time::{Duration, UNIX_EPOCH};

use crate::clock::TimeMs;

/// A span, by its largest unit: `12 s`, `3 min`, `5 h`, `2 days`.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How long ago a time was.
pub(super) fn ago(at_ms: TimeMs, now_ms: TimeMs) -> String {
    let ms = now_ms.saturating_sub(at_ms).max(0).unsigned_abs();
    format!("{} ago", span(ms / 1000))
}

/// How long it is until a time.
pub(super) fn until(at_ms: TimeMs, now_ms: TimeMs) -> String {
    match at_ms.saturating_sub(now_ms).max(0).unsigned_abs() / 1000 {
        0 => "now".to_owned(),
        seconds => format!("in {}", span(seconds)),
    }
}

/// A time in full, in UTC.
pub(super) fn moment(at_ms: TimeMs) -> String {
    let since = Duration::from_millis(u64::try_from(at_ms).unwrap_or_default());
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

/// A rate: more digits where it is small.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate <= 0.0 => "0".to_owned(),
        rate if rate < 10.0 => format!("{rate:.2}"),
        rate if rate < 100.0 => format!("{rate:.1}"),
        rate => format!("{rate:.0}"),
    }
}

/// A count with its thousands apart.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    //! What people read.

    use super::{ago, count, rate, span, until};

    #[test]
    fn words() {
        let check = |found: String, expect: &str| assert_eq!(found, expect);
        check(span(0), "0 s");
        check(span(119), "119 s");
        check(span(120), "2 min");
        check(span(7_200), "2 h");
        check(span(172_800), "2 days");
        check(ago(1_000, 13_999), "12 s ago");
        check(ago(13_000, 1_000), "0 s ago");
        check(until(13_000, 1_000), "in 12 s");
        check(until(1_000, 13_000), "now");
        check(rate(0.0), "0");
        check(rate(0.5), "0.50");
        check(rate(12.345), "12.3");
        check(rate(1234.5), "1234");
        check(count(0), "0");
        check(count(999), "999");
        check(count(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
