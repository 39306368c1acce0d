//! How far each sink is, and its dead letters, in memory.
//!
//! Must not know records that wait: it says up to where none needs them any more.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::{Cursor, DeadLetter, Step};

/// The sinks of whoever has claimed the outbox, and the dead letters of all sinks.
#[derive(Debug)]
pub(super) struct Sinks {
    state: Mutex<State>,
    most_letters: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Those that have ever been here, by name.
    cursors: BTreeMap<Box<str>, Cursor>,
    /// The names of those that records are kept for, while somebody delivers to them.
    served: Option<Vec<Box<str>>>,
    letters: VecDeque<DeadLetter>,
    latest_number: u64,
    dropped_letters: u64,
}

impl Sinks {
    pub(super) fn new(most_letters: usize) -> Self {
        Self { state: Mutex::default(), most_letters }
    }

    /// Claims the outbox; new sinks begin behind this sequence number.
    pub(super) fn claim(&self, names: &[&str], oldest: u64) -> Result<Vec<Cursor>, Error> {
        let mut state = self.state.lock();
        if state.served.is_some() {
            return Err(Error::outbox(
                "another client delivers from it: give each client with sinks a store of its own",
            ));
        }
        state.served = Some(names.iter().map(|name| Box::from(*name)).collect());
        let cursors = names.iter().map(|name| state.cursor_mut(name, oldest).clone());
        Ok(cursors.collect())
    }

    pub(super) fn give_back(&self) {
        self.state.lock().served = None;
    }

    /// Keeps a step; gives the sequence number up to which no sink needs records any more.
    pub(super) fn advance(&self, sink: &str, step: Step, now_ms: TimeMs) -> u64 {
        let mut state = self.state.lock();
        state.letters.retain(|letter| !step.settled.contains(&letter.number));
        for burial in step.buried {
            state.latest_number += 1;
            let letter = DeadLetter {
                number: state.latest_number,
                sink: Some(sink.into()),
                sequence: burial.sequence,
                count: 1,
                at_ms: now_ms,
                reason: burial.reason,
                record: Some(burial.record),
                is_retried: false,
            };
            state.letters.push_back(letter);
        }
        while state.letters.len() > self.most_letters {
            state.letters.pop_front();
            state.dropped_letters += 1;
        }
        *state.cursor_mut(sink, 0) = step.cursor;
        state.passed()
    }

    pub(super) fn letters(&self, after: u64, limit: usize) -> Vec<DeadLetter> {
        let state = self.state.lock();
        state.letters.iter().filter(|letter| letter.number > after).take(limit).cloned().collect()
    }

    pub(super) fn retry(&self, numbers: &[u64]) -> u64 {
        let mut state = self.state.lock();
        let asked = state.letters.iter_mut().filter(|letter| numbers.contains(&letter.number));
        asked.map(|letter| letter.is_retried = true).count() as u64
    }

    pub(super) fn drop_letters(&self, numbers: &[u64]) -> u64 {
        let mut state = self.state.lock();
        let before = state.letters.len();
        state.letters.retain(|letter| !numbers.contains(&letter.number));
        before.saturating_sub(state.letters.len()) as u64
    }

    /// How many dead letters there are, and how many were dropped.
    pub(super) fn count_letters(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.letters.len() as u64, state.dropped_letters)
    }
}

impl State {
    fn cursor_mut(&mut self, sink: &str, oldest: u64) -> &mut Cursor {
        let cursor = || Cursor { through: oldest, state: Box::default() };
        self.cursors.entry(sink.into()).or_insert_with(cursor)
    }

    fn passed(&self) -> u64 {
        let served = self.served.as_deref().unwrap_or_default();
        let of_served = served.iter().filter_map(|name| self.cursors.get(name));
        of_served.map(|cursor| cursor.through).min().unwrap_or_default()
    }
}
