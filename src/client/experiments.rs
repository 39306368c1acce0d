//! Calls on experiments: `activate`, `get_variation`, forced variations.
//!
//! Must not know flags: holdouts and forced decisions are not seen here.

use std::sync::Arc;

use super::Snapshot;
use super::capture::Stamp;
use super::listener::{DecisionKind, DecisionNotice};
use super::session::{LEGACY_CALL, Session};
use super::user::UserContext;
use crate::attribution::{Impression, ImpressionOutcome, ImpressionSource};
use crate::clock::TimeMs;
use crate::datafile::{Datafile, Rule, RuleIndex, RuleKind, Variation, VariationIndex};
use crate::decide::{Explanation, How};
use crate::error::Error;
use crate::store::Receipt;

/// What [`UserContext::activate`] is asked: an experiment key, and what may go with it.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Activate<'a> {
    experiment_key: &'a str,
    stamp: Stamp<'a>,
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
pub struct Chosen {
    snapshot: Snapshot,
    chosen: Option<(RuleIndex, VariationIndex)>,
    how: How,
}

impl Chosen {
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
        let (rule, variation) = self.chosen?;
        self.snapshot.as_ref()?.rule(rule)?.variation(variation)
    }

    /// Makes it the variation that its key stands for. Both SDKs look the variation up again by its key
    /// when they report an activation, which matters where a feature rollout borrows a variation whose
    /// key the experiment has, too.
    fn resolve_by_key(&mut self) {
        let Some((datafile, (index, _))) = self.snapshot.as_ref().zip(self.chosen) else { return };
        let by_key = || {
            let key = self.variation_key()?;
            datafile.rule(index)?.variation_by_key.get(key).copied()
        };
        if let Some(variation) = by_key() {
            self.chosen = Some((index, variation));
        }
    }

    /// Which step decided.
    #[must_use]
    pub fn how(&self) -> How {
        self.how
    }
}

impl std::fmt::Debug for Chosen {
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
pub struct Activated {
    /// The variation to show.
    pub chosen: Chosen,
    /// What the ledger made of it, or would have if it was refused; `None` where there was no variation,
    /// so nothing to record.
    pub outcome: Option<ImpressionOutcome>,
    /// Tells when it is stored, or that it was refused: full, or no datafile yet.
    pub receipt: Receipt,
}

impl Activated {
    /// The key of the variation to show; `None` if the user gets none.
    #[inline]
    #[must_use]
    pub fn variation_key(&self) -> Option<&str> {
        self.chosen.variation_key()
    }
}

impl UserContext<'_> {
    /// Decides an experiment and, if there is a variation, records that the user was exposed to it.
    pub fn activate<'k>(&self, call: impl Into<Activate<'k>>) -> Activated {
        let Activate { experiment_key, stamp } = call.into();
        let (mut chosen, prediction_id) = self.choose(experiment_key);
        chosen.resolve_by_key();
        let recorded = match (chosen.snapshot.as_ref(), chosen.chosen) {
            (Some(datafile), Some((rule, variation))) => Some(self.record_impression(Impression {
                envelope: self.envelope(datafile, stamp),
                flag: None,
                rule: Some(rule),
                variation: Some((rule, variation)),
                source: ImpressionSource::Experiment,
                is_enabled: true,
                is_forced: chosen.how.is_forced(),
                attributes: self.recorded_attributes(datafile),
                prediction_id,
            })),
            _ => None,
        };
        let nothing_to_store = || match chosen.how {
            How::NotReady => Receipt::refused(Error::not_ready()),
            _ => Receipt::stored(),
        };
        let (outcome, receipt) = recorded.map_or_else(
            || (None, nothing_to_store()),
            |recorded| (Some(recorded.outcome), recorded.receipt),
        );
        self.tell_experiment_decision(
            &chosen,
            outcome.as_ref().is_some_and(|outcome| !outcome.duplicate),
        );
        Activated { chosen, outcome, receipt }
    }

    /// Decides an experiment without recording anything.
    #[must_use]
    pub fn get_variation(&self, experiment_key: &str) -> Chosen {
        let (chosen, _) = self.choose(experiment_key);
        self.tell_experiment_decision(&chosen, false);
        chosen
    }

    /// Explains what [`UserContext::get_variation`] answers; `None` if there is no such experiment.
    #[must_use]
    pub fn explain_experiment(&self, experiment_key: &str) -> Option<Explanation> {
        let snapshot = self.inner.snapshot();
        let datafile = snapshot.as_ref()?;
        let rule = datafile.experiment_index(experiment_key)?;
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        Some(session.explain_experiment(rule))
    }

    fn choose(&self, experiment_key: &str) -> (Chosen, Option<Box<str>>) {
        let snapshot = self.inner.snapshot();
        let Some((datafile, index)) = snapshot
            .as_ref()
            .and_then(|datafile| Some((datafile, datafile.experiment_index(experiment_key)?)))
        else {
            let how = if snapshot.is_some() { How::UnknownExperiment } else { How::NotReady };
            return (Chosen { snapshot, chosen: None, how }, None);
        };
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        let decision = session.experiment(index);
        let prediction_id = session.prediction_id(Some(index));
        session.finish();
        let chosen = decision.variation.map(|variation| (index, variation));
        (Chosen { snapshot, chosen, how: decision.how }, prediction_id)
    }

    fn tell_experiment_decision(&self, chosen: &Chosen, is_dispatched: bool) {
        if self.inner.listeners.is_empty() {
            return;
        }
        let rule = chosen
            .snapshot
            .as_ref()
            .zip(chosen.chosen)
            .and_then(|(datafile, (rule, _))| datafile.rule(rule));
        let is_of_flag = rule.is_some_and(|rule| rule.flag().is_some());
        let notice = DecisionNotice {
            kind: if is_of_flag { DecisionKind::FeatureTest } else { DecisionKind::AbTest },
            user_id: self.id,
            attributes: &self.attributes,
            flag_key: None,
            rule_key: rule.map(Rule::key),
            variation_key: chosen.variation_key(),
            is_enabled: chosen.variation().is_some_and(Variation::is_feature_enabled),
            is_dispatched,
        };
        self.inner.listeners.tell(|listener| listener.decision(&notice));
    }

    /// Forces a variation of an experiment for this user, or (with `None`) takes that back; tells
    /// whether experiment and variation exist.
    ///
    /// It is kept in the client's memory, and wins over everything but the experiment's status.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn set_forced_variation(&self, experiment_key: &str, variation_key: Option<&str>) -> bool {
        let snapshot = self.inner.snapshot();
        let Some(rule) = snapshot.as_ref().and_then(|datafile| forcible(datafile, experiment_key))
        else {
            return false;
        };
        let Some(variation_key) = variation_key else {
            self.inner.forced_variations.remove(self.id, rule.id());
            return true;
        };
        let variation = rule.variation_by_key(variation_key).filter(|_| !variation_key.is_empty());
        if let Some(variation) = variation {
            self.inner.forced_variations.set(self.id, rule.id(), variation.id());
        }
        variation.is_some()
    }

    /// The variation that is forced for this user and an experiment.
    #[must_use]
    pub fn get_forced_variation(&self, experiment_key: &str) -> Option<Arc<str>> {
        let snapshot = self.inner.snapshot();
        let rule = snapshot.as_ref().and_then(|datafile| forcible(datafile, experiment_key))?;
        let forced = self.inner.forced_variations.of(self.id)?;
        rule.variation_by_id(forced.get(rule.id())?).map(|variation| Arc::clone(&variation.key))
    }
}

/// The experiment of a key; else the rollout rule of that key, which the SDKs accept here, too, though
/// no decision looks at it.
fn forcible<'d>(datafile: &'d Datafile, key: &str) -> Option<&'d Rule> {
    let is_rollout_rule = |rule: &&Rule| rule.kind() == RuleKind::Rollout && rule.key() == key;
    datafile.experiment_by_key(key).or_else(|| datafile.rules().iter().rev().find(is_rollout_rule))
}
