//! Whether ids, dead letters and the places of sinks can be read and fit the records.
//!
//! Must not know rows.

use uuid::Uuid;

use super::{FaultKind, Look};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::durable::engine::Space;
use crate::store::durable::ids::day_of;
use crate::store::durable::keys::{behind, everything, number};
use crate::store::durable::meta;
use crate::store::durable::reading::KEYS_AT_ONCE;
use crate::store::durable::sinks::Known;

impl Look<'_> {
    pub(super) fn ids(&mut self) -> Result<(), Error> {
        for day in self.inner.engine.days()? {
            self.each(Space::Ids(day), FaultKind::UnreadableId, |look, key, value| {
                let until_ms = value.try_into().ok().map(TimeMs::from_be_bytes);
                if key.len() == 16 && until_ms.is_some_and(|until_ms| day_of(until_ms) == day) {
                    look.found.ids += 1;
                } else {
                    let id = Uuid::from_slice(key);
                    let id =
                        id.map_or_else(|_| key.escape_ascii().to_string(), |id| id.to_string());
                    let text = format!("the id {id} of day {day}");
                    look.fault(FaultKind::UnreadableId, text);
                }
            });
        }
        Ok(())
    }

    pub(super) fn letters(&mut self) {
        self.each(Space::Dead, FaultKind::UnreadableLetter, |look, key, value| {
            look.counted.dead_letters += 1;
            if let Err(why) = look.letter(key, value) {
                look.fault(FaultKind::UnreadableLetter, why);
            }
        });
    }

    fn letter(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let number = number(key).ok_or("a dead letter without a number")?;
        let letter = meta::unpacked_letter(number, value, &self.inner.names)
            .map_err(|why| format!("dead letter {number}: {why}"))?;
        let last = letter.sequence.saturating_add(letter.count.saturating_sub(1));
        if letter.count == 0 || letter.sequence == 0 || last > self.found.latest {
            return Err(format!(
                "dead letter {number} is about the records {} to {last}, and the latest is {}",
                letter.sequence, self.found.latest
            ));
        }
        self.found.dead_letters += 1;
        if let Some(sink) = letter.sink {
            *self.letters.entry(sink.clone()).or_default() += 1;
            if letter.record.is_some() {
                self.deliverable.insert((sink, number));
            }
        }
        Ok(())
    }

    /// What is to be delivered again must be there.
    pub(super) fn retried_letters(&mut self) {
        let asked = match self.inner.engine.all(Space::Meta, meta::all_retried()) {
            Ok(asked) => asked,
            Err(error) => return self.fault(FaultKind::UnreadableLetter, error.to_string()),
        };
        for (key, _) in asked {
            let of = meta::retried_of(&key);
            let of = of.map(|(sink, number)| (String::from_utf8_lossy(sink).into(), number));
            if !of.as_ref().is_some_and(|of| self.deliverable.contains(of)) {
                let key = key.escape_ascii();
                let text = format!("to be delivered again, and not there: {key}");
                self.fault(FaultKind::UnreadableLetter, text);
            }
        }
    }

    pub(super) fn sinks(&mut self) {
        let entries = match self.inner.sink_entries() {
            Ok(entries) => entries,
            Err(error) => {
                return self.fault(FaultKind::Cursor, format!("how far sinks are: {error}"));
            }
        };
        let oldest = self.inner.retained().map_or(0, |retained| retained.oldest);
        // What is missing behind that is told of the records.
        let tidied = oldest.saturating_sub(1).min(self.released);
        for (key, value) in entries {
            let sink = meta::sink_of(&key);
            match meta::unpacked_sink(&value) {
                Ok(known) => self.sink(&sink, &known, tidied),
                Err(why) => {
                    self.found.is_usable = false;
                    self.fault(FaultKind::Cursor, format!("how far the sink {sink} is: {why}"));
                }
            }
        }
    }

    fn sink(&mut self, sink: &str, known: &Known, tidied: u64) {
        let (through, latest) = (known.cursor.through, self.found.latest);
        if through > latest {
            let text = format!(
                "the sink {sink} is at {through}, and the latest record is {latest}: what lies between is lost"
            );
            return self.fault(FaultKind::Cursor, text);
        }
        self.found.sinks += 1;
        let there = self.letters.get(sink).copied().unwrap_or_default();
        if known.letters != there {
            let total = known.letters;
            let text =
                format!("dead letters of the sink {sink}: {total} by its place, {there} are there");
            self.fault(FaultKind::Totals, text);
        }
        if through < tidied {
            let note = format!(
                "the sink {sink} was left at {through}: it has not been given the records up to {tidied}, which are no longer kept; a dead letter will say so when it returns"
            );
            self.found.notes.push(note);
        }
    }

    /// Looks at every key and value of a space.
    fn each(
        &mut self,
        space: Space,
        kind: FaultKind,
        mut look_at: impl FnMut(&mut Self, &[u8], &[u8]),
    ) {
        let mut keys = everything();
        loop {
            let pairs = match self.inner.engine.page(space, keys, KEYS_AT_ONCE) {
                Ok(pairs) => pairs,
                Err(error) => return self.fault(kind, error.to_string()),
            };
            let Some((last, _)) = pairs.last() else { return };
            keys = behind(last);
            pairs.iter().for_each(|(key, value)| look_at(self, key, value));
            self.tick(pairs.len());
        }
    }
}
