//! Bodies of the administration, as JSON.
//!
//! Must not know how they come about.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::clock::TimeMs;
use crate::events::LetterJson;
use crate::server::wire::{whole, wholes};
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

/// What the store holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatsAnswer {
    pub(super) users: u64,
    pub(super) activations: u64,
    pub(super) pending_events: u64,
    /// About as many.
    pub(super) ids: u64,
    pub(super) records: KeptAnswer,
    pub(super) dead_letters: u64,
    pub(super) sinks: Vec<SinkAnswer>,
    pub(super) datafiles: Vec<DatafileAnswer>,
}

#[derive(Debug, Serialize)]
pub(super) struct KeptAnswer {
    pub(super) kept: u64,
    pub(super) oldest: Option<u64>,
    pub(super) latest: Option<u64>,
    pub(super) released: u64,
    pub(super) waiting: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SinkAnswer {
    pub(super) name: String,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_attempt_at: Option<TimeMs>,
    pub(super) through: u64,
    pub(super) waiting: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oldest_waiting_seconds: Option<u64>,
    pub(super) delivered: u64,
    pub(super) failures: u64,
    pub(super) dead_letters: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_warning: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatafileAnswer {
    pub(super) environment: String,
    pub(super) revision: String,
    pub(super) fetched_at: TimeMs,
    pub(super) bytes: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LettersAnswer {
    pub(super) dead_letters: Vec<LetterJson>,
    /// What to ask for as `after` to go on.
    pub(super) next: u64,
    /// Whether there are none behind.
    pub(super) is_complete: bool,
}

/// Which dead letters are meant. A misspelt filter must not mean more than was meant.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LettersBody {
    #[serde(default, deserialize_with = "wholes")]
    pub(super) numbers: Option<Vec<u64>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) all: Option<bool>,
    #[serde(default, deserialize_with = "whole")]
    pub(super) after: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    pub(super) environment: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) user: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) r#type: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) event: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) experiment: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub(super) since: Option<TimeMs>,
    #[serde(default, deserialize_with = "whole")]
    pub(super) until: Option<TimeMs>,
    #[serde(default, deserialize_with = "given")]
    pub(super) sink: Option<String>,
}

/// Null is no value: who writes it may have meant one.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RetriedAnswer {
    pub(super) retried: u64,
    pub(super) gone: Vec<u64>,
    pub(super) unknown: Vec<u64>,
    pub(super) next: u64,
    pub(super) is_complete: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DroppedAnswer {
    pub(super) dropped: u64,
    pub(super) unknown: Vec<u64>,
    pub(super) next: u64,
    pub(super) is_complete: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ForgetBody {
    pub(super) environment: String,
    pub(super) user: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ForgottenAnswer {
    pub(super) environment: String,
    pub(super) user_id: String,
    pub(super) activations: Vec<ForgottenActivation>,
    pub(super) pending_events: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ForgottenActivation {
    pub(super) experiment_key: String,
    pub(super) variation_key: String,
    pub(super) first_at: TimeMs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifiedAnswer {
    pub(super) is_sound: bool,
    pub(super) is_complete: bool,
    pub(super) next: u64,
    pub(super) records: u64,
    pub(super) dead_letters: u64,
    pub(super) sinks: u64,
    pub(super) datafiles: u64,
    pub(super) faults: Vec<String>,
    pub(super) not_looked_at: [&'static str; 4],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptBody {
    pub(super) revision: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvironmentAnswer {
    pub(super) name: String,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) came_from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_seconds: Option<u64>,
    pub(super) findings: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held_back_revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_attempt_at: Option<TimeMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_success_at: Option<TimeMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_change_at: Option<TimeMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_attempt_at: Option<TimeMs>,
}

#[derive(Debug, Serialize)]
pub(super) struct ProblemsAnswer {
    pub(super) problems: Vec<ProblemAnswer>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProblemAnswer {
    pub(super) kind: &'static str,
    pub(super) about: String,
    pub(super) text: String,
    pub(super) first_at: TimeMs,
    pub(super) last_at: TimeMs,
    pub(super) count: u64,
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
