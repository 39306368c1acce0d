//! How far each sink is: shared by the delivery and its threads.
//!
//! Must not know sinks or the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::statistics::{SinkStatistics, SinkStatus};

#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    sinks: Vec<SinkState>,
    is_stopping: bool,
    /// Whether threads that still run were left behind: the outbox may be another's by now.
    is_abandoned: bool,
    /// How many times somebody was in a hurry: then no sink waits before it is asked again.
    hurries: u64,
    /// Up to and including this record nothing waits for its batch to fill.
    hurried_through: u64,
    /// How many times somebody asked for dead letters to be delivered again.
    retries: u64,
    listener_panics: u64,
    /// Threads that run.
    running: usize,
}

#[derive(Debug, Clone, Default)]
pub(super) struct SinkState {
    pub(super) name: String,
    /// The sequence number up to and including which it has all records, or they are dead.
    pub(super) through: u64,
    pub(super) delivered: u64,
    pub(super) failures: u64,
    pub(super) status: SinkStatus,
    /// How many dead letters that somebody asked for it was given last.
    letters: u64,
    /// How many times somebody had asked for them when none was left the last time; `None` before it has
    /// looked for the first time.
    letters_done: Option<u64>,
    pub(super) last_error: Option<String>,
    pub(super) warnings: u64,
    pub(super) last_warning: Option<String>,
}

impl Progress {
    /// Of sinks by name, and how far each is.
    pub(super) fn new(sinks: impl Iterator<Item = (String, u64)>) -> Self {
        let sink = |(name, through)| SinkState { name, through, ..SinkState::default() };
        let state = State { sinks: sinks.map(sink).collect(), ..State::default() };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.state.lock().is_stopping
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.state.lock().is_abandoned
    }

    pub(super) fn hurries(&self) -> u64 {
        self.state.lock().hurries
    }

    /// Whether somebody waits for this record.
    pub(super) fn is_hurried(&self, sequence: u64) -> bool {
        sequence <= self.state.lock().hurried_through
    }

    pub(super) fn retries(&self) -> u64 {
        self.state.lock().retries
    }

    /// Notes a step that the store has kept.
    pub(super) fn note_kept(&self, place: usize, through: u64, delivered: usize) {
        self.note(place, |sink| {
            sink.through = through;
            sink.delivered += delivered as u64;
        });
        self.changed.notify_all();
    }

    /// Notes how many dead letters are left for a sink, of those that were asked for when somebody had
    /// asked so many times.
    pub(super) fn note_letters(&self, place: usize, letters: usize, asked: u64) {
        self.note(place, |sink| {
            sink.letters = letters as u64;
            if letters == 0 {
                sink.letters_done = Some(asked);
            }
        });
        self.changed.notify_all();
    }

    pub(super) fn note_failure(&self, place: usize, error: String) {
        self.note(place, |sink| {
            sink.failures += 1;
            sink.last_error = Some(error);
        });
    }

    pub(super) fn note_warning(&self, place: usize, warning: String) {
        self.note(place, |sink| {
            sink.warnings += 1;
            sink.last_warning = Some(warning);
        });
    }

    pub(super) fn note_status(&self, place: usize, status: SinkStatus) {
        self.note(place, |sink| sink.status = status);
    }

    fn note(&self, place: usize, change: impl FnOnce(&mut SinkState)) {
        if let Some(sink) = self.state.lock().sinks.get_mut(place) {
            change(sink);
        }
    }

    /// Waits before a sink is asked again; gives whether the wait was cut short because somebody has
    /// got into a hurry since `hurries` was read.
    pub(super) fn back_off(&self, delay: Duration, hurries: Option<u64>) -> bool {
        let is_hurried = |state: &State| hurries.is_some_and(|before| state.hurries != before);
        let mut state = self.state.lock();
        let is_calm = |state: &mut State| !state.is_stopping && !is_hurried(state);
        self.changed.wait_while_for(&mut state, is_calm, delay);
        is_hurried(&state)
    }

    /// Waits until every sink has the records up to and including this one, and the dead letters that were
    /// asked for; gives how many the slowest one still misses.
    pub(super) fn wait_for(&self, through: u64, timeout: Duration) -> u64 {
        let mut state = self.state.lock();
        let asked = state.retries;
        let missing = |state: &State| {
            let of_sink = |sink: &SinkState| sink.missing(through, asked);
            state.sinks.iter().map(of_sink).max().unwrap_or_default()
        };
        if missing(&state) > 0 {
            state.hurries += 1;
            state.hurried_through = state.hurried_through.max(through);
            self.changed.notify_all();
            self.changed.wait_while_for(&mut state, |state| missing(state) > 0, timeout);
        }
        missing(&state)
    }

    /// Says that dead letters are to be looked for.
    pub(super) fn ask_for_retries(&self) {
        let mut state = self.state.lock();
        state.retries += 1;
        state.hurries += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Calls a listener; if it panics, that is counted.
    pub(super) fn tell(&self, listener: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(listener)).is_err() {
            self.state.lock().listener_panics += 1;
        }
    }

    pub(super) fn listener_panics(&self) -> u64 {
        self.state.lock().listener_panics
    }

    pub(super) fn stop(&self) {
        self.state.lock().is_stopping = true;
        self.changed.notify_all();
    }

    /// Waits for the threads to end; those that do not are left behind.
    pub(super) fn wait_for_endings(&self, timeout: Duration) {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |state| state.running > 0, timeout);
        state.is_abandoned = true;
    }

    /// How each sink is doing: `latest` is the latest record, `letters` tells how many dead letters a sink
    /// has, `oldest` how long a record has waited.
    pub(super) fn statistics(
        &self,
        latest: u64,
        letters: impl Fn(&str) -> u64,
        oldest: impl Fn(u64) -> Option<Duration>,
    ) -> Vec<SinkStatistics> {
        // The store is not asked under the lock.
        let sinks = self.state.lock().sinks.clone();
        let statistics = |sink: SinkState| {
            let letters = letters(&sink.name);
            SinkStatistics::new(sink, latest, letters, &oldest)
        };
        sinks.into_iter().map(statistics).collect()
    }
}

impl SinkState {
    /// How many records up to and including this one it does not have, and dead letters that somebody
    /// asked for in the first so many times.
    fn missing(&self, through: u64, asked: u64) -> u64 {
        let has_letters = self.letters_done.is_none_or(|done| done < asked);
        let letters = if has_letters { self.letters.max(1) } else { 0 };
        through.saturating_sub(self.through).max(letters)
    }
}

/// A thread that runs; its drop is the thread's end, however it comes.
#[derive(Debug)]
pub(super) struct Ending(Arc<Progress>);

impl Ending {
    pub(super) fn new(progress: Arc<Progress>) -> Self {
        progress.state.lock().running += 1;
        Self(progress)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.state.lock().running -= 1;
        self.0.changed.notify_all();
    }
}
