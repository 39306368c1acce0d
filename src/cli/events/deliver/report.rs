//! What came of a delivery, for people and for programs.
//!
//! Must not know how it was delivered.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

use crate::cli::words::counted;
use crate::events::{BatchListener, BatchNotice, BatchOutcome, SinkStatistics};

/// How many records became dead letters in this run, by sink.
#[derive(Debug, Default)]
pub(super) struct Refusals(Arc<Mutex<BTreeMap<String, u64>>>);

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    sinks: Vec<SinkReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SinkReport {
    name: String,
    delivered: u64,
    /// How many became dead letters now.
    refused: u64,
    dead_letters: u64,
    /// How many of these are to be sent again still.
    retried: u64,
    waiting: u64,
    last_error: Option<String>,
    last_warning: Option<String>,
}

impl Refusals {
    /// Counts.
    pub(super) fn listener(&self) -> Arc<BatchListener> {
        let counts = Arc::clone(&self.0);
        Arc::new(move |notice: &BatchNotice<'_>| {
            // One that is refused alone is not asked for again.
            if notice.outcome == BatchOutcome::Refused && notice.records == 1 {
                *counts.lock().entry(notice.sink.to_owned()).or_default() += 1;
            }
        })
    }

    fn of(&self, sink: &str) -> u64 {
        self.0.lock().get(sink).copied().unwrap_or_default()
    }
}

impl Report {
    /// `retried` tells how many dead letters of a sink are to be sent again.
    pub(super) fn new(
        statistics: Vec<SinkStatistics>,
        refusals: &Refusals,
        retried: impl Fn(&str) -> u64,
    ) -> Self {
        let sink = |sink: SinkStatistics| SinkReport {
            refused: refusals.of(&sink.name),
            retried: retried(&sink.name),
            name: sink.name,
            delivered: sink.delivered,
            dead_letters: sink.dead_letters,
            waiting: sink.waiting,
            last_error: sink.last_error,
            last_warning: sink.last_warning,
        };
        Self { sinks: statistics.into_iter().map(sink).collect() }
    }

    /// Whether every sink took everything.
    pub(super) fn is_all_done(&self) -> bool {
        self.sinks.iter().all(SinkReport::is_done)
    }

    pub(super) fn text(&self) -> String {
        self.sinks.iter().map(SinkReport::text).collect()
    }
}

impl SinkReport {
    const fn is_done(&self) -> bool {
        self.waiting == 0 && self.refused == 0 && self.retried == 0
    }

    fn text(&self) -> String {
        let Self { name, delivered, refused, dead_letters, retried, waiting, .. } = self;
        let mut text = format!("sink {name}: {} delivered", counted(*delivered, "record"));
        // Writing to text cannot fail.
        if *refused > 0 {
            write!(text, ", {refused} refused").unwrap_or_default();
        }
        let dead = counted(*dead_letters, "dead letter");
        writeln!(text, ", {waiting} waiting, {dead}").unwrap_or_default();
        if *retried > 0 {
            let letters = counted(*retried, "dead letter");
            writeln!(text, "    {letters} still to be sent again").unwrap_or_default();
        }
        if let Some(error) = self.last_error.as_ref().filter(|_| !self.is_done()) {
            writeln!(text, "    {error}").unwrap_or_default();
        }
        if *refused > 0 {
            text.push_str("    what was refused: `variate events dead list`\n");
        }
        if let Some(warning) = &self.last_warning {
            writeln!(text, "    {warning}").unwrap_or_default();
        }
        text
    }
}
