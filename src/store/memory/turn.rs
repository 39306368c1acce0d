//! One entry's turn: plan, refuse or commit, report. Runs under the lock of the user's shard.
//!
//! Must not know clocks: the entry was dated when its turn began. Nothing may return between the
//! place in the outbox being promised and the records being put there.

use std::sync::Arc;

use super::captured::Moment;
use super::ids::Claim;
use super::records::WaitingRecords;
use super::shard::{Held, Shard, UserKey};
use crate::attribution::{
    Acceptance, ActivationFact, ActivationPlan, Attributes, ConversionRecord, EntryId, Event,
    EventFact, EventOutcome, EventPlan, ImpressionOutcome, LateCredit, NewImpression, PendingEvent,
    Record, Rules, Shown, TrackedEvent, UserRow, plan_activation, plan_event,
};
use crate::clock::TimeMs;
use crate::store::{Receipt, Recorded};

/// When an entry happened and was received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    pub(super) time_ms: TimeMs,
    pub(super) received_at_ms: TimeMs,
    pub(super) is_clamped: bool,
}

/// Where an entry belongs, and the rules there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) environment: &'a str,
    pub(super) rules: &'a Rules,
    /// Of environment and user.
    pub(super) hash: u64,
}

/// What an entry's turn works with.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) shard: &'a mut Shard,
    pub(super) records: &'a WaitingRecords,
    /// The caller's id under its lock, if there is one.
    pub(super) claim: Option<Claim<'a>>,
    pub(super) place: Place<'a>,
    pub(super) dates: Dates,
}

impl<'a> Turn<'a> {
    pub(super) fn take_impression(
        mut self,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome> {
        let shown = impression.shows();
        let fact = shown.as_deref().map(|shown| self.fact(shown));
        let slot = fact.and_then(|_| self.shard.find(&self.user(impression.user_id)));
        let promised = self.records.reserve();
        if promised.is_ok() && self.take_repeat(impression, fact.as_ref(), slot) {
            let outcome = ImpressionOutcome { time_ms: self.dates.time_ms, ..Default::default() };
            return Recorded { outcome, receipt: Receipt::stored() };
        }
        let plan = self.plan_impression(fact.as_ref(), slot);
        let outcome = ImpressionOutcome {
            duplicate: false,
            time_ms: self.dates.time_ms,
            first: plan.first,
            crossover: plan.crossover,
            late_credits: plan.late_credits.iter().map(|late| late.credit.clone()).collect(),
        };
        if let Err(refusal) = promised {
            self.shard.counts.refused_records += 1 + plan.late_credits.len() as u64;
            return Recorded { outcome, receipt: Receipt::refused(refusal) };
        }
        self.accept();
        let slot = fact.and_then(|fact| self.commit_impression(impression, &fact, &plan, slot));
        if self.records.are_kept() {
            self.capture(impression, plan.first, self.attributes_to_capture(impression, slot));
            if !plan.late_credits.is_empty() {
                let row = slot.and_then(|slot| self.shard.row(slot));
                let late = row.map(|row| late_records(row, plan.late_credits));
                self.records.arrive_further(self.shard.captured.take(), late.unwrap_or_default());
            }
        }
        Recorded { outcome, receipt: Receipt::stored() }
    }

    /// Takes an impression that shows what its user was shown before, and tells nothing new: most of all
    /// impressions. Gives whether it was one; else nothing has changed.
    #[inline]
    fn take_repeat(
        &mut self,
        impression: &NewImpression<'_>,
        fact: Option<&ActivationFact<'_>>,
        slot: Option<usize>,
    ) -> bool {
        let row = slot.and_then(|slot| self.shard.row_mut(slot));
        let Some((row, fact)) = row.zip(fact) else { return false };
        let given = (impression.attributes, &**impression.datafile);
        let Some(kept) = row.commit_repeat(fact, given) else { return false };
        let attributes = Some(kept).filter(|kept| !kept.is_empty()).cloned();
        self.accept();
        if self.records.are_kept() {
            self.capture(impression, false, attributes);
        }
        true
    }

    /// The attributes that the row keeps, if it keeps them.
    fn attributes_to_capture(
        &self,
        impression: &NewImpression<'_>,
        slot: Option<usize>,
    ) -> Option<Attributes> {
        let row = slot.and_then(|slot| self.shard.row(slot));
        match row.and_then(|row| row.attributes_at(self.dates.time_ms)) {
            Some(kept) => Some(kept).filter(|kept| !kept.is_empty()).cloned(),
            None if impression.attributes.are_none() => None,
            None => Some(impression.attributes.to_recorded(impression.datafile)),
        }
    }

    #[inline]
    fn capture(
        &mut self,
        impression: &NewImpression<'_>,
        first: bool,
        attributes: Option<Attributes>,
    ) {
        let Dates { time_ms, received_at_ms, .. } = self.dates;
        let Shard { captured, environments, .. } = &mut *self.shard;
        let number = environments.number_or_new(self.place.environment);
        let environment = (number, || environments.shared(number));
        let moment = Moment { time_ms, received_at_ms, first };
        captured.push(environment, &self.records.rooms, impression, (attributes, moment));
        if captured.is_much() {
            self.records.arrive(captured.take(), []);
        }
    }

    pub(super) fn take_event(mut self, mut event: Event) -> Recorded<EventOutcome> {
        let id = EntryId::given_or_new(event.envelope.id.take());
        let slot = self.shard.find(&self.user(&event.envelope.user_id));
        let row = slot.and_then(|slot| self.shard.row(slot));
        let is_unknown_user = row.is_none_or(|row| row.activation_count() == 0);
        let fact = EventFact { id: &id, time_ms: self.dates.time_ms };
        let plan = plan_event(
            row.unwrap_or(&UserRow::default()),
            self.place.environment,
            self.place.rules,
            &fact,
            event.ties(),
        );
        let inherited = row
            .filter(|_| event.attributes.is_none())
            .and_then(|row| row.attributes_at(fact.time_ms));
        let inherited_attributes = inherited.cloned();
        // A client without sinks pays for no second copy.
        let recorded_credits = self.records.are_kept().then(|| plan.credits.clone());
        let outcome = self.event_outcome(&id, plan);
        if let Err(refusal) = self.records.reserve() {
            self.shard.counts.refused_records += 1;
            return Recorded { outcome, receipt: Receipt::refused(refusal) };
        }
        self.accept();
        self.shard.counts.unknown_user_events += u64::from(is_unknown_user);
        let tied = self.claimable_ties(&event);
        if recorded_credits.is_none() && tied.is_empty() {
            return Recorded { outcome, receipt: Receipt::stored() };
        }
        let acceptance = Acceptance {
            id,
            environment: self.shard.environment(self.place.environment),
            time_ms: self.dates.time_ms,
            received_at_ms: self.dates.received_at_ms,
        };
        let event = Arc::new(TrackedEvent::new(event, acceptance));
        self.let_wait(&event, tied);
        if let Some(credits) = recorded_credits {
            let record = ConversionRecord::new(event, credits, inherited_attributes);
            self.records.arrive(self.shard.captured.take(), [Record::Conversion(record)]);
        }
        Recorded { outcome, receipt: Receipt::stored() }
    }

    fn user<'b>(&self, user_id: &'b str) -> UserKey<'b>
    where
        'a: 'b,
    {
        UserKey { hash: self.place.hash, environment: self.place.environment, user_id }
    }

    /// The id and the counters of an entry that is accepted.
    fn accept(&mut self) {
        if let Some(claim) = self.claim.take() {
            claim.accept(
                self.dates.received_at_ms.saturating_add(self.place.rules.repeat_window_ms),
            );
        }
        self.shard.counts.clamped_times += u64::from(self.dates.is_clamped);
    }

    fn fact<'b>(&self, shown: &'b Arc<Shown>) -> ActivationFact<'b> {
        let Dates { time_ms, received_at_ms, .. } = self.dates;
        ActivationFact { shown, time_ms, received_at_ms }
    }

    fn plan_impression(
        &self,
        fact: Option<&ActivationFact<'_>>,
        slot: Option<usize>,
    ) -> ActivationPlan {
        let Some(fact) = fact else { return ActivationPlan::default() };
        let Place { environment, rules, .. } = self.place;
        match slot.and_then(|slot| self.shard.row(slot)) {
            Some(row) => plan_activation(row, environment, rules, fact),
            None => plan_activation(&UserRow::<Held>::default(), environment, rules, fact),
        }
    }

    /// Gives the place of the user's row.
    fn commit_impression(
        &mut self,
        impression: &NewImpression<'_>,
        fact: &ActivationFact<'_>,
        plan: &ActivationPlan,
        slot: Option<usize>,
    ) -> Option<usize> {
        let bounds = *self.shard.row_bounds();
        let user = self.user(impression.user_id);
        let slot = slot.unwrap_or_else(|| self.shard.make(&user));
        let row = self.shard.row_mut(slot)?;
        let attributes = (impression.attributes, &**impression.datafile);
        let forgotten = row.commit_activation(fact, plan, attributes, &bounds);
        self.shard.counts.activations += u64::from(plan.first);
        self.shard.counts.crossovers += u64::from(plan.crossover);
        self.shard.note_forgotten(forgotten);
        Some(slot)
    }

    fn event_outcome(&self, id: &EntryId, plan: EventPlan) -> EventOutcome {
        EventOutcome {
            duplicate: false,
            made_id: id.made(),
            time_ms: self.dates.time_ms,
            credits: plan.credits,
            reason: plan.reason,
            early_by_ms: plan.early_by_ms,
        }
    }

    /// What late activations can claim an event for: nothing where none is waited for.
    fn claimable_ties(&self, event: &Event) -> Box<[Arc<str>]> {
        match self.place.rules.claimable_until_ms(self.dates.received_at_ms) {
            Some(_) => event.running_ties(),
            None => Box::default(),
        }
    }

    /// Lets an event wait for late activations, if there can be any.
    fn let_wait(&mut self, event: &Arc<TrackedEvent>, tied: Box<[Arc<str>]>) {
        let Dates { time_ms, received_at_ms, .. } = self.dates;
        let Some(claimable_until_ms) =
            self.place.rules.claimable_until_ms(received_at_ms).filter(|_| !tied.is_empty())
        else {
            return;
        };
        let (id, kept) = (event.about.id.clone(), event.clone());
        let pending =
            PendingEvent { id, time_ms, received_at_ms, claimable_until_ms, tied, event: kept };
        self.shard.hold(&self.user(&event.about.user_id), pending);
    }
}

pub(super) fn late_records(row: &UserRow<Held>, credits: Vec<LateCredit>) -> Vec<Record> {
    let record = |late: LateCredit| {
        let pending = row.pending().nth(late.pending_place)?;
        let event = pending.event.event.clone();
        let inherited =
            row.attributes_at(pending.time_ms).filter(|_| event.attributes.is_none()).cloned();
        Some(Record::Conversion(ConversionRecord::late(event, late.credit, inherited)))
    };
    credits.into_iter().filter_map(record).collect()
}
