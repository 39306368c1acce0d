//! Progress of work that several threads do at once, on a terminal.
//!
//! Must not know the work.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use crate::clock::{TimeMs, system_time_ms};

/// Work that is done sooner shows no progress.
const PATIENCE_MS: i64 = 2000;

/// What the work is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Users,
    Bytes,
}

/// Adds up what is done, and shows it once the work turns out to be long.
#[derive(Debug)]
pub(super) struct SharedProgress {
    started_at_ms: TimeMs,
    unit: Unit,
    total: Option<u64>,
    done: AtomicU64,
    may_show: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl SharedProgress {
    /// Starts to count; the total of a pipe is not known.
    pub(super) fn start(unit: Unit, total: Option<u64>) -> Self {
        Self {
            started_at_ms: system_time_ms(),
            unit,
            total,
            done: AtomicU64::new(0),
            may_show: io::stderr().is_terminal(),
            bar: Mutex::new(None),
        }
    }

    /// So much more is done.
    pub(super) fn step(&self, amount: u64) {
        let done = self.done.fetch_add(amount, Ordering::Relaxed).saturating_add(amount);
        let waited_ms = system_time_ms().saturating_sub(self.started_at_ms);
        if self.may_show && waited_ms >= PATIENCE_MS {
            let mut bar = self.bar.lock();
            let bar = bar.get_or_insert_with(|| new_bar(self.unit, self.total));
            bar.set_position(done);
            bar.set_message(remaining(done, self.total, waited_ms));
        }
    }

    /// Takes the progress away.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar.into_inner() {
            bar.finish_and_clear();
        }
    }
}

/// How long it takes at the speed so far. The bar itself knows no speed: it came late to the work.
fn remaining(done: u64, total: Option<u64>, waited_ms: i64) -> String {
    let Some(total) = total else { return String::new() };
    let waited_ms = u128::from(waited_ms.unsigned_abs());
    let left_ms = waited_ms * u128::from(total.saturating_sub(done)) / u128::from(done.max(1));
    format!("{} s left", left_ms.div_ceil(1000))
}

fn new_bar(unit: Unit, total: Option<u64>) -> ProgressBar {
    let template = match (unit, total) {
        (Unit::Users, _) => "{bar:30} {percent}% {pos}/{len} users, {msg}",
        (Unit::Bytes, Some(_)) => "{bar:30} {percent}% {bytes}/{total_bytes}, {msg}",
        (Unit::Bytes, None) => "{spinner} {bytes}, {elapsed}",
    };
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
