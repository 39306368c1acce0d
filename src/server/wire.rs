//! Bodies that several endpoints have in common, as JSON.
//!
//! Must not know who sends them.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct ErrorAnswer<'a> {
    pub(super) error: &'a str,
}

/// Whether the process is alive.
#[derive(Debug, Serialize)]
pub(super) struct HealthAnswer {
    pub(super) status: &'static str,
}

/// Whether the daemon can do its work, and what is in the way.
#[derive(Debug, Serialize)]
pub(super) struct ReadyAnswer {
    pub(super) status: &'static str,
    pub(super) environments: Vec<ReadyEnvironment>,
    pub(super) store: ReadyStore,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadyEnvironment {
    pub(super) name: String,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held_back_revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReadyStore {
    pub(super) state: &'static str,
}
