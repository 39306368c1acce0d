//! What a store holds, for people who look after it: records that are still kept, sinks, users.
//!
//! Must not know what is looked for. Unlike the outbox it also gives records that every sink has.

use std::sync::Arc;

use super::engine::{Pair, Space};
use super::entry::Row;
use super::keys::{behind, everything, number, numbered};
use super::names::Names;
use super::turn::row_key;
use super::wire::{unpacked_record, unpacked_row};
use super::{DurableStore, Inner, Stored, meta};
use crate::attribution::{Activation, Record};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::Cursor;

/// So many of the latest records tell the store's time: calls at the same moment may be stored in any order.
const RECORDS_THAT_TELL_THE_TIME: u64 = 1024;
/// As many keys are read at once, and fewer where values are large.
pub(super) const KEYS_AT_ONCE: usize = 4096;

/// Which records a store keeps, by their sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retained {
    /// The oldest record that is kept; beyond `latest` where none is.
    pub oldest: u64,
    /// The record that was stored last; 0 where there never was one.
    pub latest: u64,
    /// Up to here no sink needs the records any more; they are kept for the time of retention.
    pub released: u64,
}

impl Retained {
    /// How many are kept.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.latest.saturating_add(1).saturating_sub(self.oldest)
    }

    /// The oldest that is kept, if any is.
    #[must_use]
    pub const fn oldest_kept(&self) -> Option<u64> {
        if self.count() > 0 { Some(self.oldest) } else { None }
    }

    /// The one that was stored last, if there ever was one; it may be kept no more.
    #[must_use]
    pub const fn latest_stored(&self) -> Option<u64> {
        if self.latest > 0 { Some(self.latest) } else { None }
    }
}

/// Records that are kept, with their sequence numbers.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RetainedRecords {
    /// Those that can be read, oldest first.
    pub records: Vec<(u64, Arc<Record>)>,
    /// How many are there and cannot be read.
    pub unreadable: u64,
    /// All up to this number were looked at: what is asked for may be more than is given at once.
    pub through: u64,
}

/// What a store holds of a user, beside records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldUser {
    /// The activations, in the order of their experiments' ids.
    pub activations: Vec<Activation>,
    /// How many events wait for late activations.
    pub pending_events: usize,
    /// How many variations somebody arranged for the user.
    pub overrides: usize,
    /// Whether there is a profile that keeps the user in variations.
    pub has_profile: bool,
}

impl DurableStore {
    /// Which records are kept.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn retained(&self) -> Result<Retained, Error> {
        self.inner.retained()
    }

    /// Records that are kept, delivered ones too, from one sequence number up to and including another: a
    /// page of them, with how far it goes.
    #[must_use]
    pub fn retained_records(&self, first: u64, last: u64) -> RetainedRecords {
        self.inner.retained_records(first, last)
    }

    /// How far every sink is that ever was.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn cursors(&self) -> Result<Vec<(Box<str>, Cursor)>, Error> {
        let known = self.inner.known_sinks()?;
        Ok(known.into_iter().map(|(sink, known)| (sink, known.cursor)).collect())
    }

    /// The environments that the store has ever seen.
    #[must_use]
    pub fn environments(&self) -> Vec<Arc<str>> {
        let name = |number| self.inner.names.environments.named(number).ok();
        (0..).map_while(name).collect()
    }

    /// What the store holds of a user, beside records; `None` where that is nothing.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn held_user(&self, environment: &str, user_id: &str) -> Result<Option<HeldUser>, Error> {
        let number = self.environments().iter().position(|name| **name == *environment);
        let Some(number) = number.and_then(|place| u32::try_from(place).ok()) else {
            return Ok(None);
        };
        let row = self.inner.engine.get(Space::Rows, &row_key(number, user_id))?;
        let row = row
            .map(|bytes| unpacked_row(&bytes, &self.inner.names))
            .transpose()
            .map_err(|why| self.inner.unreadable("a user's row", &why))?;
        let arranged = self.inner.arranged_for(environment, user_id)?;
        if row.is_none() && arranged.is_empty() {
            return Ok(None);
        }
        let row = row.unwrap_or_default();
        let has_profile = arranged.iter().any(|(space, _)| *space == Space::Profiles);
        Ok(Some(HeldUser {
            activations: row.activations().to_vec(),
            pending_events: row.pending().len(),
            overrides: arranged.len() - usize::from(has_profile),
            has_profile,
        }))
    }

    /// The latest time of receipt that the store has: a clock that goes on with it begins there. `None`
    /// where the store has never taken anything, or forgot all of it.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn latest_time_ms(&self) -> Result<Option<TimeMs>, Error> {
        self.inner.latest_time_ms()
    }
}

impl Inner {
    fn retained_records(&self, first: u64, last: u64) -> RetainedRecords {
        let mut found = RetainedRecords { through: last, ..RetainedRecords::default() };
        match self.engine.page(Space::Outbox, numbered(first, last), KEYS_AT_ONCE) {
            Ok(pairs) => {
                for (key, value) in &pairs {
                    let number = number(key).unwrap_or_default();
                    found.add(number, value, &self.names);
                    found.through = number;
                }
            }
            // Where the disk does not give all of them, it may give some.
            Err(_) => {
                found.through = last.min(first.saturating_add(KEYS_AT_ONCE as u64));
                for number in first..=found.through {
                    match self.engine.get(Space::Outbox, &number.to_be_bytes()) {
                        Ok(Some(value)) => found.add(number, &value, &self.names),
                        Ok(None) => {}
                        Err(_) => found.unreadable += 1,
                    }
                }
            }
        }
        found
    }

    /// How far sinks are, as it stands on the disk.
    pub(super) fn sink_entries(&self) -> Result<Vec<Pair>, Error> {
        self.engine.all(Space::Meta, meta::cursors())
    }

    pub(super) fn latest_time_ms(&self) -> Result<Option<TimeMs>, Error> {
        let latest = self.stored.lock().latest;
        let first = latest.saturating_sub(RECORDS_THAT_TELL_THE_TIME);
        let mut received_at_ms = None;
        let mut next = first;
        while next <= latest {
            let found = self.retained_records(next, latest);
            let received = found.records.iter().map(|(_, record)| record.about().received_at_ms);
            received_at_ms = received_at_ms.max(received.max());
            next = found.through.saturating_add(1);
        }
        match received_at_ms {
            Some(time_ms) => Ok(Some(time_ms)),
            None => self.latest_time_of_rows_ms(),
        }
    }

    pub(super) fn retained(&self) -> Result<Retained, Error> {
        let Stored { latest, released, .. } = *self.stored.lock();
        let first = self.engine.page(Space::Outbox, everything(), 1)?;
        let first = first.first().and_then(|(key, _)| number(key));
        Ok(Retained { oldest: first.unwrap_or(latest.saturating_add(1)), latest, released })
    }

    /// Reads every row: for stores whose records are all gone.
    fn latest_time_of_rows_ms(&self) -> Result<Option<TimeMs>, Error> {
        let mut latest_ms = None;
        let mut keys = everything();
        loop {
            let rows = self.engine.page(Space::Rows, keys, KEYS_AT_ONCE)?;
            let Some((last, _)) = rows.last() else { return Ok(latest_ms) };
            keys = behind(last);
            for (_, value) in &rows {
                let row = unpacked_row(value, &self.names);
                let row = row.map_err(|why| self.unreadable("a user's row", &why))?;
                latest_ms = latest_ms.max(latest_time_of_row_ms(&row));
            }
        }
    }
}

impl RetainedRecords {
    fn add(&mut self, number: u64, value: &[u8], names: &Names) {
        match unpacked_record(value, names) {
            Ok(record) => self.records.push((number, Arc::new(record))),
            Err(_) => self.unreadable += 1,
        }
    }
}

fn latest_time_of_row_ms(row: &Row) -> Option<TimeMs> {
    let activated = row.activations().iter().map(|held| held.last_received_ms);
    activated.chain(row.pending().map(|event| event.received_at_ms)).max()
}
