//! What Optimizely's webhook says of a new datafile.
//!
//! Must not know what is done about it.

use serde::Deserialize;

/// Only what is used: the rest is about the datafile, which is asked for anyway.
#[derive(Debug, Deserialize)]
pub(in crate::server) struct HookBody {
    project_id: ProjectId,
}

/// A number in Optimizely's messages, text in its datafiles.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ProjectId {
    Number(u64),
    Text(String),
}

impl HookBody {
    pub(in crate::server) fn project_id(&self) -> String {
        match &self.project_id {
            ProjectId::Number(number) => number.to_string(),
            ProjectId::Text(text) => text.clone(),
        }
    }
}
