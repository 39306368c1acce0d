//! Impressions as they are captured in a user's turn, before anybody reads them as records.
//!
//! Must not know locks or sequence numbers. To show a variation must not wait for what reporting it
//! costs: here an impression is a few numbers and the bytes of its user id, behind the others of its
//! shard. Whoever reads the outbox makes records of them, with ids and texts of their own.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::attribution::{
    Acceptance, Attributes, EntryId, Envelope, Impression, ImpressionRecord, ImpressionSource,
    NewImpression, Origin, Record,
};
use crate::clock::TimeMs;
use crate::datafile::{Datafile, FlagIndex, RuleIndex, VariationIndex};

/// A run has room for so many impressions from the start. Then the next run begins: what is asked for at
/// once and given back at once costs least, and nothing ever moves.
const IMPRESSIONS_PER_RUN: usize = 256;
/// Room for as many user ids of usual length; longer ones find room, too.
const USER_ID_BYTES_PER_RUN: usize = IMPRESSIONS_PER_RUN * 16;

/// Shorter runs become records before readers ask: their rooms would hold more memory than the records.
const FEWEST_WORTH_A_ROOM: usize = 64;

/// With more runs, a shard gives them away although nobody asked.
const MOST_RUNS: usize = 4;

/// So many rooms are kept for runs to come: with more, readers are far behind, and memory matters more.
const MOST_SPARE_ROOMS: usize = 256;

/// Rooms of runs that were read, for runs to come: asking for fresh memory would cost more than all else
/// that capturing does.
#[derive(Debug, Default)]
pub(super) struct SpareRooms(Mutex<Vec<Room>>);

/// Where the impressions of a run are.
#[derive(Debug)]
struct Room {
    /// One behind the other.
    user_ids: String,
    entries: Vec<Entry>,
}

impl SpareRooms {
    fn take(&self) -> Room {
        self.0.lock().pop().unwrap_or_else(|| Room {
            user_ids: String::with_capacity(USER_ID_BYTES_PER_RUN),
            entries: Vec::with_capacity(IMPRESSIONS_PER_RUN),
        })
    }

    fn give_back(&self, mut room: Room) {
        // One that grew for long ids is not worth keeping.
        let is_usual = room.user_ids.capacity() <= USER_ID_BYTES_PER_RUN;
        room.user_ids.clear();
        room.entries.clear();
        let mut rooms = self.0.lock();
        if is_usual && rooms.len() < MOST_SPARE_ROOMS {
            rooms.push(room);
        }
    }
}

/// Impressions of one shard, in the order in which they were captured.
#[derive(Debug, Default)]
pub(super) struct Captured {
    runs: Vec<Run>,
}

/// Impressions of one environment and one datafile, one after the other.
#[derive(Debug)]
pub(super) struct Run {
    /// What is compared instead of the name, which lies beside a count of owners that readers write.
    environment_number: u32,
    environment: Arc<str>,
    datafile: Arc<Datafile>,
    room: Room,
    /// What few impressions have, with their places.
    rarities: Vec<(usize, Rarity)>,
}

/// The caller's id and the prediction's, of an impression that has one of them.
#[derive(Debug, Default)]
struct Rarity {
    id: Option<Box<str>>,
    prediction_id: Option<Box<str>>,
}

#[derive(Debug)]
struct Entry {
    user_id_end: usize,
    /// None where there are none: all empty ones are one, whose count of owners every thread would write.
    attributes: Option<Attributes>,
    moment: Moment,
    origin: Origin,
    source: ImpressionSource,
    is_enabled: bool,
    is_forced: bool,
    flag: Option<FlagIndex>,
    rule: Option<RuleIndex>,
    variation: Option<(RuleIndex, VariationIndex)>,
}

/// When an impression happened and was received, and whether it is the first activation of its kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) time_ms: TimeMs,
    pub(super) received_at_ms: TimeMs,
    pub(super) first: bool,
}

impl Captured {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Captures an impression of the environment of this number, and gives it a run whose environment's
    /// shared name is only asked for where the run begins.
    pub(super) fn push(
        &mut self,
        (environment_number, environment): (u32, impl FnOnce() -> Arc<str>),
        rooms: &SpareRooms,
        impression: &NewImpression<'_>,
        (attributes, moment): (Option<Attributes>, Moment),
    ) {
        if !self.runs.last().is_some_and(|run| run.takes(environment_number, impression)) {
            self.runs.push(Run {
                environment_number,
                environment: environment(),
                datafile: impression.datafile.clone(),
                room: rooms.take(),
                rarities: Vec::new(),
            });
        }
        if let Some(run) = self.runs.last_mut() {
            run.push(impression, attributes, moment);
        }
    }

    /// Whether it is time to take all out.
    pub(super) fn is_much(&self) -> bool {
        self.runs.len() > MOST_RUNS
    }

    /// Takes all out, and keeps the room for as many runs.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Run> {
        self.runs.drain(..)
    }
}

impl Run {
    fn takes(&self, environment_number: u32, impression: &NewImpression<'_>) -> bool {
        Arc::ptr_eq(&self.datafile, impression.datafile)
            && self.environment_number == environment_number
            && self.room.entries.len() < IMPRESSIONS_PER_RUN
    }

    fn push(
        &mut self,
        impression: &NewImpression<'_>,
        attributes: Option<Attributes>,
        moment: Moment,
    ) {
        if impression.id.is_some() || impression.prediction_id.is_some() {
            let id = impression.id.map(Into::into);
            let prediction_id = impression.prediction_id.map(Into::into);
            self.rarities.push((self.room.entries.len(), Rarity { id, prediction_id }));
        }
        self.room.user_ids.push_str(impression.user_id);
        self.room.entries.push(Entry {
            user_id_end: self.room.user_ids.len(),
            attributes,
            moment,
            origin: impression.origin,
            source: impression.source,
            is_enabled: impression.is_enabled,
            is_forced: impression.is_forced,
            flag: impression.flag,
            rule: impression.rule,
            variation: impression.variation,
        });
    }

    /// Whether it holds so little that it should not keep its room.
    pub(super) fn is_short(&self) -> bool {
        self.room.entries.len() < FEWEST_WORTH_A_ROOM
    }

    /// Makes records of it, in the order in which the impressions were captured. Their ids are made now,
    /// and never again.
    pub(super) fn make_records(self, rooms: &SpareRooms, mut take: impl FnMut(Record)) {
        let Self { environment, datafile, mut room, rarities, .. } = self;
        let mut user_id_start = 0;
        let mut rarities = rarities.into_iter().peekable();
        for (place, entry) in room.entries.drain(..).enumerate() {
            let user_id = room.user_ids.get(user_id_start..entry.user_id_end).unwrap_or_default();
            user_id_start = entry.user_id_end;
            let rarity = rarities.next_if(|(of_place, _)| *of_place == place);
            let rarity = rarity.map(|(_, rarity)| rarity).unwrap_or_default();
            take(entry.into_record(user_id, rarity, (&environment, &datafile)));
        }
        rooms.give_back(room);
    }
}

impl Entry {
    fn into_record(
        self,
        user_id: &str,
        rarity: Rarity,
        (environment, datafile): (&Arc<str>, &Arc<Datafile>),
    ) -> Record {
        let Moment { time_ms, received_at_ms, first } = self.moment;
        let impression = Impression {
            envelope: Envelope {
                id: None,
                origin: self.origin,
                user_id: user_id.into(),
                time_ms: Some(time_ms),
                datafile: datafile.clone(),
            },
            flag: self.flag,
            rule: self.rule,
            variation: self.variation,
            source: self.source,
            is_enabled: self.is_enabled,
            is_forced: self.is_forced,
            attributes: self.attributes.unwrap_or_default(),
            prediction_id: rarity.prediction_id,
        };
        let acceptance = Acceptance {
            id: EntryId::given_or_new(rarity.id),
            environment: environment.clone(),
            time_ms,
            received_at_ms,
        };
        Record::Impression(ImpressionRecord::new(impression, first, acceptance))
    }
}
