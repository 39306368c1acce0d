//! The outbox of the store on disk: records that are durable, and who reads them.
//!
//! Must not know what sinks do with records.

use std::sync::Arc;
use std::time::Duration;

use super::engine::Space;
use super::entry::Entry;
use super::keys::{number, numbered};
use super::unreadable::Unreadable;
use super::wire::unpacked_record;
use super::{DurableStore, Inner};
use crate::attribution::Record;
use crate::clock::Stopwatch;
use crate::error::Error;
use crate::store::{Cursor, DeadLetter, Outbox, Step};

impl Outbox for DurableStore {
    fn claim_outbox(&self, sinks: &[&str]) -> Result<Vec<Cursor>, Error> {
        self.inner.claim(sinks)
    }

    fn return_outbox(&self) {
        self.inner.return_claim();
    }

    fn outbox(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        let waited = Stopwatch::start();
        loop {
            let mut stored = self.inner.stored.lock();
            if after.max(stored.released) < stored.latest {
                let (first, last) = (after.max(stored.released) + 1, stored.latest);
                drop(stored);
                return self.inner.records(first, last, limit);
            }
            let left = patience.saturating_sub(waited.elapsed());
            if left.is_zero() || self.inner.published.wait_for(&mut stored, left).timed_out() {
                return Ok(Vec::new());
            }
        }
    }

    fn advance(&self, sink: &str, step: Step) -> Result<(), Error> {
        self.inner.advance(sink, step)
    }

    fn release(&self, through: u64) {
        self.inner.release(through);
    }

    fn latest(&self) -> u64 {
        self.inner.stored.lock().latest
    }

    fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.inner.letters(after, limit)
    }

    fn retried_letters(
        &self,
        sink: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.inner.retried_letters(sink, after, limit)
    }

    fn count_dead_letters(&self, sink: &str) -> u64 {
        self.inner.sinks.lock().known(sink).map_or(0, |known| known.letters)
    }

    fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.inner.retry_letters(numbers)
    }

    fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.inner.drop_letters(numbers)
    }
}

impl Inner {
    fn records(
        &self,
        first: u64,
        last: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        let mut records = Vec::new();
        for (key, value) in self.engine.page(Space::Outbox, numbered(first, last), limit)? {
            match self.readable(unpacked_record(&value, &self.names)) {
                Ok(record) => records.push((number(&key).unwrap_or_default(), Arc::new(record))),
                // Sinks get what is before it.
                Err(why) if records.is_empty() => return Err(why),
                Err(_) => break,
            }
        }
        Ok(records)
    }

    fn release(&self, through: u64) {
        let sinks = self.sinks.lock();
        let mut stored = self.stored.lock();
        let released = sinks.held_back(through.min(stored.latest));
        drop(sinks);
        if released <= stored.released {
            return;
        }
        stored.released = released;
        drop(stored);
        // Should it not be kept, the records are there again after the next start.
        if let Ok(place) = self.queue.place_at_once() {
            drop(place.put(|_, _| Entry { released, ..Entry::default() }));
        }
    }

    pub(super) fn readable<T>(&self, read: Result<T, Unreadable>) -> Result<T, Error> {
        read.map_err(|why| self.unreadable("what it keeps", &why))
    }
}
