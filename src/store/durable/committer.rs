//! The thread that stores what turns hand over: everything that waits is one commit, made durable before
//! anybody but turns sees it. After a failure it opens the engine again and again, and until that works
//! everything is refused.
//!
//! Must not know what entries mean.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::engine::{Space, Write};
use super::entry::{Entry, Row, RowKey, signed};
use super::meta;
use super::queue::Group;
use super::turn::day_of;
use super::unreadable::Unreadable;
use super::wire::{packed_record, packed_row};
use super::{Inner, Stored};
use crate::clock::Stopwatch;
use crate::error::Error;

/// How often the store tidies up.
const TIDYING: Duration = Duration::from_secs(1);
const SHORTEST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

impl Inner {
    /// Stores entries until the store is closed, and what is left then.
    pub(super) fn store_entries(&self) {
        let mut since_tidied = Stopwatch::start();
        loop {
            match self.queue.take(TIDYING) {
                Some(group) => self.store_group(group),
                None if self.queue.is_stopping() => return,
                None => {}
            }
            if since_tidied.elapsed() >= TIDYING {
                self.tidy_up();
                since_tidied = Stopwatch::start();
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
            let remedy = "report it: this is a defect of the program";
            Err(Error::store("write to", self.engine.folder(), remedy, "the committer panicked"))
        };
        match committed.unwrap_or_else(panicked) {
            Ok(()) => {
                self.flight.land(&group.entries, group.number);
                self.queue.finish(&group);
                group.commit.settle(Ok(()));
            }
            Err(error) => self.recover(group, error),
        }
    }

    /// Refuses what waits, and everything else until the engine is open again and has room.
    fn recover(&self, failed: Group, error: Error) {
        let mut cause = Arc::new(error);
        let behind = self.queue.refuse(&cause);
        for group in [failed, behind] {
            let records = group.entries.iter().map(|entry| entry.records.len() as u64).sum::<u64>();
            self.count(|counts| counts.refused_records += records);
            // In this order, so that who flushes meanwhile hears of it.
            group.commit.settle(Err(Arc::clone(&cause)));
            self.queue.finish(&group);
        }
        self.flight.crash();
        let mut delay = SHORTEST_BACK_OFF;
        while !self.queue.rest(delay) {
            match self.reopened() {
                Ok(()) => return,
                Err(error) => {
                    cause = Arc::new(error);
                    let late = self.queue.refuse(&cause);
                    self.queue.finish(&late);
                    late.commit.settle(Err(Arc::clone(&cause)));
                }
            }
            delay = (delay * 2).min(LONGEST_BACK_OFF);
        }
        // When it is closed, the engine may write what it could not write before, and what was refused
        // must not come back: opening it again cuts that off. Where it cannot be opened, nothing helps.
        let _: Result<(), Error> = self.engine.reopen();
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
        self.write_rows(&group.entries, &mut writes).map_err(why)?;
        let mut stored = *self.stored.lock();
        for entry in &group.entries {
            stored.totals = stored.totals.plus(entry.change);
            stored.released = stored.released.max(entry.released);
            self.write_entry(entry, &mut stored, &mut writes).map_err(why)?;
        }
        writes.push(meta::totals(&stored.totals, stored.latest).map_err(why)?);
        // Names that the rows and records above have just been given are among them.
        let (names, counts) = self.names.unsaved().map_err(why)?;
        for (key, value) in names {
            writes.push(Write { space: Space::Names, key: key.into(), value: Some(value) });
        }
        self.engine.commit(writes)?;
        self.names.mark_saved(counts);
        self.publish(stored);
        Ok(())
    }

    /// Of several rows of one user the last one counts: the engine could not tell them apart.
    fn write_rows(&self, entries: &[Entry], writes: &mut Vec<Write>) -> Result<(), Unreadable> {
        let rows = entries.iter().filter_map(|entry| entry.row.as_ref());
        let latest: HashMap<&RowKey, &Arc<Row>> = rows.map(|(key, row)| (key, row)).collect();
        for (key, row) in latest {
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
            let packed = packed_record(record, &self.names)?;
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
        writes.extend(entry.writes.iter().cloned());
        Ok(())
    }

    /// Lets readers see what is stored.
    fn publish(&self, stored: Stored) {
        let mut current = self.stored.lock();
        let released = current.released.max(stored.released);
        *current = Stored { released, ..stored };
        drop(current);
        self.published.notify_all();
    }
}
