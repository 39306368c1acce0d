//! What calls on experiments are asked, and what they answer.
//!
//! Must not know how it comes about.

use std::sync::Arc;

use arc_swap::Guard;

use super::capture::Stamp;
use super::snapshot::InForce;
use crate::attribution::ImpressionOutcome;
use crate::clock::TimeMs;
use crate::datafile::{Datafile, Rule, RuleIndex, Variation, VariationIndex};
use crate::decide::{ExperimentDecision, How};
use crate::store::Receipt;

/// What [`UserContext::activate`](super::UserContext::activate) is asked: an experiment key, and what may go with it.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Activate<'a> {
    pub(super) experiment_key: &'a str,
    pub(super) stamp: Stamp<'a>,
}

impl<'a> Activate<'a> {
    /// Asks for an experiment.
    pub fn new(experiment_key: &'a str) -> Self {
        Self { experiment_key, stamp: Stamp::default() }
    }

    /// Gives the activation an id: a repeat with the same id is not counted. Ids are unique in the
    /// environment, not per user; an empty one is none.
    pub fn id(mut self, id: &'a str) -> Self {
        self.stamp.id = Some(id);
        self
    }

    /// Gives the activation a time, in milliseconds since the epoch.
    pub fn time_ms(mut self, time_ms: TimeMs) -> Self {
        self.stamp.time_ms = Some(time_ms);
        self
    }
}

impl<'a> From<&'a str> for Activate<'a> {
    fn from(experiment_key: &'a str) -> Self {
        Self::new(experiment_key)
    }
}

impl<'a> From<&'a String> for Activate<'a> {
    fn from(experiment_key: &'a String) -> Self {
        Self::new(experiment_key)
    }
}

/// The variation that an experiment gives to a user, if any. Holds on to the datafile it is from.
pub struct Chosen<'s> {
    pub(super) in_force: InForce<'s>,
    pub(super) chosen: Option<(RuleIndex, VariationIndex)>,
    pub(super) how: How,
    /// The variation itself, where the caller holds the datafile: what is loaded cannot be borrowed here.
    held: Option<&'s Variation>,
}

impl<'s> Chosen<'s> {
    /// The variation's key; `None` if the user gets no variation, or there is no such experiment.
    #[inline]
    #[must_use]
    pub fn variation_key(&self) -> Option<&str> {
        self.variation().map(Variation::key)
    }

    /// The variation.
    #[inline]
    #[must_use]
    pub fn variation(&self) -> Option<&Variation> {
        let InForce::Loaded(datafile) = &self.in_force else { return self.held };
        let (rule, variation) = self.chosen?;
        datafile.as_ref()?.rule(rule)?.variation(variation)
    }

    /// Nothing was chosen.
    #[inline]
    pub(super) const fn nothing(in_force: InForce<'s>, how: How) -> Self {
        Self { in_force, chosen: None, how, held: None }
    }

    /// What was decided by a datafile that was loaded for the call.
    #[inline(always)]
    pub(super) fn loaded(
        in_force: Guard<Option<Arc<Datafile>>>,
        experiment: RuleIndex,
        decided: ExperimentDecision,
    ) -> Self {
        let chosen = decided.variation.map(|variation| (experiment, variation));
        Self { in_force: InForce::Loaded(in_force), chosen, how: decided.how, held: None }
    }

    /// What was decided by a datafile that the caller holds.
    #[inline(always)]
    pub(super) fn held(
        datafile: &'s Arc<Datafile>,
        (index, rule): (RuleIndex, &'s Rule),
        decided: ExperimentDecision,
    ) -> Self {
        Self {
            in_force: InForce::Held(Some(datafile)),
            chosen: decided.variation.map(|variation| (index, variation)),
            how: decided.how,
            held: decided.variation.and_then(|variation| rule.variation(variation)),
        }
    }

    /// The experiment, where it has a variation for the user.
    pub(super) fn rule(&self) -> Option<&Rule> {
        let (rule, _) = self.chosen?;
        self.in_force.datafile()?.rule(rule)
    }

    /// Makes it the variation that its key stands for. Both SDKs look the variation up again by its key
    /// when they report an activation, which matters where a feature rollout borrows a variation whose
    /// key the experiment has, too.
    #[inline]
    pub(super) fn resolve_by_key(&mut self) {
        let Some((datafile, (index, variation))) = self.in_force.datafile().zip(self.chosen) else {
            return;
        };
        let Some(rule) = datafile.rule(index).filter(|rule| rule.has_ambiguous_keys()) else {
            return;
        };
        let key = rule.variation(variation).map(Variation::key);
        if let Some(variation) = key.and_then(|key| rule.variation_by_key.get(key).copied()) {
            self.chosen = Some((index, variation));
            if let InForce::Held(Some(datafile)) = self.in_force {
                self.held = datafile.rule(index).and_then(|rule| rule.variation(variation));
            }
        }
    }

    /// Which step decided.
    #[must_use]
    pub fn how(&self) -> How {
        self.how
    }
}

impl std::fmt::Debug for Chosen<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Chosen")
            .field("variation_key", &self.variation_key())
            .field("how", &self.how)
            .finish()
    }
}

/// What became of an activation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Activated<'s> {
    /// The variation to show.
    pub chosen: Chosen<'s>,
    /// What the ledger made of it, or would have if it was refused; `None` where there was no variation,
    /// so nothing to record.
    pub outcome: Option<ImpressionOutcome>,
    /// Tells when it is stored, or that it was refused: full, or no datafile yet.
    pub receipt: Receipt,
}

impl Activated<'_> {
    /// The key of the variation to show; `None` if the user gets none.
    #[inline]
    #[must_use]
    pub fn variation_key(&self) -> Option<&str> {
        self.chosen.variation_key()
    }
}
