//! Goes through the records and dead letters of a store, piece by piece, so that memory stays small.
//!
//! Must not know what is done with them.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::attribution::Record;
use crate::cli::failure::{Failure, MALFORMED};
use crate::cli::progress::Progress;
use crate::cli::say;
use crate::cli::words::counted;
use crate::events::RecordFilter;
use crate::store::{DeadLetter, DurableStore, Outbox as _};

/// The latest records are looked for in stretches of so many.
const STRETCH: u64 = 4096;
const LETTERS_AT_ONCE: usize = 1024;

/// What is done with a record: goes on, or has seen enough.
pub(super) type Taken = Result<ControlFlow<()>, Failure>;

/// Records with their sequence numbers.
pub(super) type Numbered = Vec<(u64, Arc<Record>)>;

/// Whether all records that were looked at could be read.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Whole {
    unreadable: u64,
}

impl Whole {
    /// Says so if some could not be read, and gives the exit code.
    pub(super) fn exit_code(self) -> u8 {
        if self.unreadable == 0 {
            return 0;
        }
        let records = counted(self.unreadable, "record");
        say(&format!(
            "error: left out {records} that cannot be read: `variate events verify` says which"
        ));
        MALFORMED
    }
}

/// Gives the records that are meant, oldest first.
pub(super) fn each_record(
    store: &DurableStore,
    filter: &RecordFilter,
    mut progress: Progress,
    take: &mut dyn FnMut(u64, &Record) -> Taken,
) -> Result<Whole, Failure> {
    let retained = store.retained().map_err(Failure::store)?;
    let mut unreadable = 0;
    let mut first = filter.first().max(retained.oldest);
    while first <= retained.latest {
        let found = store.retained_records(first, retained.latest);
        unreadable += found.unreadable;
        for (number, record) in found.records.iter().filter(|(_, record)| filter.takes(record)) {
            if take(*number, record)?.is_break() {
                progress.finish();
                return Ok(Whole { unreadable });
            }
        }
        let next = found.through.saturating_add(1);
        progress.add(next.saturating_sub(first), 0);
        first = next;
    }
    progress.finish();
    Ok(Whole { unreadable })
}

/// The latest records that are meant, oldest first, at most `limit`.
pub(super) fn latest_records(
    store: &DurableStore,
    filter: &RecordFilter,
    limit: usize,
) -> Result<(Numbered, Whole), Failure> {
    let retained = store.retained().map_err(Failure::store)?;
    let oldest = filter.first().max(retained.oldest);
    let mut progress = Progress::start_steps("records", count_of(store, filter)?);
    let mut found = Vec::new();
    let mut unreadable = 0;
    let mut end = retained.latest.saturating_add(1);
    while found.len() < limit && oldest < end {
        let first = end.saturating_sub(STRETCH).max(oldest);
        let mut meant = VecDeque::new();
        let mut next = first;
        while next < end {
            let looked_at = store.retained_records(next, end - 1);
            unreadable += looked_at.unreadable;
            meant.extend(looked_at.records.into_iter().filter(|(_, record)| filter.takes(record)));
            let excess = meant.len().saturating_sub(limit.saturating_sub(found.len()));
            meant.drain(..excess);
            next = looked_at.through.saturating_add(1);
        }
        found.extend(meant.into_iter().rev());
        progress.add(end - first, 0);
        end = first;
    }
    progress.finish();
    found.reverse();
    Ok((found, Whole { unreadable }))
}

/// How many records have to be looked at.
pub(super) fn count_of(store: &DurableStore, filter: &RecordFilter) -> Result<u64, Failure> {
    let retained = store.retained().map_err(Failure::store)?;
    let first = filter.first().max(retained.oldest);
    Ok(retained.latest.saturating_add(1).saturating_sub(first))
}

/// Gives the dead letters that are meant, in the order in which they died.
pub(super) fn each_letter(
    store: &DurableStore,
    filter: &RecordFilter,
    take: &mut dyn FnMut(DeadLetter) -> Taken,
) -> Result<(), Failure> {
    let count = crate::store::Store::statistics(store).dead_letters;
    let mut progress = Progress::start_steps("dead letters", count);
    let mut after = 0;
    loop {
        let letters = store.dead_letters(after, LETTERS_AT_ONCE).map_err(Failure::store)?;
        let Some(last) = letters.last() else { break };
        after = last.number;
        let looked_at = letters.len() as u64;
        for letter in letters.into_iter().filter(|letter| filter.takes_letter(letter)) {
            if take(letter)?.is_break() {
                progress.finish();
                return Ok(());
            }
        }
        progress.add(looked_at, 0);
    }
    progress.finish();
    Ok(())
}
