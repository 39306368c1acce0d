//! Bodies of the administration, as JSON.
//!
//! Must not know how they come about.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::TimeMs;
use crate::store::Override;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InfoAnswer {
    pub(super) app_name: &'static str,
    pub(super) version: &'static str,
    pub(super) uptime_seconds: u64,
    pub(super) environments: Vec<String>,
}

/// A page of the records that are kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventsAnswer {
    pub(super) records: Vec<NumberedRecord>,
    /// What to ask for as `after` to go on.
    pub(super) next: u64,
    /// The oldest record that is kept.
    pub(super) oldest: u64,
    pub(super) latest: u64,
    /// How many of the page cannot be read.
    pub(super) unreadable: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct NumberedRecord {
    pub(super) sequence: u64,
    pub(super) record: Box<RawValue>,
}

/// What is arranged for users.
#[derive(Debug, Serialize)]
pub(super) struct OverridesAnswer {
    pub(super) overrides: Vec<OverrideListed>,
    /// How many there are, listed or not.
    pub(super) total: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OverrideListed {
    environment: String,
    user_id: Box<str>,
    experiment_key: Box<str>,
    variation_key: Box<str>,
    owner: Option<Box<str>>,
    reason: Option<Box<str>>,
    set_at: TimeMs,
    expires_at: Option<TimeMs>,
}

impl OverrideListed {
    pub(super) fn new(environment: &str, one: Override) -> Self {
        Self {
            environment: environment.to_owned(),
            user_id: one.user_id,
            experiment_key: one.experiment_key,
            variation_key: one.variation_key,
            owner: one.owner,
            reason: one.reason,
            set_at: one.set_at_ms,
            expires_at: one.expires_at_ms,
        }
    }
}
