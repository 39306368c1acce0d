//! Records that wait for the sinks, by sequence numbers without gaps.
//!
//! Must not know sinks: each keeps its own place, and somebody says what none needs any more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::attribution::Record;
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Outbox {
    limit: usize,
    /// Records that wait or have a place promised.
    taken: AtomicUsize,
    /// Whether somebody delivers from it.
    is_claimed: AtomicBool,
    queue: Mutex<Queue>,
    arrival: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    records: VecDeque<Arc<Record>>,
    /// The sequence number of the latest record.
    latest: u64,
}

impl Queue {
    /// How many of the records have a sequence number up to and including this one.
    fn count_through(&self, sequence: u64) -> usize {
        let after = usize::try_from(self.latest.saturating_sub(sequence)).unwrap_or(usize::MAX);
        self.records.len().saturating_sub(after)
    }
}

impl Outbox {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
            is_claimed: AtomicBool::new(false),
            queue: Mutex::default(),
            arrival: Condvar::new(),
        }
    }

    pub(super) fn claim(&self) -> Result<(), Error> {
        if !self.keeps_records() {
            return Err(Error::outbox("it keeps no records: raise its limit of waiting records"));
        }
        if self.is_claimed.swap(true, Ordering::AcqRel) {
            return Err(Error::outbox(
                "another client delivers from it: give each client with sinks a store of its own",
            ));
        }
        Ok(())
    }

    pub(super) fn give_back(&self) {
        self.is_claimed.store(false, Ordering::Release);
    }

    /// Whether records are made at all.
    pub(super) const fn keeps_records(&self) -> bool {
        self.limit > 0
    }

    /// Promises a place for the records of one entry, which [`Outbox::push`] then uses. As long as
    /// there is one place, an entry gets as many as it needs: else one that has more records than
    /// `limit` could never be accepted.
    pub(super) fn reserve(&self) -> Result<(), Error> {
        if !self.keeps_records() {
            return Ok(());
        }
        let reserve = |taken| (taken < self.limit).then_some(taken + 1);
        match self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::full("the outbox", self.limit)),
        }
    }

    /// Puts the records of one entry, for which a place was promised, one after the other.
    pub(super) fn push(&self, record: Record, further: impl IntoIterator<Item = Record>) {
        let mut queue = self.queue.lock();
        let before = queue.records.len();
        queue.records.extend(std::iter::once(record).chain(further).map(Arc::new));
        let added = queue.records.len().saturating_sub(before);
        queue.latest += added as u64;
        self.taken.fetch_add(added.saturating_sub(1), Ordering::Relaxed);
        drop(queue);
        self.arrival.notify_all();
    }

    pub(super) fn after(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Vec<(u64, Arc<Record>)> {
        let mut queue = self.queue.lock();
        if queue.latest <= after && !patience.is_zero() {
            self.arrival.wait_while_for(&mut queue, |queue| queue.latest <= after, patience);
        }
        let first = queue.latest.saturating_sub(queue.records.len() as u64) + 1;
        let skipped = queue.count_through(after);
        let numbered = (first + skipped as u64..).zip(queue.records.range(skipped..));
        numbered.take(limit).map(|(sequence, record)| (sequence, record.clone())).collect()
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

    pub(super) fn latest(&self) -> u64 {
        self.queue.lock().latest
    }

    pub(super) fn waiting(&self) -> u64 {
        self.queue.lock().records.len() as u64
    }
}
