//! What the store says of itself on the disk: format, totals, how far sinks are, dead letters.
//!
//! Must not know the engine.
//!
//! | key | value |
//! | --- | --- |
//! | `format` | the version of the format (4 bytes) |
//! | `totals` | how much is held, the numbers of the latest record and of the latest dead letter |
//! | `released` | the sequence number up to which nobody needs records (8 bytes) |
//! | `cursor:NAME` | how far the sink NAME is, and how many dead letters it has |
//! | `retried:NAME`, ff, number (8 bytes) | nothing: that dead letter is to be delivered again |
//!
//! No text has the byte ff, so that no sink's keys are among another's.

use std::sync::Arc;

use super::Stored;
use super::engine::{Space, Write};
use super::entry::Totals;
use super::keys::{Keys, beginning};
use super::names::Names;
use super::sinks::Known;
use super::unreadable::Unreadable;
use super::wire::meta::{StoredCursor, StoredLetter, StoredTotals};
use super::wire::{packed, packed_record, unpacked, unpacked_record};
use crate::store::{Cursor, DeadLetter};

/// The version of the format that this version of the store writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;

pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const TOTALS_KEY: &[u8] = b"totals";
pub(super) const RELEASED_KEY: &[u8] = b"released";
const CURSOR_PREFIX: &[u8] = b"cursor:";
const RETRIED_PREFIX: &[u8] = b"retried:";
const BEHIND_TEXT: u8 = 0xff;

pub(super) fn format() -> Write {
    let value = Some(FORMAT.to_be_bytes().to_vec());
    Write { space: Space::Meta, key: FORMAT_KEY.into(), value }
}

pub(super) fn totals(stored: &Stored) -> Result<Write, Unreadable> {
    let Stored { totals, latest, latest_letter, .. } = *stored;
    let stored = StoredTotals {
        users: totals.users,
        activations: totals.activations,
        pending_events: totals.pending_events,
        dead_letters: totals.dead_letters,
        record_bytes: totals.record_bytes,
        latest,
        latest_letter,
    };
    Ok(Write { space: Space::Meta, key: TOTALS_KEY.into(), value: Some(packed(&stored)?) })
}

/// Totals, and the numbers of the latest record and of the latest dead letter; the rest is not known yet.
pub(super) fn unpacked_totals(value: &[u8]) -> Result<Stored, Unreadable> {
    let stored: StoredTotals = unpacked(value)?;
    let totals = Totals {
        users: stored.users,
        activations: stored.activations,
        pending_events: stored.pending_events,
        dead_letters: stored.dead_letters,
        record_bytes: stored.record_bytes,
    };
    let StoredTotals { latest, latest_letter, .. } = stored;
    Ok(Stored { totals, latest, latest_letter, ..Stored::NOTHING })
}

pub(super) fn released(through: u64) -> Write {
    let value = Some(through.to_be_bytes().to_vec());
    Write { space: Space::Meta, key: RELEASED_KEY.into(), value }
}

/// The keys of all sinks.
pub(super) fn cursors() -> Keys {
    beginning(CURSOR_PREFIX)
}

/// The sink that a cursor is of.
pub(super) fn sink_of(key: &[u8]) -> Box<str> {
    let name = key.get(CURSOR_PREFIX.len()..).unwrap_or_default();
    String::from_utf8_lossy(name).into()
}

pub(super) fn sink(sink: &str, known: &Known) -> Result<Write, Unreadable> {
    let Known { cursor, letters } = known;
    let stored = StoredCursor { through: cursor.through, state: &cursor.state, letters: *letters };
    let key = [CURSOR_PREFIX, sink.as_bytes()].concat();
    Ok(Write { space: Space::Meta, key: key.into(), value: Some(packed(&stored)?) })
}

pub(super) fn unpacked_sink(value: &[u8]) -> Result<Known, Unreadable> {
    let stored: StoredCursor<'_> = unpacked(value)?;
    let cursor = Cursor { through: stored.through, state: stored.state.into() };
    Ok(Known { cursor, letters: stored.letters })
}

/// The keys of dead letters that are to be delivered again, of all sinks.
pub(super) fn all_retried() -> Keys {
    beginning(RETRIED_PREFIX)
}

/// The same of one sink, behind a number.
pub(super) fn retried_after(sink: &str, after: u64) -> Keys {
    retried_key(sink, after.saturating_add(1))..=retried_key(sink, u64::MAX)
}

/// Which letter such a key is of, and of which sink.
pub(super) fn retried_of(key: &[u8]) -> Option<(&[u8], u64)> {
    let (sink, letter) = key.strip_prefix(RETRIED_PREFIX)?.split_last_chunk::<8>()?;
    Some((sink.strip_suffix(&[BEHIND_TEXT])?, u64::from_be_bytes(*letter)))
}

pub(super) fn retried(sink: &str, number: u64) -> Write {
    let key = retried_key(sink, number).into();
    Write { space: Space::Meta, key, value: Some(Vec::new()) }
}

pub(super) fn not_retried(sink: &str, number: u64) -> Write {
    Write { value: None, ..retried(sink, number) }
}

pub(super) fn retried_key(sink: &str, number: u64) -> Vec<u8> {
    [RETRIED_PREFIX, sink.as_bytes(), &[BEHIND_TEXT], &number.to_be_bytes()].concat()
}

/// Packs a letter. Its number, and whether it is retried, are not in it.
pub(super) fn packed_letter(letter: &DeadLetter, names: &Names) -> Result<Vec<u8>, Unreadable> {
    let record = letter.record.as_ref();
    packed(&StoredLetter {
        sink: letter.sink.as_deref(),
        sequence: letter.sequence,
        count: letter.count,
        at_ms: letter.at_ms,
        reason: &letter.reason,
        record: record.map(|record| packed_record(record, None, names)).transpose()?,
    })
}

pub(super) fn letter(number: u64, packed: Vec<u8>) -> Write {
    let key = Box::new(number.to_be_bytes());
    Write { space: Space::Dead, key, value: Some(packed) }
}

pub(super) fn no_letter(number: u64) -> Write {
    Write { space: Space::Dead, key: Box::new(number.to_be_bytes()), value: None }
}

/// Unpacks a letter as if nobody had asked for it to be delivered again.
pub(super) fn unpacked_letter(
    number: u64,
    value: &[u8],
    names: &Names,
) -> Result<DeadLetter, Unreadable> {
    let stored: StoredLetter<'_> = unpacked(value)?;
    let record = stored.record.as_deref().map(|bytes| unpacked_record(bytes, names)).transpose()?;
    Ok(DeadLetter {
        number,
        sink: stored.sink.map(Into::into),
        sequence: stored.sequence,
        count: stored.count,
        at_ms: stored.at_ms,
        reason: stored.reason.into(),
        record: record.map(Arc::new),
        is_retried: false,
    })
}

/// The sink of a letter, and whether it has a record: all that handling it needs.
pub(super) fn sink_of_letter(value: &[u8]) -> Result<(Option<Box<str>>, bool), Unreadable> {
    let stored: StoredLetter<'_> = unpacked(value)?;
    Ok((stored.sink.map(Into::into), stored.record.is_some()))
}
