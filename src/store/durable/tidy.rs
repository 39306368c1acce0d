//! What the committer does about once a second: looks at the room there is, and takes away what is over.
//!
//! Must not know what sinks do. What it takes away goes like everything else through a commit.

use std::sync::Arc;

use super::engine::{Space, Write};
use super::entry::{Entry, Row, Totals, signed};
use super::settings::WhenOverBudget;
use super::turn::day_of;
use super::wire::{unpacked_record, unpacked_row};
use super::{Inner, Stored, meta};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::DeadLetter;

/// As many records are looked at, at once.
const RECORDS_AT_ONCE: usize = 4096;
/// As many rows.
const ROWS_AT_ONCE: usize = 2048;
/// How often every row is looked at, for activations that are over.
const PASS_MS: i64 = 24 * 60 * 60 * 1000;

/// How far the look at all rows is.
#[derive(Debug, Default)]
pub(super) struct Tidying {
    /// Where the present pass goes on; empty between two passes.
    next_row: Vec<u8>,
    next_pass_ms: TimeMs,
}

impl Inner {
    pub(super) fn tidy_up(&self) {
        let room = self.check_room().and_then(|()| self.keep_to_budget());
        self.queue.pause(room.err().map(Arc::new));
        // What fails now is tried again the next time; recording finds out by itself.
        let _: Result<(), Error> = self
            .drop_old_ids()
            .and_then(|()| self.drop_old_records())
            .and_then(|()| self.look_at_rows());
    }

    /// Whether the disk has the room that is to be left.
    pub(super) fn check_room(&self) -> Result<(), Error> {
        let folder = self.engine.folder();
        let room = rustix::fs::statvfs(folder)
            .map_err(|error| Error::file("see the free space of", folder, error))?;
        let free_bytes = room.f_bavail.saturating_mul(room.f_frsize);
        let reserved_bytes = self.settings.reserved_bytes;
        if free_bytes >= reserved_bytes {
            return Ok(());
        }
        let (free, reserved) = (free_bytes >> 20, reserved_bytes >> 20);
        let why = format!(
            "its disk has {free} MiB left, and {reserved} MiB are kept in reserve: free some"
        );
        Err(Error::store_refuses(folder, why))
    }

    /// Makes room for records where they need more than they have.
    fn keep_to_budget(&self) -> Result<(), Error> {
        while self.excess_bytes() > 0 {
            let Stored { released, oldest, .. } = *self.stored.lock();
            if oldest <= released && self.drop_records(oldest, released, |_| true)? > 0 {
                continue;
            }
            if self.settings.when_over_budget == WhenOverBudget::Refuse {
                let budget = self.settings.budget_bytes >> 20;
                let why = format!(
                    "records that wait for sinks need more than the {budget} MiB that they have: mend the sinks or raise the budget"
                );
                return Err(Error::store_refuses(self.engine.folder(), why));
            }
            if self.shed()? == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    fn excess_bytes(&self) -> u64 {
        let kept = u64::try_from(self.stored.lock().totals.record_bytes).unwrap_or_default();
        kept.saturating_sub(self.settings.budget_bytes)
    }

    /// Drops the oldest records that wait, and says so in a dead letter; gives how many.
    fn shed(&self) -> Result<u64, Error> {
        let Stored { released, latest, .. } = *self.stored.lock();
        let last = latest.min(released.saturating_add(RECORDS_AT_ONCE as u64));
        let count = last.saturating_sub(released);
        if count == 0 {
            return Ok(0);
        }
        let at_ms = self.clock.now_ms();
        let place = self.queue.place_at_once()?;
        let mut written = Ok(());
        place.put(|numbers, _| {
            let letter = DeadLetter {
                number: numbers.letter,
                sink: None,
                sequence: released.saturating_add(1),
                count,
                at_ms,
                reason: "shed: the records that waited for sinks needed more room than they had"
                    .into(),
                record: None,
                is_retried: false,
            };
            numbers.letter += 1;
            let mut writes = vec![meta::released(last)];
            match meta::letter(&letter, &self.names) {
                Ok(write) => writes.push(write),
                Err(why) => written = Err(self.unreadable("a dead letter", &why)),
            }
            let change = Totals { dead_letters: 1, ..Totals::NONE };
            Entry { writes, change, released: last, ..Entry::default() }
        })?;
        written?;
        self.store_waiting();
        self.drop_records(released.saturating_add(1), last, |_| true)?;
        Ok(count)
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
        let is_over = |value: &[u8]| {
            let record = unpacked_record(value, &self.names);
            record.is_ok_and(|record| record.about().received_at_ms < before_ms)
        };
        self.drop_records(oldest, released, is_over).map(drop)
    }

    /// Drops records from the first on, as long as they are over; gives how many.
    fn drop_records(
        &self,
        first: u64,
        last: u64,
        is_over: impl Fn(&[u8]) -> bool,
    ) -> Result<usize, Error> {
        if first > last {
            return Ok(0);
        }
        let keys = first.to_be_bytes().to_vec()..=last.to_be_bytes().to_vec();
        let old = self.engine.range(Space::Outbox, keys, RECORDS_AT_ONCE)?;
        let mut change = Totals::NONE;
        let mut writes = Vec::new();
        let mut oldest = first;
        for (key, value) in old.into_iter().take_while(|(_, value)| is_over(value)) {
            change.record_bytes -= signed(value.len());
            oldest = meta::number(&key).map_or(oldest, |number| number.saturating_add(1));
            writes.push(Write { space: Space::Outbox, key: key.into(), value: None });
        }
        let count = writes.len();
        if count > 0 {
            self.put_writes(writes, change)?;
            self.store_waiting();
            self.stored.lock().oldest = oldest;
        }
        Ok(count)
    }

    /// Looks at some rows, and takes away what is over.
    fn look_at_rows(&self) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        let mut tidying = self.tidying.lock();
        if tidying.next_row.is_empty() && now_ms < tidying.next_pass_ms {
            return Ok(());
        }
        let keys = tidying.next_row.clone()..=vec![u8::MAX; 8];
        let rows = self.engine.range(Space::Rows, keys, ROWS_AT_ONCE)?;
        for (key, value) in &rows {
            let row = unpacked_row(value, &self.names);
            let row = row.map_err(|why| self.unreadable("a user's row", &why))?;
            if self.has_something_over(&row, now_ms) {
                self.tidy_row(key)?;
            }
        }
        let last = rows.last().filter(|_| rows.len() == ROWS_AT_ONCE);
        tidying.next_row = last.map(|(key, _)| [key, &[0][..]].concat()).unwrap_or_default();
        if tidying.next_row.is_empty() {
            tidying.next_pass_ms = now_ms.saturating_add(PASS_MS);
        }
        Ok(())
    }

    fn has_something_over(&self, row: &Row, now_ms: TimeMs) -> bool {
        let before_ms = now_ms.saturating_sub(self.settings.activation_retention_ms);
        row.activations().iter().any(|held| held.last_received_ms < before_ms)
            || row.pending().any(|event| event.claimable_until_ms <= now_ms)
    }
}
