//! How a durable store is set up.
//!
//! Must not know how it keeps to that.

use super::engine::Setup;
use crate::attribution::Bounds;

const MEBIBYTE: u64 = 1024 * 1024;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How a [`DurableStore`](super::DurableStore) is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurableSettings {
    /// Entries that may wait for the disk at once, those that are being written included. A large one counts
    /// as one more for each 4 KiB, so that what waits is bounded in bytes as well.
    pub waiting_entries: usize,
    /// What happens when that many wait.
    pub when_full: WhenFull,
    /// Activations per user. Beyond it, the one whose experiment was not shown for longest is forgotten.
    pub activations_per_user: usize,
    /// Events per user that wait for late activations. Beyond it, those received first are forgotten.
    pub pending_events_per_user: usize,
    /// For how long an activation is remembered after it was last received, in milliseconds.
    pub activation_retention_ms: i64,
    /// For how long a record is kept after all sinks have it, in milliseconds from its receipt. What is
    /// about an event that waits for late activations is kept as long as it waits, however short this is,
    /// and what came after it too.
    pub record_retention_ms: i64,
    /// Room for records, in bytes: those that wait for sinks and those that are kept after. Beyond it,
    /// the latter go before their time, and events that wait with them; what happens then,
    /// [`when_over_budget`](Self::when_over_budget) says.
    pub budget_bytes: u64,
    /// What happens when the records that wait need more room than that.
    pub when_over_budget: WhenOverBudget,
    /// Where the disk has less room than this, in bytes, entries are refused: so that others on it go on,
    /// and the store can still tidy up. It is looked at once a second, and whenever 4 MiB were written.
    pub reserved_bytes: u64,
    /// Memory for what was read from the disk, in bytes; the system keeps files in memory, too.
    pub cache_bytes: u64,
    /// Memory for what was written lately, in bytes, for each kind of data.
    pub memtable_bytes: u64,
    /// Size of the journals, in bytes, beyond which what was written lately is put in order.
    pub journal_bytes: u64,
}

/// What happens to an entry when too many wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// The call waits until there is room: nobody loses anything, and who sends too much becomes slow.
    #[default]
    Wait,
    /// The entry is refused, and its receipt says so: no call ever waits.
    Refuse,
}

/// What happens when the records that wait for sinks need more room than they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenOverBudget {
    /// Entries are refused until sinks have taken some: who records is told, and nothing is lost.
    #[default]
    Refuse,
    /// The oldest records are dropped, each run of them with a dead letter that says which: what is new
    /// counts, what is old is lost to all sinks that do not have it yet.
    ShedOldest,
}

impl Default for DurableSettings {
    /// 16 384 waiting entries (64 MiB), and calls wait beyond; a thousand activations and pending events per
    /// user; activations for 180 days, records for 7; 64 GiB for records, and entries are refused beyond; 256 MiB
    /// in reserve; 8 MiB of cache, 8 MiB per kind of data for what is new, and 256 MiB of journals.
    fn default() -> Self {
        Self {
            waiting_entries: 16_384,
            when_full: WhenFull::default(),
            activations_per_user: 1_000,
            pending_events_per_user: 1_000,
            activation_retention_ms: 180 * DAY_MS,
            record_retention_ms: 7 * DAY_MS,
            budget_bytes: 64 * 1024 * MEBIBYTE,
            when_over_budget: WhenOverBudget::default(),
            reserved_bytes: 256 * MEBIBYTE,
            cache_bytes: 8 * MEBIBYTE,
            memtable_bytes: 8 * MEBIBYTE,
            journal_bytes: 256 * MEBIBYTE,
        }
    }
}

impl DurableSettings {
    pub(super) const fn bounds(&self) -> Bounds {
        Bounds {
            activations: self.activations_per_user,
            pending_events: self.pending_events_per_user,
        }
    }

    pub(super) fn setup(&self) -> Setup {
        Setup {
            cache_bytes: self.cache_bytes,
            journal_bytes: self.journal_bytes.max(64 * MEBIBYTE),
            memtable_bytes: self.memtable_bytes.max(MEBIBYTE),
        }
    }
}
