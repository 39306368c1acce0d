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
    total: Total,
    steps: u64,
    bytes: u64,
    may_show: bool,
    bar: Option<ProgressBar>,
}

/// What it takes until the work is done.
#[derive(Debug, Clone, Copy)]
enum Total {
    Bytes(u64),
    Steps(u64),
    Unknown,
}

impl Progress {
    /// Starts to count calls; the total is known for files.
    pub(super) fn start(total_bytes: Option<u64>) -> Self {
        Self::start_counting("calls", total_bytes)
    }

    /// Starts to count things of this name, in the plural.
    pub(super) fn start_counting(noun: &'static str, total_bytes: Option<u64>) -> Self {
        Self::new(noun, total_bytes.map_or(Total::Unknown, Total::Bytes))
    }

    /// Starts to count so many steps, whatever their bytes.
    pub(super) fn start_steps(noun: &'static str, total: u64) -> Self {
        Self::new(noun, Total::Steps(total))
    }

    fn new(noun: &'static str, total: Total) -> Self {
        // Answers that scroll by on the same terminal are progress enough.
        let may_show = io::stderr().is_terminal() && !io::stdout().is_terminal();
        let started_at_ms = system_time_ms();
        Self { started_at_ms, noun, total, steps: 0, bytes: 0, may_show, bar: None }
    }

    /// Shows itself whatever standard output is, since no answers scroll by meanwhile.
    pub(super) fn alone_on_the_terminal(mut self) -> Self {
        self.may_show = io::stderr().is_terminal();
        self
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
        let total = self.total;
        let bar = self.bar.get_or_insert_with(|| new_bar(total));
        let Self { noun, steps, bytes, .. } = *self;
        let (done, message) = match total {
            Total::Steps(total) => {
                (steps, format!("{noun}, {}", time_left(steps, total, elapsed_ms)))
            }
            Total::Bytes(total) => {
                let left = time_left(bytes, total, elapsed_ms);
                (bytes, format!("{steps} {noun} ({per_second}/s), {left}"))
            }
            Total::Unknown => (bytes, format!("{steps} {noun} ({per_second}/s)")),
        };
        bar.set_position(done);
        bar.set_message(message);
    }
}

/// How long it takes at the speed so far. The bar itself knows no speed: it came late to the work.
fn time_left(done: u64, total: u64, elapsed_ms: i64) -> String {
    let elapsed_ms = u128::from(elapsed_ms.unsigned_abs());
    let left_ms = elapsed_ms * u128::from(total.saturating_sub(done)) / u128::from(done.max(1));
    format!("{} s left", left_ms.div_ceil(1000))
}

fn new_bar(total: Total) -> ProgressBar {
    let (template, length) = match total {
        Total::Bytes(bytes) => ("{bar:30} {percent}% {bytes}/{total_bytes}, {msg}", Some(bytes)),
        Total::Steps(steps) => ("{bar:30} {pos}/{len} {msg}", Some(steps)),
        Total::Unknown => ("{spinner} {bytes}, {msg}, {elapsed}", None),
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
