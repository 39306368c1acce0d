//! What the store says of itself on the disk: format, totals, how far sinks are, dead letters.
//!
//! Must not know the engine.
//!
//! | key | value |
//! | --- | --- |
//! | `format` | the version of the format (4 bytes) |
//! | `totals` | how much is held, and the sequence number of the latest record |
//! | `released` | the sequence number up to which nobody needs records (8 bytes) |
//! | `cursor:NAME` | how far the sink NAME is |

use std::sync::Arc;

use super::engine::{Space, Write};
use super::entry::Totals;
use super::names::Names;
use super::unreadable::Unreadable;
use super::wire::meta::{StoredCursor, StoredLetter, StoredTotals};
use super::wire::{packed, packed_record, unpacked, unpacked_record};
use crate::store::{Cursor, DeadLetter};

/// The version of the format that this version of the store writes, and the only one that it reads.
pub(super) const FORMAT: u32 = 1;

pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const TOTALS_KEY: &[u8] = b"totals";
pub(super) const RELEASED_KEY: &[u8] = b"released";
pub(super) const CURSOR_PREFIX: &[u8] = b"cursor:";

pub(super) fn format() -> Write {
    let value = Some(FORMAT.to_be_bytes().to_vec());
    Write { space: Space::Meta, key: FORMAT_KEY.into(), value }
}

pub(super) fn totals(totals: &Totals, latest: u64) -> Result<Write, Unreadable> {
    let stored = StoredTotals {
        users: totals.users,
        activations: totals.activations,
        pending_events: totals.pending_events,
        dead_letters: totals.dead_letters,
        record_bytes: totals.record_bytes,
        latest,
    };
    Ok(Write { space: Space::Meta, key: TOTALS_KEY.into(), value: Some(packed(&stored)?) })
}

/// Totals, and the sequence number of the latest record.
pub(super) fn unpacked_totals(value: &[u8]) -> Result<(Totals, u64), Unreadable> {
    let stored: StoredTotals = unpacked(value)?;
    let totals = Totals {
        users: stored.users,
        activations: stored.activations,
        pending_events: stored.pending_events,
        dead_letters: stored.dead_letters,
        record_bytes: stored.record_bytes,
    };
    Ok((totals, stored.latest))
}

pub(super) fn released(through: u64) -> Write {
    let value = Some(through.to_be_bytes().to_vec());
    Write { space: Space::Meta, key: RELEASED_KEY.into(), value }
}

pub(super) fn cursor(sink: &str, cursor: &Cursor) -> Result<Write, Unreadable> {
    let stored = StoredCursor { through: cursor.through, state: &cursor.state };
    let key = [CURSOR_PREFIX, sink.as_bytes()].concat();
    Ok(Write { space: Space::Meta, key: key.into(), value: Some(packed(&stored)?) })
}

pub(super) fn unpacked_cursor(value: &[u8]) -> Result<Cursor, Unreadable> {
    let stored: StoredCursor<'_> = unpacked(value)?;
    Ok(Cursor { through: stored.through, state: stored.state.into() })
}

pub(super) fn letter(letter: &DeadLetter, names: &Names) -> Result<Write, Unreadable> {
    let record = letter.record.as_ref().map(|record| packed_record(record, names)).transpose()?;
    let stored = StoredLetter {
        sink: letter.sink.as_deref(),
        sequence: letter.sequence,
        count: letter.count,
        at_ms: letter.at_ms,
        reason: &letter.reason,
        record,
        is_retried: letter.is_retried,
    };
    let key = Box::new(letter.number.to_be_bytes());
    Ok(Write { space: Space::Dead, key, value: Some(packed(&stored)?) })
}

pub(super) fn no_letter(number: u64) -> Write {
    Write { space: Space::Dead, key: Box::new(number.to_be_bytes()), value: None }
}

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
        is_retried: stored.is_retried,
    })
}

/// A number of eight bytes.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
