//! What a request says, in the words of this engine.
//!
//! Must not know the form that it came in.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::unused::AllUnused;
use crate::clock::TimeMs;

/// All of a request. Exposures count first, then merges, then events, in whatever order they stand in it.
#[derive(Debug, Default)]
pub(super) struct Payload {
    pub(super) exposures: Vec<NewExposure>,
    pub(super) merges: Vec<NewMerge>,
    pub(super) events: Vec<NewEvent>,
    /// What could not be read of it.
    pub(super) unused: AllUnused,
}

impl Payload {
    /// Whether there is nothing to record in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.exposures.is_empty() && self.merges.is_empty() && self.events.is_empty()
    }
}

/// Who did something, or was shown something. One value for all that a request says of somebody: what is known
/// of a person may be as large as the request.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) id: String,
    /// What is said once, of one or of several people.
    pub(super) shared: Arc<Map<String, Value>>,
    /// What is said besides, and counts more.
    pub(super) own: Map<String, Value>,
}

/// The sender's own id and time, as far as they were given.
#[derive(Debug, Clone, Default)]
pub(super) struct Mark {
    pub(super) id: Option<String>,
    pub(super) time_ms: Option<TimeMs>,
}

/// Somebody was shown a variation.
#[derive(Debug, Default)]
pub(super) struct NewExposure {
    pub(super) person: Arc<Person>,
    pub(super) mark: Mark,
    /// When it was, as far as anybody knows, where its mark may be earlier.
    pub(super) was_ms: Option<TimeMs>,
    /// An id, a key, or the key of a flag; empty where no rule of the flag decided.
    pub(super) experiment: String,
    /// An id or a key; of a flag that no rule decided, a key, or empty where it is off.
    pub(super) variation: String,
    /// Other names of both, tried in their order where those are unknown.
    pub(super) or: Vec<(String, String)>,
    /// The flag whose decision it was, where that is said.
    pub(super) flag_key: Option<String>,
}

/// Somebody is known by another id from now on.
#[derive(Debug, Default)]
pub(super) struct NewMerge {
    pub(super) from_id: String,
    pub(super) into_id: String,
    /// The sender's id of the merge.
    pub(super) id: Option<String>,
}

/// Somebody did something.
#[derive(Debug, Default)]
pub(super) struct NewEvent {
    pub(super) person: Arc<Person>,
    pub(super) mark: Mark,
    /// As the sender calls it.
    pub(super) name: String,
    /// Its id in the datafile, where the name is unknown.
    pub(super) or_id: Option<String>,
    /// As they are to go out; `revenue` and `value` among them count where they are not given here, unless
    /// [`Self::has_plain_tags`].
    pub(super) tags: Map<String, Value>,
    /// Whether tags say nothing of revenue and value, whatever they are called.
    pub(super) has_plain_tags: bool,
    pub(super) revenue_cents: Option<i64>,
    pub(super) value: Option<f64>,
    pub(super) count: Option<u64>,
    pub(super) duration_seconds: Option<f64>,
}
