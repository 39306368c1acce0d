//! What a token may be used for.
//!
//! Must not know paths.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Asking for decisions, and for the datafile that they follow from.
    Decide,
    /// Telling what users did.
    Track,
    /// Setting and looking at overrides.
    Override,
    /// Looking after the daemon: all of the administration.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Decide, Self::Track, Self::Override, Self::Admin];

    /// The word for it in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Track => "track",
            Self::Override => "override",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let scope = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        scope.ok_or_else(|| Error::choice("scope", text, "decide, track, override or admin"))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
