//! The arguments of `serve` for Optimizely Agent's interface.
//!
//! Must not know defaults: they are those of the settings.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::settings::GivenAgent;

#[derive(Debug, Args)]
pub(super) struct AgentArguments {
    /// Let callers arrange variations for users (POST /v1/override)
    #[arg(
        long,
        value_name = "true|false",
        env = "VARIATE_OVERRIDES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    overrides: Option<bool>,

    /// Let callers listen to decisions and events (GET /v1/notifications/event-stream)
    #[arg(
        long,
        value_name = "true|false",
        env = "VARIATE_NOTIFICATIONS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    notifications: Option<bool>,

    /// Keep users in the variations that they were bucketed into (sticky bucketing)
    #[arg(
        long,
        value_name = "true|false",
        env = "VARIATE_PROFILES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    profiles: Option<bool>,

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
            overrides: self.overrides,
            notifications: self.notifications,
            profiles: self.profiles,
            datafile_webhook_secret: self.datafile_webhook_secret.clone(),
        }
    }
}
