//! What the store says of itself, as it stands on the disk.
//!
//! Must not know keys.

use serde::{Deserialize, Serialize};

use crate::clock::TimeMs;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredTotals {
    pub(in crate::store::durable) users: i64,
    pub(in crate::store::durable) activations: i64,
    pub(in crate::store::durable) pending_events: i64,
    pub(in crate::store::durable) dead_letters: i64,
    pub(in crate::store::durable) record_bytes: i64,
    /// The sequence number of the latest record.
    pub(in crate::store::durable) latest: u64,
    /// The number of the latest dead letter: none is ever given again.
    pub(in crate::store::durable) latest_letter: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredCursor<'a> {
    pub(in crate::store::durable) through: u64,
    pub(in crate::store::durable) state: &'a str,
    /// How many dead letters it has.
    pub(in crate::store::durable) letters: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredLetter<'a> {
    pub(in crate::store::durable) sink: Option<&'a str>,
    pub(in crate::store::durable) sequence: u64,
    pub(in crate::store::durable) count: u64,
    pub(in crate::store::durable) at_ms: TimeMs,
    pub(in crate::store::durable) reason: &'a str,
    /// A packed record.
    pub(in crate::store::durable) record: Option<Vec<u8>>,
}
