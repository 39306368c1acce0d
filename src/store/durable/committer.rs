//! The thread that stores what turns hand over: everything that waits is one commit, made durable before
//! anybody but turns sees it. After a failure it opens the engine again and again, and until that works
//! everything is refused.
//!
//! Must not know what entries mean.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use hashbrown::HashMap;

use super::engine::{DEFECT, Space, Write};
use super::entry::{Entry, signed};
use super::ids::day_of;
use super::queue::{Group, LatestRows};
use super::unreadable::Unreadable;
use super::wire::{packed_record, packed_row};
use super::{Inner, Stored, meta};
use crate::clock::Stopwatch;
use crate::error::Error;

/// How often the store tidies up.
const TIDYING: Duration = Duration::from_secs(1);
const SHORTEST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

impl Inner {
    /// Stores entries until the store is closed, and what is left then. What is over is taken away in
    /// between, a page at a time, so that callers wait for one at most.
    pub(super) fn store_entries(&self) {
        let mut since_tidied = Stopwatch::start();
        let mut has_more = false;
        loop {
            match self.queue.take(if has_more { Duration::ZERO } else { TIDYING }) {
                Some(group) => self.store_group(group),
                None if self.queue.is_stopping() => return,
                None => {}
            }
            if since_tidied.elapsed() >= TIDYING {
                has_more = self.tidy_up();
                since_tidied = Stopwatch::start();
            } else if has_more {
                has_more = self.drop_old_records();
            }
        }
    }

    /// Stores what waits now. For the committer itself, which cannot wait for itself.
    pub(super) fn store_waiting(&self) {
        if let Some(group) = self.queue.take(Duration::ZERO) {
            self.store_group(group);
        }
    }

    fn store_group(&self, group: Group) {
        // Whatever goes wrong, those who wait are told, and the next ones are served.
        let committed = catch_unwind(AssertUnwindSafe(|| self.commit(&group)));
        let panicked = |_| {
            let cause = "the committer panicked";
            Err(Error::store("write to", self.engine.folder(), DEFECT, cause))
        };
        match committed.unwrap_or_else(panicked) {
            Ok(()) => {
                self.flight.land(&group);
                self.queue.finish(&group);
                group.commit.settle(Ok(()));
            }
            Err(error) => self.recover(&group, error),
        }
    }

    /// Refuses what waits, and everything else until the engine is open again and has room.
    fn recover(&self, failed: &Group, mut cause: Error) {
        // What is behind it never came near the disk.
        let behind = self.queue.refuse(&cause);
        self.give_up(&behind, Error::not_stored(cause.clone()));
        let refusal = match self.engine.cut_refused() {
            Ok(()) => Error::not_stored(cause.clone()),
            Err(_) => Error::not_taken_back(cause.clone()),
        };
        self.give_up(failed, refusal);
        self.flight.crash();
        let mut delay = SHORTEST_BACK_OFF;
        while !self.queue.rest(delay) {
            match self.reopened() {
                Ok(()) => return,
                Err(error) => {
                    cause = error;
                    let late = self.queue.refuse(&cause);
                    self.give_up(&late, Error::not_stored(cause.clone()));
                }
            }
            delay = (delay * 2).min(LONGEST_BACK_OFF);
        }
        // What was refused must not come back when it is opened. Where that cannot be, nothing helps.
        let _: Result<(), Error> = self.engine.cut_refused();
    }

    fn give_up(&self, group: &Group, refusal: Error) {
        let records = group.entries.iter().map(|entry| entry.records.len() as u64).sum::<u64>();
        self.count(|counts| counts.refused_records += records);
        // In this order, so that who flushes meanwhile hears of it.
        group.commit.settle(Err(refusal));
        self.queue.finish(group);
    }

    fn reopened(&self) -> Result<(), Error> {
        self.engine.reopen()?;
        let numbers = self.read_state()?;
        self.flight.crash();
        self.queue.accept(numbers);
        Ok(())
    }

    fn commit(&self, group: &Group) -> Result<(), Error> {
        let why = |why: Unreadable| self.unreadable("an entry", &why);
        let mut writes = Vec::with_capacity(group.entries.len() * 2 + 4);
        self.write_rows(&group.rows, &mut writes).map_err(why)?;
        let mut stored = *self.stored.lock();
        let released = stored.released;
        for entry in &group.entries {
            stored.totals = stored.totals.plus(entry.change);
            stored.released = stored.released.max(entry.released);
            stored.latest_letter = stored.latest_letter.max(entry.latest_letter);
            self.write_entry(entry, &mut stored, &mut writes).map_err(why)?;
        }
        writes.extend(latest_writes(&group.entries));
        if stored.released > released {
            writes.push(meta::released(stored.released));
        }
        writes.push(meta::totals(&stored).map_err(why)?);
        // Names that the rows and records above have just been given are among them.
        let (names, counts) = self.names.unsaved().map_err(why)?;
        for (key, value) in names {
            writes.push(Write { space: Space::Names, key: key.into(), value: Some(value) });
        }
        let bytes = writes.iter().map(Write::bytes).sum::<u64>();
        self.engine.commit(writes)?;
        self.names.mark_saved(counts);
        self.publish(stored);
        self.note_written(bytes);
        Ok(())
    }

    fn write_rows(&self, rows: &LatestRows, writes: &mut Vec<Write>) -> Result<(), Unreadable> {
        for (key, row) in rows {
            let value = if row.is_empty() { None } else { Some(packed_row(row, &self.names)?) };
            writes.push(Write { space: Space::Rows, key: key.clone(), value });
        }
        Ok(())
    }

    fn write_entry(
        &self,
        entry: &Entry,
        stored: &mut Stored,
        writes: &mut Vec<Write>,
    ) -> Result<(), Unreadable> {
        for (sequence, record) in (entry.first_sequence..).zip(&entry.records) {
            let packed = packed_record(record, entry.claimable_until_ms, &self.names)?;
            stored.totals.record_bytes += signed(packed.len());
            stored.latest = stored.latest.max(sequence);
            let key = Box::new(sequence.to_be_bytes());
            writes.push(Write { space: Space::Outbox, key, value: Some(packed) });
        }
        if let Some(accepted) = entry.id {
            let space = Space::Ids(day_of(accepted.until_ms));
            let value = Some(accepted.until_ms.to_be_bytes().to_vec());
            writes.push(Write { space, key: Box::new(accepted.id.into_bytes()), value });
        }
        Ok(())
    }

    /// Lets readers see what is stored.
    fn publish(&self, stored: Stored) {
        let sinks = self.sinks.lock();
        let mut current = self.stored.lock();
        // A sink may have returned meanwhile, and what it does not have waits again.
        let released = sinks.held_back(current.released.max(stored.released));
        *current = Stored { released, ..stored };
        drop((current, sinks));
        self.published.notify_all();
    }
}

/// Of several writes to one key the last one counts: the engine could not tell them apart.
fn latest_writes(entries: &[Entry]) -> impl Iterator<Item = Write> {
    let writes = entries.iter().flat_map(|entry| &entry.writes);
    let latest: HashMap<_, _> = writes.map(|write| ((write.space, &write.key), write)).collect();
    latest.into_values().cloned()
}
