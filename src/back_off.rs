//! How long something that failed is left alone.
//!
//! Must not know what it is, or why it failed.

use std::time::Duration;

use uuid::Uuid;

/// Who asks for more than this is asked again after this time all the same.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Doubles with each failure; between half and all of it, so that many who failed together do not come
/// back together.
#[derive(Debug)]
pub(crate) struct BackOff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl BackOff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest: longest.max(first), next: first }
    }

    pub(crate) const fn reset(&mut self) {
        self.next = self.first;
    }

    /// The time to wait after a failure, which is at least what the other side asked for.
    pub(crate) fn after_failure(&mut self, retry_after: Option<Duration>) -> Duration {
        let own = self.next.mul_f64(0.5 + chance() / 2.0);
        self.next = self.next.saturating_mul(2).min(self.longest);
        retry_after.map_or(own, |asked| asked.min(LONGEST_RETRY_AFTER).max(own))
    }
}

/// A number from 0 to 1.
pub(crate) fn chance() -> f64 {
    let [.., low] = Uuid::new_v4().into_bytes();
    f64::from(low) / f64::from(u8::MAX)
}
