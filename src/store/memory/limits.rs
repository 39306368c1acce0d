//! How much the store in memory may hold.
//!
//! Must not know how it is held.

use super::shard::ShardLimits;
use super::spread::per_shard;
use crate::attribution::Bounds;

/// How much a [`MemoryStore`](super::MemoryStore) may hold.
///
/// Users, pending events and ids are spread over shards by chance, each with its share of the limit,
/// so that a shard can be full when the whole is a few per cent below it. Limits of 0 count as 1,
/// except that of waiting records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Users with a row. Beyond it, users that were not seen lately are forgotten.
    pub users: usize,
    /// Activations per user. Beyond it, the one whose experiment was not shown for longest is forgotten.
    pub activations_per_user: usize,
    /// Events that wait for late activations. Beyond it, those received first are forgotten.
    pub pending_events: usize,
    /// The same, per user.
    pub pending_events_per_user: usize,
    /// Ids held against repeats. Beyond it, those received first are forgotten.
    pub ids: usize,
    /// Records that wait for their sinks. Beyond it, entries are refused. 0 is for a client without
    /// sinks: no records are made at all, and nothing is ever refused.
    pub waiting_records: usize,
    /// Records that sinks will never take. Beyond it, those that died first are dropped.
    pub dead_letters: usize,
}

impl Default for MemoryLimits {
    /// A million users, pending events, ids and waiting records; a hundred thousand dead letters; a
    /// thousand activations and pending events per user.
    fn default() -> Self {
        Self {
            users: 1_000_000,
            activations_per_user: 1_000,
            pending_events: 1_000_000,
            pending_events_per_user: 1_000,
            ids: 1_000_000,
            waiting_records: 1_000_000,
            dead_letters: 100_000,
        }
    }
}

impl MemoryLimits {
    /// The share of one shard of so many.
    pub(super) fn of_shard(&self, shards: usize) -> ShardLimits {
        ShardLimits {
            users: per_shard(self.users, shards).min(u32::MAX as usize),
            pending_events: per_shard(self.pending_events, shards),
            row: Bounds {
                activations: self.activations_per_user.max(1),
                pending_events: self.pending_events_per_user.max(1),
            },
        }
    }
}
