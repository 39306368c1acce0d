//! A user's row of the ledger: first activations, events that wait for late ones, attributes.
//!
//! Must not know clocks or locks, nor how rows are kept. What an event is beyond its id, time and
//! ties is the store's business (`E`): one in memory holds it, one on disk may leave it packed.

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;

use super::attributes::{Attributes, GivenAttributes};
use super::entry_id::EntryId;
use super::history::{AttributeHistory, AttributeSpan};
use super::plan::{ActivationFact, ActivationPlan};
use crate::clock::TimeMs;
use crate::datafile::{Datafile, Shown};

/// A user's row of the ledger.
#[derive(Debug, Clone)]
pub struct UserRow<E> {
    /// In the order of their experiments' ids.
    pub(super) activations: SmallVec<[Activation; 1]>,
    /// In the order of receipt. Few users have any: theirs are kept apart, so that rows are small.
    #[expect(clippy::box_collection, reason = "a deque is four words, and most rows have none")]
    pub(super) pending: Option<Box<VecDeque<PendingEvent<E>>>>,
    pub(super) history: AttributeHistory,
}

/// What the ledger remembers of a user's activations of one experiment or holdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The experiment or holdout, and the variation that was shown first.
    pub shown: Arc<Shown>,
    /// When it was shown first.
    pub first_ms: TimeMs,
    /// When an activation of it was received last.
    pub last_received_ms: TimeMs,
    /// Whether the user was seen in another variation, too.
    pub is_crossed_over: bool,
}

/// An event that waits for activations that arrive after it.
#[derive(Debug, Clone)]
pub struct PendingEvent<E> {
    /// The event's id.
    pub id: EntryId,
    /// When it happened.
    pub time_ms: TimeMs,
    /// When it was received.
    pub received_at_ms: TimeMs,
    /// When it stops waiting, by the clock of receipts.
    pub claimable_until_ms: TimeMs,
    /// The experiments and holdouts that were tied to it and running when it was accepted, without those
    /// of which a merge leaves nothing more to say.
    pub tied: Box<[Arc<str>]>,
    /// What the store keeps of it beyond that.
    pub event: E,
}

/// How much one row may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Activations; beyond it, the one whose experiment was not shown for the longest time goes.
    pub activations: usize,
    /// Pending events; beyond it, the one received first goes.
    pub pending_events: usize,
}

/// What a row had to forget before its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Activations.
    pub activations: usize,
    /// Pending events.
    pub pending_events: usize,
}

impl<E> Default for UserRow<E> {
    fn default() -> Self {
        Self { activations: SmallVec::new(), pending: None, history: AttributeHistory::default() }
    }
}

impl<E> UserRow<E> {
    /// A row put together again from its parts, as a store kept them.
    #[must_use]
    pub fn from_parts(
        activations: impl IntoIterator<Item = Activation>,
        pending: impl IntoIterator<Item = PendingEvent<E>>,
        attributes: impl IntoIterator<Item = AttributeSpan>,
    ) -> Self {
        let mut activations: SmallVec<[Activation; 1]> = activations.into_iter().collect();
        activations.sort_by(|one, other| one.shown.experiment_id.cmp(&other.shown.experiment_id));
        let pending: VecDeque<_> = pending.into_iter().collect();
        let pending = (!pending.is_empty()).then(|| Box::new(pending));
        Self { activations, pending, history: AttributeHistory::from_spans(attributes) }
    }

    /// The activations, in the order of their experiments' ids.
    #[must_use]
    pub fn activations(&self) -> &[Activation] {
        &self.activations
    }

    /// The attributes of the user's activations over time.
    #[must_use]
    pub fn attribute_spans(&self) -> &[AttributeSpan] {
        self.history.spans()
    }

    /// Lets go of activations that were received last before this time; gives how many.
    pub fn expire_activations(&mut self, before_ms: TimeMs) -> usize {
        let count = self.activations.len();
        self.activations.retain(|held| held.last_received_ms >= before_ms);
        count.saturating_sub(self.activations.len())
    }

    /// How many experiments and holdouts the user was activated in.
    #[must_use]
    pub fn activation_count(&self) -> usize {
        self.activations.len()
    }

    /// The events that wait for late activations, in the order of receipt.
    pub fn pending(&self) -> impl DoubleEndedIterator<Item = &PendingEvent<E>> + ExactSizeIterator {
        self.pending.as_deref().map(VecDeque::iter).unwrap_or_default()
    }

    /// The same, to be changed in what the store keeps of them.
    pub fn pending_mut(&mut self) -> impl Iterator<Item = &mut PendingEvent<E>> {
        self.pending.iter_mut().flat_map(|pending| pending.iter_mut())
    }

    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.activations.is_empty() && self.pending.is_none()
    }

    /// Whether both remember the same, whatever a store keeps of the events that wait.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&PendingEvent<E>, &PendingEvent<E>)| {
            (&one.id, one.claimable_until_ms, &one.tied)
                == (&other.id, other.claimable_until_ms, &other.tied)
        };
        self.activations == other.activations
            && self.history.spans() == other.history.spans()
            && self.pending().len() == other.pending().len()
            && self.pending().zip(other.pending()).all(is_same)
    }

    /// The attributes of the user's latest activation at or before a time.
    #[must_use]
    pub fn attributes_at(&self, time_ms: TimeMs) -> Option<&Attributes> {
        self.history.latest_at(time_ms)
    }

    /// Remembers an activation that means nothing for this row but that it was received: the same was shown
    /// before, not later, and the attributes are still the latest. Gives those; `None` where it may mean
    /// more, and nothing has changed.
    #[inline]
    pub fn commit_repeat(
        &mut self,
        fact: &ActivationFact<'_>,
        attributes: (GivenAttributes<'_>, &Datafile),
    ) -> Option<&Attributes> {
        let held = self.activations.iter_mut().find(|held| Arc::ptr_eq(&held.shown, fact.shown))?;
        if fact.time_ms < held.first_ms {
            return None;
        }
        let kept = self.history.note_latest(fact.time_ms, attributes)?;
        held.last_received_ms = held.last_received_ms.max(fact.received_at_ms);
        Some(kept)
    }

    /// Remembers an activation that was planned on this very row.
    pub fn commit_activation(
        &mut self,
        fact: &ActivationFact<'_>,
        plan: &ActivationPlan,
        attributes: (GivenAttributes<'_>, &Datafile),
        bounds: &Bounds,
    ) -> Forgotten {
        self.history.note(fact.time_ms, attributes);
        if let Some(held) = plan.place.and_then(|place| self.activations.get_mut(place)) {
            held.last_received_ms = held.last_received_ms.max(fact.received_at_ms);
            held.is_crossed_over |= plan.crossover;
            if let Some(shown) = &plan.new_first {
                held.shown = shown.clone();
                held.first_ms = fact.time_ms;
            }
            return Forgotten::default();
        }
        let (Err(place), Some(shown)) = (self.place_of_shown(fact.shown), plan.new_first.clone())
        else {
            return Forgotten::default();
        };
        let last_received_ms = fact.received_at_ms;
        let activation =
            Activation { shown, first_ms: fact.time_ms, last_received_ms, is_crossed_over: false };
        self.activations.insert(place, activation);
        Forgotten {
            activations: self.forget_activations(bounds.activations.max(1), place),
            ..Forgotten::default()
        }
    }

    /// Lets an event wait for activations that arrive after it.
    pub fn commit_pending(&mut self, event: PendingEvent<E>, bounds: &Bounds) -> Forgotten {
        self.pending.get_or_insert_default().push_back(event);
        self.bound_pending(bounds)
    }

    /// Lets go of the pending events that are too many.
    pub fn bound_pending(&mut self, bounds: &Bounds) -> Forgotten {
        let Some(pending) = &mut self.pending else { return Forgotten::default() };
        let excess = pending.len().saturating_sub(bounds.pending_events);
        pending.drain(..excess);
        self.let_go_of_empty();
        Forgotten { pending_events: excess, ..Forgotten::default() }
    }

    /// Lets go of the events that have waited long enough; gives how many.
    pub fn expire_pending(&mut self, now_ms: TimeMs) -> usize {
        let Some(pending) = &mut self.pending else { return 0 };
        let before = pending.len();
        // Mostly the first ones; but settings may have changed between two events.
        pending.retain(|event| event.claimable_until_ms > now_ms);
        let expired = before.saturating_sub(pending.len());
        self.let_go_of_empty();
        expired
    }

    /// Lets go of the pending event that was received first.
    pub fn forget_oldest_pending(&mut self) -> Option<PendingEvent<E>> {
        let oldest = self.pending.as_mut()?.pop_front();
        self.let_go_of_empty();
        oldest
    }

    /// Lets go of the pending events at these places, in the order of receipt; gives how many.
    pub fn forget_pending(&mut self, places: &[usize]) -> usize {
        let Some(pending) = self.pending.as_mut().filter(|_| !places.is_empty()) else { return 0 };
        let before = pending.len();
        let mut place = 0;
        pending.retain(|_| {
            place += 1;
            !places.contains(&(place - 1))
        });
        let forgotten = before.saturating_sub(pending.len());
        self.let_go_of_empty();
        forgotten
    }

    fn let_go_of_empty(&mut self) {
        self.pending.take_if(|pending| pending.is_empty());
    }

    pub(super) fn activation_of(&self, experiment_id: &str) -> Option<&Activation> {
        self.place_of(experiment_id).ok().and_then(|place| self.activations.get(place))
    }

    pub(super) fn place_of(&self, experiment_id: &str) -> Result<usize, usize> {
        self.activations.binary_search_by(|held| (*held.shown.experiment_id).cmp(experiment_id))
    }

    /// The same, for what was shown: mostly it is what was shown before, which is known without reading
    /// its names.
    #[inline]
    pub(super) fn place_of_shown(&self, shown: &Arc<Shown>) -> Result<usize, usize> {
        match self.activations.iter().position(|held| Arc::ptr_eq(&held.shown, shown)) {
            Some(place) => Ok(place),
            None => self.place_of(&shown.experiment_id),
        }
    }

    fn forget_activations(&mut self, limit: usize, newest: usize) -> usize {
        if self.activations.len() <= limit {
            return 0;
        }
        let others = self.activations.iter().enumerate().filter(|&(place, _)| place != newest);
        let Some((oldest, _)) = others.min_by_key(|(_, held)| held.last_received_ms) else {
            return 0;
        };
        self.activations.remove(oldest);
        1
    }
}
