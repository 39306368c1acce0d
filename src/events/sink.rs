//! Where records go: the trait, and the sink that keeps them in memory.
//!
//! Must not know how records get here, or who retries.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::attribution::Record;
use crate::error::Error;

/// Where records go.
///
/// Each sink has a thread of its own, so that it may block. It gets the records in order, in
/// batches, and the same batch again until it has taken it: at least once, so that a sink which took
/// part of a batch before it failed sees that part twice. Ids of records never change.
///
/// ```
/// use std::sync::{Arc, mpsc};
/// use variate::attribution::Record;
/// use variate::error::Error;
/// use variate::events::{Sink, record_json};
///
/// struct Channel(mpsc::Sender<String>);
///
/// impl Sink for Channel {
///     fn name(&self) -> &str {
///         "channel"
///     }
///
///     fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), Error> {
///         let lines: Vec<_> = records.iter().map(|record| record_json(record)).collect();
///         self.0.send(lines.join("\n")).map_err(Error::sink)
///     }
/// }
/// ```
pub trait Sink: Send {
    /// What to call it in statistics.
    fn name(&self) -> &str;

    /// Takes a batch of records, all or none.
    ///
    /// # Errors
    ///
    /// If it cannot take them now ([`Error::sink`] is for that): it will be asked again.
    fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), Error>;
}

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

    fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), Error> {
        self.records.lock().extend_from_slice(records);
        Ok(())
    }
}
