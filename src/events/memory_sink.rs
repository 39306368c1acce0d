//! The sink that keeps records in memory.
//!
//! Must not know how records get here.

use std::sync::Arc;

use parking_lot::Mutex;

use super::batch::Batch;
use super::sink::{Sink, Undelivered};
use crate::attribution::Record;

/// Keeps every record in memory until it is taken, those of events without credits, too.
///
/// Clones are handles on the same records: give one to the delivery, and keep one to take from.
#[derive(Debug, Clone, Default)]
pub struct MemorySink {
    records: Arc<Mutex<Vec<Arc<Record>>>>,
}

impl MemorySink {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the records that were delivered since the last time, in order.
    #[must_use]
    pub fn take(&self) -> Vec<Arc<Record>> {
        std::mem::take(&mut self.records.lock())
    }
}

impl Sink for MemorySink {
    fn name(&self) -> &str {
        "memory"
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        self.records.lock().extend(batch.shared_records().cloned());
        Ok(())
    }
}
