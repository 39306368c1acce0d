//! Whether the records are all there, in a row and readable.
//!
//! Must not know rows.

use super::{FaultKind, Look};
use crate::store::durable::engine::Space;
use crate::store::durable::entry::signed;
use crate::store::durable::keys::{behind, everything, number};
use crate::store::durable::reading::KEYS_AT_ONCE;
use crate::store::durable::wire::unpacked_record;

impl Look<'_> {
    pub(super) fn records(&mut self) {
        if self.released > self.found.latest {
            let (released, latest) = (self.released, self.found.latest);
            let text = format!(
                "released up to {released}, but the latest record is {latest}: what lies between is lost"
            );
            self.fault(FaultKind::Released, text);
        }
        let mut keys = everything();
        // The number that comes next; unknown before the first, since old ones are taken away.
        let mut next = None;
        loop {
            let Ok(records) = self.inner.engine.page(Space::Outbox, keys, KEYS_AT_ONCE) else {
                next = Some(self.records_one_by_one(next));
                break;
            };
            let Some((last, _)) = records.last() else { break };
            keys = behind(last);
            for (key, value) in &records {
                match number(key) {
                    Some(number) => next = Some(self.record(next, number, value)),
                    None => self.fault(FaultKind::UnreadableRecord, "a record without a number"),
                }
            }
            self.tick(records.len());
        }
        let next = next.unwrap_or_else(|| self.released.saturating_add(1));
        self.missing_records(next, self.found.latest.saturating_add(1));
        if next > self.found.latest.saturating_add(1) {
            let (last, latest) = (next - 1, self.found.latest);
            let text =
                format!("the totals say that {latest} is the latest record, but {last} is there");
            self.fault(FaultKind::Totals, text);
        }
    }

    /// Gives the number that comes next.
    fn record(&mut self, expected: Option<u64>, number: u64, value: &[u8]) -> u64 {
        if self.found.oldest == 0 {
            self.found.oldest = number;
        }
        let expected = expected.unwrap_or_else(|| number.min(self.released.saturating_add(1)));
        self.missing_records(expected, number);
        self.counted.record_bytes += signed(value.len());
        match unpacked_record(value, &self.inner.names) {
            Ok(_) => self.found.records += 1,
            Err(why) => self.unreadable_record(number, &why.to_string()),
        }
        number.saturating_add(1)
    }

    /// Records from one number up to before another are not there.
    fn missing_records(&mut self, first: u64, end: u64) {
        if first >= end {
            return;
        }
        let count = end - first;
        self.found.lost_records += count;
        let text = match count {
            1 => format!("record {first} is missing"),
            _ => format!("{count} records are missing, {first} to {}", end - 1),
        };
        self.fault(FaultKind::MissingRecords, text);
    }

    fn unreadable_record(&mut self, number: u64, why: &str) {
        self.found.lost_records += 1;
        let text = format!("record {number} cannot be read: {why}");
        self.fault(FaultKind::UnreadableRecord, text);
    }

    /// Where the disk gives none of several records, some of them may still be had alone.
    fn records_one_by_one(&mut self, next: Option<u64>) -> u64 {
        let mut next = next;
        let first = next.unwrap_or(1);
        for number in first..=self.found.latest {
            match self.inner.engine.get(Space::Outbox, &number.to_be_bytes()) {
                Ok(Some(value)) => next = Some(self.record(next, number, &value)),
                // A gap is told when the next record is there.
                Ok(None) => {}
                Err(error) => {
                    if let Some(expected) = next {
                        self.missing_records(expected, number);
                    }
                    let why = std::error::Error::source(&error)
                        .map_or_else(|| error.to_string(), ToString::to_string);
                    self.unreadable_record(number, &why);
                    next = Some(number.saturating_add(1));
                }
            }
            self.tick(1);
        }
        next.unwrap_or_else(|| self.released.saturating_add(1))
    }
}
