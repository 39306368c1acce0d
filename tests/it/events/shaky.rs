//! A store whose first calls fail.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use variate::attribution::Record;
use variate::error::Error;
use variate::store::{Cursor, DeadLetter, MemoryStore, Outbox, Step};

use super::world::World;

/// A store whose first calls fail, and that remembers how many records it was asked for at once.
#[derive(Debug)]
pub(super) struct Shaky {
    store: Arc<MemoryStore>,
    failures: AtomicU64,
    pub(super) limits: Mutex<Vec<usize>>,
}

impl Shaky {
    pub(super) fn of(world: &World, failures: u64) -> Arc<Self> {
        let (store, failures) = (world.store.clone(), AtomicU64::new(failures));
        Arc::new(Self { store, failures, limits: Mutex::default() })
    }

    fn shake(&self) -> Result<(), Error> {
        let left = self.failures.load(Ordering::SeqCst);
        self.failures.store(left.saturating_sub(1), Ordering::SeqCst);
        if left > 0 { Err(Error::sink("the store is shaken")) } else { Ok(()) }
    }
}

impl Outbox for Shaky {
    fn claim_outbox(&self, sinks: &[&str]) -> Result<Vec<Cursor>, Error> {
        self.store.claim_outbox(sinks)
    }

    fn return_outbox(&self) {
        self.store.return_outbox();
    }

    fn outbox(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        let records = self.store.outbox(after, limit, patience);
        if !matches!(&records, Ok(records) if records.is_empty()) {
            self.limits.lock().unwrap().push(limit);
        }
        records
    }

    fn advance(&self, sink: &str, step: Step) -> Result<(), Error> {
        self.shake()?;
        self.store.advance(sink, step)
    }

    fn release(&self, through: u64) {
        self.store.release(through);
    }

    fn latest(&self) -> u64 {
        self.store.latest()
    }

    fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.store.dead_letters(after, limit)
    }

    fn retried_letters(
        &self,
        sink: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.store.retried_letters(sink, after, limit)
    }

    fn count_dead_letters(&self, sink: &str) -> u64 {
        self.store.count_dead_letters(sink)
    }

    fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.store.retry_dead_letters(numbers)
    }

    fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.store.drop_dead_letters(numbers)
    }
}
