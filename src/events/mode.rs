//! The attribution mode of an environment or sink.
//!
//! Must not know how either mode's bodies look.

use std::fmt;
use std::str::FromStr;

use crate::attribution::Record;
use crate::error::Error;

/// Who attributes the conversions that are sent: this engine, or the results service.
///
/// Credits are kept in both modes; the mode says what the event API is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AttributionMode {
    /// This engine: only credited events are sent, each with its decisions.
    #[default]
    Activated,
    /// The results service, as today's SDKs do: every known event is sent, without decisions.
    Backend,
}

impl AttributionMode {
    /// The word for it in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::Backend => "backend",
        }
    }

    /// Whether a sink of this mode is given a record: in `activated` mode not one of an event without
    /// credits.
    #[must_use]
    pub fn sends(self, record: &Record) -> bool {
        match record {
            Record::Conversion(record) => self == Self::Backend || !record.credits.is_empty(),
            Record::Impression(_) => true,
        }
    }
}

impl fmt::Display for AttributionMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for AttributionMode {
    type Err = Error;

    /// Reads `activated` or `backend`, exactly.
    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Activated, Self::Backend]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| Error::choice("attribution mode", text, "activated or backend"))
    }
}
