//! The merge rule: what it means that two user ids are one person.
//!
//! Must not know clocks, locks or I/O, nor how rows are kept. Of each experiment and holdout the id that is
//! merged into keeps its own activation, and what it lacks is copied, as it was. A merge only adds: no
//! credit that was given is changed or taken back by it. An event that is credited by an activation that
//! was not taken over is therefore no longer tied to that experiment: then what was issued for an event
//! that waits is again what the rule says of the row, or nothing is ever issued for it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::credit::{Credit, credit_id};
use super::outcome::MergeOutcome;
use super::plan::LateCredit;
use super::row::{Activation, Bounds, Forgotten, PendingEvent, UserRow};
use super::rules::{Rules, Standing};

/// A merge is stored in one piece, so there is an end to what it credits.
const MOST_LATE_CREDITS: usize = 10_000;

/// What a merge means for two rows, in which nothing is over.
#[derive(Debug, Clone)]
pub struct MergePlan<E> {
    /// The row of the id that is merged into, as it is then. All events of both wait in it, before it is
    /// held to its bounds: see [`UserRow::bound_pending`].
    pub into: UserRow<E>,
    /// The row of the other id, as it is then: its activations stay, and nothing waits there.
    pub from: UserRow<E>,
    /// How many activations are copied.
    pub copied: usize,
    /// How many events wait for the other id from now on.
    pub moved: usize,
    /// In how many experiments it shows, for the first time, that the user was in a second variation.
    pub crossovers: usize,
    /// Credits of events that wait in `into`, by activations that were the other id's.
    pub late_credits: Vec<LateCredit>,
    /// Activations for which there was no room; and events, because there was too much to credit at once.
    pub forgotten: Forgotten,
}

/// Says what it means that the user of one row is that of another one, too.
#[must_use]
pub fn plan_merge<E>(
    into: UserRow<E>,
    from: UserRow<E>,
    environment: &str,
    rules: &Rules,
    bounds: &Bounds,
) -> MergePlan<E> {
    let mut plan = MergePlan {
        moved: from.pending().len(),
        into: UserRow { history: into.history.joined(&from.history), ..UserRow::default() },
        from: UserRow {
            activations: from.activations.clone(),
            history: from.history.clone(),
            pending: None,
        },
        copied: 0,
        crossovers: 0,
        late_credits: Vec::new(),
        forgotten: Forgotten::default(),
    };
    plan.into.activations.clone_from(&into.activations);
    plan.take_over(&from.activations, bounds);
    plan.join_pending(into, from, environment, rules);
    plan.bound_credits();
    plan
}

impl<E> MergePlan<E> {
    /// What is there stays; what it lacks is copied as far as there is room, first what was shown last.
    fn take_over(&mut self, activations: &[Activation], bounds: &Bounds) {
        let mut lacking = Vec::new();
        for other in activations {
            let place = self.into.place_of(&other.shown.experiment_id);
            match place.ok().and_then(|place| self.into.activations.get_mut(place)) {
                Some(kept) => self.crossovers += usize::from(kept.note_same_person(other)),
                None => lacking.push(other),
            }
        }
        lacking.sort_by_key(|other| std::cmp::Reverse(other.last_received_ms));
        let room = bounds.activations.max(1).saturating_sub(self.into.activations.len());
        self.copied = lacking.len().min(room);
        self.forgotten.activations = lacking.len().saturating_sub(room);
        for other in lacking.into_iter().take(room) {
            if let Err(place) = self.into.place_of(&other.shown.experiment_id) {
                self.into.activations.insert(place, other.clone());
            }
        }
    }

    /// Events of both wait in the order of their receipt, and each is judged by what is new to it.
    fn join_pending(
        &mut self,
        mut into: UserRow<E>,
        mut from: UserRow<E>,
        environment: &str,
        rules: &Rules,
    ) {
        let mut own = into.pending.take().map(|pending| *pending).unwrap_or_default();
        let mut others = from.pending.take().map(|pending| *pending).unwrap_or_default();
        let mut joined = VecDeque::with_capacity(own.len() + others.len());
        loop {
            let is_own_next = match (own.front(), others.front()) {
                (Some(own), Some(other)) => own.received_at_ms <= other.received_at_ms,
                (own, _) => own.is_some(),
            };
            let (before, waiting) =
                if is_own_next { (&into, &mut own) } else { (&from, &mut others) };
            let Some(mut event) = waiting.pop_front() else { break };
            let credits = self.judge(before, &mut event, environment, rules);
            let pending_place = joined.len();
            let late = credits.into_iter().map(|credit| LateCredit { pending_place, credit });
            self.late_credits.extend(late);
            if !event.tied.is_empty() {
                joined.push_back(event);
            }
        }
        self.into.pending = (!joined.is_empty()).then(|| Box::new(joined));
    }

    /// Lets go of the events that were received first where there is more to credit than is stored at once.
    fn bound_credits(&mut self) {
        let excess = self.late_credits.len().saturating_sub(MOST_LATE_CREDITS);
        let last_over = excess.checked_sub(1).and_then(|place| self.late_credits.get(place));
        let Some(gone) = last_over.map(|late| late.pending_place.saturating_add(1)) else { return };
        // Of one event all is credited, or nothing.
        self.late_credits.retain(|late| late.pending_place >= gone);
        self.late_credits.iter_mut().for_each(|late| late.pending_place -= gone);
        for _ in 0..gone {
            drop(self.into.forget_oldest_pending());
        }
        self.forgotten.pending_events = gone;
    }

    /// The credits of an event that waited in a row by what is new to it, which is untied from what it must
    /// not be credited by any more.
    fn judge(
        &self,
        before: &UserRow<E>,
        event: &mut PendingEvent<E>,
        environment: &str,
        rules: &Rules,
    ) -> Vec<Credit> {
        let mut credits = Vec::new();
        let mut tied: Vec<Arc<str>> = std::mem::take(&mut event.tied).into_vec();
        tied.retain(|experiment_id| {
            let held = before.activation_of(experiment_id);
            let kept = self.into.activation_of(experiment_id);
            if let Some(held) = held {
                if kept.is_some_and(|kept| kept.is_same_first(held)) {
                    return true;
                }
                // Only where it was before what was held, nothing was ever said about it.
                let standing = rules.standing(held.first_ms, event.time_ms);
                if !matches!(standing, Standing::BeforeActivation { .. }) {
                    return false;
                }
            }
            let is_credited = |kept: &&Activation| {
                rules.standing(kept.first_ms, event.time_ms) == Standing::Credited
            };
            credits.extend(kept.filter(is_credited).map(|kept| Credit {
                id: credit_id(environment, &event.id, experiment_id),
                experiment: kept.shown.clone(),
                activated_at_ms: kept.first_ms,
                replaces: false,
                redated: false,
                withdrawn: false,
            }));
            true
        });
        event.tied = tied.into();
        credits
    }
}

impl<E> From<&MergePlan<E>> for MergeOutcome {
    fn from(plan: &MergePlan<E>) -> Self {
        Self {
            duplicate: false,
            copied_activations: plan.copied,
            moved_events: plan.moved,
            late_credits: plan.late_credits.iter().map(|late| late.credit.clone()).collect(),
        }
    }
}

impl Activation {
    /// Notes what the same person was shown under another id; gives whether that is seen to be a second
    /// variation for the first time.
    fn note_same_person(&mut self, other: &Self) -> bool {
        let is_second = self.shown.variation_id != other.shown.variation_id;
        let is_known = self.is_crossed_over || other.is_crossed_over;
        self.is_crossed_over = is_known || is_second;
        self.last_received_ms = self.last_received_ms.max(other.last_received_ms);
        is_second && !is_known
    }

    fn is_same_first(&self, other: &Self) -> bool {
        self.first_ms == other.first_ms && self.shown.variation_id == other.shown.variation_id
    }
}
