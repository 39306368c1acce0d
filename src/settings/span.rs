//! Spans of time as they are written on the command line: `0s`, `90s`, `30m`, `1h`, `2d`.
//!
//! Must not know what is measured. A crate for spans would also read forms (`1 day 2h`) that the help
//! does not teach.

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Reads a span of so many days at most, and gives it in milliseconds.
pub(crate) fn parse_span_ms(text: &str, most_days: i64) -> Result<i64, String> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let unit_ms = match text.strip_prefix(digits) {
        Some("ms") => 1,
        Some("s") => 1000,
        Some("m") => 60 * 1000,
        Some("h") => 60 * 60 * 1000,
        Some("d") => DAY_MS,
        _ => return Err(HOW_TO_WRITE_IT.to_owned()),
    };
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole {
        return Err(HOW_TO_WRITE_IT.to_owned());
    }
    let span_ms = digits.parse().ok().and_then(|count: i64| count.checked_mul(unit_ms));
    let allowed = span_ms.filter(|span_ms| *span_ms <= most_days.saturating_mul(DAY_MS));
    allowed
        .ok_or_else(|| format!("that is longer than makes sense here: give {most_days}d or less"))
}

const HOW_TO_WRITE_IT: &str =
    "write a whole number and a unit (ms, s, m, h, d), such as 0s, 30m, 1h or 2d";
