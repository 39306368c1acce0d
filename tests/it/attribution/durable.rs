//! The store on disk, as the other tests of stores use it: in a folder of its own, and, where they want
//! that, closed and opened again after every few entries.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use variate::attribution::{
    Event, EventOutcome, ImpressionOutcome, MergeOutcome, NewImpression, NewMerge, Record, Rules,
};
use variate::clock::{Clock, Stopwatch};
use variate::error::Error;
use variate::store::{
    Cursor, DeadLetter, DurableSettings, DurableStore, KeptDatafile, Outbox, Recorded, Statistics,
    Step, Store,
};

/// A store whose folder is gone with it.
#[derive(Debug)]
pub(super) struct Scratch {
    store: RwLock<Option<DurableStore>>,
    /// What former openings counted.
    before: Mutex<Statistics>,
    clock: Arc<Clock>,
    entries: AtomicUsize,
    restarts_after: usize,
    /// Whether everything is looked at when it is dropped.
    is_to_be_sound: bool,
    folder: tempfile::TempDir,
}

/// The store while it is open; nobody closes it meanwhile.
struct Open<'s>(RwLockReadGuard<'s, Option<DurableStore>>);

pub(super) fn settings() -> DurableSettings {
    // The disk of the machine that tests is its own affair.
    DurableSettings { reserved_bytes: 0, ..DurableSettings::default() }
}

pub(super) fn durable(clock: Arc<Clock>) -> Box<dyn Store> {
    restarting(clock, usize::MAX)
}

/// Closed and opened again after every so many entries.
pub(super) fn restarting(clock: Arc<Clock>, restarts_after: usize) -> Box<dyn Store> {
    Box::new(Scratch::new(clock, restarts_after, false))
}

/// The same, which is sound at the end: `variate events verify` finds nothing.
pub(super) fn sound(clock: Arc<Clock>, restarts_after: usize) -> Box<dyn Store> {
    Box::new(Scratch::new(clock, restarts_after, true))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.is_to_be_sound && !std::thread::panicking() {
            drop(self.store.write().take());
            let verified = variate::store::verify(self.folder.path(), &mut |_, _| {}).unwrap();
            assert!(verified.is_sound(), "{:?}", verified.faults);
        }
    }
}

impl Scratch {
    fn new(clock: Arc<Clock>, restarts_after: usize, is_to_be_sound: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = DurableStore::open(folder.path(), clock.clone(), settings()).unwrap();
        Self {
            store: RwLock::new(Some(store)),
            before: Mutex::default(),
            clock,
            entries: AtomicUsize::new(0),
            restarts_after,
            is_to_be_sound,
            folder,
        }
    }

    fn open(&self) -> Open<'_> {
        Open(self.store.read())
    }

    /// The same for the next entry.
    fn open_for_entry(&self) -> Open<'_> {
        let entries = self.entries.fetch_add(1, Ordering::Relaxed) + 1;
        if entries.is_multiple_of(self.restarts_after) {
            self.restart();
        }
        self.open()
    }

    fn restart(&self) {
        let mut store = self.store.write();
        let held = store.take().map(|store| {
            // What is counted since the opening does not change while what waits is stored.
            let counted = store.statistics();
            drop(store);
            counted
        });
        let mut before = self.before.lock();
        *before = sum_of_counts(&before, &held.unwrap());
        *store =
            Some(DurableStore::open(self.folder.path(), self.clock.clone(), settings()).unwrap());
    }
}

/// Counts since the opening, added; all the rest is what the second one says.
fn sum_of_counts(before: &Statistics, now: &Statistics) -> Statistics {
    let mut sum = *now;
    sum.forgotten_users += before.forgotten_users;
    sum.forgotten_activations += before.forgotten_activations;
    sum.forgotten_events += before.forgotten_events;
    sum.forgotten_ids += before.forgotten_ids;
    sum.dropped_dead_letters += before.dropped_dead_letters;
    sum.refused_records += before.refused_records;
    sum.dropped_records += before.dropped_records;
    sum.unreadable += before.unreadable;
    sum.duplicates += before.duplicates;
    sum.crossovers += before.crossovers;
    sum.clamped_times += before.clamped_times;
    sum.unknown_user_events += before.unknown_user_events;
    sum
}

impl Deref for Open<'_> {
    type Target = DurableStore;

    fn deref(&self) -> &DurableStore {
        self.0.as_ref().unwrap()
    }
}

impl Store for Scratch {
    fn record_impression(
        &self,
        environment: &str,
        rules: &Rules,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome> {
        self.open_for_entry().record_impression(environment, rules, impression)
    }

    fn record_event(
        &self,
        environment: &str,
        rules: &Rules,
        event: Event,
    ) -> Recorded<EventOutcome> {
        self.open_for_entry().record_event(environment, rules, event)
    }

    fn merge(
        &self,
        environment: &str,
        rules: &Rules,
        merge: &NewMerge<'_>,
    ) -> Recorded<MergeOutcome> {
        self.open_for_entry().merge(environment, rules, merge)
    }

    fn forget(&self, environment: &str, user_id: &str) -> Result<bool, Error> {
        self.open().forget(environment, user_id)
    }

    fn keep_datafile(&self, environment: &str, datafile: &KeptDatafile) -> Result<(), Error> {
        self.open_for_entry().keep_datafile(environment, datafile)
    }

    fn kept_datafile(&self, environment: &str) -> Result<Option<KeptDatafile>, Error> {
        self.open().kept_datafile(environment)
    }

    fn flush(&self, timeout: Duration) -> Result<(), Error> {
        self.open().flush(timeout)
    }

    fn statistics(&self) -> Statistics {
        let open = self.open();
        sum_of_counts(&self.before.lock(), &open.statistics())
    }
}

impl Outbox for Scratch {
    fn claim_outbox(&self, sinks: &[&str]) -> Result<Vec<Cursor>, Error> {
        self.open().claim_outbox(sinks)
    }

    fn return_outbox(&self) {
        self.open().return_outbox();
    }

    fn outbox(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        if self.restarts_after == usize::MAX {
            return self.open().outbox(after, limit, patience);
        }
        // In slices: while somebody waits in it, the store cannot be closed.
        let waited = Stopwatch::start();
        loop {
            let left = patience.saturating_sub(waited.elapsed());
            let slice = left.min(Duration::from_millis(2));
            let records = self.open().outbox(after, limit, slice)?;
            if !records.is_empty() || left.is_zero() {
                return Ok(records);
            }
        }
    }

    fn advance(&self, sink: &str, step: Step) -> Result<(), Error> {
        self.open().advance(sink, step)
    }

    fn release(&self, through: u64) {
        self.open().release(through);
    }

    fn latest(&self) -> u64 {
        self.open().latest()
    }

    fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.open().dead_letters(after, limit)
    }

    fn retried_letters(
        &self,
        sink: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        self.open().retried_letters(sink, after, limit)
    }

    fn count_dead_letters(&self, sink: &str) -> u64 {
        self.open().count_dead_letters(sink)
    }

    fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.open().retry_dead_letters(numbers)
    }

    fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.open().drop_dead_letters(numbers)
    }
}
