//! The thread that stores what turns hand over: everything that waits is one commit, made durable before
//! anybody but turns sees it. After a failure it opens the engine again and again, and until that works
//! everything is refused.
//!
//! Must not know what entries mean.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::engine::{Space, Write};
use super::entry::{Entry, Row, RowKey, Totals};
use super::meta;
use super::queue::Group;
use super::turn::day_of;
use super::unreadable::Unreadable;
use super::wire::{packed_record, packed_row, unpacked_record};
use super::{Inner, Stored};
use crate::clock::Stopwatch;
use crate::error::Error;

/// How often the store tidies up.
const TIDYING: Duration = Duration::from_secs(1);
const SHORTEST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);
/// As many records are taken away at once.
const RECORDS_TIDIED_AT_ONCE: usize = 4096;

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
            // Also where entries never stop coming.
            if since_tidied.elapsed() >= TIDYING {
                self.tidy_up();
                since_tidied = Stopwatch::start();
            }
        }
    }

    fn store_group(&self, group: Group) {
        match self.check_room().and_then(|()| self.commit(&group)) {
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
            self.queue.finish(&group);
            group.commit.settle(Err(Arc::clone(&cause)));
        }
        self.flight.crash();
        let mut delay = SHORTEST_BACK_OFF;
        while !self.queue.rest(delay) {
            match self.reopened() {
                Ok(()) => return,
                Err(error) => {
                    cause = Arc::new(error);
                    let late = self.queue.refuse(&cause);
                    late.commit.settle(Err(Arc::clone(&cause)));
                }
            }
            delay = (delay * 2).min(LONGEST_BACK_OFF);
        }
    }

    fn reopened(&self) -> Result<(), Error> {
        self.check_room()?;
        self.engine.reopen()?;
        let numbers = self.load()?;
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
            stored.latest = stored.latest.max(self.write_entry(entry, &mut writes).map_err(why)?);
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

    /// Gives the sequence number of its last record.
    fn write_entry(&self, entry: &Entry, writes: &mut Vec<Write>) -> Result<u64, Unreadable> {
        let mut latest = 0;
        for (sequence, record) in (entry.first_sequence..).zip(&entry.records) {
            let value = Some(packed_record(record, &self.names)?);
            writes.push(Write {
                space: Space::Outbox,
                key: Box::new(sequence.to_be_bytes()),
                value,
            });
            latest = sequence;
        }
        if let Some(accepted) = entry.id {
            let space = Space::Ids(day_of(accepted.until_ms));
            let value = Some(accepted.until_ms.to_be_bytes().to_vec());
            writes.push(Write { space, key: Box::new(accepted.id.into_bytes()), value });
        }
        writes.extend(entry.writes.iter().cloned());
        Ok(latest)
    }

    /// Lets readers see what is stored.
    fn publish(&self, stored: Stored) {
        let mut current = self.stored.lock();
        let released = current.released.max(stored.released);
        *current = Stored { released, ..stored };
        drop(current);
        self.published.notify_all();
    }

    /// Refuses while the disk has less room than is to be left.
    fn check_room(&self) -> Result<(), Error> {
        let folder = self.engine.folder();
        let room = rustix::fs::statvfs(folder)
            .map_err(|error| Error::file("see the free space of", folder, error))?;
        let free_bytes = room.f_bavail.saturating_mul(room.f_frsize);
        if free_bytes < self.settings.reserved_bytes {
            let (free, reserved) = (free_bytes >> 20, self.settings.reserved_bytes >> 20);
            let why = format!(
                "its disk has {free} MiB left, and {reserved} MiB are kept in reserve: free some"
            );
            return Err(Error::store_refuses(folder, why));
        }
        Ok(())
    }

    /// Takes away what is over: ids of past days, and records that every sink has had for long enough.
    fn tidy_up(&self) {
        // What fails now is tried again the next time; recording finds out by itself.
        let _: Result<(), Error> = self.drop_old_ids().and_then(|()| self.drop_old_records());
    }

    fn drop_old_ids(&self) -> Result<(), Error> {
        let today = day_of(self.clock.now_ms());
        for day in self.engine.days()?.into_iter().filter(|day| *day < today) {
            self.engine.drop_day(day)?;
        }
        Ok(())
    }

    fn drop_old_records(&self) -> Result<(), Error> {
        let Stored { released, oldest, .. } = *self.stored.lock();
        let before_ms = self.clock.now_ms().saturating_sub(self.settings.record_retention_ms);
        let keys = oldest.to_be_bytes().to_vec()..=released.to_be_bytes().to_vec();
        let old = self.engine.range(Space::Outbox, keys, RECORDS_TIDIED_AT_ONCE)?;
        let is_over = |value: &[u8]| {
            let record = unpacked_record(value, &self.names);
            record.is_ok_and(|record| record.about().received_at_ms < before_ms)
        };
        let over = old.into_iter().take_while(|(_, value)| is_over(value));
        let removals: Vec<_> = over
            .map(|(key, _)| Write { space: Space::Outbox, key: key.into(), value: None })
            .collect();
        let Some(last) = removals.last() else { return Ok(()) };
        let next = meta::number(&last.key).map_or(oldest, |last| last.saturating_add(1));
        self.engine.commit(removals)?;
        self.stored.lock().oldest = next;
        Ok(())
    }
}

impl Totals {
    /// The totals of nothing.
    pub(super) const NONE: Self =
        Self { users: 0, activations: 0, pending_events: 0, dead_letters: 0 };
}
