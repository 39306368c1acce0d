//! Looking for dead letters of a sink that somebody asked to be delivered again.
//!
//! Must not know how they are delivered.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::store::{DeadLetter, Outbox};

/// Who asks the delivery is heard at once; who asks the store is heard after this time.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Letters {
    /// Since the last look, if there is time until the next one.
    looked: Option<Stopwatch>,
    /// How many times somebody had asked by then.
    asked: u64,
}

impl Letters {
    /// Whether it is time to look, where somebody has asked so many times.
    pub(super) fn is_due(&mut self, asked: u64) -> bool {
        let has_waited = self.looked.is_none_or(|since| since.elapsed() >= INTERVAL);
        let is_due = has_waited || asked != self.asked;
        self.asked = asked;
        is_due
    }

    /// Up to `limit` letters of a sink that are to be delivered again, the oldest first.
    pub(super) fn look(
        &mut self,
        store: &dyn Outbox,
        sink: &str,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        // Before the answer is known: a store that fails is not asked again at once either.
        self.looked = Some(Stopwatch::start());
        let letters = store.retried_letters(sink, 0, limit)?;
        if !letters.is_empty() {
            // There may be more: go on when these are done.
            self.looked = None;
        }
        Ok(letters)
    }
}
