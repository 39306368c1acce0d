//! How far sinks are: those that are served now, and all that ever were.
//!
//! Must not know what sinks do with records, nor who drops them. What is known of sinks changes under one
//! lock, in which the change is handed to the committer: so it reaches the disk in the same order. The
//! lock is taken before that of the queue and that of `stored`. Whenever sinks are served, nothing is
//! released that one of them does not have.

use std::collections::BTreeMap;
use std::ops::Range;

use super::engine::Write;
use super::entry::{Entry, Totals};
use super::queue::Numbers;
use super::unreadable::Unreadable;
use super::{Inner, meta};
use crate::error::Error;
use crate::store::{Cursor, DeadLetter, Receipt};

/// What is known of a sink.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) cursor: Cursor,
    /// How many dead letters it has.
    pub(super) letters: u64,
}

/// The sinks of whoever has claimed the outbox, and all sinks that ever were.
#[derive(Debug, Clone, Default)]
pub(super) struct Sinks {
    known: BTreeMap<Box<str>, Known>,
    /// With where each began: after a failure the disk may not know that yet.
    served: Option<BTreeMap<Box<str>, Cursor>>,
}

/// What changes with sinks and their letters, in one piece.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) writes: Vec<Write>,
    /// New letters, packed; they get their numbers when they are put in the queue.
    pub(super) letters: Vec<Vec<u8>>,
    pub(super) totals: Totals,
    /// See [`Entry::released`].
    pub(super) released: u64,
}

impl Sinks {
    /// Whether there was never one.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn known(&self, sink: &str) -> Option<&Known> {
        self.known.get(sink)
    }

    /// Sinks, served or not, whose latest record is one of these.
    pub(super) fn within(&self, through: Range<u64>) -> Vec<(Box<str>, Known)> {
        let begun = self.served.iter().flatten();
        let begun = begun.map(|(sink, cursor)| {
            (sink.clone(), Known { cursor: cursor.clone(), ..Known::default() })
        });
        let mut all: BTreeMap<_, _> = begun.collect();
        all.extend(self.known.clone());
        all.retain(|_, known| through.contains(&known.cursor.through));
        all.into_iter().collect()
    }

    /// Knows this of a sink from now on; gives how it is written.
    pub(super) fn set(&mut self, sink: &str, known: Known) -> Result<Write, Unreadable> {
        let write = meta::sink(sink, &known)?;
        self.known.insert(sink.into(), known);
        Ok(write)
    }

    /// Up to where none of those served needs records any more; `None` where none is.
    pub(super) fn passed(&self) -> Option<u64> {
        let served = self.served.as_ref()?.iter();
        let cursor = |(name, begin)| self.known.get(name).map_or(begin, |known| &known.cursor);
        served.map(cursor).map(|cursor| cursor.through).min()
    }

    /// What of it is released, with those who are served.
    pub(super) fn held_back(&self, released: u64) -> u64 {
        self.passed().map_or(released, |passed| passed.min(released))
    }

    pub(super) fn load(&mut self, known: BTreeMap<Box<str>, Known>) {
        self.known = known;
    }
}

impl Inner {
    pub(super) fn claim(&self, names: &[&str]) -> Result<Vec<Cursor>, Error> {
        let (receipt, cursors) = self.keep(|sinks| self.begin_sinks(sinks, names))?;
        if let Err(error) = receipt.wait() {
            self.return_claim();
            return Err(error);
        }
        Ok(cursors)
    }

    pub(super) fn return_claim(&self) {
        self.sinks.lock().served = None;
    }

    /// Where sinks go on, and what is to be kept of that.
    fn begin_sinks(
        &self,
        sinks: &mut Sinks,
        names: &[&str],
    ) -> Result<(Change, Vec<Cursor>), Error> {
        if sinks.served.is_some() {
            return Err(Error::outbox_is_claimed());
        }
        let mut stored = self.stored.lock();
        let gone = stored.oldest.saturating_sub(1);
        let mut change = Change::default();
        let mut cursors = Vec::new();
        for name in names {
            let is_new = sinks.known(name).is_none();
            let mut known = sinks.known(name).cloned().unwrap_or_default();
            let had = known.cursor.through;
            known.cursor.through = if is_new { stored.released.max(gone) } else { had.max(gone) };
            cursors.push(known.cursor.clone());
            if !is_new && had < gone {
                let letter = DeadLetter::of_absence(name, had, gone, self.clock.now_ms());
                change.letters.push(self.readable(meta::packed_letter(&letter, &self.names))?);
                change.totals.dead_letters += 1;
                known.letters += 1;
            }
            if is_new || had < gone {
                change.writes.push(self.readable(sinks.set(name, known))?);
            }
        }
        let named = names.iter().map(|name| Box::from(*name));
        sinks.served = Some(named.zip(cursors.iter().cloned()).collect());
        // Who returns has its records waiting again.
        stored.released = sinks.held_back(stored.released);
        Ok((change, cursors))
    }

    /// Makes a change, and hands it to the committer: all of it or, where that refuses, nothing.
    pub(super) fn keep<T>(
        &self,
        make: impl FnOnce(&mut Sinks) -> Result<(Change, T), Error>,
    ) -> Result<(Receipt, T), Error> {
        let mut sinks = self.sinks.lock();
        let before = sinks.clone();
        let kept = make(&mut sinks).and_then(|(change, made)| {
            if change.is_empty() {
                return Ok((Receipt::stored(), made));
            }
            let place = self.queue.place_at_once()?;
            let (commit, _) = place.put(|numbers, _| change.into_entry(numbers))?;
            Ok((Receipt::of_commit(commit), made))
        });
        if kept.is_err() {
            *sinks = before;
        }
        kept
    }

    /// What is known of sinks by the disk.
    pub(super) fn known_sinks(&self) -> Result<BTreeMap<Box<str>, Known>, Error> {
        let known = |(key, value): (Vec<u8>, Vec<u8>)| {
            let known = meta::unpacked_sink(&value);
            let known = known.map_err(|why| self.unreadable("how far a sink is", &why))?;
            Ok((meta::sink_of(&key), known))
        };
        self.sink_entries()?.into_iter().map(known).collect()
    }
}

impl Change {
    fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.letters.is_empty()
    }

    fn into_entry(self, numbers: &mut Numbers) -> Entry {
        let Self { mut writes, letters, totals, released } = self;
        for letter in letters {
            writes.push(meta::letter(numbers.letter, letter));
            numbers.letter += 1;
        }
        let latest_letter = numbers.letter.saturating_sub(1);
        Entry { writes, change: totals, released, latest_letter, ..Entry::default() }
    }
}
