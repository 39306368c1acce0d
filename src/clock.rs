//! The one clock of activations and events: milliseconds since the epoch, never going backwards; and a
//! stopwatch for measuring.
//!
//! Must not know anything else of this crate.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
pub type TimeMs = i64;

/// When something is to happen, as a stopwatch gives it.
#[cfg(feature = "server")]
pub(crate) type Moment = Instant;

/// Later than anything is waited for.
#[cfg(feature = "server")]
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// A clock that never goes backwards, even when the system's does.
#[derive(Debug)]
pub struct Clock {
    latest_ms: AtomicI64,
    follows_system: bool,
}

impl Clock {
    /// A clock that follows the system's.
    #[must_use]
    pub const fn system() -> Self {
        Self { latest_ms: AtomicI64::new(i64::MIN), follows_system: true }
    }

    /// A clock that only moves when told to with [`Clock::advance_to`]: for replays and tests.
    #[must_use]
    pub const fn manual(start_ms: TimeMs) -> Self {
        Self { latest_ms: AtomicI64::new(start_ms), follows_system: false }
    }

    /// The clock's time.
    #[must_use]
    pub fn now_ms(&self) -> TimeMs {
        if self.follows_system {
            self.advance_to(system_time_ms())
        } else {
            self.latest_ms.load(Ordering::Relaxed)
        }
    }

    /// Moves the clock forward to a time, if it is behind it, and gives the clock's time.
    pub fn advance_to(&self, time_ms: TimeMs) -> TimeMs {
        let latest_ms = self.latest_ms.load(Ordering::Relaxed);
        if time_ms <= latest_ms {
            // Mostly it is still the same millisecond: nothing is written that others would wait for.
            return latest_ms;
        }
        self.latest_ms.fetch_max(time_ms, Ordering::Relaxed).max(time_ms)
    }
}

/// Measures how long something takes; it does not see changes of the system's time.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to measure.
    #[must_use]
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let now = Instant::now();
        Self(now)
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// So long after the start.
    #[cfg(feature = "server")]
    pub(crate) fn after(&self, time: Duration) -> Moment {
        self.0.checked_add(time).unwrap_or_else(|| self.0 + NEVER)
    }
}

/// The system's time, which may go backwards.
#[must_use]
pub fn system_time_ms() -> TimeMs {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimeMs::try_from(since_epoch.as_millis()).unwrap_or(TimeMs::MAX)
}
