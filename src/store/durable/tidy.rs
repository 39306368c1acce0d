//! What the committer does about once a second: looks at the room there is, and takes away what is over.
//!
//! Must not know what sinks do. What it takes away goes like everything else through a commit.

use std::sync::atomic::Ordering;

use super::arranged::saved_at_ms;
use super::engine::{Pair, Space, Write};
use super::entry::{Entry, Row, Totals, signed};
use super::ids::day_of;
use super::keys::{behind, everything, number, numbered};
use super::settings::WhenOverBudget;
use super::sinks::{Change, Known};
use super::wire::{unpacked_row, unpacked_use};
use super::{Inner, Stored, meta};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::{Cursor, DeadLetter};

/// As many records are dropped at once.
const RECORDS_AT_ONCE: usize = 4096;
/// As many rows are looked at, at once.
const ROWS_AT_ONCE: usize = 2048;
/// How often every row is looked at, for activations that are over.
const PASS_MS: i64 = 24 * 60 * 60 * 1000;
/// After so many bytes the room is looked at again, however short the time.
const LOOK_AGAIN_BYTES: u64 = 4 << 20;

/// How far the look at all rows is.
#[derive(Debug, Default)]
pub(super) struct Tidying {
    /// The row at which the present pass is; empty between two passes.
    latest_row: Vec<u8>,
    next_pass_ms: TimeMs,
    /// The profile at which the present pass is; empty between two passes.
    latest_profile: Vec<u8>,
    next_profile_pass_ms: TimeMs,
}

/// Which records were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dropped {
    Nothing,
    /// All that were over.
    All,
    /// As many as are dropped at once; the next ones were not looked at.
    APage,
}

/// Records that are no longer of use, one behind the other.
#[derive(Debug, Default)]
struct Over {
    keys: Vec<Box<[u8]>>,
    bytes: i64,
    /// The number of the last one.
    last: u64,
    unreadable: u64,
}

impl Inner {
    /// Gives whether there is more to take away.
    pub(super) fn tidy_up(&self) -> bool {
        let room = self.check_room().and_then(|()| self.keep_to_budget());
        self.queue.pause(room.err());
        // What fails now is tried again the next time; recording finds out by itself.
        let _: Result<(), Error> = self.drop_old_ids().and_then(|()| self.look_at_rows());
        let _: Result<(), Error> = self.look_at_profiles();
        self.drop_old_records()
    }

    /// Looks at the room there is when much was written since the last time.
    pub(super) fn note_written(&self, bytes: u64) {
        let before = self.unlooked_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) >= LOOK_AGAIN_BYTES
            && let Err(why) = self.check_room()
        {
            self.queue.pause(Some(why));
        }
    }

    /// Whether the disk has the room that is to be left.
    pub(super) fn check_room(&self) -> Result<(), Error> {
        self.unlooked_bytes.store(0, Ordering::Relaxed);
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
            if self.drop_records(|_| Some(true))? != Dropped::Nothing {
                continue;
            }
            if self.settings.when_over_budget == WhenOverBudget::Refuse {
                let budget = self.settings.budget_bytes;
                let budget = if budget < 1 << 20 {
                    format!("{budget} bytes")
                } else {
                    format!("{} MiB", budget >> 20)
                };
                let why = format!(
                    "records that wait for sinks need more than the {budget} that they have: mend the sinks or raise the budget"
                );
                return Err(Error::store_refuses(self.engine.folder(), why));
            }
            if !self.shed()? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn excess_bytes(&self) -> u64 {
        let kept = u64::try_from(self.stored.lock().totals.record_bytes).unwrap_or_default();
        kept.saturating_sub(self.settings.budget_bytes)
    }

    /// Takes the oldest records that wait from the sinks that wait for them, and says so in a dead letter;
    /// gives whether there were any. They are dropped when room is looked for the next time.
    fn shed(&self) -> Result<bool, Error> {
        let (receipt, has_shed) = self.keep(|sinks| {
            let Stored { released, latest, .. } = *self.stored.lock();
            let last = latest.min(released.saturating_add(RECORDS_AT_ONCE as u64));
            let mut change = Change { released: last, ..Change::default() };
            if last <= released {
                return Ok((change, false));
            }
            let letter = DeadLetter::of_shed(released, last, self.clock.now_ms());
            change.letters = vec![self.readable(meta::packed_letter(&letter, &self.names))?];
            change.totals.dead_letters = 1;
            for (sink, known) in sinks.within(released..last) {
                let cursor = Cursor { through: last, ..known.cursor };
                let known = Known { cursor, ..known };
                change.writes.push(self.readable(sinks.set(&sink, known))?);
            }
            Ok((change, true))
        })?;
        self.store_waiting();
        // Where that failed, they are not shed, and must stay.
        receipt.wait()?;
        Ok(has_shed)
    }

    fn drop_old_ids(&self) -> Result<(), Error> {
        let today = day_of(self.clock.now_ms());
        for day in self.engine.days()?.into_iter().filter(|day| *day < today) {
            self.engine.drop_day(day)?;
        }
        Ok(())
    }

    /// Drops a page of records whose time is over; gives whether there are likely to be more.
    pub(super) fn drop_old_records(&self) -> bool {
        let now_ms = self.clock.now_ms();
        let before_ms = now_ms.saturating_sub(self.settings.record_retention_ms);
        let is_over = |value: &[u8]| {
            let of_use = unpacked_use(value).ok()?;
            let is_claimable = of_use.claimable_until_ms.is_some_and(|until_ms| now_ms < until_ms);
            Some(of_use.received_at_ms < before_ms && !is_claimable)
        };
        // What fails now is tried again the next time.
        self.drop_records(is_over).is_ok_and(|dropped| dropped == Dropped::APage)
    }

    /// Drops a page of records from the oldest on, as long as they are over. One that cannot be read goes
    /// with a later one that is over.
    fn drop_records(&self, is_over: impl Fn(&[u8]) -> Option<bool>) -> Result<Dropped, Error> {
        let Stored { oldest, .. } = *self.stored.lock();
        let last = self.droppable();
        if oldest > last {
            return Ok(Dropped::Nothing);
        }
        let page = self.engine.page(Space::Outbox, numbered(oldest, last), RECORDS_AT_ONCE)?;
        let page_records = page.len();
        let over = over(page, is_over);
        let has_more = over.keys.len() == page_records && over.last < last;
        let Some(released) = self.give_up_records(over.last) else { return Ok(Dropped::Nothing) };
        let change = Totals { record_bytes: -over.bytes, ..Totals::NONE };
        let write = |key| Write { space: Space::Outbox, key, value: None };
        let writes = over.keys.into_iter().map(write).collect();
        // Nobody reads what is gone: where nobody waited for it, it is released with that.
        let entry = Entry { writes, change, released: over.last, ..Entry::default() };
        let place = self.queue.place_at_once()?;
        let (commit, _) = place.put(|_, _| entry)?;
        self.store_waiting();
        commit.wait()?;
        self.count(|counts| {
            counts.unreadable += over.unreadable;
            counts.dropped_records +=
                over.last.saturating_sub(released.max(oldest.saturating_sub(1)));
        });
        Ok(if has_more { Dropped::APage } else { Dropped::All })
    }

    /// Says that records up to this one are gone, so that a sink that returns is told; gives what was
    /// released before. `None` where there are none, or a sink returned meanwhile that needs them.
    fn give_up_records(&self, last: u64) -> Option<u64> {
        let sinks = self.sinks.lock();
        let mut stored = self.stored.lock();
        let is_needed = !sinks.is_empty() && stored.released < last;
        if last < stored.oldest || is_needed {
            return None;
        }
        stored.oldest = last.saturating_add(1);
        Some(stored.released)
    }

    /// The sequence number up to which records only wait for their time to be over: all of them, where no
    /// sink ever asked for any.
    fn droppable(&self) -> u64 {
        let has_sinks = !self.sinks.lock().is_empty();
        let Stored { released, latest, .. } = *self.stored.lock();
        if has_sinks { released } else { latest }
    }

    /// Looks at some rows, and takes away what is over. One that cannot be read is left as it is.
    fn look_at_rows(&self) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        let mut tidying = self.tidying.lock();
        if tidying.latest_row.is_empty() && now_ms < tidying.next_pass_ms {
            return Ok(());
        }
        let keys =
            if tidying.latest_row.is_empty() { everything() } else { behind(&tidying.latest_row) };
        let rows = self.engine.page(Space::Rows, keys, ROWS_AT_ONCE)?;
        for (key, value) in &rows {
            match unpacked_row(value, &self.names) {
                Ok(row) if self.has_something_over(&row, now_ms) => self.tidy_row(key)?,
                Ok(_) => {}
                Err(_) => self.count(|counts| counts.unreadable += 1),
            }
        }
        tidying.latest_row = rows.into_iter().next_back().map(|(key, _)| key).unwrap_or_default();
        if tidying.latest_row.is_empty() {
            tidying.next_pass_ms = now_ms.saturating_add(PASS_MS);
        }
        Ok(())
    }

    /// Looks at some profiles, and takes away those of users who were not seen for as long as activations
    /// are remembered.
    fn look_at_profiles(&self) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        let mut tidying = self.tidying.lock();
        let is_between = tidying.latest_profile.is_empty();
        if is_between && now_ms < tidying.next_profile_pass_ms {
            return Ok(());
        }
        let keys = if is_between { everything() } else { behind(&tidying.latest_profile) };
        let profiles = self.engine.page(Space::Profiles, keys, ROWS_AT_ONCE)?;
        tidying.latest_profile = profiles.last().map(|(key, _)| key.clone()).unwrap_or_default();
        if tidying.latest_profile.is_empty() {
            tidying.next_profile_pass_ms = now_ms.saturating_add(PASS_MS);
        }
        drop(tidying);
        let before_ms = now_ms.saturating_sub(self.settings.activation_retention_ms);
        let is_over = |value: &[u8]| saved_at_ms(value).is_ok_and(|saved_ms| saved_ms < before_ms);
        let over = profiles.into_iter().filter(|(_, value)| is_over(value));
        let gone = |(key, _): Pair| Write { space: Space::Profiles, key: key.into(), value: None };
        let writes: Vec<Write> = over.map(gone).collect();
        if !writes.is_empty() {
            self.queue.place_at_once()?.put(|_, _| Entry { writes, ..Entry::default() })?;
        }
        Ok(())
    }

    fn has_something_over(&self, row: &Row, now_ms: TimeMs) -> bool {
        let before_ms = now_ms.saturating_sub(self.settings.activation_retention_ms);
        row.activations().iter().any(|held| held.last_received_ms < before_ms)
            || row.pending().any(|event| event.claimable_until_ms <= now_ms)
    }
}

/// Which of a page are over, up to the last one of which that is known.
fn over(page: Vec<Pair>, is_over: impl Fn(&[u8]) -> Option<bool>) -> Over {
    let mut over = Over::default();
    let mut unclear = Over::default();
    for (key, value) in page {
        let known = is_over(&value);
        if known == Some(false) {
            break;
        }
        unclear.last = number(&key).unwrap_or(unclear.last);
        unclear.bytes += signed(value.len());
        unclear.keys.push(key.into());
        unclear.unreadable += u64::from(known.is_none());
        if known == Some(true) {
            over.take(std::mem::take(&mut unclear));
        }
    }
    over
}

impl Over {
    fn take(&mut self, next: Self) {
        self.keys.extend(next.keys);
        self.bytes += next.bytes;
        self.last = next.last;
        self.unreadable += next.unreadable;
    }
}
