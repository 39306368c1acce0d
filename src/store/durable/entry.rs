//! What a turn hands to the committer: all of it is stored, or nothing.
//!
//! Must not know how it came about.

use std::sync::Arc;

use smallvec::SmallVec;
use uuid::Uuid;

use super::engine::Write;
use super::wire::Held;
use crate::attribution::{Record, UserRow};
use crate::clock::TimeMs;

/// A user's row in the ledger.
pub(super) type Row = UserRow<Held>;

/// The key of a user's row.
pub(super) type RowKey = Box<[u8]>;

/// What is stored in one piece.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The sequence number of its first record.
    pub(super) first_sequence: u64,
    pub(super) records: Vec<Record>,
    /// Until when activations that arrive late can claim the event that its record is about.
    pub(super) claimable_until_ms: Option<TimeMs>,
    /// Rows as they are now; an empty one is taken away. In the queue they are kept by user instead.
    pub(super) rows: SmallVec<[(RowKey, Arc<Row>); 1]>,
    pub(super) id: Option<AcceptedId>,
    pub(super) writes: Vec<Write>,
    pub(super) change: Totals,
    /// The sequence number up to which nobody needs records when it is stored.
    pub(super) released: u64,
    /// The number of the latest dead letter then, if it has any.
    pub(super) latest_letter: u64,
    /// The places in the queue that it takes, once it is there.
    pub(super) places: usize,
}

/// An id, and when it stops being recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AcceptedId {
    pub(super) id: Uuid,
    pub(super) until_ms: TimeMs,
}

/// How much is held, or by how much that changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) users: i64,
    pub(super) activations: i64,
    pub(super) pending_events: i64,
    pub(super) dead_letters: i64,
    /// Of records, whether they wait or not.
    pub(super) record_bytes: i64,
}

impl Totals {
    /// The totals of nothing.
    pub(super) const NONE: Self =
        Self { users: 0, activations: 0, pending_events: 0, dead_letters: 0, record_bytes: 0 };

    pub(super) const fn plus(self, change: Self) -> Self {
        Self {
            users: self.users.saturating_add(change.users),
            activations: self.activations.saturating_add(change.activations),
            pending_events: self.pending_events.saturating_add(change.pending_events),
            dead_letters: self.dead_letters.saturating_add(change.dead_letters),
            record_bytes: self.record_bytes.saturating_add(change.record_bytes),
        }
    }

    /// What a row holds.
    pub(super) fn of_row(row: &Row) -> Self {
        Self {
            users: i64::from(!row.is_empty()),
            activations: signed(row.activation_count()),
            pending_events: signed(row.pending().len()),
            ..Self::default()
        }
    }

    /// The change from one row to another.
    pub(super) fn between(before: &Row, after: &Row) -> Self {
        Self::of_row(before).until(after)
    }

    /// The change from a row that held this.
    pub(super) fn until(self, after: &Row) -> Self {
        let after = Self::of_row(after);
        Self {
            users: after.users - self.users,
            activations: after.activations - self.activations,
            pending_events: after.pending_events - self.pending_events,
            ..Self::default()
        }
    }
}

pub(super) fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
