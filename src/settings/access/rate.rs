//! How many requests in how much time.
//!
//! Must not know who makes them.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Error;

const UNITS: [(&str, Duration); 3] = [
    ("s", Duration::from_secs(1)),
    ("m", Duration::from_secs(60)),
    ("h", Duration::from_secs(3600)),
];

/// So many requests in a second, a minute or an hour, such as `100/s`; as many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: NonZeroU32,
    unit: &'static str,
    per: Duration,
}

impl Rate {
    /// How many.
    #[must_use]
    pub const fn count(self) -> NonZeroU32 {
        self.count
    }

    /// In how much time.
    #[must_use]
    pub const fn per(self) -> Duration {
        self.per
    }
}

impl FromStr for Rate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let problem = "write a whole number from 1 and a unit of time (s, m, h), such as 100/s";
            Error::setting_value("rate", text, problem)
        };
        let (digits, unit) = text.split_once('/').ok_or_else(wrong)?;
        let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.parse().ok().filter(|_| is_whole).ok_or_else(wrong)?;
        let (unit, per) = UNITS.into_iter().find(|(known, _)| *known == unit).ok_or_else(wrong)?;
        Ok(Self { count, unit, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.count, self.unit)
    }
}

#[cfg(test)]
mod tests {
    //! Rates as they are written.

    use super::Rate;

    #[test]
    fn rates_are_read_and_written() {
        let shown = |text: &str| text.parse::<Rate>().ok().map(|rate| rate.to_string());
        for good in ["1/s", "100/m", "4294967295/h"] {
            assert_eq!(shown(good).as_deref(), Some(good));
        }
        for wrong in
            ["", "1", "/s", "0/s", "-1/s", "+1/s", "1.5/s", "1/", "1/d", "1 /s", "4294967296/s"]
        {
            assert_eq!(shown(wrong), None, "{wrong:?}");
        }
    }
}
