//! The arguments of `serve` for Optimizely Agent's interface.
//!
//! Must not know defaults: they are those of the settings.

use clap::Args;

use crate::settings::GivenAgent;

#[derive(Debug, Args)]
pub(super) struct AgentArguments {
    /// Let callers arrange variations for users (POST /v1/override)
    #[arg(long, env = "VARIATE_OVERRIDES")]
    overrides: bool,

    /// Let callers listen to decisions and events (GET /v1/notifications/event-stream)
    #[arg(long, env = "VARIATE_NOTIFICATIONS")]
    notifications: bool,

    /// Keep users in the variations that they were bucketed into (sticky bucketing)
    #[arg(long, env = "VARIATE_PROFILES")]
    profiles: bool,

    /// What Optimizely signs its webhook with that tells of a new datafile (POST /webhooks/optimizely)
    #[arg(
        long,
        value_name = "SECRET",
        env = "VARIATE_DATAFILE_WEBHOOK_SECRET",
        hide_env_values = true
    )]
    datafile_webhook_secret: Option<String>,
}

impl AgentArguments {
    pub(super) fn given(&self) -> GivenAgent {
        GivenAgent {
            overrides: self.overrides.then_some(true),
            notifications: self.notifications.then_some(true),
            profiles: self.profiles.then_some(true),
            datafile_webhook_secret: self.datafile_webhook_secret.clone(),
        }
    }
}
