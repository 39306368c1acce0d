//! Entries that wait for the committer, in the order in which they are stored, with the numbers of their
//! records.
//!
//! Must not know rows or the engine. What waits is bounded: who brings an entry asks for a place first, and
//! a large one takes more of them when it is there.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;

use super::commit::Commit;
use super::entry::{Entry, Row, RowKey};
use super::places::places;
use super::settings::WhenFull;
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Queue {
    limit: usize,
    when_full: WhenFull,
    state: Mutex<State>,
    arrived: Condvar,
    /// Rung when places become free, and when the store begins or stops to refuse.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    rows: LatestRows,
    /// The commit that the entries are to be part of, and its number.
    commit: Arc<Commit>,
    group: u64,
    /// The commit that is being written.
    writing: Option<Arc<Commit>>,
    /// Places taken: by entries that wait or are being written, and by who is about to bring one.
    taken: usize,
    numbers: Numbers,
    /// Why nothing at all is taken.
    refusal: Option<Error>,
    /// Why callers' entries are not taken, while those that make room still are.
    pause: Option<Error>,
    is_stopping: bool,
}

/// The next numbers to be given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Of a record.
    pub(super) sequence: u64,
    /// Of a dead letter.
    pub(super) letter: u64,
}

/// Entries that are stored together.
#[derive(Debug)]
pub(super) struct Group {
    /// Without their rows.
    pub(super) entries: Vec<Entry>,
    pub(super) rows: LatestRows,
    pub(super) commit: Arc<Commit>,
    pub(super) number: u64,
}

/// Of several rows of one user the last one counts: the engine could not tell them apart, and the others would
/// only take memory.
pub(super) type LatestRows = HashMap<RowKey, Arc<Row>>;

/// A place in the queue; given back when it is dropped without having been used.
#[derive(Debug)]
pub(super) struct Place<'q> {
    queue: &'q Queue,
    is_used: bool,
}

/// The commit that an entry became part of, and its number.
pub(super) type Queued = (Arc<Commit>, u64);

const THE_QUEUE: &str = "the store's queue";
const PLACES: &str = "entries of 4 KiB";

impl Queue {
    pub(super) fn new(limit: usize, when_full: WhenFull) -> Self {
        Self {
            limit: limit.max(1),
            when_full,
            state: Mutex::default(),
            arrived: Condvar::new(),
            changed: Condvar::new(),
        }
    }

    /// Takes a place for an entry. May wait for one; so it must be asked for before any lock is taken.
    pub(super) fn place(&self) -> Result<Place<'_>, Error> {
        let mut state = self.state.lock();
        let is_full = |state: &mut State| state.why_not().is_none() && state.taken >= self.limit;
        if is_full(&mut state) {
            match self.when_full {
                WhenFull::Wait => self.changed.wait_while(&mut state, is_full),
                WhenFull::Refuse => {
                    let remedy = "give it a quicker disk";
                    return Err(Error::full(THE_QUEUE, self.limit, PLACES, remedy));
                }
            }
        }
        if let Some(why) = state.why_not() {
            return Err(Error::not_stored(why.clone()));
        }
        state.taken += 1;
        Ok(Place { queue: self, is_used: false })
    }

    /// A place for what must not wait for callers, as the steps of sinks.
    pub(super) fn place_at_once(&self) -> Result<Place<'_>, Error> {
        let mut state = self.state.lock();
        if let Some(refusal) = &state.refusal {
            return Err(Error::not_stored(refusal.clone()));
        }
        state.taken += 1;
        Ok(Place { queue: self, is_used: false })
    }

    /// Waits for entries, at most so long, and takes them all.
    pub(super) fn take(&self, patience: Duration) -> Option<Group> {
        let mut state = self.state.lock();
        let is_idle = |state: &mut State| state.entries.is_empty() && !state.is_stopping;
        self.arrived.wait_while_for(&mut state, is_idle, patience);
        (!state.entries.is_empty()).then(|| state.take())
    }

    /// Says that entries left the queue for good.
    pub(super) fn free(&self, places: usize) {
        let mut state = self.state.lock();
        state.taken = state.taken.saturating_sub(places);
        drop(state);
        self.changed.notify_all();
    }

    /// Says that a group is done with.
    pub(super) fn finish(&self, group: &Group) {
        self.state.lock().writing = None;
        self.free(group.entries.iter().map(|entry| entry.places).sum());
    }

    /// Refuses everything from now on; gives what was waiting.
    pub(super) fn refuse(&self, refusal: &Error) -> Group {
        let mut state = self.state.lock();
        state.refusal = Some(refusal.clone());
        let group = state.take();
        drop(state);
        self.changed.notify_all();
        group
    }

    /// Takes entries again, and numbers records from here on.
    pub(super) fn accept(&self, numbers: Numbers) {
        let mut state = self.state.lock();
        state.refusal = None;
        state.numbers = numbers;
        drop(state);
        self.changed.notify_all();
    }

    /// Takes callers' entries only where there is no reason against it.
    pub(super) fn pause(&self, why: Option<Error>) {
        let mut state = self.state.lock();
        if why.is_some() || state.pause.is_some() {
            state.pause = why;
            drop(state);
            self.changed.notify_all();
        }
    }

    pub(super) fn stop(&self) {
        self.state.lock().is_stopping = true;
        self.arrived.notify_all();
        self.changed.notify_all();
    }

    /// Sleeps until it is stopped, at most so long; gives whether it is stopped.
    pub(super) fn rest(&self, patience: Duration) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |state| !state.is_stopping, patience);
        state.is_stopping
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.state.lock().is_stopping
    }

    /// The commit with which all entries that were put before the call are stored; `None` where all are.
    pub(super) fn latest_commit(&self) -> Option<Arc<Commit>> {
        let state = self.state.lock();
        if state.entries.is_empty() { state.writing.clone() } else { Some(state.commit.clone()) }
    }

    pub(super) fn refusal(&self) -> Option<Error> {
        self.state.lock().why_not().cloned()
    }
}

impl State {
    fn why_not(&self) -> Option<&Error> {
        self.refusal.as_ref().or(self.pause.as_ref())
    }

    fn take(&mut self) -> Group {
        let number = self.group;
        self.group += 1;
        let commit = std::mem::take(&mut self.commit);
        self.writing = Some(Arc::clone(&commit));
        let (entries, rows) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.rows));
        Group { entries, rows, commit, number }
    }
}

impl Place<'_> {
    /// Puts an entry in the queue. It is built under the queue's lock, with the next numbers, which it
    /// moves on by as many as it uses.
    pub(super) fn put(
        mut self,
        build: impl FnOnce(&mut Numbers, u64) -> Entry,
    ) -> Result<Queued, Error> {
        let mut state = self.queue.state.lock();
        if let Some(refusal) = &state.refusal {
            return Err(Error::not_stored(refusal.clone()));
        }
        let group = state.group;
        let mut entry = build(&mut state.numbers, group);
        entry.places = places(&entry);
        // One of them was taken before.
        state.taken = state.taken.saturating_add(entry.places.saturating_sub(1));
        let rows = entry.rows.drain(..);
        let earlier: SmallVec<[_; 1]> =
            rows.filter_map(|(key, row)| state.rows.insert(key, row)).collect();
        state.entries.push(entry);
        self.is_used = true;
        let commit = Arc::clone(&state.commit);
        let is_first = state.entries.len() == 1;
        drop(state);
        // They may be large, and others wait for the lock.
        drop(earlier);
        if is_first {
            self.queue.arrived.notify_one();
        }
        Ok((commit, group))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_used {
            self.queue.free(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::durable::engine::{Space, Write};

    /// Puts an entry of so many bytes, where there is a place.
    fn put(queue: &Queue, bytes: usize) -> Result<(), Error> {
        let write = Write { space: Space::Meta, key: Box::default(), value: Some(vec![0; bytes]) };
        let entry = Entry { writes: vec![write], ..Entry::default() };
        queue.place()?.put(|_, _| entry).map(drop)
    }

    /// How many entries of so many bytes are taken before one is refused.
    fn fit(queue: &Queue, bytes: usize) -> usize {
        (0..100).take_while(|_| put(queue, bytes).is_ok()).count()
    }

    #[test]
    fn a_large_entry_takes_the_places_of_several() {
        let queue = Queue::new(12, WhenFull::Refuse);
        for (bytes, entries) in
            [(10, 12), (4095, 12), (4096, 6), (3 * 4096, 3), (1 << 20, 1), (0, 12)]
        {
            assert_eq!(fit(&queue, bytes), entries, "of {bytes} bytes");
            let group = queue.take(Duration::ZERO).unwrap();
            assert!(put(&queue, 0).is_err(), "while they are being written");
            queue.finish(&group);
        }
        drop(queue.place().unwrap());
        assert_eq!(queue.state.lock().taken, 0);
    }

    #[test]
    fn of_a_users_rows_the_last_one_waits() {
        let queue = Queue::new(12, WhenFull::Refuse);
        let rows: Vec<Arc<Row>> = (0..3).map(|_| Arc::default()).collect();
        for (user, row) in ["one", "other", "one"].into_iter().zip(&rows) {
            let rows = [(user.as_bytes().into(), Arc::clone(row))].into_iter().collect();
            queue.place().unwrap().put(|_, _| Entry { rows, ..Entry::default() }).unwrap();
        }
        let group = queue.take(Duration::ZERO).unwrap();
        let waits = |user: &str, row| Arc::ptr_eq(&group.rows[user.as_bytes()], row);
        assert!(waits("one", &rows[2]) && waits("other", &rows[1]));
        assert_eq!(Arc::strong_count(&rows[0]), 1, "the first one of the user is let go of");
    }
}
