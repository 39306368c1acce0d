//! The store: where impressions and events become facts, and records wait for their sinks.
//!
//! Must not know sources, sinks or servers. The seam is the trait [`Store`].

#[cfg(feature = "durable")]
mod durable;
mod kept_datafile;
mod kept_override;
mod memory;
mod outbox;
mod receipt;

#[cfg(feature = "cli")]
pub(crate) use durable::is_inside;
#[cfg(feature = "server")]
pub(crate) use durable::is_own_file;
#[cfg(feature = "durable")]
pub use durable::{
    DurableSettings, DurableStore, Fault, FaultKind, HeldUser, Inspected, KeptProfile, Mended,
    Retained, RetainedRecords, Verified, WhenFull, WhenOverBudget, inspect, is_there, mend, verify,
};
pub use kept_datafile::KeptDatafile;
pub use kept_override::Override;
pub use memory::{MemoryLimits, MemoryStore};
pub use outbox::{Burial, Cursor, DeadLetter, Outbox, Step};
pub use receipt::Receipt;

use std::time::Duration;

use crate::attribution::{
    Event, EventOutcome, ImpressionOutcome, MergeOutcome, NewImpression, NewMerge, Rules,
};
use crate::error::Error;

/// What a store did with an entry: the outcome at once, and a receipt for its durability.
#[derive(Debug)]
pub struct Recorded<T> {
    /// What attribution made of it. Where the store refused, what it would have been without it.
    pub outcome: T,
    /// Tells when (and whether) it is stored.
    pub receipt: Receipt,
}

/// Takes impressions and events of many environments.
///
/// For each user in turn it reads the user's row, applies the attribution rule, and commits the new
/// row, the id and the record together: an event and an activation that are in flight at the same
/// moment never miss each other. It sets the times that callers did not give, inside that turn.
pub trait Store: Outbox {
    /// Takes an impression; if it is an activation, the ledger remembers it.
    fn record_impression(
        &self,
        environment: &str,
        rules: &Rules,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome>;

    /// Takes an event and credits the experiments that the user was activated in.
    fn record_event(
        &self,
        environment: &str,
        rules: &Rules,
        event: Event,
    ) -> Recorded<EventOutcome>;

    /// Takes it that two user ids are one person, in one turn of both: the new id gets the activations that
    /// it lacks and the events that wait for the old one, and these and its own are credited by what is new
    /// to them. It keeps its own activations, no credit that was given is changed, and the old id keeps what
    /// it was activated in: what comes under it later is its own, until it is merged again.
    fn merge(
        &self,
        environment: &str,
        rules: &Rules,
        merge: &NewMerge<'_>,
    ) -> Recorded<MergeOutcome>;

    /// Forgets a user: activations, pending events. Gives whether there was anything.
    ///
    /// # Errors
    ///
    /// If it cannot be done now: then the user is still there.
    fn forget(&self, environment: &str, user_id: &str) -> Result<bool, Error>;

    /// Keeps the last good datafile of an environment in the place of the one before. When it returns, it
    /// is stored.
    ///
    /// # Errors
    ///
    /// If it cannot be kept: then the one before is still there.
    fn keep_datafile(&self, environment: &str, datafile: &KeptDatafile) -> Result<(), Error>;

    /// The last good datafile of an environment.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn kept_datafile(&self, environment: &str) -> Result<Option<KeptDatafile>, Error>;

    /// Waits until all that was taken before the call is stored.
    ///
    /// # Errors
    ///
    /// If it is refused, or not stored yet when the timeout is over.
    fn flush(&self, timeout: Duration) -> Result<(), Error>;

    /// What it holds and what it had to forget.
    fn statistics(&self) -> Statistics;
}

/// What a store holds and what it had to forget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Users with a row.
    pub users: u64,
    /// Activations held, one per user and experiment or holdout.
    pub activations: u64,
    /// Events held for late arrivals.
    pub pending_events: u64,
    /// Ids held against repeats.
    pub ids: u64,
    /// Records that wait for their sinks.
    pub waiting_records: u64,
    /// Records that sinks will never take.
    pub dead_letters: u64,
    /// Dead letters dropped because there were too many.
    pub dropped_dead_letters: u64,
    /// Users forgotten because the store was full.
    pub forgotten_users: u64,
    /// Activations forgotten because a user had too many, or with a forgotten user.
    pub forgotten_activations: u64,
    /// Pending events forgotten before their time because there were too many, or with a forgotten user.
    pub forgotten_events: u64,
    /// Ids forgotten before their time because there were too many.
    pub forgotten_ids: u64,
    /// Records refused because the store had no room for them: too many were waiting, its disk was full, or its
    /// budget was used up.
    pub refused_records: u64,
    /// Records dropped when their time was over, or for the room they took, before there was any sink to
    /// have them.
    pub dropped_records: u64,
    /// Rows and records that could not be read when the store looked for what is over, and were stepped
    /// over: what is the matter with them, `variate events verify` says.
    pub unreadable: u64,
    /// Entries acknowledged as repeats.
    pub duplicates: u64,
    /// Users seen in a second variation of one experiment.
    pub crossovers: u64,
    /// Entries dated too far in the future, and set to the time of their receipt.
    pub clamped_times: u64,
    /// Events of users whose activations this ledger does not hold: it never saw them, or forgot them.
    pub unknown_user_events: u64,
}

impl Statistics {
    /// Adds those of another part of the same store.
    pub(crate) const fn add(&mut self, part: &Self) {
        self.users += part.users;
        self.activations += part.activations;
        self.pending_events += part.pending_events;
        self.ids += part.ids;
        self.waiting_records += part.waiting_records;
        self.dead_letters += part.dead_letters;
        self.dropped_dead_letters += part.dropped_dead_letters;
        self.forgotten_users += part.forgotten_users;
        self.forgotten_activations += part.forgotten_activations;
        self.forgotten_events += part.forgotten_events;
        self.forgotten_ids += part.forgotten_ids;
        self.refused_records += part.refused_records;
        self.dropped_records += part.dropped_records;
        self.unreadable += part.unreadable;
        self.duplicates += part.duplicates;
        self.crossovers += part.crossovers;
        self.clamped_times += part.clamped_times;
        self.unknown_user_events += part.unknown_user_events;
    }
}
