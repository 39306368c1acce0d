//! Kinds of values: ports, spans of time, sizes, levels of the log.
//!
//! Must not know which settings have them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::span::parse_span_ms;
use crate::error::Error;

/// Longer spans are a slip of the finger.
const MOST_DAYS: i64 = 3_660;
const KIBIBYTE: u64 = 1024;
const UNITS_MS: [(&str, i64); 4] =
    [("d", 24 * 60 * 60 * 1000), ("h", 60 * 60 * 1000), ("m", 60 * 1000), ("s", 1000)];
const UNITS_BYTES: [(&str, u64); 4] = [
    ("GiB", KIBIBYTE * KIBIBYTE * KIBIBYTE),
    ("MiB", KIBIBYTE * KIBIBYTE),
    ("KiB", KIBIBYTE),
    ("B", 1),
];

/// Where a listener listens: a port, `0` for any that is free, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// It does not.
    Off,
    /// This one; 0 is any that is free.
    Number(u16),
}

impl FromStr for Port {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse().map(Self::Number).map_err(|_| {
            Error::choice("port", text, "a number up to 65535, 0 for any free one, or off")
        })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.pad("off"),
            Self::Number(number) => number.fmt(formatter),
        }
    }
}

/// A span of time: a whole number and a unit, such as `500ms`, `30s`, `1h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    milliseconds: i64,
}

impl Span {
    /// So many milliseconds; none where that is negative.
    #[must_use]
    pub const fn from_ms(milliseconds: i64) -> Self {
        Self { milliseconds: if milliseconds < 0 { 0 } else { milliseconds } }
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_ms(seconds.saturating_mul(1000))
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.milliseconds
    }

    /// As the standard library has it.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.milliseconds.unsigned_abs())
    }
}

impl FromStr for Span {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_span_ms(text, MOST_DAYS)
            .map(|milliseconds| Self { milliseconds })
            .map_err(|problem| Error::setting_value("span", text, problem))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS_MS.iter().find(|(_, unit_ms)| self.milliseconds % unit_ms == 0);
        match whole.filter(|_| self.milliseconds > 0) {
            Some((unit, unit_ms)) => write!(formatter, "{}{unit}", self.milliseconds / unit_ms),
            None => write!(formatter, "{}ms", self.milliseconds),
        }
    }
}

/// A number of bytes: a whole number and a unit, such as `512KiB`, `32MiB` or `64GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// In bytes.
    pub bytes: u64,
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::setting_value(
                "size",
                text,
                "write a whole number and a unit (B, KiB, MiB, GiB), such as 32MiB",
            )
        };
        let (digits, unit_bytes) = UNITS_BYTES
            .iter()
            .find_map(|(unit, unit_bytes)| Some((text.strip_suffix(unit)?, unit_bytes)))
            .ok_or_else(wrong)?;
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: Option<u64> = digits.parse().ok().filter(|_| is_whole);
        let bytes = count.and_then(|count| count.checked_mul(*unit_bytes)).ok_or_else(wrong)?;
        Ok(Self { bytes })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole =
            UNITS_BYTES.iter().find(|(_, unit_bytes)| self.bytes.is_multiple_of(*unit_bytes));
        match whole.filter(|_| self.bytes > 0) {
            Some((unit, unit_bytes)) => write!(formatter, "{}{unit}", self.bytes / unit_bytes),
            None => write!(formatter, "{}B", self.bytes),
        }
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// What somebody has to look at.
    Error,
    /// And what is not as it should be.
    Warn,
    /// And what changes: starts, ends, datafiles.
    #[default]
    Info,
    /// And every request, without users.
    Debug,
}

/// The form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Words, for people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl LogLevel {
    const ALL: [Self; 4] = [Self::Error, Self::Warn, Self::Info, Self::Debug];

    /// The word for it in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl LogFormat {
    /// The word for it in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl FromStr for LogLevel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let level = Self::ALL.into_iter().find(|level| level.as_str() == text);
        level.ok_or_else(|| Error::choice("log level", text, "error, warn, info or debug"))
    }
}

impl FromStr for LogFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let format = [Self::Text, Self::Json].into_iter().find(|format| format.as_str() == text);
        format.ok_or_else(|| Error::choice("log format", text, "text or json"))
    }
}

#[cfg(test)]
mod tests {
    //! Values as they are written, and what they are written as again.

    use super::{Port, Size, Span};
    use std::fmt::Display;
    use std::str::FromStr;

    #[track_caller]
    fn check<T: FromStr + Display>(text: &str, expect: Option<&str>) {
        let shown = text.parse::<T>().ok().map(|value| value.to_string());
        assert_eq!(shown.as_deref(), expect, "{text:?}");
    }

    #[test]
    fn ports() {
        check::<Port>("8080", Some("8080"));
        check::<Port>("0", Some("0"));
        check::<Port>("off", Some("off"));
        for wrong in ["", "65536", "-1", "Off", "80 ", "http"] {
            check::<Port>(wrong, None);
        }
    }

    #[test]
    fn spans() {
        check::<Span>("0s", Some("0ms"));
        check::<Span>("90s", Some("90s"));
        check::<Span>("3600s", Some("1h"));
        check::<Span>("1500ms", Some("1500ms"));
        check::<Span>("48h", Some("2d"));
        for wrong in ["", "1", "s", "1.5h", "-1s", "9999999d"] {
            check::<Span>(wrong, None);
        }
    }

    #[test]
    fn sizes() {
        check::<Size>("0B", Some("0B"));
        check::<Size>("1024KiB", Some("1MiB"));
        check::<Size>("1500B", Some("1500B"));
        check::<Size>("64GiB", Some("64GiB"));
        for wrong in ["", "1", "MiB", "1MB", "-1B", "1.5MiB", "99999999999999999999GiB", "+1B"] {
            check::<Size>(wrong, None);
        }
    }
}
