//! How far each sink is: shared by the delivery and its threads.
//!
//! Must not know sinks or the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::statistics::SinkStatistics;
use crate::clock::TimeMs;

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
    pub(super) dead_letters: u64,
    pub(super) last_error: Option<String>,
    pub(super) last_warning: Option<String>,
    pub(super) stopped_until_ms: Option<TimeMs>,
}

/// What a step is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) buried: u64,
    pub(super) settled: u64,
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
    pub(super) fn note_kept(&self, place: usize, through: u64, counts: Counts) {
        self.note(place, |sink| {
            sink.through = through;
            sink.delivered += counts.delivered;
            sink.dead_letters = (sink.dead_letters + counts.buried).saturating_sub(counts.settled);
        });
        self.changed.notify_all();
    }

    pub(super) fn note_letters(&self, place: usize, count: u64) {
        self.note(place, |sink| sink.dead_letters = count);
    }

    pub(super) fn note_failure(&self, place: usize, error: String) {
        self.note(place, |sink| {
            sink.failures += 1;
            sink.last_error = Some(error);
        });
    }

    pub(super) fn note_warning(&self, place: usize, warning: String) {
        self.note(place, |sink| sink.last_warning = Some(warning));
    }

    pub(super) fn note_stop(&self, place: usize, until_ms: Option<TimeMs>) {
        self.note(place, |sink| sink.stopped_until_ms = until_ms);
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

    /// Waits until every sink has the records up to and including this one; gives how many the
    /// slowest one still misses.
    pub(super) fn wait_for(&self, through: u64, timeout: Duration) -> u64 {
        let missing = |state: &State| {
            let slowest = state.sinks.iter().map(|sink| sink.through).min();
            slowest.map_or(0, |slowest| through.saturating_sub(slowest))
        };
        let mut state = self.state.lock();
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

    /// How each sink is doing: `latest` is the latest record, `oldest` tells how long a record has waited.
    pub(super) fn statistics(
        &self,
        latest: u64,
        now_ms: TimeMs,
        oldest: impl Fn(u64) -> Option<Duration>,
    ) -> Vec<SinkStatistics> {
        // The store is not asked under the lock.
        let sinks = self.state.lock().sinks.clone();
        sinks.into_iter().map(|sink| SinkStatistics::new(sink, latest, now_ms, &oldest)).collect()
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
