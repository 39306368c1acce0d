//! Calls on experiments: `activate`, `get_variation`, forced variations.
//!
//! Must not know flags: holdouts and forced decisions are not seen here.

use std::sync::Arc;

use super::capture::Stamp;
use super::chosen::{Activate, Activated, Chosen};
use super::extras::Extra;
use super::listener::{DecisionKind, DecisionNotice};
use super::session::{LEGACY_CALL, Session};
use super::snapshot::InForce;
use super::user::UserContext;
use crate::attribution::{ImpressionSource, NewImpression};
use crate::datafile::{Datafile, Rule, RuleIndex, RuleKind, Variation};
use crate::decide::{self, ExperimentDecision, Explanation, Given, How, Silent};
use crate::error::Error;
use crate::store::Receipt;

impl<'a> UserContext<'a> {
    /// Decides an experiment and, if there is a variation, records that the user was exposed to it.
    pub fn activate<'k>(&self, call: impl Into<Activate<'k>>) -> Activated<'a> {
        let Activate { experiment_key, stamp } = call.into();
        let in_force = self.in_force();
        let (chosen, prediction_id) = match in_force {
            InForce::Held(Some(datafile)) => match find(datafile, experiment_key) {
                Some(found) => {
                    let (decided, prediction_id) = self.decide_to_record(datafile, found);
                    (Chosen::held(datafile, found, decided), prediction_id)
                }
                None => (Chosen::nothing(in_force, How::UnknownExperiment), None),
            },
            InForce::Held(None) => (Chosen::nothing(in_force, How::NotReady), None),
            InForce::Loaded(guard) => {
                let found = guard.as_ref().ok_or(How::NotReady).and_then(|datafile| {
                    let found = find(datafile, experiment_key).ok_or(How::UnknownExperiment)?;
                    Ok((found.0, self.decide_to_record(datafile, found)))
                });
                match found {
                    Ok((index, (decided, prediction_id))) => {
                        (Chosen::loaded(guard, index, decided), prediction_id)
                    }
                    Err(how) => (Chosen::nothing(InForce::Loaded(guard), how), None),
                }
            }
        };
        self.record_chosen(experiment_key, chosen, prediction_id, stamp)
    }

    /// Decides an experiment without recording anything.
    #[must_use]
    pub fn get_variation(&self, experiment_key: &str) -> Chosen<'a> {
        let chosen = match self.in_force() {
            InForce::Held(None) => Chosen::nothing(InForce::Held(None), How::NotReady),
            InForce::Held(Some(datafile)) => match find(datafile, experiment_key) {
                Some(found) => {
                    Chosen::held(datafile, found, self.decide_experiment(datafile, found))
                }
                None => Chosen::nothing(InForce::Held(Some(datafile)), How::UnknownExperiment),
            },
            InForce::Loaded(guard) => {
                let Some(datafile) = guard.as_ref() else {
                    return Chosen::nothing(InForce::Loaded(guard), How::NotReady);
                };
                match find(datafile, experiment_key) {
                    Some((index, rule)) => {
                        let decided = self.decide_experiment(datafile, (index, rule));
                        Chosen::loaded(guard, index, decided)
                    }
                    None => Chosen::nothing(InForce::Loaded(guard), How::UnknownExperiment),
                }
            }
        };
        if self.inner.extras.are_none() { chosen } else { self.told(experiment_key, chosen) }
    }

    /// Explains what [`UserContext::get_variation`] answers; `None` if there is no such experiment.
    #[must_use]
    pub fn explain_experiment(&self, experiment_key: &str) -> Option<Explanation> {
        let in_force = self.in_force();
        let datafile = in_force.datafile()?;
        let rule = datafile.experiment_index(experiment_key)?;
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        Some(session.explain_experiment(rule).1)
    }

    /// The key of the variation that [`UserContext::get_variation`] would answer, explained by the same decision.
    /// It leaves no trace: the profile stays as it is, and no listener hears of it.
    #[cfg(feature = "server")]
    pub(crate) fn preview_experiment(
        &self,
        experiment_key: &str,
    ) -> Option<(Option<String>, Explanation)> {
        let in_force = self.in_force();
        let datafile = in_force.datafile()?;
        let (index, rule) = find(datafile, experiment_key)?;
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        let (decided, explanation) = session.explain_experiment(index);
        let variation = decided.variation.and_then(|variation| rule.variation(variation));
        Some((variation.map(|variation| variation.key().to_owned()), explanation))
    }

    #[inline(always)]
    fn decide_experiment(
        &self,
        datafile: &Datafile,
        found: (RuleIndex, &Rule),
    ) -> ExperimentDecision {
        match self.decide_plainly(datafile, found) {
            Some(decided) => decided,
            None => self.decide_arranged(datafile, found.0).0,
        }
    }

    /// Gives the id of the prediction behind the decision, too.
    #[inline(always)]
    fn decide_to_record(
        &self,
        datafile: &Datafile,
        found: (RuleIndex, &Rule),
    ) -> (ExperimentDecision, Option<Box<str>>) {
        match self.decide_plainly(datafile, found) {
            Some(decided) => (decided, None),
            None => self.decide_arranged(datafile, found.0),
        }
    }

    /// The decision where nothing can have been arranged for the user, and nothing is to be asked for:
    /// most calls of most clients.
    #[inline(always)]
    fn decide_plainly(
        &self,
        datafile: &Datafile,
        found: (RuleIndex, &Rule),
    ) -> Option<ExperimentDecision> {
        if self.inner.extras.arrange() {
            return None;
        }
        let decided =
            decide::experiment_found(datafile, found, &self.user, &Given::NOTHING, &mut Silent);
        Some(decided).filter(|decided| decided.how != How::NeedsPrediction)
    }

    #[cold]
    fn decide_arranged(
        &self,
        datafile: &Datafile,
        index: RuleIndex,
    ) -> (ExperimentDecision, Option<Box<str>>) {
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        let decided = session.experiment(index);
        let prediction_id = session.prediction_id(Some(index));
        session.finish();
        (decided, prediction_id)
    }

    /// Records that the user was exposed to what was chosen.
    fn record_chosen<'s>(
        &self,
        experiment_key: &str,
        mut chosen: Chosen<'s>,
        prediction_id: Option<Box<str>>,
        stamp: Stamp<'_>,
    ) -> Activated<'s> {
        chosen.resolve_by_key();
        let recorded = match (chosen.in_force.datafile(), chosen.chosen) {
            (Some(datafile), Some((rule, variation))) => {
                Some(self.record_impression(&NewImpression {
                    rule: Some(rule),
                    variation: Some((rule, variation)),
                    is_enabled: true,
                    is_forced: chosen.how.is_forced(),
                    prediction_id: prediction_id.as_deref(),
                    ..self.new_impression(datafile, stamp, ImpressionSource::Experiment)
                }))
            }
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
            experiment_key,
            &chosen,
            outcome.as_ref().is_some_and(|outcome| !outcome.duplicate),
        );
        Activated { chosen, outcome, receipt }
    }

    /// Tells listeners, if there are any.
    #[cold]
    fn told<'s>(&self, experiment_key: &str, chosen: Chosen<'s>) -> Chosen<'s> {
        self.tell_experiment_decision(experiment_key, &chosen, false);
        chosen
    }

    #[inline]
    fn tell_experiment_decision(&self, key: &str, chosen: &Chosen<'_>, is_dispatched: bool) {
        if !self.inner.listeners.is_empty() {
            self.tell_listeners_of_experiment(key, chosen, is_dispatched);
        }
    }

    #[cold]
    fn tell_listeners_of_experiment(&self, key: &str, chosen: &Chosen<'_>, is_dispatched: bool) {
        let rule = chosen.rule();
        let is_there = !matches!(chosen.how, How::UnknownExperiment | How::NotReady);
        let is_of_flag = rule.is_some_and(|rule| rule.flag().is_some());
        let notice = DecisionNotice {
            kind: if is_of_flag { DecisionKind::FeatureTest } else { DecisionKind::AbTest },
            user_id: self.id(),
            attributes: self.attributes(),
            flag_key: None,
            rule_key: is_there.then_some(key),
            rule_id: rule.map(Rule::id),
            variation_key: chosen.variation_key(),
            variation_id: chosen.variation().map(Variation::id),
            variables: None,
            reasons: &[],
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
        let in_force = self.in_force();
        let Some(rule) =
            in_force.datafile().and_then(|datafile| forcible(datafile, experiment_key))
        else {
            return false;
        };
        let Some(variation_key) = variation_key else {
            self.inner.forced_variations.remove(self.id(), rule.id());
            return true;
        };
        let variation = rule.variation_by_key(variation_key).filter(|_| !variation_key.is_empty());
        if let Some(variation) = variation {
            self.inner.forced_variations.set(self.id(), rule.id(), variation.id());
            self.inner.extras.add(Extra::ForcedVariations);
        }
        variation.is_some()
    }

    /// The variation that is forced for this user and an experiment.
    #[must_use]
    pub fn get_forced_variation(&self, experiment_key: &str) -> Option<Arc<str>> {
        let in_force = self.in_force();
        let rule = in_force.datafile().and_then(|datafile| forcible(datafile, experiment_key))?;
        let forced = self.inner.forced_variations.of(self.id())?;
        rule.variation_by_id(forced.get(rule.id())?).map(|variation| Arc::clone(&variation.key))
    }
}

/// An experiment of a snapshot, looked up once for many users.
///
/// Its calls answer what the calls of the same name of a [`UserContext`] answer. They see the datafile
/// of the snapshot that it is from, whichever the user was made for.
///
/// ```
/// # fn main() -> Result<(), variate::Error> {
/// # let client = variate::Client::from_datafile(include_bytes!("../../datafiles/shop.json"))?;
/// let snapshot = client.snapshot();
/// let anna = snapshot.user("anna").with("country", "SE");
/// if let Some(button) = snapshot.experiment("checkout_button") {
///     println!("{:?}", button.get_variation(&anna).variation_key());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Experiment<'s> {
    datafile: &'s Arc<Datafile>,
    found: (RuleIndex, &'s Rule),
}

impl<'s> Experiment<'s> {
    pub(super) fn new(datafile: &'s Arc<Datafile>, experiment_key: &str) -> Option<Self> {
        Some(Self { datafile, found: find(datafile, experiment_key)? })
    }

    /// Decides it for a user without recording anything; see [`UserContext::get_variation`].
    #[inline(always)]
    #[must_use]
    pub fn get_variation(&self, user: &UserContext<'_>) -> Chosen<'s> {
        let decided = user.decide_experiment(self.datafile, self.found);
        let chosen = Chosen::held(self.datafile, self.found, decided);
        if user.inner.extras.are_none() { chosen } else { user.told(self.found.1.key(), chosen) }
    }

    /// Decides it for a user and, if there is a variation, records that the user was exposed to it; see
    /// [`UserContext::activate`].
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does, too")]
    pub fn activate(&self, user: &UserContext<'_>) -> Activated<'s> {
        let (decided, prediction_id) = user.decide_to_record(self.datafile, self.found);
        let chosen = Chosen::held(self.datafile, self.found, decided);
        user.record_chosen(self.found.1.key(), chosen, prediction_id, Stamp::default())
    }
}

impl std::fmt::Debug for Experiment<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Experiment")
            .field("key", &self.found.1.key())
            .finish_non_exhaustive()
    }
}

/// The experiment of a key.
#[inline(always)]
fn find<'d>(datafile: &'d Datafile, key: &str) -> Option<(RuleIndex, &'d Rule)> {
    let index = datafile.experiment_index(key)?;
    Some((index, datafile.rule(index)?))
}

/// The experiment of a key; else the rollout rule of that key, which the SDKs accept here, too, though
/// no decision looks at it.
fn forcible<'d>(datafile: &'d Datafile, key: &str) -> Option<&'d Rule> {
    let is_rollout_rule = |rule: &&Rule| rule.kind() == RuleKind::Rollout && rule.key() == key;
    datafile.experiment_by_key(key).or_else(|| datafile.rules().iter().rev().find(is_rollout_rule))
}
