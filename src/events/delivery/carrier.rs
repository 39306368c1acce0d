//! What the thread of one sink does: read a page, hand its batches over until they are taken, split those
//! that are refused, bury what nobody will take, go on.
//!
//! Must not know the other sinks. Memory holds a page, which is about one batch.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::guarded::{Answer, Guarded, text_with_causes};
use super::letters::Letters;
use super::load::{Load, Page, Place};
use super::progress::{Counts, Progress};
use super::settings::{BatchNotice, BatchOutcome, DeliverySettings};
use crate::attribution::Record;
use crate::back_off::BackOff;
use crate::clock::{Stopwatch, TimeMs};
use crate::events::sink::Pace;
use crate::store::{Burial, Cursor, Outbox, Step};

/// How long an idle thread sleeps in the store, which cannot be woken for the end of the delivery.
const IDLE: Duration = Duration::from_millis(50);
/// How large a record is taken to be until the first ones were encoded.
pub(super) const USUAL_BYTES: usize = 8 << 10;
/// How long a store that failed is left alone.
const STORE_BACK_OFF: Duration = Duration::from_secs(1);

pub(super) struct Carrier {
    pub(super) place: usize,
    /// Its name in the store, which is its own among the sinks.
    pub(super) name: Box<str>,
    pub(super) sink: Guarded,
    pub(super) pace: Pace,
    pub(super) store: Arc<dyn Outbox>,
    pub(super) progress: Arc<Progress>,
    pub(super) settings: DeliverySettings,
    /// How far the store knows the sink to be.
    pub(super) kept: Cursor,
    /// The latest record that was read.
    pub(super) read_through: u64,
    /// How large records were in the latest page.
    pub(super) usual_bytes: usize,
    /// What was read and is not done with; dead letters that are retried first.
    pub(super) loads: VecDeque<Load>,
    pub(super) letters: Letters,
    pub(super) back_off: BackOff,
    pub(super) stop: Option<Stop>,
}

/// Why an unavailable sink is left alone, and how long.
#[derive(Debug)]
pub(super) struct Stop {
    error: String,
    since: Stopwatch,
    delay: Duration,
    /// The hurries so far, which a further one cuts short; `None` where the destination itself asked
    /// for the time.
    hurries: Option<u64>,
}

/// What was done since the store was told last.
#[derive(Debug, Default)]
struct Done {
    delivered: usize,
    buried: Vec<Burial>,
    settled: Vec<u64>,
}

impl Carrier {
    pub(super) fn run(mut self) {
        while !self.progress.is_stopping() {
            if self.loads.is_empty() {
                self.take_letters();
                self.fill();
            }
            if let Some(stop) = self.stop.take() {
                self.bury_expired(&stop.error);
                self.stop = Some(stop);
                if !self.loads.is_empty() {
                    self.wait();
                }
                continue;
            }
            if let Some(load) = self.loads.pop_front() {
                self.hand_over(load);
            }
        }
    }

    /// Reads a page and packs it; where the sink wants none of it, only the cursor moves.
    fn fill(&mut self) {
        let mut page = Page::new(self.pace);
        let mut scanned = 0;
        let most = self.pace.batch_records.max(1);
        while !page.is_full() && scanned < most && !self.progress.is_stopping() {
            let is_due = page.is_empty() || self.progress.is_hurried(self.read_through);
            let patience = if is_due { Duration::ZERO } else { page.patience() };
            let idle = if page.is_empty() && scanned == 0 && self.loads.is_empty() {
                IDLE
            } else {
                patience.min(IDLE)
            };
            match self.store.outbox(self.read_through, page.run(self.usual_bytes), idle) {
                Ok(records) if records.is_empty() && patience.is_zero() => break,
                Ok(records) => {
                    scanned += records.len();
                    for (sequence, record) in records {
                        self.read_through = sequence;
                        self.pack(&mut page, Place { sequence, letter: None }, record);
                    }
                }
                Err(error) => {
                    self.note_failure(text_with_causes(&error));
                    self.progress.back_off(STORE_BACK_OFF, None);
                    break;
                }
            }
        }
        self.usual_bytes = page.usual_bytes().unwrap_or(self.usual_bytes);
        self.loads.extend(page.into_loads());
        if self.through() > self.kept.through && self.loads.is_empty() {
            self.keep(Done::default());
        }
    }

    /// Gives whether the sink is told of the record.
    fn pack(&mut self, page: &mut Page, place: Place, record: Arc<Record>) -> bool {
        match self.sink.encode(&record) {
            Ok(Some(encoded)) => page.push(place, record, encoded),
            Ok(None) => return false,
            Err(_) => page.push_unencoded(place, record),
        }
        true
    }

    /// Reads dead letters that somebody asked for, if it is time to look for them.
    fn take_letters(&mut self) {
        let asked = self.progress.retries();
        if !self.letters.is_due(asked) {
            return;
        }
        let mut page = Page::new(self.pace);
        let mut unwanted = Done::default();
        let found = self.letters.look(&*self.store, &self.name, self.pace.batch_records.max(1));
        let letters = match found {
            Ok(letters) => letters,
            Err(error) => return self.note_failure(text_with_causes(&error)),
        };
        self.progress.note_letters(self.place, self.store.count_dead_letters(&self.name));
        for letter in letters {
            let Some(record) = letter.record else { continue };
            let place = Place { sequence: letter.sequence, letter: Some(letter.number) };
            if !self.pack(&mut page, place, Arc::clone(&record)) {
                let reason = "this sink is not told of such records any more: drop it".into();
                unwanted.buried.push(Burial { sequence: letter.sequence, record, reason });
                unwanted.settled.push(letter.number);
            }
        }
        if !unwanted.settled.is_empty() {
            self.keep(unwanted);
        }
        self.loads.extend(page.into_loads());
    }

    fn hand_over(&mut self, mut load: Load) {
        if !load.is_encoded && !self.encode_again(&mut load) {
            return;
        }
        let records = load.len();
        match self.sink.deliver(&load.batch) {
            Answer::Taken => {
                self.back_off.reset();
                self.keep(Done { delivered: records, settled: load.letters(), ..Done::default() });
            }
            Answer::Refused { reason } => {
                // It answers, so it is there.
                self.back_off.reset();
                self.note_failure(reason.to_string());
                self.tell(records, BatchOutcome::Refused, Some(&reason));
                if records > 1 {
                    let second = load.split();
                    self.loads.push_front(second);
                    self.loads.push_front(load);
                } else {
                    let (buried, settled) = (load.bury(&reason), load.letters());
                    self.keep(Done { buried, settled, ..Done::default() });
                }
            }
            Answer::Unavailable { error, retry_after } => self.stop_for(load, error, retry_after),
        }
    }

    /// Asks the sink once more to encode the record; gives whether it is ready to be delivered.
    fn encode_again(&mut self, load: &mut Load) -> bool {
        let Some((place, record)) = load.only() else { return false };
        match self.sink.encode(&record) {
            Ok(Some(encoded)) => {
                *load = Load::of(place, record, encoded);
                return true;
            }
            Ok(None) => {
                self.keep(Done { settled: load.letters(), ..Done::default() });
            }
            Err(error) => {
                let load = Load::unencoded(place, record);
                self.stop_for(load, error, None);
            }
        }
        false
    }

    fn stop_for(&mut self, load: Load, error: String, retry_after: Option<Duration>) {
        self.note_failure(error.clone());
        self.tell(load.len(), BatchOutcome::Unavailable, Some(&error));
        self.loads.push_front(load);
        let delay = self.back_off.after_failure(retry_after);
        let hurries = retry_after.is_none().then(|| self.progress.hurries());
        self.progress.note_stop(self.place, Some(self.now_after(delay)));
        self.stop = Some(Stop { error, since: Stopwatch::start(), delay, hurries });
    }

    /// Waits until the sink may be asked again, or the delivery ends.
    fn wait(&mut self) {
        let Some(stop) = self.stop.take() else { return };
        let left = stop.delay.saturating_sub(stop.since.elapsed());
        if self.progress.back_off(left, stop.hurries) {
            self.back_off.reset();
        }
        self.progress.note_stop(self.place, None);
    }

    /// Buries what has waited for too long while the sink was unavailable.
    fn bury_expired(&mut self, error: &str) {
        let give_up_after_ms =
            TimeMs::try_from(self.pace.give_up_after.as_millis()).unwrap_or(TimeMs::MAX);
        let oldest_ms = self.settings.clock.now_ms().saturating_sub(give_up_after_ms);
        let is_expired = |record: &Record| record.about().received_at_ms < oldest_ms;
        if !self.loads.iter().any(|load| load.batch.records().any(is_expired)) {
            return;
        }
        let reason = format!("not delivered before it was too old: {error}");
        let mut done = Done::default();
        for load in std::mem::take(&mut self.loads) {
            let (expired, rest) = load.part_by(is_expired);
            done.buried.extend(expired.bury(&reason));
            if rest.len() > 0 {
                self.loads.push_back(rest);
            }
        }
        if !done.buried.is_empty() {
            self.tell(done.buried.len(), BatchOutcome::Expired, Some(error));
            self.keep(done);
        }
    }

    /// The sequence number up to and including which nothing is left to do.
    fn through(&self) -> u64 {
        let undone = self.loads.iter().filter_map(Load::first_sequence).min();
        undone.map_or(self.read_through, |first| first.saturating_sub(1))
    }

    /// Tells the store what was done, until it has kept it; gives false where the delivery ends before:
    /// then the sink goes on from where the store knows it to be.
    fn keep(&mut self, done: Done) -> bool {
        let state = self.sink.state().map_or_else(|| self.kept.state.clone(), String::into);
        let cursor = Cursor { through: self.through().max(self.kept.through), state };
        let Done { delivered, buried, settled } = done;
        let counts = Counts {
            delivered: delivered as u64,
            buried: buried.len() as u64,
            settled: settled.len() as u64,
        };
        let step = Step { cursor, buried, settled };
        let is_news =
            step.cursor != self.kept || !step.buried.is_empty() || !step.settled.is_empty();
        if is_news && !self.advance(&step) {
            return false;
        }
        self.kept = step.cursor;
        // Who waits for the cursor finds everything told and counted.
        if delivered > 0 {
            self.tell(delivered, BatchOutcome::Delivered, None);
        }
        self.progress.note_kept(self.place, self.kept.through, counts);
        true
    }

    fn advance(&self, step: &Step) -> bool {
        if self.progress.is_abandoned() {
            return false;
        }
        while let Err(error) = self.store.advance(&self.name, step.clone()) {
            self.note_failure(text_with_causes(&error));
            self.progress.back_off(STORE_BACK_OFF, None);
            if self.progress.is_stopping() {
                return false;
            }
        }
        true
    }

    fn note_failure(&self, error: String) {
        self.progress.note_failure(self.place, error);
    }

    fn now_after(&self, delay: Duration) -> TimeMs {
        let delay_ms = TimeMs::try_from(delay.as_millis()).unwrap_or(TimeMs::MAX);
        self.settings.clock.now_ms().saturating_add(delay_ms)
    }

    fn tell(&self, records: usize, outcome: BatchOutcome, error: Option<&str>) {
        let notice = BatchNotice { sink: &self.name, records, outcome, error };
        if let Some(listener) = &self.settings.on_batch {
            self.progress.tell(|| listener(&notice));
        }
    }
}
