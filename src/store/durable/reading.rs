//! What a store holds, for people who look after it: records that are still kept, sinks, users.
//!
//! Must not know what is looked for. Unlike the outbox it also gives records that every sink has.

use std::sync::Arc;

use super::engine::{Pair, Space};
use super::entry::Row;
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
const ROWS_AT_ONCE: usize = 4096;
/// No key begins with so many bytes that are all ones.
const LONGEST_PREFIX: usize = 32;

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

/// Records that are kept, with their sequence numbers.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RetainedRecords {
    /// Those that can be read, oldest first.
    pub records: Vec<(u64, Arc<Record>)>,
    /// How many are there and cannot be read.
    pub unreadable: u64,
}

/// What the ledger holds of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldUser {
    /// The activations, in the order of their experiments' ids.
    pub activations: Vec<Activation>,
    /// How many events wait for late activations.
    pub pending_events: usize,
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

    /// Records that are kept, delivered ones too, from one sequence number up to and including another.
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
        let cursor = |(key, value): &Pair| {
            let cursor = meta::unpacked_cursor(value);
            let cursor = cursor.map_err(|why| self.inner.unreadable("how far a sink is", &why))?;
            Ok((sink_of(key), cursor))
        };
        self.inner.cursor_entries()?.iter().map(cursor).collect()
    }

    /// The environments that the store has ever seen.
    #[must_use]
    pub fn environments(&self) -> Vec<Arc<str>> {
        let name = |number| self.inner.names.environments.named(number).ok();
        (0..).map_while(name).collect()
    }

    /// What the ledger holds of a user; `None` where that is nothing.
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
        let Some(row) = row
            .map(|bytes| unpacked_row(&bytes, &self.inner.names))
            .transpose()
            .map_err(|why| self.inner.unreadable("a user's row", &why))?
        else {
            return Ok(None);
        };
        let activations = row.activations().to_vec();
        Ok(Some(HeldUser { activations, pending_events: row.pending().len() }))
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
        let keys = first.to_be_bytes().to_vec()..=last.to_be_bytes().to_vec();
        let mut found = RetainedRecords::default();
        match self.engine.range(Space::Outbox, keys, usize::MAX) {
            Ok(pairs) => {
                for (key, value) in &pairs {
                    found.add(meta::number(key).unwrap_or_default(), value, &self.names);
                }
            }
            // Where the disk does not give all of them, it may give some.
            Err(_) => {
                for number in first..=last {
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
    pub(super) fn cursor_entries(&self) -> Result<Vec<Pair>, Error> {
        let last = [meta::CURSOR_PREFIX, &[u8::MAX]].concat();
        self.engine.range(Space::Meta, meta::CURSOR_PREFIX.to_vec()..=last, usize::MAX)
    }

    pub(super) fn latest_time_ms(&self) -> Result<Option<TimeMs>, Error> {
        let latest = self.stored.lock().latest;
        let first = latest.saturating_sub(RECORDS_THAT_TELL_THE_TIME);
        let found = self.retained_records(first, latest).records;
        let received = found.iter().map(|(_, record)| record.about().received_at_ms);
        match received.max() {
            Some(time_ms) => Ok(Some(time_ms)),
            None => self.latest_time_of_rows_ms(),
        }
    }

    pub(super) fn retained(&self) -> Result<Retained, Error> {
        let Stored { latest, released, .. } = *self.stored.lock();
        let first = self.engine.range(Space::Outbox, everything(), 1)?;
        let first = first.first().and_then(|(key, _)| meta::number(key));
        Ok(Retained { oldest: first.unwrap_or(latest.saturating_add(1)), latest, released })
    }

    /// Reads every row: for stores whose records are all gone.
    fn latest_time_of_rows_ms(&self) -> Result<Option<TimeMs>, Error> {
        let mut latest_ms = None;
        let mut keys = everything();
        loop {
            let rows = self.engine.range(Space::Rows, keys, ROWS_AT_ONCE)?;
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

/// The sink that a cursor is of.
pub(super) fn sink_of(key: &[u8]) -> Box<str> {
    let name = key.get(meta::CURSOR_PREFIX.len()..).unwrap_or_default();
    String::from_utf8_lossy(name).into()
}

/// All keys of a keyspace.
pub(super) fn everything() -> std::ops::RangeInclusive<Vec<u8>> {
    Vec::new()..=vec![u8::MAX; LONGEST_PREFIX]
}

/// All keys behind one.
pub(super) fn behind(key: &[u8]) -> std::ops::RangeInclusive<Vec<u8>> {
    [key, &[0]].concat()..=vec![u8::MAX; LONGEST_PREFIX]
}
