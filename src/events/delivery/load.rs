//! Loads: batches together with the places that their records have in the outbox, and the page that
//! they are packed from.
//!
//! Must not know sinks' answers.

use std::sync::Arc;
use std::time::Duration;

use crate::attribution::Record;
use crate::clock::Stopwatch;
use crate::events::batch::{Batch, Encoded};
use crate::events::sink::Pace;
use crate::store::Burial;

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: u64,
    /// The number of the dead letter that is retried, if that is what it is.
    pub(super) letter: Option<u64>,
}

/// A batch on its way.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) batch: Batch,
    pub(super) places: Vec<Place>,
    /// False for a single record that the sink panicked over when it was to encode it.
    pub(super) is_encoded: bool,
}

impl Load {
    /// A single record.
    pub(super) fn of(place: Place, record: Arc<Record>, encoded: Encoded) -> Self {
        let mut load = Self::new(encoded.context);
        load.push(place, record, encoded.text);
        load
    }

    /// A single record that could not be encoded.
    pub(super) fn unencoded(place: Place, record: Arc<Record>) -> Self {
        Self { is_encoded: false, ..Self::of(place, record, Encoded::default()) }
    }

    /// Its first record: the only one where it is not encoded.
    pub(super) fn only(&self) -> Option<(Place, Arc<Record>)> {
        let record = self.batch.shared_records().next()?;
        Some((*self.places.first()?, Arc::clone(record)))
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The first of its records that comes from the outbox: the cursor must stay before it.
    pub(super) fn first_sequence(&self) -> Option<u64> {
        self.places.iter().find(|place| place.letter.is_none()).map(|place| place.sequence)
    }

    /// The numbers of the dead letters in it.
    pub(super) fn letters(&self) -> Vec<u64> {
        self.places.iter().filter_map(|place| place.letter).collect()
    }

    /// Takes its second half.
    pub(super) fn split(&mut self) -> Self {
        let at = self.places.len() / 2;
        let (batch, places) = (self.batch.split_off(at), self.places.split_off(at));
        Self { batch, places, is_encoded: self.is_encoded }
    }

    /// All of it as dead, for one reason.
    pub(super) fn bury(&self, reason: &str) -> Vec<Burial> {
        let records = self.batch.shared_records();
        let burial = |(place, record): (&Place, &Arc<Record>)| Burial {
            sequence: place.sequence,
            record: Arc::clone(record),
            reason: reason.into(),
        };
        self.places.iter().zip(records).map(burial).collect()
    }

    /// Takes those of its records from the outbox that are of an age; gives them, and the rest.
    pub(super) fn part_by(self, is_expired: impl Fn(&Record) -> bool) -> (Self, Self) {
        let context: Box<str> = self.batch.context().into();
        let is_encoded = self.is_encoded;
        let mut parts = [(); 2].map(|()| Self { is_encoded, ..Self::new(context.clone()) });
        let [expired, rest] = &mut parts;
        let texts: Vec<String> = self.batch.texts().map(str::to_owned).collect();
        let records: Vec<_> = self.batch.shared_records().cloned().collect();
        for ((place, record), text) in self.places.into_iter().zip(records).zip(texts) {
            let is_dead = place.letter.is_none() && is_expired(&record);
            let part = if is_dead { &mut *expired } else { &mut *rest };
            part.push(place, record, text);
        }
        let [expired, rest] = parts;
        (expired, rest)
    }

    fn new(context: Box<str>) -> Self {
        Self { batch: Batch::new(context), places: Vec::new(), is_encoded: true }
    }

    fn push(&mut self, place: Place, record: Arc<Record>, text: String) {
        self.batch.push(record, text);
        self.places.push(place);
    }

    fn has_room_for(&self, text: &str, pace: &Pace) -> bool {
        let bytes = self.batch.bytes().saturating_add(text.len());
        self.len() < pace.batch_records.max(1) && bytes <= pace.batch_bytes
    }
}

/// Loads while they are packed: about one batch of records, sorted by context.
#[derive(Debug)]
pub(super) struct Page {
    pace: Pace,
    loads: Vec<Load>,
    records: usize,
    bytes: usize,
    /// Since the first record came.
    age: Option<Stopwatch>,
}

impl Page {
    pub(super) const fn new(pace: Pace) -> Self {
        Self { pace, loads: Vec::new(), records: 0, bytes: 0, age: None }
    }

    pub(super) fn push(&mut self, place: Place, record: Arc<Record>, encoded: Encoded) {
        let Encoded { text, context } = encoded;
        self.records += 1;
        self.bytes = self.bytes.saturating_add(text.len());
        self.age.get_or_insert_with(Stopwatch::start);
        // Only the latest load of a context is open: an earlier one had no room for an earlier record.
        let is_open = |load: &&mut Load| load.is_encoded && load.batch.context() == &*context;
        let open = self.loads.iter_mut().rev().find(is_open);
        match open.filter(|load| load.has_room_for(&text, &self.pace)) {
            Some(load) => load.push(place, record, text),
            None => self.loads.push(Load::of(place, record, Encoded { text, context })),
        }
    }

    /// Takes a record that could not be encoded: it is tried again alone.
    pub(super) fn push_unencoded(&mut self, place: Place, record: Arc<Record>) {
        self.records += 1;
        self.age.get_or_insert_with(Stopwatch::start);
        self.loads.push(Load::unencoded(place, record));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.loads.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.room() == 0 || !self.is_empty() && self.bytes >= self.pace.batch_bytes
    }

    /// How many records to read at once, where each is about so large: as many as there is room for, so
    /// that memory holds little more than a batch.
    pub(super) fn run(&self, usual_bytes: usize) -> usize {
        let bytes = self.pace.batch_bytes.saturating_sub(self.bytes);
        bytes.checked_div(usual_bytes).unwrap_or(usize::MAX).clamp(1, self.room().max(1))
    }

    /// How large its records are, if there are any.
    pub(super) fn usual_bytes(&self) -> Option<usize> {
        self.bytes.checked_div(self.records)
    }

    /// How many more records it takes.
    fn room(&self) -> usize {
        self.pace.batch_records.max(1).saturating_sub(self.records)
    }

    /// How long it may still wait for more.
    pub(super) fn patience(&self) -> Duration {
        self.age.map_or(Duration::MAX, |age| self.pace.batch_age.saturating_sub(age.elapsed()))
    }

    pub(super) fn into_loads(self) -> Vec<Load> {
        self.loads
    }
}
