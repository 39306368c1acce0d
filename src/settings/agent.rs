//! The settings of Optimizely Agent's interface: what of it is switched on.
//!
//! Must not know what is done with it.

use std::fmt;

/// The settings of Optimizely Agent's interface.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentSettings {
    /// Whether callers may arrange variations for users, and those that were arranged count. Default: no.
    pub overrides: bool,
    /// Whether callers may listen to decisions and events of all users. Default: no.
    pub notifications: bool,
    /// Whether users stay in the variations that they were bucketed into, whatever becomes of the traffic:
    /// their profiles are kept in the store. Default: no.
    pub profiles: bool,
    /// What Optimizely signs its webhook with that tells of a new datafile, for environments that have no
    /// secret of their own. Default: nothing, so that nobody is believed.
    pub datafile_webhook_secret: Option<String>,
}

/// What one place gives of them.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "each is described at AgentSettings")]
pub struct GivenAgent {
    pub overrides: Option<bool>,
    pub notifications: Option<bool>,
    pub profiles: Option<bool>,
    pub datafile_webhook_secret: Option<String>,
}

impl AgentSettings {
    /// What was given, and defaults for the rest.
    pub(super) fn new(given: GivenAgent) -> Self {
        Self {
            overrides: given.overrides.unwrap_or(false),
            notifications: given.notifications.unwrap_or(false),
            profiles: given.profiles.unwrap_or(false),
            datafile_webhook_secret: given.datafile_webhook_secret,
        }
    }
}

impl GivenAgent {
    /// Lays these over others: what is given here counts.
    pub(super) fn over(self, lower: Self) -> Self {
        Self {
            overrides: self.overrides.or(lower.overrides),
            notifications: self.notifications.or(lower.notifications),
            profiles: self.profiles.or(lower.profiles),
            datafile_webhook_secret: self.datafile_webhook_secret.or(lower.datafile_webhook_secret),
        }
    }
}

/// Without the secret.
impl fmt::Debug for AgentSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AgentSettings")
            .field("overrides", &self.overrides)
            .field("notifications", &self.notifications)
            .field("profiles", &self.profiles)
            .finish_non_exhaustive()
    }
}

/// Without the secret.
impl fmt::Debug for GivenAgent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        AgentSettings::new(self.clone()).fmt(formatter)
    }
}
