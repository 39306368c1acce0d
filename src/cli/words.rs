//! Values, times and names in words, for people.
//!
//! Must not know calls or answers.

use std::fmt::Display;

use jiff::Timestamp;
use serde_json::Value;

use crate::clock::TimeMs;

/// Names are cut to this many characters.
const MOST_NAME_CHARACTERS: usize = 60;

/// Values of variables are cut to this many characters.
const MOST_VALUE_CHARACTERS: usize = 100;

/// A name as it is, or in quotes where it would be misread: empty, with spaces, with characters that a
/// terminal obeys.
pub(super) fn name(text: &str) -> String {
    let is_plain = !text.is_empty()
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '"' && c != ',');
    if is_plain { cut(text, MOST_NAME_CHARACTERS) } else { quoted(text) }
}

/// A text in quotes, escaped and cut.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", cut(text, MOST_NAME_CHARACTERS))
}

/// A JSON value, cut. JSON escapes what a terminal would obey.
pub(super) fn value(value: &Value) -> String {
    cut(&value.to_string(), MOST_VALUE_CHARACTERS)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}..."),
        None => text.to_owned(),
    }
}

/// Cents as currency units: `1299.00`.
pub(super) fn money(cents: i128) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// A count with its noun: `1 call`, `2 calls`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The day of a time, in UTC: `Monday, 2 March 2026`.
pub(super) fn day(time_ms: TimeMs) -> String {
    formatted(time_ms, "%A, %-d %B %Y").unwrap_or_else(|| "Beyond the calendar".to_owned())
}

/// The time of day, in UTC; milliseconds only where there are some.
pub(super) fn time_of_day(time_ms: TimeMs) -> String {
    let format = if time_ms % 1000 == 0 { "%H:%M:%S" } else { "%H:%M:%S%.3f" };
    formatted(time_ms, format).unwrap_or_else(|| format!("{time_ms} ms"))
}

/// A time as seen from another: without the day where it is the same.
pub(super) fn time_seen_from(time_ms: TimeMs, seen_from_ms: TimeMs) -> String {
    let time = time_of_day(time_ms);
    match formatted(time_ms, "%Y-%m-%d") {
        Some(date) if day(time_ms) != day(seen_from_ms) => format!("{date} {time}"),
        _ => time,
    }
}

/// `None` beyond the calendar.
fn formatted(time_ms: TimeMs, format: &str) -> Option<String> {
    let time = Timestamp::from_millisecond(time_ms).ok()?;
    Some(time.strftime(format).to_string())
}

/// Items with commas between them.
pub(super) fn listed<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
