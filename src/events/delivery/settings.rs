//! What a delivery can be told, and what it tells.
//!
//! Must not know how it delivers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;

/// What became of a batch, as listeners see it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BatchNotice<'a> {
    /// The sink, by its name in the store.
    pub sink: &'a str,
    /// How many records are in the batch.
    pub records: usize,
    /// What became of it.
    pub outcome: BatchOutcome,
    /// The error with its causes, where it was not delivered; or the warning.
    pub error: Option<&'a str>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchOutcome {
    /// The sink has it.
    Delivered,
    /// The sink is unavailable and will be asked again.
    Unavailable,
    /// What is in it was refused: it is split, or, if it is one record, a dead letter.
    Refused,
    /// The sink was unavailable for so long that its records are dead letters now.
    Expired,
    /// There is no batch: the sink found something that people should know.
    Warned,
}

/// Is told of each batch, on the sink's thread.
pub type BatchListener = dyn Fn(&BatchNotice<'_>) + Send + Sync;

/// What a [`Delivery`](super::Delivery) can be told.
#[derive(Clone)]
pub struct DeliverySettings {
    /// The clock that records were received by: their age is measured with it. Default: the system's.
    pub clock: Arc<Clock>,
    /// How long the end of a delivery waits for its sinks to take what waits; the rest stays in the
    /// store. Default 5 s.
    pub last_drain: Duration,
    /// Who is told of each batch. If it panics, that is caught and counted. Default: nobody.
    pub on_batch: Option<Arc<BatchListener>>,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self {
            clock: Arc::new(Clock::system()),
            last_drain: Duration::from_secs(5),
            on_batch: None,
        }
    }
}

impl fmt::Debug for DeliverySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DeliverySettings")
            .field("last_drain", &self.last_drain)
            .field("is_listened_to", &self.on_batch.is_some())
            .finish_non_exhaustive()
    }
}
