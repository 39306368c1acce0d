//! Delivery: from the store's outbox to the sinks, each at its own pace, each record at least once.
//!
//! Must not know what sinks do with records. Every sink has a thread of its own, so that a slow,
//! failing or panicking one holds nobody else up; what every sink has is released. The lock is never
//! held while a sink or the store works.

mod carrier;
mod progress;

pub use progress::SinkStatistics;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use self::carrier::Carrier;
use self::progress::{Ending, Progress};
use super::sink::Sink;
use crate::error::Error;
use crate::store::Store;

/// How long the end of a delivery waits for its sinks to take what waits.
const LAST_DRAIN: Duration = Duration::from_secs(5);
/// How long it then waits for a sink that is in the middle of a batch.
const LAST_BATCH: Duration = Duration::from_secs(1);

/// Brings the records of a store to its sinks, from start until drop.
///
/// A sink that fails is asked again after 100 ms, then twice that and so on up to 30 s. On drop it
/// waits up to 5 s for the sinks to take what waits, and then stops; a sink that is stuck in a batch
/// is left behind. There may be one delivery per store at a time, since it releases what its sinks have.
#[derive(Debug)]
pub struct Delivery {
    store: Arc<dyn Store>,
    progress: Arc<Progress>,
    is_claimed: bool,
}

impl Delivery {
    /// Starts to deliver, with all that waits in the store already. Without sinks, everything stays
    /// where it is.
    ///
    /// # Errors
    ///
    /// If another delivery has the store's outbox, or it keeps no records; or if a thread cannot be
    /// started: then none is left running.
    pub fn start(store: Arc<dyn Store>, sinks: Vec<Box<dyn Sink>>) -> Result<Self, Error> {
        let is_claimed = !sinks.is_empty();
        let names = own_names(sinks.iter().map(|sink| sink.name()));
        let cursors = if is_claimed {
            store.claim_outbox(&names.iter().map(String::as_str).collect::<Vec<_>>())?
        } else {
            Vec::new()
        };
        let known = names.iter().cloned().zip(cursors.iter().map(|cursor| cursor.through));
        let progress = Arc::new(Progress::new(known));
        for (place, (sink, name)) in sinks.into_iter().zip(names).enumerate() {
            let ending = Ending::new(progress.clone());
            let (name, of_store, of_all) = (name.into(), store.clone(), progress.clone());
            let carrier = Carrier { place, name, sink, store: of_store, progress: of_all };
            let thread = thread::Builder::new().name("variate-delivery".into());
            let started = thread.spawn(move || {
                carrier.run();
                drop(ending);
            });
            if let Err(error) = started {
                progress.stop();
                progress.wait_for_endings(LAST_BATCH);
                store.return_outbox();
                return Err(Error::thread("variate-delivery", error));
            }
        }
        Ok(Self { store, progress, is_claimed })
    }

    /// How each sink is doing, in the order in which they were given.
    #[must_use]
    pub fn statistics(&self) -> Vec<SinkStatistics> {
        self.progress.statistics(self.store.latest())
    }

    /// Waits until every sink has all records that were stored before the call. Sinks that are to be
    /// asked again later are asked at once.
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
}

impl Drop for Delivery {
    fn drop(&mut self) {
        // What did not get through is still in the store, and there is nobody left to tell.
        self.drain(LAST_DRAIN).unwrap_or_default();
        self.progress.stop();
        self.progress.wait_for_endings(LAST_BATCH);
        if self.is_claimed {
            self.store.return_outbox();
        }
    }
}

/// The names of sinks in the store, which tells them apart by name alone: `file`, `file#2`.
fn own_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut own: Vec<String> = Vec::new();
    for name in names {
        let numbered = (2..).map(|number| format!("{name}#{number}"));
        let candidates = std::iter::once(name.to_owned()).chain(numbered);
        own.extend(candidates.into_iter().find(|candidate| !own.contains(candidate)));
    }
    own
}
