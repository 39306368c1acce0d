//! A merge: one turn of two users, one entry with both rows.
//!
//! Must not know the rule, nor the engine.

use std::sync::Arc;

use super::Inner;
use super::entry::{Entry, Row, Totals};
use super::flight::Turns;
use super::ids::{Claim, Claimed};
use super::queue::Place;
use super::turn::{Arriving, late_record, refuse, row_key};
use crate::attribution::{
    Credit, MergeOutcome, MergePlan, NewMerge, Record, Rules, TrackedEvent, plan_merge,
};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::durable::wire::Held;
use crate::store::{Receipt, Recorded};

/// A merge in its turn.
struct Merging<'s> {
    inner: &'s Inner,
    environment: Arc<str>,
    rules: &'s Rules,
    turns: Turns<'s>,
    received_at_ms: TimeMs,
}

/// Both rows as they were and as they will be, and what comes of it.
struct Merged {
    into: [Arc<Row>; 2],
    from: [Arc<Row>; 2],
    outcome: MergeOutcome,
    records: Vec<Record>,
    crossovers: u64,
    forgotten_activations: u64,
    forgotten_events: u64,
}

impl Inner {
    pub(super) fn merge(
        &self,
        environment: &str,
        rules: &Rules,
        merge: &NewMerge<'_>,
    ) -> Recorded<MergeOutcome> {
        // Waiting for room must come before any lock.
        let mut place = self.queue.place();
        let environment: Arc<str> = environment.into();
        let number = self.names.environments.number_of(&environment);
        let keys = [merge.into_user_id, merge.from_user_id].map(|id| row_key(number, id));
        let turns = self.flight.turns(keys);
        let received_at_ms = self.clock.now_ms();
        let arriving = Arriving {
            kind: "merge",
            environment: &environment,
            rules,
            origin: merge.origin,
            user_id: merge.into_user_id,
            id: merge.id,
            time_ms: None,
        };
        let claim = match self.claim_id(&arriving, received_at_ms) {
            Ok(Claimed::Repeat(receipt)) => {
                return Recorded { outcome: MergeOutcome::repeated(), receipt };
            }
            Ok(Claimed::Free(claim)) => claim,
            Err(error) => {
                refuse(&mut place, error);
                None
            }
        };
        let mut merging =
            Merging { inner: self, environment: environment.clone(), rules, turns, received_at_ms };
        let merged = merging.merged().unwrap_or_else(|error| {
            refuse(&mut place, error);
            None
        });
        merging.put(place, claim, merged)
    }
}

impl Merging<'_> {
    /// `None` where it means nothing: there is no such user, or it is the same one.
    fn merged(&mut self) -> Result<Option<Merged>, Error> {
        let Some([into_before, from_before]) = self.rows()? else { return Ok(None) };
        let inner = self.inner;
        let living = |row: &Row| inner.without_what_is_over(row.clone(), self.received_at_ms);
        let (into, from) = (living(&into_before), living(&from_before));
        let bounds = inner.settings.bounds();
        let mut plan = plan_merge(into, from, &self.environment, self.rules, &bounds);
        let (late, gone) = inner.late_conversions(&plan.into, &plan.late_credits)?;
        let mut forgotten_events = plan.forgotten.pending_events;
        forgotten_events += plan.into.forget_pending(&gone);
        let records = records(&plan, &late);
        forgotten_events += plan.into.bound_pending(&bounds).pending_events;
        let late_credits = late.into_iter().map(|(_, credit)| credit).collect();
        Ok(Some(Merged {
            outcome: MergeOutcome { late_credits, ..MergeOutcome::from(&plan) },
            records,
            crossovers: plan.crossovers as u64,
            forgotten_activations: plan.forgotten.activations as u64,
            forgotten_events: forgotten_events as u64,
            into: [into_before, Arc::new(plan.into)],
            from: [from_before, Arc::new(plan.from)],
        }))
    }

    fn rows(&mut self) -> Result<Option<[Arc<Row>; 2]>, Error> {
        if self.turns.is_one_user() {
            return Ok(None);
        }
        let [into, from] = self.turns.keys().clone();
        let from = self.inner.row(self.turns.rows(false), &from)?;
        if from.is_empty() {
            return Ok(None);
        }
        Ok(Some([self.inner.row(self.turns.rows(true), &into)?, from]))
    }

    /// Hands it to the committer, of the rows those that changed. Where there is nothing to store it goes there
    /// all the same if what it was judged by is in flight, so that it is stored before this is.
    fn put(
        mut self,
        place: Result<Place<'_>, Error>,
        claim: Option<Claim<'_>>,
        merged: Option<Merged>,
    ) -> Recorded<MergeOutcome> {
        let accepted = claim.as_ref().map(|claim| claim.accepted(self.rules, self.received_at_ms));
        let mut entry = Entry { id: accepted, ..Entry::default() };
        let mut outcome = MergeOutcome::default();
        let mut counted = [0; 3];
        let mut is_first_changed = false;
        if let Some(merged) = merged {
            for (is_first, [before, after]) in [(true, merged.into), (false, merged.from)] {
                if !after.says_the_same(&before) {
                    is_first_changed |= is_first;
                    entry.change = entry.change.plus(Totals::between(&before, &after));
                    entry.rows.push((self.turns.key(is_first).clone(), after));
                }
            }
            entry.records = merged.records;
            outcome = merged.outcome;
            counted = [merged.crossovers, merged.forgotten_activations, merged.forgotten_events];
        }
        let is_nothing = entry.rows.is_empty() && entry.records.is_empty() && claim.is_none();
        if is_nothing && place.is_ok() && !self.turns.are_in_flight() {
            return Recorded { outcome, receipt: Receipt::stored() };
        }
        let rows = entry.rows.clone();
        let count = entry.records.len() as u64;
        let queued = place.and_then(|place| {
            place.put(|numbers, _| {
                entry.first_sequence = numbers.sequence;
                numbers.sequence += count;
                entry
            })
        });
        let receipt = match queued {
            Ok((commit, group)) => {
                for ((key, row), is_first) in rows.into_iter().zip([is_first_changed, false]) {
                    self.turns.rows(is_first).insert(key, (row, group));
                }
                if let Some(claim) = claim {
                    claim.fly(&commit);
                }
                let [crossovers, activations, events] = counted;
                self.inner.count(|counts| {
                    counts.crossovers += crossovers;
                    counts.forgotten_activations += activations;
                    counts.forgotten_events += events;
                });
                Receipt::of_commit(commit)
            }
            Err(error) => {
                self.inner.count(|counts| counts.refused_records += count);
                Receipt::refused(error)
            }
        };
        Recorded { outcome, receipt }
    }
}

fn records(plan: &MergePlan<Held>, late: &[(Arc<TrackedEvent>, Credit)]) -> Vec<Record> {
    let record = |(event, credit): &(Arc<TrackedEvent>, Credit)| {
        late_record(&plan.into, Arc::clone(event), credit.clone())
    };
    late.iter().map(record).collect()
}
