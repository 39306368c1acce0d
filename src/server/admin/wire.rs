//! Bodies of the administration, as JSON.
//!
//! Must not know how they come about.

use serde::Serialize;
use serde_json::value::RawValue;

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
