//! The attribution rule: what an activation or event means for a user's row.
//!
//! Must not know clocks, locks or I/O, and changes nothing. An event is credited to an experiment iff
//! that was tied to it and running when it was accepted, and the *first* activation of the experiment
//! is at or before the event (and not too long before). First is the earliest time, at equal times
//! the smaller variation id, so that the order of arrival cannot matter. By induction over arrivals,
//! what was issued for a pending event is always what the rule says of the row as it stands: hence a
//! new first has to report the difference, and nothing else but a merge ever has to (see `merge`).

use std::sync::Arc;

use super::credit::{Credit, credit_id};
use super::entry_id::EntryId;
use super::outcome::NotCredited;
use super::row::{Activation, PendingEvent, UserRow};
use super::rules::{Rules, Standing};
use super::tie::Tie;
use crate::clock::TimeMs;
use crate::datafile::Shown;

/// An activation, as far as the rule is concerned.
#[derive(Debug, Clone, Copy)]
pub struct ActivationFact<'a> {
    /// The experiment or holdout, and the variation that was shown.
    pub shown: &'a Arc<Shown>,
    /// When it happened.
    pub time_ms: TimeMs,
    /// When it was received.
    pub received_at_ms: TimeMs,
}

/// What an activation means for a row.
#[derive(Debug, Clone, Default)]
pub struct ActivationPlan {
    /// See [`ImpressionOutcome::first`](super::ImpressionOutcome::first).
    pub first: bool,
    /// See [`ImpressionOutcome::crossover`](super::ImpressionOutcome::crossover).
    pub crossover: bool,
    /// What it gives, corrects and withdraws.
    pub late_credits: Vec<LateCredit>,
    /// Where it is the earliest now: what it showed.
    pub(super) new_first: Option<Arc<Shown>>,
    /// The place of the experiment in the row, where it has one.
    pub(super) place: Option<usize>,
}

/// A credit that an activation gives to, or takes from, an event that was received before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateCredit {
    /// The event's place in [`UserRow::pending`].
    pub pending_place: usize,
    /// The credit.
    pub credit: Credit,
}

/// An event, as far as the rule is concerned.
#[derive(Debug, Clone, Copy)]
pub struct EventFact<'a> {
    /// Its id.
    pub id: &'a EntryId,
    /// When it happened.
    pub time_ms: TimeMs,
}

/// What an event means for a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventPlan {
    /// See [`EventOutcome::credits`](super::EventOutcome::credits).
    pub credits: Vec<Credit>,
    /// See [`EventOutcome::reason`](super::EventOutcome::reason).
    pub reason: Option<NotCredited>,
    /// See [`EventOutcome::early_by_ms`](super::EventOutcome::early_by_ms).
    pub early_by_ms: Option<i64>,
}

/// Says what an activation means for a row.
#[must_use]
pub fn plan_activation<E>(
    row: &UserRow<E>,
    environment: &str,
    rules: &Rules,
    fact: &ActivationFact<'_>,
) -> ActivationPlan {
    let place = row.place_of_shown(fact.shown).ok();
    let Some(held) = place.and_then(|place| row.activations.get(place)) else {
        let new_first = fact.shown.clone();
        let late_credits =
            late_credits(row, environment, rules, fact, &Move { from: None, to: &new_first });
        return ActivationPlan {
            first: true,
            crossover: false,
            late_credits,
            new_first: Some(new_first),
            place,
        };
    };
    let is_same = Arc::ptr_eq(&held.shown, fact.shown)
        || *held.shown.variation_id == *fact.shown.variation_id;
    let crossover = !is_same && !held.is_crossed_over;
    let is_earlier = fact.time_ms < held.first_ms
        || (fact.time_ms == held.first_ms
            && !is_same
            && *fact.shown.variation_id < *held.shown.variation_id);
    if !is_earlier {
        return ActivationPlan { crossover, place, ..ActivationPlan::default() };
    }
    let new_first = if is_same { held.shown.clone() } else { fact.shown.clone() };
    let late_credits =
        late_credits(row, environment, rules, fact, &Move { from: Some(held), to: &new_first });
    ActivationPlan { first: false, crossover, late_credits, new_first: Some(new_first), place }
}

/// Says what an event means for a row, given what is tied to it.
pub fn plan_event<'a, E>(
    row: &UserRow<E>,
    environment: &str,
    rules: &Rules,
    fact: &EventFact<'_>,
    ties: impl Iterator<Item = Tie<'a>>,
) -> EventPlan {
    let mut plan = EventPlan::default();
    let mut closest = NotCredited::NotTied;
    let (mut is_tied_to_experiment, mut is_tied_to_holdout) = (false, false);
    for tie in ties {
        is_tied_to_experiment |= !tie.is_holdout;
        is_tied_to_holdout |= tie.is_holdout;
        let held = row.activation_of(tie.experiment_id);
        let reason = match held {
            _ if !tie.is_running => NotCredited::NotRunning,
            None if tie.is_holdout => continue,
            None => NotCredited::NoActivation,
            Some(held) => match rules.standing(held.first_ms, fact.time_ms) {
                Standing::Credited => {
                    plan.credits.push(Credit {
                        id: credit_id(environment, fact.id, tie.experiment_id),
                        experiment: held.shown.clone(),
                        activated_at_ms: held.first_ms,
                        replaces: false,
                        redated: false,
                        withdrawn: false,
                    });
                    continue;
                }
                Standing::OutsideWindow => NotCredited::OutsideWindow,
                Standing::BeforeActivation { by_ms } => {
                    plan.early_by_ms =
                        Some(plan.early_by_ms.map_or(by_ms, |least_ms| least_ms.min(by_ms)));
                    NotCredited::BeforeActivation
                }
            },
        };
        closest = closest.max(reason);
    }
    if closest == NotCredited::NotTied && !is_tied_to_experiment && is_tied_to_holdout {
        closest = NotCredited::NoActivation;
    }
    plan.reason = plan.credits.is_empty().then_some(closest);
    if plan.reason != Some(NotCredited::BeforeActivation) {
        plan.early_by_ms = None;
    }
    plan
}

/// A new first activation of an experiment, and the one in whose place it comes.
struct Move<'a> {
    from: Option<&'a Activation>,
    to: &'a Arc<Shown>,
}

fn late_credits<E>(
    row: &UserRow<E>,
    environment: &str,
    rules: &Rules,
    fact: &ActivationFact<'_>,
    moved: &Move<'_>,
) -> Vec<LateCredit> {
    let is_claimable = |event: &PendingEvent<E>| {
        event.claimable_until_ms > fact.received_at_ms
            && event.tied.iter().any(|id| *id == fact.shown.experiment_id)
    };
    let claimable = row.pending().enumerate().filter(|(_, event)| is_claimable(event));
    let claimed = claimable.filter_map(|(pending_place, event)| {
        let is_credited = |first_ms| rules.standing(first_ms, event.time_ms) == Standing::Credited;
        let earlier = moved.from.filter(|held| is_credited(held.first_ms));
        let withdrawn = !is_credited(fact.time_ms);
        let (experiment, activated_at_ms) = match earlier {
            None if withdrawn => return None,
            Some(earlier) if withdrawn => (&earlier.shown, earlier.first_ms),
            _ => (moved.to, fact.time_ms),
        };
        let is_same_variation =
            earlier.is_some_and(|earlier| earlier.shown.variation_id == experiment.variation_id);
        let credit = Credit {
            id: credit_id(environment, &event.id, &fact.shown.experiment_id),
            experiment: experiment.clone(),
            activated_at_ms,
            replaces: earlier.is_some(),
            redated: is_same_variation && !withdrawn,
            withdrawn,
        };
        Some(LateCredit { pending_place, credit })
    });
    claimed.collect()
}
