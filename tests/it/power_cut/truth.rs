//! What is known of a store when a round is over, and how a copy of the store is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use variate::attribution::{Attributes, Record};
use variate::clock::Clock;
use variate::events::record_json;
use variate::store::{Burial, Cursor, DurableStore, Outbox as _, Step, Store as _, verify};

use super::history::{SINKS, day_of, letters_of, noon_ms, settings};
use crate::attribution::kills::calls::Callers;
use crate::attribution::kills::check::{check_values, numbered, retained_from};
use crate::attribution::kills::heard::Heard;

/// So many calls that were acknowledged are made again in each copy.
const REPEATS: usize = 12;
const NEW_CALLS: u64 = 6;
/// A run that no history has, of other users.
const NEW_RUN: u64 = 1_000_000;

/// What is acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    /// All records, the first one having the number 1.
    pub(super) records: Vec<Arc<Record>>,
    /// The ids of all calls.
    pub(super) acknowledged: BTreeSet<String>,
    /// How each sink stood behind each of its steps, from none on.
    pub(super) sinks: [Vec<SinkState>; SINKS.len()],
}

/// How far a sink is, and what died of it: by numbers, in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SinkState {
    pub(super) cursor: Cursor,
    pub(super) letters: BTreeMap<u64, String>,
}

impl SinkState {
    /// As one line.
    pub(super) fn to_line(&self) -> String {
        json!([self.cursor.through, self.cursor.state, self.letters]).to_string()
    }

    pub(super) fn of_line(line: &str) -> Self {
        let (through, state, letters): (u64, String, BTreeMap<u64, String>) =
            serde_json::from_str(line).unwrap();
        Self { cursor: Cursor { through, state: state.into() }, letters }
    }
}

impl Truth {
    /// Of a store that is new.
    pub(super) fn new() -> Self {
        let none = SinkState { cursor: Cursor::default(), letters: BTreeMap::new() };
        let sinks = SINKS.map(|_| vec![none.clone()]);
        Self { records: Vec::new(), acknowledged: BTreeSet::new(), sinks }
    }
}

/// A copy that was cut somewhere between two rounds: all of the first is acknowledged, and what is of the
/// second may be there, in the order in which it was stored.
pub(super) struct Between<'a> {
    pub(super) synced: &'a Truth,
    pub(super) later: &'a Truth,
    /// The day of the cut.
    pub(super) day: u64,
}

impl Between<'_> {
    /// Opens the copy, looks at all of it, and goes on with it; gives how many records were saved that
    /// nobody had to save.
    pub(super) fn check(&self, folder: &Path, random: &mut StdRng) -> usize {
        let clock = Arc::new(Clock::manual(noon_ms(self.day)));
        let store = open(folder, &clock);
        let records = numbered(retained_from(&store, 1), store.latest());
        let (least, most) = (&self.synced.records, &self.later.records);
        assert!(records.len() >= least.len(), "lost: {} of {}", records.len(), least.len());
        assert!(records.starts_with(least), "what was acknowledged is as it was");
        assert!(most.starts_with(&records), "what was not is there as it was sent, once, in order");
        for ((name, known), before) in SINKS.iter().zip(&self.later.sinks).zip(&self.synced.sinks) {
            let cursors = store.cursors().unwrap();
            let cursor = cursors.into_iter().find(|(sink, _)| **sink == **name);
            let found = SinkState {
                cursor: cursor.map(|(_, cursor)| cursor).unwrap_or_default(),
                letters: letters_of(&store, name),
            };
            let possible = &known[before.len() - 1..];
            assert!(possible.contains(&found), "{name}: {found:?} is none of {possible:?}");
            assert!(found.cursor.through <= store.latest(), "{name} is behind the latest record");
        }
        let heard = self.go_on(&store, &clock, &records, random);
        drop(store);
        self.check_in_the_end(folder, &clock, &heard);
        records.len() - least.len()
    }

    /// Makes calls again, and new ones; what is there is a repeat, and nothing else is.
    fn go_on(
        &self,
        store: &Arc<DurableStore>,
        clock: &Arc<Clock>,
        records: &[Arc<Record>],
        random: &mut StdRng,
    ) -> Heard {
        let there: BTreeSet<String> =
            records.iter().map(|one| one.about().id.to_string()).collect();
        // Ids of the day before yesterday are not recognised any more.
        let is_recent = |id: &&String| day_of(id) + 1 >= self.day;
        let known: Vec<&String> = self.synced.acknowledged.iter().filter(is_recent).collect();
        let again = (0..REPEATS.min(known.len()))
            .map(|_| known[random.random_range(0..known.len())].clone());
        let unsure = self.later.acknowledged.difference(&self.synced.acknowledged).cloned();
        let new = (0..NEW_CALLS).map(|number| format!("{NEW_RUN}-0-{number}"));
        let callers = Callers::new(store.clone(), clock.clone());
        let ids: BTreeSet<String> = again.chain(unsure).chain(new).collect();
        let mut receipts = Vec::new();
        for id in &ids {
            let (is_repeat, receipt) = callers.send(id, None);
            assert_eq!(is_repeat, there.contains(id), "{id} sent again");
            receipts.push(receipt);
        }
        receipts.into_iter().for_each(|receipt| receipt.wait().unwrap());
        let mut heard = Heard::default();
        heard.acknowledged = self.synced.acknowledged.union(&ids).cloned().collect();
        heard.sent = heard.acknowledged.iter().map(|id| (id.clone(), 1)).collect();
        bury_one_more(store, records);
        heard
    }

    /// It opens once more, its credits are those of the plain model, and nothing in it contradicts the rest.
    fn check_in_the_end(&self, folder: &Path, clock: &Arc<Clock>, heard: &Heard) {
        let store = open(folder, clock);
        let records = numbered(retained_from(&store, 1), store.latest());
        let values: Vec<Value> = records.iter().map(|record| without_texts(record)).collect();
        check_values(&values, &store.statistics(), heard);
        drop(store);
        let verified = verify(folder, &mut |_, _| {}).unwrap();
        assert!(verified.is_sound(), "{verified:#?}");
    }
}

fn open(folder: &Path, clock: &Arc<Clock>) -> Arc<DurableStore> {
    match DurableStore::open(folder, clock.clone(), settings()) {
        Ok(store) => Arc::new(store),
        Err(error) => panic!("refused: {error}: {:?}", std::error::Error::source(&error)),
    }
}

/// Letters are numbered on; one that was dropped keeps its number.
fn bury_one_more(store: &DurableStore, records: &[Arc<Record>]) {
    let Some(record) = records.first() else { return };
    let last = store.dead_letters(0, usize::MAX).unwrap().last().map_or(0, |letter| letter.number);
    let cursor = store.claim_outbox(&SINKS).unwrap().remove(0);
    let burial = Burial { sequence: 1, record: record.clone(), reason: "one more".into() };
    let step = Step { cursor, buried: vec![burial], settled: Vec::new() };
    store.advance(SINKS[0], step).unwrap();
    let new = store.dead_letters(last, 9).unwrap();
    assert_eq!(&*new[0].reason, "one more", "{new:?}");
}

/// The record as JSON, without what may be large and has nothing to do with credits.
fn without_texts(record: &Record) -> Value {
    let mut record = record.clone();
    match &mut record {
        Record::Impression(record) => record.attributes = Attributes::default(),
        Record::Conversion(record) => {
            record.inherited_attributes = None;
            let mut event = (*record.event).clone();
            (event.attributes, event.tags) = (None, None);
            record.event = Arc::new(event);
        }
        _ => {}
    }
    serde_json::from_str(&record_json(&record)).unwrap()
}
