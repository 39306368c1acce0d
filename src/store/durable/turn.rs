//! One entry's turn: read the user's row, plan, and hand the new row, the id and the records to the
//! committer. Runs under the lock of the user, and of the id if there is one.
//!
//! Must not know the engine beyond reading. What is in flight is seen by turns, so that an event and an
//! activation that are in flight together do not miss each other; should a commit fail, everything
//! behind it is refused with it.

use std::sync::Arc;

use parking_lot::MutexGuard;
use smallvec::smallvec;
use uuid::Uuid;

use super::Inner;
use super::engine::Space;
use super::entry::{Entry, Row, RowKey, Totals};
use super::flight::Rows;
use super::ids::{Claim, Claimed, ID_NAMESPACE};
use super::late::{LateConversions, conversions_of};
use super::queue::Place;
use super::wire::{Held, unpacked_record, unpacked_row};
use crate::attribution::{
    Acceptance, ActivationFact, Attributes, ConversionRecord, Credit, EntryId, Event, EventFact,
    EventOutcome, GivenAttributes, Impression, ImpressionOutcome, ImpressionRecord, LateCredit,
    NewImpression, Origin, PendingEvent, Record, Rules, TrackedEvent, plan_activation, plan_event,
};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::{Receipt, Recorded};

/// Longer ones do not stand in keys as they are.
const LONGEST_USER_ID_IN_KEY: usize = 4096;

/// What there is to know of an entry before its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arriving<'a> {
    pub(super) kind: &'static str,
    pub(super) environment: &'a str,
    pub(super) rules: &'a Rules,
    pub(super) origin: Origin,
    pub(super) user_id: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) time_ms: Option<TimeMs>,
}

/// A user's turn.
pub(super) struct Turn<'s> {
    inner: &'s Inner,
    place: Result<Place<'s>, Error>,
    rows: MutexGuard<'s, Rows>,
    key: RowKey,
    environment: Arc<str>,
    rules: Rules,
    time_ms: TimeMs,
    received_at_ms: TimeMs,
    is_clamped: bool,
    id: Option<Claim<'s>>,
}

/// How a turn begins.
pub(super) enum Begun<'s> {
    Turn(Turn<'s>),
    /// Its id was accepted before, at this time, and this is when that is stored.
    Repeat(TimeMs, Receipt),
}

impl Inner {
    pub(super) fn begin(&self, arriving: &Arriving<'_>) -> Begun<'_> {
        // Waiting for room must come before any lock.
        let place = self.queue.place();
        let environment: Arc<str> = arriving.environment.into();
        let number = self.names.environments.number_of(&environment);
        let key = row_key(number, arriving.user_id);
        let rows = self.flight.turn(&key);
        let received_at_ms = self.clock.now_ms();
        let (time_ms, is_clamped) = arriving.rules.time_of(arriving.time_ms, received_at_ms);
        let mut place = place;
        let id = match self.claim_id(arriving, received_at_ms) {
            Ok(Claimed::Free(id)) => id,
            Ok(Claimed::Repeat(receipt)) => return Begun::Repeat(time_ms, receipt),
            Err(error) => {
                refuse(&mut place, error);
                None
            }
        };
        let rules = *arriving.rules;
        let inner = self;
        Begun::Turn(Turn {
            inner,
            place,
            rows,
            key,
            environment,
            rules,
            time_ms,
            received_at_ms,
            is_clamped,
            id,
        })
    }

    /// Takes a user's row away; gives whether there was one, and when it is gone.
    pub(super) fn forget(
        &self,
        environment: &str,
        user_id: &str,
    ) -> Result<(bool, Receipt), Error> {
        let arriving = Arriving {
            kind: "forget",
            environment,
            rules: &Rules::default(),
            origin: Origin::Library,
            user_id,
            id: None,
            time_ms: None,
        };
        match self.begin(&arriving) {
            Begun::Turn(turn) => turn.forget(),
            Begun::Repeat(_, receipt) => Ok((false, receipt)),
        }
    }

    /// Takes away what is over in a row, in its user's turn.
    pub(super) fn tidy_row(&self, key: &[u8]) -> Result<(), Error> {
        let place = self.queue.place_at_once()?;
        let mut rows = self.flight.turn(key);
        if rows.contains_key(key) {
            // It is being used: the next pass sees it.
            return Ok(());
        }
        let Some(bytes) = self.engine.get(Space::Rows, key)? else { return Ok(()) };
        let before = unpacked_row(&bytes, &self.names);
        let before = before.map_err(|why| self.unreadable("a user's row", &why))?;
        let after = Arc::new(self.without_what_is_over(before.clone(), self.clock.now_ms()));
        let change = Totals::between(&before, &after);
        let row = (key.into(), Arc::clone(&after));
        let entry = Entry { rows: smallvec![row], change, ..Entry::default() };
        let (_, group) = place.put(|_, _| entry)?;
        rows.insert(key.into(), (after, group));
        Ok(())
    }

    pub(super) fn without_what_is_over(&self, mut row: Row, now_ms: TimeMs) -> Row {
        row.expire_pending(now_ms);
        row.expire_activations(now_ms.saturating_sub(self.settings.activation_retention_ms));
        row
    }

    /// A row as it is when everything in flight is stored.
    pub(super) fn row(&self, in_flight: &Rows, key: &RowKey) -> Result<Arc<Row>, Error> {
        if let Some((row, _)) = in_flight.get(key) {
            return Ok(Arc::clone(row));
        }
        let Some(bytes) = self.engine.get(Space::Rows, key)? else { return Ok(Arc::default()) };
        let row = unpacked_row(&bytes, &self.names);
        row.map(Arc::new).map_err(|why| self.unreadable("a user's row", &why))
    }

    /// The events of late credits, and the places of those whose events are gone.
    pub(super) fn late_conversions(
        &self,
        row: &Row,
        late: &[LateCredit],
    ) -> Result<LateConversions, Error> {
        conversions_of(row, late, |held| self.event_of(held))
    }

    /// The event that a row's pending event is about; `None` where its record is gone.
    fn event_of(&self, held: &Held) -> Result<Option<Arc<TrackedEvent>>, Error> {
        if let Some(event) = &held.event {
            return Ok(Some(Arc::clone(event)));
        }
        let key = held.sequence.to_be_bytes();
        let Some(bytes) = self.engine.get(Space::Outbox, &key)? else { return Ok(None) };
        match unpacked_record(&bytes, &self.names)
            .map_err(|why| self.unreadable("a record", &why))?
        {
            Record::Conversion(record) => Ok(Some(record.event)),
            _ => Ok(None),
        }
    }
}

impl Turn<'_> {
    pub(super) fn take_impression(
        mut self,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome> {
        let shown = impression.shows();
        let before = match shown.as_ref().map(|_| self.row()).transpose() {
            Ok(row) => row.unwrap_or_default(),
            Err(error) => {
                refuse(&mut self.place, error);
                Arc::default()
            }
        };
        let fact = shown.as_deref().map(|shown| ActivationFact {
            shown,
            time_ms: self.time_ms,
            received_at_ms: self.received_at_ms,
        });
        let held_before = Totals::of_row(&before);
        let before = Arc::unwrap_or_clone(before);
        let mut after = self.inner.without_what_is_over(before, self.received_at_ms);
        let plan = fact
            .as_ref()
            .map(|fact| plan_activation(&after, &self.environment, &self.rules, fact))
            .unwrap_or_default();
        let (late, gone) = match self.inner.late_conversions(&after, &plan.late_credits) {
            Ok(late) => late,
            Err(error) => {
                refuse(&mut self.place, error);
                Default::default()
            }
        };
        // Its record was taken away for the room that it took: nothing can claim it any more.
        let lost_events = after.forget_pending(&gone) as u64;
        let outcome = ImpressionOutcome {
            duplicate: false,
            time_ms: self.time_ms,
            first: plan.first,
            crossover: plan.crossover,
            late_credits: late.iter().map(|(_, credit)| credit.clone()).collect(),
        };
        let given = impression.attributes;
        let (recorded, are_other) = recorded_attributes(impression, &after, self.time_ms);
        let attributes = GivenAttributes::Recorded(&recorded);
        let impression = &NewImpression { attributes, ..*impression };
        let mut row = None;
        let mut forgotten = 0;
        if let Some(fact) = &fact {
            let attributes = if are_other { given } else { attributes };
            let attributes = (attributes, &**impression.datafile);
            let bounds = self.inner.settings.bounds();
            forgotten =
                after.commit_activation(fact, &plan, attributes, &bounds).activations as u64;
            row = Some(Arc::new(after));
        }
        let change = row.as_ref().map(|row| held_before.until(row)).unwrap_or_default();
        let acceptance = self.acceptance(impression.id.map(Into::into));
        let impression = Impression::from(impression);
        let record = ImpressionRecord::new(impression, plan.first, acceptance);
        let mut records = vec![Record::Impression(record)];
        if let Some(row) = &row {
            records.extend(late.into_iter().map(|(event, credit)| late_record(row, event, credit)));
        }
        let is_clamped = self.is_clamped;
        let inner = self.inner;
        let receipt = self.put(records, row, change, |_, _| {});
        if receipt.refusal().is_none() {
            inner.count(|counts| {
                counts.crossovers += u64::from(plan.crossover);
                counts.clamped_times += u64::from(is_clamped);
                counts.forgotten_activations += forgotten;
                counts.forgotten_events += lost_events;
            });
        }
        Recorded { outcome, receipt }
    }

    pub(super) fn take_event(mut self, mut event: Event) -> Recorded<EventOutcome> {
        let before = match self.row() {
            Ok(row) => row,
            Err(error) => {
                refuse(&mut self.place, error);
                Arc::default()
            }
        };
        let held_before = Totals::of_row(&before);
        let before = Arc::unwrap_or_clone(before);
        let mut after = self.inner.without_what_is_over(before, self.received_at_ms);
        let is_unknown_user = after.activation_count() == 0;
        let acceptance = self.acceptance(event.envelope.id.take());
        let fact = EventFact { id: &acceptance.id, time_ms: self.time_ms };
        let plan = plan_event(&after, &self.environment, &self.rules, &fact, event.ties());
        let inherited = after.attributes_at(self.time_ms).filter(|_| event.attributes.is_none());
        let inherited = inherited.cloned();
        let outcome = EventOutcome {
            duplicate: false,
            made_id: acceptance.id.made(),
            time_ms: self.time_ms,
            credits: plan.credits.clone(),
            reason: plan.reason,
            early_by_ms: plan.early_by_ms,
        };
        let claimable_until_ms = self.rules.claimable_until_ms(self.received_at_ms);
        let tied = claimable_until_ms.map(|_| event.running_ties()).unwrap_or_default();
        let event = Arc::new(TrackedEvent::new(event, acceptance));
        let records =
            vec![Record::Conversion(ConversionRecord::new(event.clone(), plan.credits, inherited))];
        let is_clamped = self.is_clamped;
        let (inner, bounds) = (self.inner, self.inner.settings.bounds());
        let mut forgotten = 0;
        let receipt =
            if let Some(claimable_until_ms) = claimable_until_ms.filter(|_| !tied.is_empty()) {
                let (time_ms, received_at_ms) = (self.time_ms, self.received_at_ms);
                let id = event.about.id.clone();
                self.put(records, None, Totals::default(), |entry, key| {
                    let held = Held { sequence: entry.first_sequence, event: Some(event) };
                    let pending = PendingEvent {
                        id,
                        time_ms,
                        received_at_ms,
                        claimable_until_ms,
                        tied,
                        event: held,
                    };
                    forgotten = after.commit_pending(pending, &bounds).pending_events as u64;
                    entry.claimable_until_ms = Some(claimable_until_ms);
                    entry.change = entry.change.plus(held_before.until(&after));
                    entry.rows.push((key.into(), Arc::new(after)));
                })
            } else {
                self.put(records, None, Totals::default(), |_, _| {})
            };
        if receipt.refusal().is_none() {
            inner.count(|counts| {
                counts.unknown_user_events += u64::from(is_unknown_user);
                counts.clamped_times += u64::from(is_clamped);
                counts.forgotten_events += forgotten;
            });
        }
        Recorded { outcome, receipt }
    }

    fn forget(self) -> Result<(bool, Receipt), Error> {
        let before = self.row()?;
        if before.is_empty() {
            return Ok((false, Receipt::stored()));
        }
        let change = Totals::between(&before, &Row::default());
        Ok((true, self.put(Vec::new(), Some(Arc::default()), change, |_, _| {})))
    }

    fn row(&self) -> Result<Arc<Row>, Error> {
        self.inner.row(&self.rows, &self.key)
    }

    fn acceptance(&self, id: Option<Box<str>>) -> Acceptance {
        Acceptance {
            id: EntryId::given_or_new(id),
            environment: Arc::clone(&self.environment),
            time_ms: self.time_ms,
            received_at_ms: self.received_at_ms,
        }
    }

    /// Hands the entry to the committer; `finish` sees the numbers of its records.
    fn put(
        self,
        records: Vec<Record>,
        row: Option<Arc<Row>>,
        change: Totals,
        finish: impl FnOnce(&mut Entry, &[u8]),
    ) -> Receipt {
        let Self { inner, place, mut rows, key, rules, received_at_ms, id, .. } = self;
        let count = records.len() as u64;
        let accepted = id.as_ref().map(|claim| claim.accepted(&rules, received_at_ms));
        let mut landed = None;
        let queued = place.and_then(|place| {
            place.put(|numbers, group| {
                let rows = row.into_iter().map(|row| (key.clone(), row)).collect();
                let first_sequence = numbers.sequence;
                numbers.sequence += count;
                let mut entry = Entry {
                    first_sequence,
                    records,
                    rows,
                    id: accepted,
                    change,
                    ..Entry::default()
                };
                finish(&mut entry, &key);
                landed = entry.rows.first().map(|(_, row)| (Arc::clone(row), group));
                entry
            })
        });
        match queued {
            Ok((commit, _)) => {
                if let Some(in_flight) = landed {
                    rows.insert(key, in_flight);
                }
                if let Some(claim) = id {
                    claim.fly(&commit);
                }
                Receipt::of_commit(commit)
            }
            Err(error) => {
                inner.count(|counts| counts.refused_records += count);
                Receipt::refused(error)
            }
        }
    }
}

/// The attributes of an impression as they are kept, and whether the user has others at that time. Mostly they
/// are the same, or there are none: then they are made once at most.
fn recorded_attributes(
    impression: &NewImpression<'_>,
    row: &Row,
    time_ms: TimeMs,
) -> (Attributes, bool) {
    let (given, datafile) = (impression.attributes, impression.datafile);
    match row.attributes_at(time_ms) {
        Some(kept) if given.are_kept_as(kept, datafile) => (kept.clone(), false),
        others => (given.to_recorded(datafile), others.is_some()),
    }
}

/// The record of a late credit of an event that waits in a row.
pub(super) fn late_record(row: &Row, event: Arc<TrackedEvent>, credit: Credit) -> Record {
    let inherited = row.attributes_at(event.about.time_ms).filter(|_| event.attributes.is_none());
    let inherited = inherited.cloned();
    Record::Conversion(ConversionRecord::late(event, credit, inherited))
}

/// Takes a place away; where there was none, the cause of that says more.
pub(super) fn refuse(place: &mut Result<Place<'_>, Error>, why: Error) {
    if place.is_ok() {
        *place = Err(Error::not_stored(why));
    }
}

/// The key of a user's row. The engine takes keys up to 65 535 bytes: a longer id is stood for by its
/// UUIDv5, behind a byte that no text has.
pub(super) fn row_key(environment: u32, user_id: &str) -> RowKey {
    let environment = environment.to_be_bytes();
    if user_id.len() <= LONGEST_USER_ID_IN_KEY {
        return [&environment[..], user_id.as_bytes()].concat().into();
    }
    let stand_in = Uuid::new_v5(&ID_NAMESPACE, user_id.as_bytes());
    [&environment[..], &[0xff], stand_in.as_bytes()].concat().into()
}
