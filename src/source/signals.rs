//! What the thread of a source waits for: its time, somebody in a hurry, a change, the end.
//!
//! Must not know what is done then. Calls in a hurry that come together are answered by asking once.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::clock::Stopwatch;

/// As long as changes follow each other faster than this, somebody is still writing.
const QUIET: Duration = Duration::from_millis(50);
/// Whoever writes for longer is not waited for.
const LONGEST_UNREST: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Signals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopping: bool,
    /// Whether what the source looks at may have changed.
    is_stirred: bool,
    /// How many times somebody was in a hurry, how many of these the asking under way answers, and how
    /// many are answered.
    asked: u64,
    begun: u64,
    answered: u64,
    #[cfg(feature = "http")]
    under_way: Option<tokio::task::AbortHandle>,
}

/// What is next when a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It is time, or somebody is in a hurry.
    Ask,
    /// There may be a change.
    Look,
    /// It is over.
    Stop,
}

impl Signals {
    /// Waits for so long, or until something happens; with `is_patient`, nobody's hurry ends the wait.
    pub(super) fn wait(&self, delay: Duration, is_patient: bool) -> Next {
        let mut state = self.state.lock();
        let is_hurried = |state: &State| !is_patient && state.asked > state.begun;
        let waits =
            |state: &mut State| !state.is_stopping && !state.is_stirred && !is_hurried(state);
        self.changed.wait_while_for(&mut state, waits, delay);
        if state.is_stopping {
            Next::Stop
        } else if state.is_stirred && !is_hurried(&state) {
            drop(state);
            self.wait_for_quiet()
        } else {
            Next::Ask
        }
    }

    fn wait_for_quiet(&self) -> Next {
        let waited = Stopwatch::start();
        let mut state = self.state.lock();
        while std::mem::take(&mut state.is_stirred) && waited.elapsed() < LONGEST_UNREST {
            let waits = |state: &mut State| !state.is_stopping && !state.is_stirred;
            self.changed.wait_while_for(&mut state, waits, QUIET);
        }
        if state.is_stopping { Next::Stop } else { Next::Look }
    }

    /// Says that asking begins: who is in a hurry from now on is not answered by it.
    pub(super) fn begin(&self) {
        let mut state = self.state.lock();
        state.begun = state.asked;
    }

    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.answered = state.begun;
        drop(state);
        self.changed.notify_all();
    }

    /// Says that somebody is in a hurry; gives what to wait for with [`Signals::wait_for_answer`].
    pub(super) fn hurry(&self) -> u64 {
        let mut state = self.state.lock();
        state.asked += 1;
        let ticket = state.asked;
        drop(state);
        self.changed.notify_all();
        ticket
    }

    /// Waits until asking that began after the hurry has ended; gives whether it has.
    pub(super) fn wait_for_answer(&self, ticket: u64, patience: Duration) -> bool {
        let mut state = self.state.lock();
        let waits = |state: &mut State| state.answered < ticket && !state.is_stopping;
        self.changed.wait_while_for(&mut state, waits, patience);
        state.answered >= ticket
    }

    /// Says that there may be a change.
    #[cfg(feature = "watch")]
    pub(super) fn stir(&self) {
        self.state.lock().is_stirred = true;
        self.changed.notify_all();
    }

    /// Ends every wait, and what is under way.
    pub(super) fn stop(&self) {
        let mut state = self.state.lock();
        state.is_stopping = true;
        #[cfg(feature = "http")]
        if let Some(under_way) = state.under_way.take() {
            under_way.abort();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Notes what is to be broken off when it is over; gives whether it is over already.
    #[cfg(feature = "http")]
    pub(super) fn note_under_way(&self, task: Option<tokio::task::AbortHandle>) -> bool {
        let mut state = self.state.lock();
        state.under_way = task;
        state.is_stopping
    }
}
