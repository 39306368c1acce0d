//! Records that wait for the sinks, by sequence numbers without gaps.
//!
//! Must not know sinks: each keeps its own place, and somebody says what none needs any more. What
//! arrives is put on a pile, in the order in which it was accepted; readers number it. So accepting
//! never waits for a reader that works, and is told to wake one only while one sleeps.
//!
//! Locks are taken in this order: `bell`, `queue`, a user's shard, an id's, `arrived`, `rooms`. Who accepts
//! takes only those from the shard on, and rings when it holds none.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::captured::{Run, SpareRooms};
use crate::attribution::Record;
use crate::clock::Stopwatch;
use crate::error::Error;

/// How long a reader that was woken lets arrivals gather: a wake for each would cost those who
/// accept more than all else that they do.
const GATHERING: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct WaitingRecords {
    limit: usize,
    /// Records that wait or have a place promised.
    taken: AtomicUsize,
    /// What was accepted and is not numbered yet.
    arrived: Mutex<Vec<Arrival>>,
    queue: Mutex<Queue>,
    pub(super) rooms: SpareRooms,
    /// Whether a reader sleeps, or is about to.
    is_awaited: AtomicBool,
    bell: Mutex<()>,
    rung: Condvar,
}

#[derive(Debug)]
pub(super) enum Arrival {
    Captured(Run),
    Record(Box<Record>),
}

impl Arrival {
    fn of(record: Record) -> Self {
        Self::Record(Box::new(record))
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    records: VecDeque<Arc<Record>>,
    /// The sequence number of the latest record.
    pub(super) latest: u64,
}

impl Queue {
    /// How many of the records have a sequence number up to and including this one.
    fn count_through(&self, sequence: u64) -> usize {
        let after = usize::try_from(self.latest.saturating_sub(sequence)).unwrap_or(usize::MAX);
        self.records.len().saturating_sub(after)
    }

    /// The sequence number before the oldest record that waits.
    pub(super) fn released(&self) -> u64 {
        self.latest.saturating_sub(self.waiting())
    }

    /// How many have a later one.
    fn count_after(&self, sequence: u64) -> usize {
        self.records.len().saturating_sub(self.count_through(sequence))
    }

    pub(super) fn waiting(&self) -> u64 {
        self.records.len() as u64
    }

    fn after(&self, after: u64, limit: usize) -> Vec<(u64, Arc<Record>)> {
        let first = self.latest.saturating_sub(self.records.len() as u64) + 1;
        let skipped = self.count_through(after);
        let numbered = (first + skipped as u64..).zip(self.records.range(skipped..));
        numbered.take(limit).map(|(sequence, record)| (sequence, record.clone())).collect()
    }

    fn number(&mut self, arrivals: Vec<Arrival>, rooms: &SpareRooms) {
        let before = self.records.len();
        for arrival in arrivals {
            match arrival {
                Arrival::Captured(run) => {
                    run.make_records(rooms, |record| self.records.push_back(Arc::new(record)));
                }
                Arrival::Record(record) => self.records.push_back(Arc::new(*record)),
            }
        }
        self.latest += self.records.len().saturating_sub(before) as u64;
    }
}

impl WaitingRecords {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
            arrived: Mutex::default(),
            queue: Mutex::default(),
            rooms: SpareRooms::default(),
            is_awaited: AtomicBool::new(false),
            bell: Mutex::default(),
            rung: Condvar::new(),
        }
    }

    /// Whether records are made at all.
    pub(super) const fn are_kept(&self) -> bool {
        self.limit > 0
    }

    /// Promises a place for the records of one entry, which must then arrive. As long as there is one
    /// place, an entry gets as many as it needs: else one that has more records than `limit` could never
    /// be accepted.
    pub(super) fn reserve(&self) -> Result<(), Error> {
        if !self.are_kept() {
            return Ok(());
        }
        let reserve = |taken| (taken < self.limit).then_some(taken + 1);
        match self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::full(
                "the outbox",
                self.limit,
                "entries",
                "give it a sink that keeps up",
            )),
        }
    }

    /// Puts what was captured in a shard on the pile, for a reader who makes records of it at once. To be
    /// called under the shard's lock, so that a user's records stay in order.
    pub(super) fn bring(&self, captured: impl IntoIterator<Item = Run>) {
        self.arrived.lock().extend(captured.into_iter().map(Arrival::Captured));
    }

    /// The same where it may lie there until somebody reads, and then the records of one entry, for which
    /// one place was promised.
    pub(super) fn arrive(
        &self,
        captured: impl IntoIterator<Item = Run>,
        records: impl IntoIterator<Item = Record>,
    ) {
        let mut arrivals = Vec::new();
        for run in captured {
            if run.is_short() {
                run.make_records(&self.rooms, |record| arrivals.push(Arrival::of(record)));
            } else {
                arrivals.push(Arrival::Captured(run));
            }
        }
        let mut arrived = self.arrived.lock();
        arrived.append(&mut arrivals);
        let before = arrived.len();
        arrived.extend(records.into_iter().map(Arrival::of));
        let added = arrived.len().saturating_sub(before);
        self.taken.fetch_add(added.saturating_sub(1), Ordering::Relaxed);
    }

    /// The same where the promised place was used by what was captured: every record is a further one.
    pub(super) fn arrive_further(
        &self,
        captured: impl IntoIterator<Item = Run>,
        records: Vec<Record>,
    ) {
        self.taken.fetch_add(records.len().min(1), Ordering::Relaxed);
        self.arrive(captured, records);
    }

    /// Wakes readers, if there are any. To be called when the turn of an entry that was accepted is over.
    #[inline]
    pub(super) fn wake(&self) {
        // Who sleeps said so before looking at the shards for the last time: either it saw what was
        // accepted, or this sees that it sleeps.
        if self.is_awaited.load(Ordering::Relaxed) {
            self.ring();
        }
    }

    #[cold]
    fn ring(&self) {
        if self.is_awaited.swap(false, Ordering::AcqRel) {
            drop(self.bell.lock());
            self.rung.notify_all();
        }
    }

    /// The queue with all that was accepted before the call. `bring` puts what shards have captured on the
    /// pile.
    pub(super) fn numbered(&self, bring: impl Fn()) -> MutexGuard<'_, Queue> {
        let mut queue = self.queue.lock();
        bring();
        let arrived = std::mem::take(&mut *self.arrived.lock());
        queue.number(arrived, &self.rooms);
        queue
    }

    pub(super) fn after(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
        bring: impl Fn(),
    ) -> Vec<(u64, Arc<Record>)> {
        // Who is behind gets the next ones without looking at the shards, where others are at work.
        let queue = self.queue.lock();
        if queue.count_after(after) >= limit.max(1) {
            return queue.after(after, limit);
        }
        drop(queue);
        let records = self.numbered(&bring).after(after, limit);
        if !records.is_empty() || patience.is_zero() {
            return records;
        }
        let waited = Stopwatch::start();
        loop {
            let mut bell = self.bell.lock();
            self.is_awaited.store(true, Ordering::SeqCst);
            let records = self.numbered(&bring).after(after, limit);
            let left = patience.saturating_sub(waited.elapsed());
            if !records.is_empty() || left.is_zero() {
                return records;
            }
            let was_rung = !self.rung.wait_for(&mut bell, left).timed_out();
            drop(bell);
            if was_rung {
                thread::sleep(GATHERING.min(left));
            }
        }
    }

    pub(super) fn release(&self, through: u64) {
        let mut queue = self.queue.lock();
        let count = queue.count_through(through);
        let released: Vec<_> = queue.records.drain(..count).collect();
        self.taken.fetch_sub(count, Ordering::Relaxed);
        drop(queue);
        // Records are dropped without the lock: there may be many.
        drop(released);
    }
}
