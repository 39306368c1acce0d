//! The outbox: records that wait for their sinks, how far each sink is, and what could not be delivered.
//!
//! Must not know what sinks do with records, nor when they are asked again.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::attribution::Record;
use crate::clock::TimeMs;
use crate::error::Error;

/// Why a sink that was left out of a run has a dead letter for records that are gone.
const LEFT_OUT: &str = "released while this sink was not there";
#[cfg(feature = "durable")]
const SHED: &str = "shed: the records that waited for sinks needed more room than they had";

/// How far a sink is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The sequence number up to and including which it has all records, or they are dead letters. It
    /// never goes back.
    pub through: u64,
    /// What the sink itself needs to go on from there, in a form of its own, as a file's name and length.
    pub state: Box<str>,
}

/// What a sink has done: kept in one piece.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Step {
    /// How far it is now.
    pub cursor: Cursor,
    /// Records that it will never take.
    pub buried: Vec<Burial>,
    /// The numbers of its dead letters that are done with: delivered after all, or buried anew. Those that
    /// are not there any more are passed over.
    pub settled: Vec<u64>,
}

/// A record that a sink will never take.
#[derive(Debug, Clone, PartialEq)]
pub struct Burial {
    /// Its sequence number.
    pub sequence: u64,
    /// The record.
    pub record: Arc<Record>,
    /// Why, in words for people.
    pub reason: Box<str>,
}

/// Records that did not reach a sink and will not, unless somebody asks for it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its number: letters are numbered in the order in which they died.
    pub number: u64,
    /// The sink that did not take it, or was not there to take it; `None` where records were shed for all
    /// sinks.
    pub sink: Option<Box<str>>,
    /// The sequence number of the record, or of the first one that is gone.
    pub sequence: u64,
    /// How many records it stands for: more than one only where they are gone.
    pub count: u64,
    /// When it died.
    pub at_ms: TimeMs,
    /// Why, in words for people.
    pub reason: Box<str>,
    /// The record; `None` where it is gone: shed, or released while the sink was not there.
    pub record: Option<Arc<Record>>,
    /// Whether somebody asked for it to be delivered again.
    pub is_retried: bool,
}

/// Letters before they have a number.
impl DeadLetter {
    pub(super) fn of_burial(sink: &str, burial: Burial, at_ms: TimeMs) -> Self {
        let Burial { sequence, record, reason } = burial;
        let record = Some(record);
        let sink = Some(sink.into());
        Self { number: 0, sink, sequence, count: 1, at_ms, reason, record, is_retried: false }
    }

    /// For a sink that has the records up to one number, and finds those up to another gone.
    pub(super) fn of_absence(sink: &str, had: u64, gone: u64, at_ms: TimeMs) -> Self {
        Self::of_range(Some(sink), (had, gone), at_ms, LEFT_OUT)
    }

    /// The same for all sinks, where the records had to go.
    #[cfg(feature = "durable")]
    pub(super) fn of_shed(had: u64, gone: u64, at_ms: TimeMs) -> Self {
        Self::of_range(None, (had, gone), at_ms, SHED)
    }

    fn of_range(sink: Option<&str>, (had, gone): (u64, u64), at_ms: TimeMs, reason: &str) -> Self {
        Self {
            number: 0,
            sink: sink.map(Into::into),
            sequence: had.saturating_add(1),
            count: gone.saturating_sub(had),
            at_ms,
            reason: reason.into(),
            record: None,
            is_retried: false,
        }
    }
}

/// Records that wait for their sinks, by sequence numbers without gaps.
pub trait Outbox: Debug + Send + Sync {
    /// Claims the outbox for one reader and its sinks, until it is returned: records that all of these
    /// have are released. Gives where each sink goes on.
    ///
    /// A name that was never seen begins behind what is released, and is remembered from then on. A sink
    /// that is remembered and not among these is not waited for. When it returns, it goes on where it was,
    /// as far as the store still has the records: the store on disk keeps what is released for its time of
    /// retention, as long as there is room. How many are gone, a dead letter of that sink says.
    ///
    /// # Errors
    ///
    /// If somebody has claimed it, the store keeps no records, it cannot be read, or what is to be
    /// remembered cannot be kept: then it is not claimed.
    fn claim_outbox(&self, sinks: &[&str]) -> Result<Vec<Cursor>, Error>;

    /// Gives the outbox back.
    fn return_outbox(&self);

    /// Records after a sequence number, oldest first, at most `limit`, and fewer where they are large;
    /// none only where there are none. Waits up to `patience` for one.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn outbox(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error>;

    /// Keeps what a sink has done. When it returns, it is as safe as the records are.
    ///
    /// # Errors
    ///
    /// If it cannot be kept: then the sink goes on from where it was before.
    fn advance(&self, sink: &str, step: Step) -> Result<(), Error>;

    /// Says that nobody needs the records up to and including a sequence number any more. Those that a sink
    /// of whoever has claimed the outbox does not have yet stay.
    fn release(&self, through: u64);

    /// The sequence number of the latest record; 0 where there is none yet.
    fn latest(&self) -> u64;

    /// Dead letters with numbers after this one, in order, at most `limit`, and fewer where they are large;
    /// none only where there are none.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error>;

    /// The same of those that are to be delivered again to one sink, without looking at the others.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn retried_letters(
        &self,
        sink: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error>;

    /// How many dead letters a sink has.
    fn count_dead_letters(&self, sink: &str) -> u64;

    /// Asks for dead letters to be delivered again; gives how many there were, each counted once. What is
    /// gone cannot be delivered and does not count.
    ///
    /// # Errors
    ///
    /// If it cannot be kept.
    fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error>;

    /// Drops dead letters; gives how many there were, each counted once.
    ///
    /// # Errors
    ///
    /// If it cannot be kept.
    fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error>;
}
