//! Where a run of calls is remembered: in memory, or in a store on disk.
//!
//! Must not know calls or answers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::attribution::Record;
use crate::clock::Clock;
use crate::error::Error;
use crate::store::{
    DurableSettings, DurableStore, MemoryLimits, MemoryStore, Outbox as _, Statistics, Store,
    is_there,
};

/// A store for one run of calls.
#[derive(Debug)]
pub(super) struct Ledger {
    store: Arc<dyn Store>,
    durable: Option<Arc<DurableStore>>,
    /// The sequence number of the last record that was taken; `None` where records are not asked for.
    taken: Option<u64>,
    /// Records refused up to the last call.
    refused: u64,
}

impl Ledger {
    /// A ledger in memory, which forgets nothing of what its file tells: memory is the only bound.
    pub(super) fn in_memory(clock: Arc<Clock>, makes_records: bool) -> Self {
        let limits = MemoryLimits {
            users: usize::MAX,
            activations_per_user: usize::MAX,
            pending_events: usize::MAX,
            pending_events_per_user: usize::MAX,
            ids: usize::MAX,
            waiting_records: if makes_records { usize::MAX } else { 0 },
            dead_letters: usize::MAX,
        };
        let store = Arc::new(MemoryStore::new(clock, limits));
        Self { store, durable: None, taken: makes_records.then_some(0), refused: 0 }
    }

    /// The ledger in a folder, which is made if it is not there: it forgets as little. The clock goes on from where that of
    /// the store is.
    pub(super) fn on_disk(
        folder: &Path,
        clock: &Arc<Clock>,
        makes_records: bool,
    ) -> Result<Self, Error> {
        // Says so where the folder is of another kind.
        is_there(folder)?;
        let settings = DurableSettings {
            activations_per_user: usize::MAX,
            pending_events_per_user: usize::MAX,
            activation_retention_ms: i64::MAX,
            record_retention_ms: i64::MAX,
            ..DurableSettings::default()
        };
        let durable = Arc::new(DurableStore::open(folder, Arc::clone(clock), settings)?);
        if let Some(time_ms) = durable.latest_time_ms()? {
            clock.advance_to(time_ms);
        }
        let taken = makes_records.then(|| durable.latest());
        Ok(Self { store: durable.clone(), durable: Some(durable), taken, refused: 0 })
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Whether something of the last call was not stored.
    pub(super) fn has_refused(&mut self) -> bool {
        let Some(durable) = &self.durable else { return false };
        let refused = durable.statistics().refused_records;
        let is_new = refused > self.refused;
        self.refused = refused;
        is_new || durable.refusal().is_some()
    }

    /// The records made since they were last taken. Those in memory are gone then.
    pub(super) fn take_records(&mut self) -> Result<Vec<Arc<Record>>, Error> {
        let Some(taken) = &mut self.taken else { return Ok(Vec::new()) };
        let mut records = Vec::new();
        loop {
            let waiting = self.store.outbox(*taken, usize::MAX, Duration::ZERO)?;
            let Some((latest, _)) = waiting.last() else { return Ok(records) };
            *taken = *latest;
            if self.durable.is_none() {
                self.store.release(*latest);
            }
            records.extend(waiting.into_iter().map(|(_, record)| record));
        }
    }

    pub(super) fn statistics(&self) -> Statistics {
        self.store.statistics()
    }
}
