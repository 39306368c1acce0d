//! Where records go: the trait, how a sink answers, and the pace at which it is asked.
//!
//! Must not know how records get here, or who retries.

use std::time::Duration;

use super::batch::{Batch, Encoded};
use crate::attribution::Record;
use crate::error::Error;

/// Where records go.
///
/// Each sink has a thread of its own, so that it may block. It gets the records in batches, and the
/// same batch again until it has taken it: at least once, so that a sink which took part of a batch
/// before it failed sees that part twice. Ids of records never change. A sink that panics is taken for
/// one that is unavailable. One that never comes back from a call holds up nothing but itself, and is left
/// behind with its thread when the delivery ends: give whatever it waits for a timeout.
///
/// ```
/// use std::sync::mpsc;
/// use variate::events::{Batch, Sink, Undelivered, record_json};
///
/// struct Channel(mpsc::Sender<String>);
///
/// impl Sink for Channel {
///     fn name(&self) -> &str {
///         "channel"
///     }
///
///     fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
///         let lines: Vec<_> = batch.records().map(record_json).collect();
///         self.0.send(lines.join("\n")).map_err(Undelivered::unavailable)
///     }
/// }
/// ```
pub trait Sink: Send {
    /// What to call it in statistics. The store knows by this name what the sink has got.
    fn name(&self) -> &str;

    /// Takes a batch of records, all or none.
    ///
    /// # Errors
    ///
    /// If it does not take them; [`Undelivered`] says whether it is to be asked again.
    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered>;

    /// The form in which a record is sent; `None` if this sink is not told of it at all. Records of one
    /// batch have the same context, and their texts are what its size is measured by.
    fn encode(&self, _record: &Record) -> Option<Encoded> {
        Some(Encoded::default())
    }

    /// The size of its batches, and how it is asked again. Asked for once.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Goes on from a state that [`Sink::state`] gave in an earlier life; empty for a sink that the
    /// store does not know yet. Called once, before all else, on the thread that starts the delivery.
    ///
    /// # Errors
    ///
    /// If it cannot go on from there: then the delivery does not start.
    fn open(&mut self, _state: &str) -> Result<(), Error> {
        Ok(())
    }

    /// What it needs to go on from here after a restart. It is kept together with how far the sink is,
    /// in one piece, after each batch. A sink that relies on it gives all records the same context, so
    /// that they come in order.
    fn state(&self) -> String {
        String::new()
    }

    /// What people should know that stopped nothing, once: something it found on start or in a batch, and
    /// what it did about it. Asked for after [`Sink::open`] and after each batch.
    fn warning(&mut self) -> Option<String> {
        None
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        (**self).deliver(batch)
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        (**self).encode(record)
    }

    fn pace(&self) -> Pace {
        (**self).pace()
    }

    fn open(&mut self, state: &str) -> Result<(), Error> {
        (**self).open(state)
    }

    fn state(&self) -> String {
        (**self).state()
    }

    fn warning(&mut self) -> Option<String> {
        (**self).warning()
    }
}

/// Why a sink did not take a batch.
#[derive(Debug)]
#[non_exhaustive]
pub enum Undelivered {
    /// The destination's fault: the sink stops and is asked again later, with the same batch.
    Unavailable {
        /// What happened.
        cause: Error,
        /// How long the destination wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The fault of what is in the batch: it is split until the bad record is alone, and that one
    /// becomes a dead letter.
    Refused {
        /// Why, in words for people.
        reason: Box<str>,
    },
}

impl Undelivered {
    /// The destination cannot take anything now, for a cause of any type.
    #[must_use]
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::sink(cause).into()
    }

    /// The destination does not want what is in the batch.
    #[must_use]
    pub fn refused(reason: impl Into<Box<str>>) -> Self {
        Self::Refused { reason: reason.into() }
    }
}

impl From<Error> for Undelivered {
    fn from(cause: Error) -> Self {
        Self::Unavailable { cause, retry_after: None }
    }
}

/// The size of a sink's batches, and how it is asked again when it is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The most records in a batch. Default 500; 0 counts as 1.
    pub batch_records: usize,
    /// The most bytes of encoded records in a batch; a record that is larger goes alone, so
    /// that with 0 each does. Default 1 MiB.
    pub batch_bytes: usize,
    /// How long a record waits for others to fill its batch. Default: not at all.
    pub batch_age: Duration,
    /// How long an unavailable sink is left alone at first; the time doubles with each failure, and a
    /// part of it is left to chance. Default 100 ms.
    pub first_back_off: Duration,
    /// The longest of these times. Default 30 s.
    pub longest_back_off: Duration,
    /// The age at which a record that an unavailable sink did not take becomes a dead letter. Default 7
    /// days.
    pub give_up_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            batch_records: 500,
            batch_bytes: 1 << 20,
            batch_age: Duration::ZERO,
            first_back_off: Duration::from_millis(100),
            longest_back_off: Duration::from_secs(30),
            give_up_after: Duration::from_hours(7 * 24),
        }
    }
}
