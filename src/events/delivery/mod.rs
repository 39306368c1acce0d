//! Delivery: from the store's outbox to the sinks, each at its own pace, each record at least once.
//!
//! Must not know what sinks do with records. Every sink has a thread and a cursor of its own, so that a
//! slow, failing or panicking one holds nobody else up; what every sink has is released by the store. The
//! lock is never held while a sink, a listener or the store works.
//!
//! What happens to a batch:
//!
//! | the sink's answer | what is done |
//! | --- | --- |
//! | taken | the cursor moves, together with the sink's own state |
//! | unavailable, or a panic | the sink stops and is asked again, with back-off; no record is to blame, but one that is older than [`Pace::give_up_after`](super::Pace::give_up_after) becomes a dead letter |
//! | refused | the batch is halved until the bad record is alone; that one becomes a dead letter |
//!
//! Dead letters that somebody asks for are delivered between the batches. They do not grow too old: they
//! are tried until they are taken or refused again.

mod carrier;
mod guarded;
mod letters;
mod load;
mod progress;
mod settings;
mod start;
mod statistics;

pub use settings::{BatchListener, BatchNotice, BatchOutcome, DeliverySettings};
pub use statistics::{SinkStatistics, SinkStatus};

use std::sync::Arc;
use std::time::Duration;

use self::progress::Progress;
use super::sink::Sink;
use crate::clock::{Stopwatch, TimeMs};
use crate::error::Error;
use crate::store::Outbox;

/// How long the end of a delivery waits for a sink that is in the middle of a batch.
const LAST_BATCH: Duration = Duration::from_secs(1);

/// So long, at least: a thread that is idle ends in less, and lets go of the store.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// Brings the records of a store to its sinks, from start until drop.
///
/// On drop it waits for the sinks to take what waits, for as long as its settings say, and then stops. A
/// sink that is stuck in a batch is given one second more and left behind: it does not hold the store, and
/// what it takes after all it is given again by the next delivery. There may be one delivery per store at
/// a time, since what its sinks have is released.
#[derive(Debug)]
pub struct Delivery {
    store: Arc<dyn Outbox>,
    progress: Arc<Progress>,
    settings: DeliverySettings,
    /// How long a sink that is in the middle of a batch is waited for at the end.
    last_batch: Duration,
    is_claimed: bool,
}

impl Delivery {
    /// Starts to deliver, with all that waits in the store already, by the default settings. Without
    /// sinks, everything stays where it is.
    ///
    /// # Errors
    ///
    /// See [`Delivery::start_with`].
    pub fn start(store: Arc<dyn Outbox>, sinks: Vec<Box<dyn Sink>>) -> Result<Self, Error> {
        Self::start_with(store, sinks, DeliverySettings::default())
    }

    /// The same, by these settings.
    ///
    /// # Errors
    ///
    /// If another delivery has the store's outbox, or it keeps no records; if a sink cannot go on from
    /// where it was; or if a thread cannot be started: then none is left running.
    pub fn start_with(
        store: Arc<dyn Outbox>,
        sinks: Vec<Box<dyn Sink>>,
        settings: DeliverySettings,
    ) -> Result<Self, Error> {
        let is_claimed = !sinks.is_empty();
        let progress = if is_claimed {
            start::start(&store, sinks, &settings)?
        } else {
            Arc::new(Progress::new(std::iter::empty()))
        };
        Ok(Self { store, progress, settings, last_batch: LAST_BATCH, is_claimed })
    }

    /// How each sink is doing, in the order in which they were given.
    #[must_use]
    pub fn statistics(&self) -> Vec<SinkStatistics> {
        let now_ms = self.settings.clock.now_ms();
        let oldest = |through| {
            let (_, record) = self.store.outbox(through, 1, Duration::ZERO).ok()?.pop()?;
            let age_ms: TimeMs = now_ms.saturating_sub(record.about().received_at_ms);
            Some(Duration::from_millis(u64::try_from(age_ms).unwrap_or_default()))
        };
        let letters = |sink: &str| self.store.count_dead_letters(sink);
        self.progress.statistics(self.store.latest(), letters, oldest)
    }

    /// How often the listener panicked.
    #[must_use]
    pub fn listener_panics(&self) -> u64 {
        self.progress.listener_panics()
    }

    /// Waits until every sink has all records that were stored before the call, or they are dead letters;
    /// and until dead letters that were to be delivered again are, or are dead anew.
    /// Sinks that are to be asked again later are asked at once, except where the destination itself
    /// asked for the time.
    ///
    /// # Errors
    ///
    /// If some are still waiting when the timeout is over: they stay queued.
    pub fn drain(&self, timeout: Duration) -> Result<(), Error> {
        match self.progress.wait_for(self.store.latest(), timeout) {
            0 => Ok(()),
            waiting => Err(Error::deadline(waiting)),
        }
    }

    /// Asks for dead letters to be delivered again, now; gives how many there were.
    ///
    /// # Errors
    ///
    /// If the store cannot keep it.
    pub fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        let count = self.store.retry_dead_letters(numbers)?;
        self.progress.ask_for_retries();
        Ok(count)
    }

    /// How long its drop waits for the sinks.
    #[must_use]
    pub const fn last_drain(&self) -> Duration {
        self.settings.last_drain
    }

    /// Changes how long its drop waits for the sinks.
    pub const fn set_last_drain(&mut self, patience: Duration) {
        self.settings.last_drain = patience;
    }

    /// Ends the delivery within the deadline: drains, then stops, and waits for sinks in the middle of a batch. What
    /// was not delivered stays in the store.
    ///
    /// # Errors
    ///
    /// If something stayed.
    pub fn shut_down(mut self, deadline: Duration) -> Result<(), Error> {
        let watch = Stopwatch::start();
        let drained = self.drain(deadline.saturating_sub(LAST_BATCH.min(deadline / 2)));
        self.settings.last_drain = Duration::ZERO;
        self.last_batch = deadline.saturating_sub(watch.elapsed()).max(LAST_LOOK);
        drained
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        // What did not get through is still in the store, and there is nobody left to tell.
        self.drain(self.settings.last_drain).unwrap_or_default();
        self.progress.stop();
        self.progress.wait_for_endings(self.last_batch);
        if self.is_claimed {
            self.store.return_outbox();
        }
    }
}
