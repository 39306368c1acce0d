//! Dead letters: sinks bury records and settle letters, people ask for them again or drop them.
//!
//! Must not know records that wait. Letters are looked up and taken away in one turn, which ends when that
//! is stored: so no two find the same letter, and nobody asks for one that is on its way out. A new one
//! needs no turn: nobody knows its number before it is stored.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::MutexGuard;

use super::engine::{PAGE_BYTES, Pair, Space};
use super::entry::signed;
use super::keys::{number, numbered};
use super::sinks::{Change, Known};
use super::{Inner, meta};
use crate::error::Error;
use crate::store::{Burial, Cursor, DeadLetter, Step};

/// A letter that is there, as far as handling it needs.
struct Found {
    number: u64,
    sink: Option<Box<str>>,
    has_record: bool,
}

impl Inner {
    pub(super) fn advance(&self, sink: &str, step: Step) -> Result<(), Error> {
        let Step { cursor, buried, settled } = step;
        let letters = self.packed_burials(sink, buried)?;
        let _turn = (!settled.is_empty()).then(|| self.letter_turn());
        let mut settled = self.found_letters(&settled)?;
        settled.retain(|letter| letter.sink.as_deref() == Some(sink));
        let (receipt, ()) = self.keep(|sinks| {
            let before = sinks.known(sink).cloned().unwrap_or_default();
            let through = cursor.through.max(before.cursor.through);
            let dead = before.letters.saturating_add(letters.len() as u64);
            let dead = dead.saturating_sub(settled.len() as u64);
            let mut change = taken_away(&settled);
            change.totals.dead_letters += signed(letters.len());
            change.letters = letters;
            let known = Known { cursor: Cursor { through, ..cursor }, letters: dead };
            change.writes.push(self.readable(sinks.set(sink, known))?);
            change.released = sinks.passed().unwrap_or_default();
            Ok((change, ()))
        })?;
        receipt.wait()
    }

    pub(super) fn letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let keys = numbered(after.saturating_add(1), u64::MAX);
        let letters = self.engine.page(Space::Dead, keys, limit)?;
        let letter = |(key, value): &Pair| {
            let mut letter = self.letter(number(key).unwrap_or_default(), value)?;
            if let Some(sink) = &letter.sink {
                let key = meta::retried_key(sink, letter.number);
                letter.is_retried = self.engine.get(Space::Meta, &key)?.is_some();
            }
            Ok(letter)
        };
        letters.iter().map(letter).collect()
    }

    pub(super) fn retried_letters(
        &self,
        sink: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        let mut letters = Vec::new();
        let mut after = after;
        while letters.is_empty() {
            let asked = self.engine.page(Space::Meta, meta::retried_after(sink, after), limit)?;
            if asked.is_empty() {
                break;
            }
            let mut bytes = 0;
            for (_, number) in asked.iter().filter_map(|(key, _)| meta::retried_of(key)) {
                after = number;
                // One that was settled meanwhile is not there any more.
                let Some(value) = self.engine.get(Space::Dead, &number.to_be_bytes())? else {
                    continue;
                };
                letters.push(DeadLetter { is_retried: true, ..self.letter(number, &value)? });
                bytes = value.len().saturating_add(bytes);
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
        }
        Ok(letters)
    }

    pub(super) fn retry_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        let _turn = self.letter_turn();
        let letters = self.found_letters(numbers)?;
        let asked = letters.iter().filter(|letter| letter.has_record);
        let asked = asked.filter_map(|letter| letter.sink.as_ref().zip(Some(letter.number)));
        let writes = asked.map(|(sink, number)| meta::retried(sink, number)).collect();
        let change = Change { writes, ..Change::default() };
        let count = change.writes.len() as u64;
        let (receipt, ()) = self.keep(|_| Ok((change, ())))?;
        receipt.wait()?;
        Ok(count)
    }

    pub(super) fn drop_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        let _turn = self.letter_turn();
        let letters = self.found_letters(numbers)?;
        let (receipt, ()) = self.keep(|sinks| {
            let mut change = taken_away(&letters);
            for (sink, count) in counts_by_sink(&letters) {
                let Some(known) = sinks.known(sink).cloned() else { continue };
                let letters = known.letters.saturating_sub(count);
                let known = Known { letters, ..known };
                change.writes.push(self.readable(sinks.set(sink, known))?);
            }
            Ok((change, ()))
        })?;
        receipt.wait()?;
        Ok(letters.len() as u64)
    }

    fn letter_turn(&self) -> MutexGuard<'_, ()> {
        self.letter_turn.lock()
    }

    /// Those of these letters that are there, each once.
    fn found_letters(&self, numbers: &[u64]) -> Result<Vec<Found>, Error> {
        let numbers: BTreeSet<u64> = numbers.iter().copied().collect();
        let mut found = Vec::new();
        for number in numbers {
            if let Some(value) = self.engine.get(Space::Dead, &number.to_be_bytes())? {
                // One that cannot be read can be dropped, and nothing else.
                let (sink, has_record) = meta::sink_of_letter(&value).unwrap_or_default();
                found.push(Found { number, sink, has_record });
            }
        }
        Ok(found)
    }

    /// Letters are packed before anything is changed: what cannot be kept is not released either.
    fn packed_burials(&self, sink: &str, buried: Vec<Burial>) -> Result<Vec<Vec<u8>>, Error> {
        let at_ms = self.clock.now_ms();
        let packed = |burial: Burial| {
            let letter = DeadLetter::of_burial(sink, burial, at_ms);
            meta::packed_letter(&letter, &self.names)
                .map_err(|why| self.unreadable("a dead letter", &why))
        };
        buried.into_iter().map(packed).collect()
    }

    fn letter(&self, number: u64, value: &[u8]) -> Result<DeadLetter, Error> {
        meta::unpacked_letter(number, value, &self.names)
            .map_err(|why| self.unreadable("a dead letter", &why))
    }
}

/// The change by which letters go, but for what is known of their sinks.
fn taken_away(letters: &[Found]) -> Change {
    let mut change = Change::default();
    for Found { number, sink, .. } in letters {
        change.writes.push(meta::no_letter(*number));
        change.writes.extend(sink.as_ref().map(|sink| meta::not_retried(sink, *number)));
    }
    change.totals.dead_letters = -signed(letters.len());
    change
}

fn counts_by_sink(letters: &[Found]) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for sink in letters.iter().filter_map(|letter| letter.sink.as_deref()) {
        *counts.entry(sink).or_default() += 1;
    }
    counts
}
