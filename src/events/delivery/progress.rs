//! How far each sink is: shared by the delivery and its threads.
//!
//! Must not know sinks or the store.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// How a sink is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStatistics {
    /// What the sink calls itself.
    pub name: String,
    /// How many records it has taken.
    pub delivered: u64,
    /// How many times it could not take a batch; panics count.
    pub failures: u64,
    /// The latest failure with its causes, also where it has succeeded since.
    pub last_error: Option<String>,
    /// How many records wait for it.
    pub waiting: u64,
}

#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    sinks: Vec<SinkState>,
    is_stopping: bool,
    /// How many times somebody was in a hurry: then no sink waits before it is asked again.
    hurries: u64,
    /// Threads that run.
    running: usize,
}

#[derive(Debug)]
struct SinkState {
    name: String,
    /// The sequence number up to and including which it has all records.
    through: u64,
    delivered: u64,
    failures: u64,
    last_error: Option<String>,
}

impl Progress {
    /// Of sinks by name, and how far each is.
    pub(super) fn new(sinks: impl Iterator<Item = (String, u64)>) -> Self {
        let sink = |(name, through)| SinkState {
            name,
            through,
            delivered: 0,
            failures: 0,
            last_error: None,
        };
        let sinks = sinks.map(sink).collect();
        let state = State { sinks, is_stopping: false, hurries: 0, running: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.state.lock().is_stopping
    }

    pub(super) fn hurries(&self) -> u64 {
        self.state.lock().hurries
    }

    pub(super) fn through(&self, place: usize) -> u64 {
        self.state.lock().sinks.get(place).map_or(0, |sink| sink.through)
    }

    /// Notes a batch that a sink took, when the store knows it, too.
    pub(super) fn note_delivered(&self, place: usize, through: u64, count: usize) {
        let mut state = self.state.lock();
        if let Some(sink) = state.sinks.get_mut(place) {
            sink.through = through;
            sink.delivered += count as u64;
        }
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn note_failure(&self, place: usize, error: String) {
        if let Some(sink) = self.state.lock().sinks.get_mut(place) {
            sink.failures += 1;
            sink.last_error = Some(error);
        }
    }

    /// Waits before a sink is asked again; gives whether the wait was cut short because somebody has
    /// got into a hurry since `hurries` was read.
    pub(super) fn back_off(&self, delay: Duration, hurries: u64) -> bool {
        let mut state = self.state.lock();
        let is_calm = |state: &mut State| !state.is_stopping && state.hurries == hurries;
        self.changed.wait_while_for(&mut state, is_calm, delay);
        state.hurries != hurries
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
            self.changed.notify_all();
            self.changed.wait_while_for(&mut state, |state| missing(state) > 0, timeout);
        }
        missing(&state)
    }

    pub(super) fn stop(&self) {
        self.state.lock().is_stopping = true;
        self.changed.notify_all();
    }

    pub(super) fn wait_for_endings(&self, timeout: Duration) {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |state| state.running > 0, timeout);
    }

    pub(super) fn statistics(&self, latest: u64) -> Vec<SinkStatistics> {
        let state = self.state.lock();
        let sink = |sink: &SinkState| SinkStatistics {
            name: sink.name.clone(),
            delivered: sink.delivered,
            failures: sink.failures,
            last_error: sink.last_error.clone(),
            waiting: latest.saturating_sub(sink.through),
        };
        state.sinks.iter().map(sink).collect()
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
