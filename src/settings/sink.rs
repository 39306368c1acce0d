//! The settings of a sink.
//!
//! Must not know how anything is delivered.

use std::fmt;

use crate::events::{AttributionMode, SinkTarget};

/// The settings of a sink.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkSettings {
    /// What kind of sink, and where it goes.
    pub to: SinkTarget,
    /// What a webhook is signed with. Default: the secret of all webhooks, if there is one.
    pub secret: Option<String>,
    /// Who attributes the events that it is sent. Default: as each environment has it.
    pub attribution: Option<AttributionMode>,
}

impl SinkSettings {
    /// A sink with defaults.
    #[must_use]
    pub const fn new(to: SinkTarget) -> Self {
        Self { to, secret: None, attribution: None }
    }
}

/// Without the secret.
impl fmt::Debug for SinkSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SinkSettings")
            .field("to", &self.to)
            .field("has_secret", &self.secret.is_some())
            .field("attribution", &self.attribution)
            .finish()
    }
}
