//! The store in memory: bounded, at memory speed, and with counters for what it had to forget.
//!
//! Must not know sources, sinks or servers. Locks are taken in one order only, which `records` says. The
//! user's shard stays locked from the reading of the clock to the
//! last commit; that is the user's turn.

mod captured;
mod ids;
mod kept_datafiles;
mod limits;
mod merge;
mod records;
mod shard;
mod sinks;
mod spread;
mod turn;

pub use limits::MemoryLimits;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::DefaultHashBuilder;
use parking_lot::Mutex;

use self::ids::{AcceptedIds, EntryKind, IdKey};
use self::kept_datafiles::KeptDatafiles;
use self::records::WaitingRecords;
use self::shard::{Shard, UserKey};
use self::sinks::Sinks;
use self::spread::shard_count;
use self::turn::{Dates, Place, Turn};
use super::{Cursor, DeadLetter, KeptDatafile, Outbox, Receipt, Recorded, Statistics, Step, Store};
use crate::attribution::{
    Event, EventOutcome, ImpressionOutcome, MergeOutcome, NewImpression, NewMerge, Origin, Record,
    Rules,
};
use crate::clock::{Clock, TimeMs};
use crate::error::Error;

/// What there is to know of an entry before its turn.
#[derive(Debug, Clone, Copy)]
struct Arriving<'a> {
    kind: EntryKind,
    origin: Origin,
    id: Option<&'a str>,
    time_ms: Option<TimeMs>,
}

/// The store in memory.
pub struct MemoryStore {
    clock: Arc<Clock>,
    hasher: DefaultHashBuilder,
    first_shard: Mutex<Shard>,
    /// One less than a power of two.
    other_shards: Box<[Mutex<Shard>]>,
    ids: AcceptedIds,
    records: WaitingRecords,
    sinks: Sinks,
    datafiles: KeptDatafiles,
}

impl MemoryStore {
    /// An empty store. Receipts are dated by the clock, which the client should share.
    #[must_use]
    pub fn new(clock: Arc<Clock>, limits: MemoryLimits) -> Self {
        let shards = shard_count(limits.users.min(limits.pending_events));
        let share = limits.of_shard(shards);
        Self {
            clock,
            hasher: DefaultHashBuilder::default(),
            first_shard: Mutex::new(Shard::new(share)),
            other_shards: (1..shards).map(|_| Mutex::new(Shard::new(share))).collect(),
            ids: AcceptedIds::new(limits.ids),
            records: WaitingRecords::new(limits.waiting_records),
            sinks: Sinks::new(limits.dead_letters),
            datafiles: KeptDatafiles::default(),
        }
    }

    fn place<'a>(&self, environment: &'a str, rules: &'a Rules, user_id: &str) -> Place<'a> {
        Place { environment, rules, hash: self.hasher.hash_one((environment, user_id)) }
    }

    /// Begins an entry's turn, which ends when the shard is unlocked. Gives the entry's time where its
    /// id is a repeat.
    fn begin<'a>(
        &'a self,
        shard: &'a mut Shard,
        place: Place<'a>,
        arriving: &Arriving<'_>,
    ) -> Result<Turn<'a>, TimeMs> {
        let received_at_ms = self.clock.now_ms();
        shard.sweep(received_at_ms);
        let (time_ms, is_clamped) = place.rules.time_of(arriving.time_ms, received_at_ms);
        let mut claim = None;
        if let Some(id) = arriving.id {
            let Arriving { kind, origin, .. } = *arriving;
            let key = IdKey { environment: place.environment, kind, origin, id };
            claim = self.ids.claim(&key, received_at_ms);
            if claim.is_none() {
                shard.counts.duplicates += 1;
                return Err(time_ms);
            }
        }
        let dates = Dates { time_ms, received_at_ms, is_clamped };
        Ok(Turn { shard, records: &self.records, claim, place, dates })
    }

    fn shard(&self, hash: u64) -> &Mutex<Shard> {
        self.other_shards.get(self.shard_place(hash)).unwrap_or(&self.first_shard)
    }

    fn shard_place(&self, hash: u64) -> usize {
        // The lowest and the highest bits choose the place within the shard.
        usize::try_from(hash >> 40).unwrap_or_default() & self.other_shards.len()
    }

    /// Puts what shards have captured where readers of the outbox find it.
    fn bring_captured(&self) {
        for shard in self.shards() {
            let mut shard = shard.lock();
            if !shard.captured.is_empty() {
                self.records.bring(shard.captured.take());
            }
        }
    }

    fn shards(&self) -> impl Iterator<Item = &Mutex<Shard>> {
        std::iter::once(&self.first_shard).chain(&self.other_shards)
    }
}

impl Store for MemoryStore {
    fn record_impression(
        &self,
        environment: &str,
        rules: &Rules,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome> {
        let place = self.place(environment, rules, impression.user_id);
        let arrival = Arriving {
            kind: EntryKind::Impression,
            origin: impression.origin,
            id: impression.id,
            time_ms: impression.time_ms,
        };
        let mut shard = self.shard(place.hash).lock();
        let recorded = match self.begin(&mut shard, place, &arrival) {
            Ok(turn) => turn.take_impression(impression),
            Err(time_ms) => {
                let outcome = ImpressionOutcome::repeated(time_ms);
                Recorded { outcome, receipt: Receipt::stored() }
            }
        };
        drop(shard);
        if !recorded.outcome.duplicate && recorded.receipt.refusal().is_none() {
            self.records.wake();
        }
        recorded
    }

    fn record_event(
        &self,
        environment: &str,
        rules: &Rules,
        event: Event,
    ) -> Recorded<EventOutcome> {
        let place = self.place(environment, rules, &event.envelope.user_id);
        let envelope = &event.envelope;
        let arrival = Arriving {
            kind: EntryKind::Event,
            origin: envelope.origin,
            id: envelope.id.as_deref(),
            time_ms: envelope.time_ms,
        };
        let mut shard = self.shard(place.hash).lock();
        let recorded = match self.begin(&mut shard, place, &arrival) {
            Ok(turn) => turn.take_event(event),
            Err(time_ms) => {
                Recorded { outcome: EventOutcome::repeated(time_ms), receipt: Receipt::stored() }
            }
        };
        drop(shard);
        if !recorded.outcome.duplicate && recorded.receipt.refusal().is_none() {
            self.records.wake();
        }
        recorded
    }

    fn merge(
        &self,
        environment: &str,
        rules: &Rules,
        merge: &NewMerge<'_>,
    ) -> Recorded<MergeOutcome> {
        self.take_merge(environment, rules, merge)
    }

    fn forget(&self, environment: &str, user_id: &str) -> Result<bool, Error> {
        let hash = self.hasher.hash_one((environment, user_id));
        Ok(self.shard(hash).lock().forget(&UserKey { hash, environment, user_id }))
    }

    fn keep_datafile(&self, environment: &str, datafile: &KeptDatafile) -> Result<(), Error> {
        self.datafiles.keep(environment, datafile);
        Ok(())
    }

    fn kept_datafile(&self, environment: &str) -> Result<Option<KeptDatafile>, Error> {
        Ok(self.datafiles.of(environment))
    }

    fn flush(&self, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    fn statistics(&self) -> Statistics {
        let now_ms = self.clock.now_ms();
        let mut total = Statistics::default();
        for shard in self.shards() {
            let mut shard = shard.lock();
            shard.sweep(now_ms);
            total.add(&shard.statistics());
        }
        (total.ids, total.forgotten_ids) = self.ids.count(now_ms);
        total.waiting_records = self.records.numbered(|| self.bring_captured()).waiting();
        (total.dead_letters, total.dropped_dead_letters) = self.sinks.count_letters();
        total
    }
}

impl Outbox for MemoryStore {
    fn claim_outbox(&self, sinks: &[&str]) -> Result<Vec<Cursor>, Error> {
        if !self.records.are_kept() {
            return Err(Error::outbox("it keeps no records: raise its limit of waiting records"));
        }
        let released = self.records.numbered(|| self.bring_captured()).released();
        self.sinks.claim(sinks, released, self.clock.now_ms())
    }

    fn return_outbox(&self) {
        self.sinks.give_back();
    }

    fn outbox(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        Ok(self.records.after(after, limit, patience, || self.bring_captured()))
    }

    fn advance(&self, sink: &str, step: Step) -> Result<(), Error> {
        let passed = self.sinks.advance(sink, step, self.clock.now_ms());
        self.records.release(passed);
        Ok(())
    }

    fn release(&self, through: u64) {
        self.records.release(self.sinks.releasable(through));
    }

    fn latest(&self) -> u64 {
        self.records.numbered(|| self.bring_captured()).latest
    }

    fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        Ok(self.sinks.letters(after, limit))
    }

    fn retried_letters(
        &self,
        sink: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        Ok(self.sinks.retried(sink, after, limit))
    }

    fn count_dead_letters(&self, sink: &str) -> u64 {
        self.sinks.count_letters_of(sink)
    }

    fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        Ok(self.sinks.retry(numbers))
    }

    fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        Ok(self.sinks.drop_letters(numbers))
    }
}

/// Counts only: the rows are about users.
impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MemoryStore")
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
