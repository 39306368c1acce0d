//! How far each sink is, and its dead letters, in memory.
//!
//! Must not know records that wait: it says up to where none needs them any more.

use std::collections::{BTreeMap, BTreeSet};

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
    known: BTreeMap<Box<str>, Known>,
    /// The names of those that records are kept for, while somebody delivers to them.
    served: Option<Vec<Box<str>>>,
    /// By number.
    letters: BTreeMap<u64, DeadLetter>,
    latest_number: u64,
    dropped_letters: u64,
}

/// What is known of a sink.
#[derive(Debug, Default)]
struct Known {
    cursor: Cursor,
    letters: u64,
    /// The numbers of those that are to be delivered again.
    retried: BTreeSet<u64>,
}

impl Sinks {
    pub(super) fn new(most_letters: usize) -> Self {
        Self { state: Mutex::default(), most_letters }
    }

    /// Claims the outbox, whose records up to and including `released` are gone.
    pub(super) fn claim(
        &self,
        names: &[&str],
        released: u64,
        now_ms: TimeMs,
    ) -> Result<Vec<Cursor>, Error> {
        let mut state = self.state.lock();
        if state.served.is_some() {
            return Err(Error::outbox_is_claimed());
        }
        state.served = Some(names.iter().map(|name| Box::from(*name)).collect());
        let cursors = names.iter().map(|name| state.begin(name, released, now_ms));
        let cursors = cursors.collect();
        state.forget_letters(self.most_letters);
        Ok(cursors)
    }

    pub(super) fn give_back(&self) {
        self.state.lock().served = None;
    }

    /// Keeps a step; gives the sequence number up to which no sink needs records any more.
    pub(super) fn advance(&self, sink: &str, step: Step, now_ms: TimeMs) -> u64 {
        let mut state = self.state.lock();
        let Step { cursor, buried, settled } = step;
        for number in settled {
            let is_its_own = |letter: &DeadLetter| letter.sink.as_deref() == Some(sink);
            if state.letters.get(&number).is_some_and(is_its_own) {
                state.take_letter(number);
            }
        }
        for burial in buried {
            state.add_letter(DeadLetter::of_burial(sink, burial, now_ms));
        }
        state.forget_letters(self.most_letters);
        let known = state.known.entry(sink.into()).or_default();
        let through = cursor.through.max(known.cursor.through);
        known.cursor = Cursor { through, ..cursor };
        state.passed().unwrap_or_default()
    }

    /// Up to where records can go, of those up to `through` that somebody has no use for.
    pub(super) fn releasable(&self, through: u64) -> u64 {
        self.state.lock().passed().map_or(through, |passed| passed.min(through))
    }

    pub(super) fn letters(&self, after: u64, limit: usize) -> Vec<DeadLetter> {
        let state = self.state.lock();
        let letters = state.letters.range(after.saturating_add(1)..);
        letters.take(limit).map(|(_, letter)| letter.clone()).collect()
    }

    pub(super) fn retried(&self, sink: &str, after: u64, limit: usize) -> Vec<DeadLetter> {
        let state = self.state.lock();
        let Some(known) = state.known.get(sink) else { return Vec::new() };
        let numbers = known.retried.range(after.saturating_add(1)..);
        let letters = numbers.filter_map(|number| state.letters.get(number));
        letters.take(limit).cloned().collect()
    }

    pub(super) fn retry(&self, numbers: &[u64]) -> u64 {
        let mut state = self.state.lock();
        let numbers: BTreeSet<u64> = numbers.iter().copied().collect();
        let count = numbers.iter().filter(|number| state.ask_again(**number)).count();
        count as u64
    }

    pub(super) fn drop_letters(&self, numbers: &[u64]) -> u64 {
        let mut state = self.state.lock();
        let dropped = numbers.iter().filter(|number| state.take_letter(**number));
        dropped.count() as u64
    }

    /// How many dead letters a sink has.
    pub(super) fn count_letters_of(&self, sink: &str) -> u64 {
        self.state.lock().known.get(sink).map_or(0, |known| known.letters)
    }

    /// How many dead letters there are, and how many were dropped.
    pub(super) fn count_letters(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.letters.len() as u64, state.dropped_letters)
    }
}

impl State {
    /// Where a sink goes on. Of records that are gone, one that was not there is told in a letter.
    fn begin(&mut self, sink: &str, released: u64, at_ms: TimeMs) -> Cursor {
        let is_new = !self.known.contains_key(sink);
        let known = self.known.entry(sink.into()).or_default();
        let had = known.cursor.through;
        known.cursor.through = had.max(released);
        let cursor = known.cursor.clone();
        if !is_new && had < released {
            self.add_letter(DeadLetter::of_absence(sink, had, released, at_ms));
        }
        cursor
    }

    /// Adds a letter of a sink, with the next number.
    fn add_letter(&mut self, mut letter: DeadLetter) {
        self.latest_number += 1;
        letter.number = self.latest_number;
        if let Some(sink) = &letter.sink {
            self.known.entry(sink.clone()).or_default().letters += 1;
        }
        self.letters.insert(letter.number, letter);
    }

    /// Takes a letter away; gives whether there was one.
    fn take_letter(&mut self, number: u64) -> bool {
        let Some(letter) = self.letters.remove(&number) else { return false };
        if let Some(known) = letter.sink.and_then(|sink| self.known.get_mut(&sink)) {
            known.letters = known.letters.saturating_sub(1);
            known.retried.remove(&number);
        }
        true
    }

    /// Asks for a letter to be delivered again; gives whether there is one that can be.
    fn ask_again(&mut self, number: u64) -> bool {
        let Some(letter) = self.letters.get_mut(&number) else { return false };
        let sink = letter.sink.as_deref().filter(|_| letter.record.is_some());
        let Some(known) = sink.and_then(|sink| self.known.get_mut(sink)) else { return false };
        known.retried.insert(number);
        letter.is_retried = true;
        true
    }

    fn forget_letters(&mut self, most: usize) {
        while self.letters.len() > most {
            let Some(oldest) = self.letters.keys().next().copied() else { return };
            self.take_letter(oldest);
            self.dropped_letters += 1;
        }
    }

    /// Up to where none of the sinks served needs records any more; `None` where none is.
    fn passed(&self) -> Option<u64> {
        let served = self.served.as_deref()?.iter();
        let of_served = served.filter_map(|name| self.known.get(name));
        of_served.map(|known| known.cursor.through).min()
    }
}
