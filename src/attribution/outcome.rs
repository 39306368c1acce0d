//! What became of an impression or event, for callers.
//!
//! Must not know how it was found out.

use uuid::Uuid;

use super::credit::Credit;
use crate::clock::TimeMs;

/// What became of an impression.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImpressionOutcome {
    /// Whether its id was seen before: then it counts for nothing.
    pub duplicate: bool,
    /// Its time: the caller's if it is believed, else that of its receipt.
    pub time_ms: TimeMs,
    /// Whether it is the first activation of its experiment or holdout that this ledger received for
    /// the user: exactly one is, whatever its time; none, where a merge copied one before.
    pub first: bool,
    /// Whether it shows, for the first time, that the user was in a second variation.
    pub crossover: bool,
    /// Credits of earlier received events that it gives, corrects or withdraws.
    pub late_credits: Vec<Credit>,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct EventOutcome {
    /// Whether its id was seen before: then it counts for nothing.
    pub duplicate: bool,
    /// The id that was made for it, where the caller gave none.
    pub made_id: Option<Uuid>,
    /// Its time: the caller's if it is believed, else that of its receipt.
    pub time_ms: TimeMs,
    /// The experiments and holdouts that it counts for: first those of the event in the datafile's
    /// order, then holdouts.
    pub credits: Vec<Credit>,
    /// Why there are no credits, where there are none.
    pub reason: Option<NotCredited>,
    /// With the reason `before-activation`: by how much it missed the nearest first activation.
    pub early_by_ms: Option<i64>,
}

/// What became of a merge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MergeOutcome {
    /// Whether its id was seen before: then nothing is done.
    pub duplicate: bool,
    /// How many activations the new id lacked and has now.
    pub copied_activations: usize,
    /// How many events wait for late activations of the new id now, and waited for those of the old one.
    pub moved_events: usize,
    /// Credits of earlier received events, of both ids, by activations of the other one.
    pub late_credits: Vec<Credit>,
}

impl ImpressionOutcome {
    /// That of an impression whose id was seen before.
    #[must_use]
    pub fn repeated(time_ms: TimeMs) -> Self {
        Self { duplicate: true, time_ms, ..Self::default() }
    }
}

impl EventOutcome {
    /// That of an event whose id was seen before.
    #[must_use]
    pub fn repeated(time_ms: TimeMs) -> Self {
        let reason = Some(NotCredited::Duplicate);
        Self { duplicate: true, time_ms, reason, ..Self::default() }
    }
}

impl MergeOutcome {
    /// That of a merge whose id was seen before.
    #[must_use]
    pub fn repeated() -> Self {
        Self { duplicate: true, ..Self::default() }
    }
}

/// Why an event counts for no experiment: of several reasons, the one closest to a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NotCredited {
    /// The datafile does not know the event's key. Stores never see such events.
    UnknownEvent,
    /// Its id was seen before.
    Duplicate,
    /// No experiment is tied to it, and no holdout runs.
    NotTied,
    /// No experiment that is tied to it is running.
    NotRunning,
    /// The user was not activated in any that it could count for.
    NoActivation,
    /// It happened before the user was activated.
    BeforeActivation,
    /// It happened too long after the user was activated.
    OutsideWindow,
}

impl NotCredited {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownEvent => "unknown-event",
            Self::Duplicate => "duplicate",
            Self::NotTied => "not-tied",
            Self::NotRunning => "not-running",
            Self::NoActivation => "no-activation",
            Self::BeforeActivation => "before-activation",
            Self::OutsideWindow => "outside-window",
        }
    }
}

impl std::fmt::Display for NotCredited {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
