//! Looking for dead letters of a sink that somebody asked to be delivered again.
//!
//! Must not know how they are delivered.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::store::{DeadLetter, Outbox};

/// Who asks the delivery is heard at once; who asks the store is heard after this time.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// Looking takes at most one part in so many of the thread's time, however many letters there are.
const SHARE: u32 = 50;
/// Letters are read in pages of this length.
const PAGE: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Letters {
    /// Since the last look, and how long to wait for the next one.
    looked: Option<(Stopwatch, Duration)>,
    /// How many times somebody had asked by then.
    asked: u64,
    /// How many letters the sink has, as far as is known.
    count: Option<u64>,
}

impl Letters {
    /// Whether it is time to look, where somebody has asked so many times.
    pub(super) fn is_due(&mut self, asked: u64) -> bool {
        let has_waited = self.looked.is_none_or(|(since, interval)| since.elapsed() >= interval);
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
        let effort = Stopwatch::start();
        let mut found = Vec::new();
        let (mut count, mut after) = (0, 0);
        loop {
            // Before the answer is known: a store that fails is not asked again at once either.
            self.looked = Some((Stopwatch::start(), SHORTEST_INTERVAL));
            let letters = store.dead_letters(after, PAGE)?;
            let Some(last) = letters.last() else { break };
            after = last.number;
            for letter in letters {
                if letter.sink.as_deref() != Some(sink) {
                    continue;
                }
                count += 1;
                if letter.is_retried && letter.record.is_some() && found.len() < limit {
                    found.push(letter);
                }
            }
            if found.len() >= limit {
                // There may be more: go on when these are done.
                self.looked = None;
                return Ok(found);
            }
        }
        self.count = Some(count);
        let interval = SHORTEST_INTERVAL.max(effort.elapsed().saturating_mul(SHARE));
        self.looked = Some((Stopwatch::start(), interval));
        Ok(found)
    }

    /// How many letters the sink has, where that is known.
    pub(super) const fn count(&self) -> Option<u64> {
        self.count
    }
}
