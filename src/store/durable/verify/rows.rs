//! Whether users' rows can be read, and the events that wait in them have their records.
//!
//! Must not know how records are numbered.

use super::{FaultKind, Look};
use crate::attribution::{PendingEvent, Record};
use crate::store::durable::engine::Space;
use crate::store::durable::entry::Totals;
use crate::store::durable::keys::{behind, everything};
use crate::store::durable::reading::KEYS_AT_ONCE;
use crate::store::durable::wire::{Held, unpacked_record, unpacked_row};

/// Of whom a row is.
struct Owner<'k> {
    key: &'k [u8],
    environment: std::sync::Arc<str>,
    /// `None` where the id is too long to stand in the key.
    user_id: Option<&'k str>,
}

impl Look<'_> {
    pub(super) fn rows(&mut self) {
        let mut keys = everything();
        loop {
            let rows = match self.inner.engine.page(Space::Rows, keys, KEYS_AT_ONCE) {
                Ok(rows) => rows,
                Err(error) => {
                    let read = self.found.users;
                    let text =
                        format!("users' rows cannot be read behind the first {read}: {error}");
                    return self.fault(FaultKind::UnreadableRow, text);
                }
            };
            let Some((last, _)) = rows.last() else { return };
            keys = behind(last);
            self.rows += rows.len() as u64;
            rows.iter().for_each(|(key, value)| self.row(key, value));
            self.tick(rows.len());
        }
    }

    fn row(&mut self, key: &[u8], value: &[u8]) {
        let Some(owner) = self.owner(key) else {
            let text = format!("a row has the key {}", key.escape_ascii());
            self.harm(key);
            return self.fault(FaultKind::UnreadableRow, text);
        };
        let row = match unpacked_row(value, &self.inner.names) {
            Ok(row) if !row.is_empty() => row,
            unusable => {
                let why = unusable.err().map_or("it is empty".to_owned(), |why| why.to_string());
                self.harm(key);
                let text = format!("the row of {} cannot be read: {why}", owner.words());
                return self.fault(FaultKind::UnreadableRow, text);
            }
        };
        self.counted = self.counted.plus(Totals::of_row(&row));
        self.found.users += 1;
        self.found.activations += row.activation_count() as u64;
        self.found.pending_events += row.pending().len() as u64;
        for pending in row.pending() {
            if self.was_tidied(pending) {
                continue;
            }
            if let Some(why) = self.fault_of_pending(&owner, pending) {
                self.harm(owner.key);
                let text = format!(
                    "the event {} of {} waits for late activations: {why}",
                    pending.id,
                    owner.words()
                );
                self.fault(FaultKind::MissingEvent, text);
            }
        }
    }

    /// Whether an event's record was taken away, as those are that every sink has: after the time of
    /// retention, or for the room that it took. Nobody asks for it where the event waits no more.
    fn was_tidied(&mut self, pending: &PendingEvent<Held>) -> bool {
        let number = pending.event.sequence;
        let oldest = self.found.oldest;
        let is_gone = number <= self.released && (number < oldest || oldest == 0);
        self.unclaimable += u64::from(is_gone && pending.claimable_until_ms > self.now_ms);
        is_gone
    }

    pub(super) fn note_unclaimable(&mut self) {
        let count = self.unclaimable;
        if count > 0 {
            self.found.notes.push(format!(
                "events that wait for late activations whose records are no longer kept: {count}; nothing will be credited for them"
            ));
        }
    }

    fn fault_of_pending(&self, owner: &Owner<'_>, pending: &PendingEvent<Held>) -> Option<String> {
        let number = pending.event.sequence;
        let value = self.inner.engine.get(Space::Outbox, &number.to_be_bytes());
        let record = match value {
            Ok(Some(value)) => unpacked_record(&value, &self.inner.names).ok(),
            Ok(None) => return Some(format!("its record {number} is missing")),
            Err(_) => None,
        };
        match record {
            Some(Record::Conversion(record)) => {
                let about = &record.event.about;
                // For whom it was tracked says nothing: a merge moves events that wait.
                let is_it = about.id == pending.id && about.environment == owner.environment;
                (!is_it).then(|| format!("record {number} is about something else"))
            }
            Some(_) => Some(format!("record {number} is about no event")),
            None => Some(format!("its record {number} cannot be read")),
        }
    }

    fn owner<'k>(&self, key: &'k [u8]) -> Option<Owner<'k>> {
        let (environment, user) = key.split_first_chunk::<4>()?;
        let environment = u32::from_be_bytes(*environment);
        let environment = self.inner.names.environments.named(environment).ok()?;
        let user_id = match user {
            [0xff, stand_in @ ..] if stand_in.len() == 16 => None,
            text => Some(std::str::from_utf8(text).ok()?),
        };
        Some(Owner { key, environment, user_id })
    }

    fn harm(&mut self, key: &[u8]) {
        self.harmed.insert(key.into());
    }
}

impl Owner<'_> {
    fn words(&self) -> String {
        match self.user_id {
            Some(user_id) => format!("user {user_id:?} in {:?}", self.environment),
            None => format!("a user with a long id in {:?}", self.environment),
        }
    }
}
