//! What a delivery says of each of its sinks.
//!
//! Must not know sinks or the store.

use std::time::Duration;

use super::progress::SinkState;
use crate::clock::TimeMs;

/// What a sink is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkStatus {
    /// It waits for records, or for its batch to fill.
    #[default]
    Waiting,
    /// It was handed a batch, and has not answered yet.
    Delivering {
        /// Since when, by the delivery's clock.
        since_ms: TimeMs,
    },
    /// It is unavailable, and will be asked again.
    Stopped {
        /// When, by the delivery's clock; a drain may ask earlier.
        until_ms: TimeMs,
    },
}

/// How a sink is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStatistics {
    /// The sink, by its name in the store.
    pub name: String,
    /// What it is about now.
    pub status: SinkStatus,
    /// How far it is: it has all records up to and including this number, or they are dead letters, or
    /// nothing that it is told of.
    pub through: u64,
    /// How many records it has taken, dead letters that were delivered after all included.
    pub delivered: u64,
    /// How many times it did not take a batch; panics, refusals and failures of the store count.
    pub failures: u64,
    /// The latest failure with its causes, also where it has succeeded since.
    pub last_error: Option<String>,
    /// How many times it found something that people should know, although it stopped nothing.
    pub warnings: u64,
    /// The latest of what it found.
    pub last_warning: Option<String>,
    /// How many records it has not got to, those that it will leave out included.
    pub waiting: u64,
    /// How long the oldest of them has been waiting.
    pub oldest_waiting: Option<Duration>,
    /// How many dead letters it has.
    pub dead_letters: u64,
}

impl SinkStatistics {
    pub(super) fn new(
        sink: SinkState,
        latest: u64,
        dead_letters: u64,
        oldest: impl Fn(u64) -> Option<Duration>,
    ) -> Self {
        let waiting = latest.saturating_sub(sink.through);
        Self {
            name: sink.name,
            status: sink.status,
            through: sink.through,
            delivered: sink.delivered,
            failures: sink.failures,
            last_error: sink.last_error,
            warnings: sink.warnings,
            last_warning: sink.last_warning,
            waiting,
            oldest_waiting: if waiting > 0 { oldest(sink.through) } else { None },
            dead_letters,
        }
    }
}
