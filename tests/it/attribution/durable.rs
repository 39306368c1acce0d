//! The store on disk, as the other tests of stores use it: in a folder of its own.

use std::sync::Arc;
use std::time::Duration;

use variate::attribution::{Event, EventOutcome, ImpressionOutcome, NewImpression, Record, Rules};
use variate::clock::Clock;
use variate::error::Error;
use variate::store::{
    Cursor, DeadLetter, DurableSettings, DurableStore, Outbox, Recorded, Statistics, Step, Store,
};

/// A store whose folder is gone with it.
#[derive(Debug)]
pub(super) struct Scratch {
    store: DurableStore,
    _folder: tempfile::TempDir,
}

pub(super) fn settings() -> DurableSettings {
    // The disk of the machine that tests is its own affair.
    DurableSettings { reserved_bytes: 0, ..DurableSettings::default() }
}

pub(super) fn durable(clock: Arc<Clock>) -> Box<dyn Store> {
    let folder = tempfile::tempdir().unwrap();
    let store = DurableStore::open(folder.path(), clock, settings()).unwrap();
    Box::new(Scratch { store, _folder: folder })
}

impl Store for Scratch {
    fn record_impression(
        &self,
        environment: &str,
        rules: &Rules,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome> {
        self.store.record_impression(environment, rules, impression)
    }

    fn record_event(
        &self,
        environment: &str,
        rules: &Rules,
        event: Event,
    ) -> Recorded<EventOutcome> {
        self.store.record_event(environment, rules, event)
    }

    fn forget(&self, environment: &str, user_id: &str) -> Result<bool, Error> {
        self.store.forget(environment, user_id)
    }

    fn flush(&self, timeout: Duration) -> Result<(), Error> {
        self.store.flush(timeout)
    }

    fn statistics(&self) -> Statistics {
        self.store.statistics()
    }
}

impl Outbox for Scratch {
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
        self.store.outbox(after, limit, patience)
    }

    fn advance(&self, sink: &str, step: Step) -> Result<(), Error> {
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

    fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.store.retry_dead_letters(numbers)
    }

    fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.store.drop_dead_letters(numbers)
    }
}
