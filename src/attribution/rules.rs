//! The settings of the attribution rule.
//!
//! Must not know clocks: times are arguments.

use crate::clock::TimeMs;

const MINUTE_MS: i64 = 60 * 1000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The settings of the attribution rule, of one environment.
///
/// All spans are in milliseconds; a span that is negative counts as 0. Spans that end (late window,
/// repeat window) are over when exactly that much time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long after the first activation an event is still credited; `None` is without end.
    pub window_ms: Option<i64>,
    /// How much earlier than the first activation an event may be, for callers whose clocks differ.
    pub early_tolerance_ms: i64,
    /// How long after its receipt an event waits for activations that arrive after it; 0 is not at all.
    pub late_window_ms: i64,
    /// For how long after its first receipt an id is recognised as a repeat; by a store on disk for 900
    /// days at most.
    pub repeat_window_ms: i64,
    /// How far beyond its receipt an entry may be dated; beyond it, its receipt is its time.
    pub future_tolerance_ms: i64,
}

impl Default for Rules {
    /// No attribution window, no tolerance for early events, no late window; ids are recognised for
    /// 24 hours, and times up to 5 minutes ahead are believed.
    fn default() -> Self {
        Self {
            window_ms: None,
            early_tolerance_ms: 0,
            late_window_ms: 0,
            repeat_window_ms: DAY_MS,
            future_tolerance_ms: 5 * MINUTE_MS,
        }
    }
}

/// Where an event stands to the first activation of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is credited.
    Credited,
    /// It is too early by this much beyond the tolerance.
    BeforeActivation { by_ms: i64 },
    /// It is too late.
    OutsideWindow,
}

impl Rules {
    /// The time of an entry, and whether it was dated too far ahead.
    #[must_use]
    pub fn time_of(&self, given_ms: Option<TimeMs>, received_at_ms: TimeMs) -> (TimeMs, bool) {
        match given_ms {
            Some(time_ms)
                if time_ms > received_at_ms.saturating_add(self.future_tolerance_ms.max(0)) =>
            {
                (received_at_ms, true)
            }
            Some(time_ms) => (time_ms, false),
            None => (received_at_ms, false),
        }
    }

    /// When an event that is received now stops waiting for activations; `None` where none waits.
    #[must_use]
    pub fn claimable_until_ms(&self, received_at_ms: TimeMs) -> Option<TimeMs> {
        (self.late_window_ms > 0).then(|| received_at_ms.saturating_add(self.late_window_ms))
    }

    pub(super) fn standing(&self, first_ms: TimeMs, event_ms: TimeMs) -> Standing {
        let believed_ms = event_ms.saturating_add(self.early_tolerance_ms.max(0));
        if first_ms > believed_ms {
            return Standing::BeforeActivation { by_ms: first_ms.saturating_sub(believed_ms) };
        }
        match self.window_ms {
            Some(window_ms) if event_ms.saturating_sub(first_ms) > window_ms.max(0) => {
                Standing::OutsideWindow
            }
            _ => Standing::Credited,
        }
    }
}
