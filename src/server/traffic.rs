//! How much is asked and recorded a second, over the last minutes.
//!
//! Must not know who looks at it. Once a second the totals since the start are written down; rates are
//! differences of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Rates go back ten minutes.
const MOST_SAMPLES: usize = 601;

/// What is counted, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Requests to the API.
    Requests,
    /// Those of them that the daemon could not answer: 5xx.
    Failed,
    /// Flags decided.
    Decisions,
    /// Activations that were handed to the store.
    Activations,
    /// Events stored.
    Events,
    /// Those that count for something.
    Conversions,
}

/// Everything that is counted.
pub(super) const ALL_COUNTED: [Counted; 6] = [
    Counted::Requests,
    Counted::Failed,
    Counted::Decisions,
    Counted::Activations,
    Counted::Events,
    Counted::Conversions,
];

type Totals = [u64; ALL_COUNTED.len()];

/// Counts since the start, and the samples of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    totals: [AtomicU64; ALL_COUNTED.len()],
    samples: Mutex<VecDeque<Totals>>,
}

/// How much it was over some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    pub(super) counted: Counted,
    /// A second, over the last 10 seconds, minute and 10 minutes, or since the start.
    pub(super) per_second: [f64; WINDOWS_SECONDS.len()],
    pub(super) total: u64,
}

/// The times that rates are given over.
pub(super) const WINDOWS_SECONDS: [usize; 3] = [10, 60, 600];

impl Traffic {
    pub(super) fn count(&self, counted: Counted, times: u64) {
        if let Some(total) = self.totals.get(counted as usize) {
            total.fetch_add(times, Ordering::Relaxed);
        }
    }

    /// To be called once a second.
    pub(super) fn sample(&self) {
        let mut samples = self.samples.lock();
        if samples.len() >= MOST_SAMPLES {
            samples.pop_front();
        }
        samples.push_back(self.totals());
    }

    pub(super) fn rates(&self) -> Vec<Rate> {
        let samples = self.samples.lock();
        let totals = self.totals();
        let rate = |counted: Counted| Rate {
            counted,
            per_second: WINDOWS_SECONDS.map(|seconds| rate(&samples, counted, seconds)),
            total: totals.get(counted as usize).copied().unwrap_or_default(),
        };
        ALL_COUNTED.into_iter().map(rate).collect()
    }

    /// How many there were in each of the last `parts` stretches of so many seconds, the oldest first.
    pub(super) fn history(&self, counted: Counted, parts: usize, seconds: usize) -> Vec<u64> {
        let samples = self.samples.lock();
        let at = |ago: usize| {
            let place = samples.len().checked_sub(ago.saturating_add(1));
            let sample = place.and_then(|place| samples.get(place)).or_else(|| samples.front());
            sample.and_then(|totals| totals.get(counted as usize)).copied().unwrap_or_default()
        };
        let part = |part: usize| at(part * seconds).saturating_sub(at((part + 1) * seconds));
        (0..parts).rev().map(part).collect()
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (total, now) in totals.iter_mut().zip(&self.totals) {
            *total = now.load(Ordering::Relaxed);
        }
        totals
    }
}

fn rate(samples: &VecDeque<Totals>, counted: Counted, seconds: usize) -> f64 {
    let Some(latest) = samples.back() else { return 0.0 };
    let ago = seconds.min(samples.len() - 1);
    let before = samples.get(samples.len() - 1 - ago).unwrap_or(latest);
    let of = |totals: &Totals| totals.get(counted as usize).copied().unwrap_or_default();
    let count = of(latest).saturating_sub(of(before));
    #[expect(clippy::cast_precision_loss, reason = "counts of ten minutes are far below 2^53")]
    let rate = count as f64 / ago.max(1) as f64;
    rate
}

#[cfg(test)]
mod tests {
    //! What is seen of the last minutes.

    use super::{Counted, MOST_SAMPLES, Traffic};

    fn per_second(traffic: &Traffic, counted: Counted) -> [f64; 3] {
        let rates = traffic.rates();
        let found = rates.iter().find(|rate| rate.counted == counted);
        found.map(|rate| rate.per_second).unwrap_or_default()
    }

    #[test]
    fn rates_are_those_of_the_time() {
        let traffic = Traffic::default();
        assert_eq!(per_second(&traffic, Counted::Requests), [0.0; 3]);
        traffic.sample();
        for _ in 0..60 {
            traffic.count(Counted::Requests, 5);
            traffic.sample();
        }
        assert_eq!(per_second(&traffic, Counted::Requests), [5.0; 3]);
        for _ in 0..10 {
            traffic.sample();
        }
        let [now, minute, _] = per_second(&traffic, Counted::Requests);
        assert_eq!(now, 0.0);
        assert!((minute - 250.0 / 60.0).abs() < 1e-9, "{minute}");
        assert_eq!(per_second(&traffic, Counted::Decisions), [0.0; 3]);
        assert_eq!(traffic.history(Counted::Requests, 3, 10), [50, 50, 0]);
    }

    #[test]
    fn no_more_is_kept_than_is_shown() {
        let traffic = Traffic::default();
        for _ in 0..2000 {
            traffic.count(Counted::Events, 1);
            traffic.sample();
        }
        assert_eq!(traffic.samples.lock().len(), MOST_SAMPLES);
        assert_eq!(per_second(&traffic, Counted::Events), [1.0; 3]);
        assert_eq!(traffic.history(Counted::Events, 2, 300), [300, 300]);
    }
}
