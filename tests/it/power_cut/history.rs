//! A history of a store: callers on several threads, sinks that move on, bury and retry, days that pass. All
//! that was acknowledged is noted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use variate::attribution::Record;
use variate::clock::Clock;
use variate::store::{
    Burial, Cursor, DeadLetter, DurableSettings, DurableStore, Outbox as _, Step,
};

use super::truth::{SinkState, Truth};
use crate::attribution::kills::calls::Callers;
use crate::attribution::kills::check::{numbered, retained_from};
use crate::attribution::kills::plan;
use crate::attribution::kills::writer::say;

pub(super) const SINKS: [&str; 2] = ["first", "second"];
const THREADS: usize = 3;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Runs so far apart share no users, so that no event of a day is credited on another.
const RUNS_PER_DAY: u64 = 8;
/// A call in so many has the large attribute.
const CALLS_PER_PADDING: u64 = 4;
/// And before one in so many the datafile is swapped.
const CALLS_PER_SWAP: u64 = 12;

/// What happens in a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// Calls of each thread.
    pub(super) calls: u64,
    /// The large attribute.
    pub(super) padding: Option<&'static str>,
    /// Steps of each sink, at most.
    pub(super) steps: u64,
}

pub(super) struct History {
    pub(super) folder: PathBuf,
    pub(super) clock: Arc<Clock>,
    pub(super) truth: Truth,
    store: Arc<DurableStore>,
    callers: Callers,
    /// How many calls each thread made in the present day.
    made: u64,
    pub(super) day: u64,
    /// Whether it says aloud what it sends and what is acknowledged.
    pub(super) says: bool,
}

/// As small as it can be told to be, so that it puts things in order all the time; records stay.
pub(super) fn settings() -> DurableSettings {
    DurableSettings {
        reserved_bytes: 0,
        memtable_bytes: 1 << 20,
        journal_bytes: 64 << 20,
        record_retention_ms: 1000 * DAY_MS,
        ..DurableSettings::default()
    }
}

impl History {
    /// Opens a store on a day, which no history before may have had.
    pub(super) fn begin(folder: &Path, day: u64) -> Self {
        let clock = Arc::new(Clock::manual(noon_ms(day)));
        let store = DurableStore::open(folder, clock.clone(), settings()).unwrap();
        let store = Arc::new(store);
        let cursors = store.claim_outbox(&SINKS).unwrap();
        let mut truth = Truth::new();
        truth.records = numbered(retained_from(&store, 1), store.latest());
        for ((states, cursor), sink) in truth.sinks.iter_mut().zip(cursors).zip(SINKS) {
            *states = vec![SinkState { cursor, letters: letters_of(&store, sink) }];
        }
        let callers = Callers::new(store.clone(), clock.clone());
        Self { folder: folder.into(), clock, truth, store, callers, made: 0, day, says: false }
    }

    /// The next day begins; ids of the day before yesterday are forgotten soon.
    pub(super) fn sleep_until_tomorrow(&mut self) {
        self.day += 1;
        self.made = 0;
        self.clock.advance_to(noon_ms(self.day));
        // The store tidies up once a second, when it has something to do or not.
        std::thread::sleep(Duration::from_millis(1200));
    }

    /// Callers and sinks do a round, each on a thread; when it is over all of it is acknowledged.
    pub(super) fn round(&mut self, round: Round, seed: u64) {
        let first = self.made;
        self.made += round.calls;
        let this = &*self;
        let states: Vec<Vec<SinkState>> = std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || this.call(round, thread, first, seed));
            }
            let act = |sink: usize| scope.spawn(move || this.act(round, sink, seed));
            let sinks: Vec<_> = (0..SINKS.len()).map(act).collect();
            sinks.into_iter().map(|sink| sink.join().unwrap()).collect()
        });
        for (known, new) in self.truth.sinks.iter_mut().zip(states) {
            known.extend(new);
        }
        for thread in 0..THREADS {
            let ids: Vec<_> = (first..self.made).map(|number| self.id(thread, number)).collect();
            self.truth.acknowledged.extend(ids);
        }
        let known = self.truth.records.len() as u64;
        let records = retained_from(&self.store, known + 1);
        for (number, record) in records {
            self.truth.records.push(record);
            assert_eq!(number, self.truth.records.len() as u64, "numbers have no gaps");
        }
        assert!(
            self.store.latest() > known && self.store.latest() == self.truth.records.len() as u64
        );
    }

    fn id(&self, thread: usize, number: u64) -> String {
        plan::id(self.day * RUNS_PER_DAY, thread, number)
    }

    /// Says how its sinks stand.
    pub(super) fn say_all(&self) {
        for (sink, states) in SINKS.iter().zip(&self.truth.sinks) {
            self.say(sink, &states[states.len() - 1].to_line());
        }
    }

    fn say(&self, word: &str, what: &str) {
        if self.says {
            say(word, what);
        }
    }

    /// Several at once, as callers do who do not wait for each.
    fn call(&self, round: Round, thread: usize, first: u64, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed * 10 + thread as u64);
        let mut left = first..first + round.calls;
        while !left.is_empty() {
            let at_once = random.random_range(1..6);
            let send = |number| {
                let is_padded = random.random_range(0..CALLS_PER_PADDING) == 0;
                let padding = round.padding.filter(|_| is_padded);
                if random.random_range(0..CALLS_PER_SWAP) == 0 {
                    self.callers.swap(random.random_range(0..100));
                }
                let id = self.id(thread, number);
                self.say("sent", &id);
                let (_, receipt) = self.callers.send(&id, padding);
                (id, receipt)
            };
            let sent: Vec<_> = left.by_ref().take(at_once).map(send).collect();
            for (id, receipt) in sent {
                receipt.wait().unwrap();
                self.say("stored", &id);
            }
        }
    }

    /// What a sink does, and how it stands behind each of its steps.
    fn act(&self, round: Round, sink: usize, seed: u64) -> Vec<SinkState> {
        let mut random = StdRng::seed_from_u64(seed * 10 + 7 + sink as u64);
        let mut states = Vec::new();
        for _ in 0..random.random_range(0..=round.steps) {
            let last =
                states.last().unwrap_or(&self.truth.sinks[sink][self.truth.sinks[sink].len() - 1]);
            if let Some(state) = self.step(SINKS[sink], last, &mut random) {
                self.say(SINKS[sink], &state.to_line());
                states.push(state);
            }
        }
        states
    }

    fn step(&self, sink: &str, last: &SinkState, random: &mut StdRng) -> Option<SinkState> {
        let letters: Vec<u64> = last.letters.keys().copied().collect();
        let one = letters.get(random.random_range(0..=letters.len())).copied();
        let mut state = last.clone();
        match (random.random_range(0..6), one) {
            (0, Some(number)) => drop(self.store.retry_dead_letters(&[number]).unwrap()),
            (1, Some(number)) => drop(self.store.drop_dead_letters(&[number]).unwrap()),
            (_, one) => {
                let most = random.random_range(1..30);
                let after = last.cursor.through;
                let records = self.store.outbox(after, most, Duration::from_millis(20)).unwrap();
                let (through, _) = *records.last()?;
                let state_text = format!("{sink} is at {through}").into();
                state.cursor = Cursor { through, state: state_text };
                let is_buried = |_: &&(u64, Arc<Record>)| random.random_range(0..8) == 0;
                let buried: Vec<_> = records.iter().filter(is_buried).map(burial).collect();
                let settled = one.into_iter().collect();
                let step = Step { cursor: state.cursor.clone(), buried, settled };
                self.store.advance(sink, step).unwrap();
            }
        }
        state.letters = letters_of(&self.store, sink);
        Some(state)
    }
}

/// The time at which all of a day happens.
pub(super) fn noon_ms(day: u64) -> i64 {
    (1 + i64::try_from(day).unwrap()) * DAY_MS
}

fn burial((sequence, record): &(u64, Arc<Record>)) -> Burial {
    let reason = format!("the record {sequence} is not wanted").into();
    Burial { sequence: *sequence, record: record.clone(), reason }
}

/// The day in which a call was made first.
pub(super) fn day_of(id: &str) -> u64 {
    plan::run_of(id) / RUNS_PER_DAY
}

/// The dead letters of a sink by their numbers, in words.
pub(super) fn letters_of(store: &DurableStore, sink: &str) -> BTreeMap<u64, String> {
    let letters = store.dead_letters(0, usize::MAX).unwrap();
    let own = letters.into_iter().filter(|letter| letter.sink.as_deref() == Some(sink));
    let words = |letter: DeadLetter| {
        let DeadLetter { sequence, count, at_ms, reason, record, is_retried, .. } = letter;
        let id = record.map(|record| record.about().id.to_string());
        format!("{sequence}, {count}, {at_ms}, {reason}, {id:?}, {is_retried}")
    };
    own.map(|letter| (letter.number, words(letter))).collect()
}
