//! The outbox of the store on disk: records that are durable, how far sinks are, dead letters.
//!
//! Must not know what sinks do with records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Pair, Space, Write};
use super::entry::{Entry, Totals, signed};
use super::unreadable::Unreadable;
use super::wire::unpacked_record;
use super::{DurableStore, Inner, meta};
use crate::attribution::Record;
use crate::clock::Stopwatch;
use crate::error::Error;
use crate::store::{Cursor, DeadLetter, Outbox, Receipt, Step};

/// The sinks of whoever has claimed the outbox, and where all sinks that ever were are.
#[derive(Debug, Default)]
pub(super) struct Sinks {
    cursors: BTreeMap<Box<str>, Cursor>,
    /// With where each began: that of a new one is not on the disk before its first step.
    served: Option<BTreeMap<Box<str>, Cursor>>,
}

impl Sinks {
    /// Whether there was never one.
    pub(super) fn is_empty(&self) -> bool {
        self.cursors.is_empty() && self.served.as_ref().is_none_or(BTreeMap::is_empty)
    }

    /// Up to where none of those served needs records any more.
    fn passed(&self) -> u64 {
        let served = self.served.iter().flatten();
        let through = served.map(|(name, begin)| self.cursors.get(name).unwrap_or(begin).through);
        through.min().unwrap_or_default()
    }
}

impl Outbox for DurableStore {
    fn claim_outbox(&self, sinks: &[&str]) -> Result<Vec<Cursor>, Error> {
        let released = self.inner.stored.lock().released;
        let mut state = self.inner.sinks.lock();
        if state.served.is_some() {
            return Err(Error::outbox(
                "another client delivers from it: give each client with sinks a store of its own",
            ));
        }
        let begin = Cursor { through: released, state: Box::default() };
        let cursor = |name: &&str| state.cursors.get(*name).unwrap_or(&begin).clone();
        let cursors: Vec<_> = sinks.iter().map(cursor).collect();
        let named = sinks.iter().map(|name| Box::from(*name));
        state.served = Some(named.zip(cursors.iter().cloned()).collect());
        Ok(cursors)
    }

    fn return_outbox(&self) {
        self.inner.sinks.lock().served = None;
    }

    fn outbox(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        let waited = Stopwatch::start();
        loop {
            let mut stored = self.inner.stored.lock();
            if after.max(stored.released) < stored.latest {
                let (first, last) = (after.max(stored.released) + 1, stored.latest);
                drop(stored);
                return self.inner.records(first, last, limit);
            }
            let left = patience.saturating_sub(waited.elapsed());
            if left.is_zero() || self.inner.published.wait_for(&mut stored, left).timed_out() {
                return Ok(Vec::new());
            }
        }
    }

    fn advance(&self, sink: &str, step: Step) -> Result<(), Error> {
        self.inner.advance(sink, step)?.wait()
    }

    fn release(&self, through: u64) {
        let inner = &self.inner;
        let through = through.min(inner.stored.lock().latest);
        let mut stored = inner.stored.lock();
        if through <= stored.released {
            return;
        }
        stored.released = through;
        drop(stored);
        // Should it not be kept, the records are there again after the next start.
        let _: Result<Receipt, Error> =
            inner.put_writes(vec![meta::released(through)], Totals::NONE);
    }

    fn latest(&self) -> u64 {
        self.inner.stored.lock().latest
    }

    fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let first = after.saturating_add(1);
        let keys = first.to_be_bytes().to_vec()..=u64::MAX.to_be_bytes().to_vec();
        let letters = self.inner.engine.range(Space::Dead, keys, limit)?;
        let letter = |(key, value): &Pair| {
            let number = meta::number(key).unwrap_or_default();
            meta::unpacked_letter(number, value, &self.inner.names)
                .map_err(|why| self.inner.unreadable("a dead letter", &why))
        };
        letters.iter().map(letter).collect()
    }

    fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        let mut writes = Vec::new();
        for number in numbers {
            let Some(mut letter) = self.inner.letter(*number)? else { continue };
            if letter.record.is_some() {
                letter.is_retried = true;
                writes.push(self.inner.readable(meta::letter(&letter, &self.inner.names))?);
            }
        }
        self.inner.put_all(writes, Totals::NONE)
    }

    fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        let mut writes = Vec::new();
        for number in numbers {
            if self.inner.letter(*number)?.is_some() {
                writes.push(meta::no_letter(*number));
            }
        }
        let change = Totals { dead_letters: -signed(writes.len()), ..Totals::NONE };
        self.inner.put_all(writes, change)
    }
}

impl Inner {
    pub(super) fn load_sinks(&self) -> Result<(), Error> {
        let last = [meta::CURSOR_PREFIX, &[u8::MAX]].concat();
        let keys = meta::CURSOR_PREFIX.to_vec()..=last;
        let mut cursors = BTreeMap::new();
        for (key, value) in self.engine.range(Space::Meta, keys, usize::MAX)? {
            let name = key.get(meta::CURSOR_PREFIX.len()..).unwrap_or_default();
            let name = String::from_utf8_lossy(name).into();
            cursors.insert(name, self.readable(meta::unpacked_cursor(&value))?);
        }
        self.sinks.lock().cursors = cursors;
        Ok(())
    }

    fn records(
        &self,
        first: u64,
        last: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        let keys = first.to_be_bytes().to_vec()..=last.to_be_bytes().to_vec();
        let records = self.engine.range(Space::Outbox, keys, limit)?;
        let record = |(key, value): &Pair| {
            let record = self.readable(unpacked_record(value, &self.names))?;
            Ok((meta::number(key).unwrap_or_default(), Arc::new(record)))
        };
        records.iter().map(record).collect()
    }

    fn advance(&self, sink: &str, step: Step) -> Result<Receipt, Error> {
        let Step { cursor, buried, settled } = step;
        let at_ms = self.clock.now_ms();
        let place = self.queue.place_at_once()?;
        let mut sinks = self.sinks.lock();
        let mut writes = vec![self.readable(meta::cursor(sink, &cursor))?];
        let before = sinks.cursors.insert(sink.into(), cursor);
        let passed = sinks.passed();
        if passed > self.stored.lock().released {
            writes.push(meta::released(passed));
        }
        writes.extend(settled.iter().map(|number| meta::no_letter(*number)));
        let change = Totals {
            dead_letters: signed(buried.len()).saturating_sub(signed(settled.len())),
            ..Totals::NONE
        };
        let mut unreadable = None;
        let queued = place.put(|numbers, _| {
            for burial in buried {
                let letter = DeadLetter {
                    number: numbers.letter,
                    sink: Some(sink.into()),
                    sequence: burial.sequence,
                    count: 1,
                    at_ms,
                    reason: burial.reason,
                    record: Some(burial.record),
                    is_retried: false,
                };
                numbers.letter += 1;
                match meta::letter(&letter, &self.names) {
                    Ok(write) => writes.push(write),
                    Err(why) => unreadable = Some(why),
                }
            }
            Entry { writes, change, released: passed, ..Entry::default() }
        });
        if queued.is_err() {
            // It is not on its way to the disk: records behind it must not be released for it.
            match before {
                Some(before) => sinks.cursors.insert(sink.into(), before),
                None => sinks.cursors.remove(sink),
            };
        }
        if let Some(why) = unreadable {
            return Err(self.unreadable("a dead letter", &why));
        }
        queued.map(|(commit, _)| Receipt::of_commit(commit))
    }

    fn letter(&self, number: u64) -> Result<Option<DeadLetter>, Error> {
        let value = self.engine.get(Space::Dead, &number.to_be_bytes())?;
        let letter = value.map(|value| meta::unpacked_letter(number, &value, &self.names));
        self.readable(letter.transpose())
    }

    /// Stores writes; gives how many there were.
    fn put_all(&self, writes: Vec<Write>, change: Totals) -> Result<u64, Error> {
        let count = writes.len() as u64;
        if count > 0 {
            self.put_writes(writes, change)?.wait()?;
        }
        Ok(count)
    }

    pub(super) fn put_writes(&self, writes: Vec<Write>, change: Totals) -> Result<Receipt, Error> {
        let place = self.queue.place_at_once()?;
        let queued = place.put(|_, _| Entry { writes, change, ..Entry::default() });
        queued.map(|(commit, _)| Receipt::of_commit(commit))
    }

    fn readable<T>(&self, read: Result<T, Unreadable>) -> Result<T, Error> {
        read.map_err(|why| self.unreadable("what it keeps", &why))
    }
}
