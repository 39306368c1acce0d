//! Progress of long work, on a terminal that shows nothing else.
//!
//! Must not know the work.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::clock::{TimeMs, system_time_ms};

/// Work that is done sooner shows no progress.
const PATIENCE_MS: i64 = 2000;

/// The clock is looked at once in so many steps.
const STEPS_BETWEEN_LOOKS: u64 = 64;

/// Counts steps and bytes, and shows them once the work turns out to be long.
#[derive(Debug)]
pub(super) struct Progress {
    started_at_ms: TimeMs,
    noun: &'static str,
    total_bytes: Option<u64>,
    steps: u64,
    bytes: u64,
    may_show: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts to count calls; the total is known for files.
    pub(super) fn start(total_bytes: Option<u64>) -> Self {
        Self::start_counting("calls", total_bytes)
    }

    /// Starts to count things of this name, in the plural.
    pub(super) fn start_counting(noun: &'static str, total_bytes: Option<u64>) -> Self {
        // Answers that scroll by on the same terminal are progress enough.
        let may_show = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self {
            started_at_ms: system_time_ms(),
            noun,
            total_bytes,
            steps: 0,
            bytes: 0,
            may_show,
            bar: None,
        }
    }

    /// Counts one step of so many bytes.
    pub(super) fn step(&mut self, bytes: usize) {
        self.steps = self.steps.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.may_show && self.steps.is_multiple_of(STEPS_BETWEEN_LOOKS) {
            self.show();
        }
    }

    /// Counts many steps at once, of so many bytes.
    pub(super) fn add(&mut self, steps: u64, bytes: usize) {
        self.steps = self.steps.saturating_add(steps);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.may_show {
            self.show();
        }
    }

    /// Takes the progress away.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self) {
        let elapsed_ms = system_time_ms().saturating_sub(self.started_at_ms);
        if self.bar.is_none() && elapsed_ms < PATIENCE_MS {
            return;
        }
        let per_second =
            u128::from(self.steps) * 1000 / u128::from(elapsed_ms.max(1).unsigned_abs());
        let total_bytes = self.total_bytes;
        let bar = self.bar.get_or_insert_with(|| new_bar(total_bytes));
        bar.set_position(self.bytes);
        bar.set_message(format!("{} {} ({per_second}/s)", self.steps, self.noun));
    }
}

fn new_bar(total_bytes: Option<u64>) -> ProgressBar {
    let template = match total_bytes {
        Some(_) => "{bar:30} {percent}% {bytes}/{total_bytes}, {msg}, {eta} left",
        None => "{spinner} {bytes}, {msg}, {elapsed}",
    };
    let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
