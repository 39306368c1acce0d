//! The decision of one experiment: whitelist, forced variation, profile, audience, bucket.
//!
//! Must not know flags, holdouts or forced decisions: only flag decisions see those.

use super::trace::{Step, Trace};
use super::user::{Given, User};
use super::{audience, bucket};
use crate::datafile::{Datafile, Rule, RuleIndex, VariationIndex};

/// What was decided for one experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExperimentDecision {
    /// The variation, if there is one.
    pub variation: Option<VariationIndex>,
    /// Which step decided.
    pub how: How,
}

/// Which step of the evaluation decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// The experiment does not run.
    NotRunning,
    /// A forced decision of the flag or rule.
    ForcedDecision,
    /// A forced variation of the user.
    ForcedVariation,
    /// The datafile's whitelist.
    Whitelist,
    /// The user's profile.
    Profile,
    /// The user is not in the audiences.
    OutsideAudience,
    /// The traffic allocation (or the group's) has no place for the user.
    OutsideTraffic,
    /// The traffic allocation.
    Bucket,
    /// A prediction.
    Prediction,
    /// A prediction is needed first: ask for it, and decide again with it.
    NeedsPrediction,
    /// There was no prediction: an error, and nothing else is tried.
    PredictionFailed,
    /// No rule decided.
    NoRule,
    /// The datafile has no such experiment.
    UnknownExperiment,
    /// There is no datafile yet.
    NotReady,
}

impl How {
    /// Whether someone chose the variation for this user.
    #[must_use]
    pub fn is_forced(self) -> bool {
        matches!(self, Self::ForcedDecision | Self::ForcedVariation | Self::Whitelist)
    }
}

/// Decides one experiment for a user.
///
/// The order is the SDKs': running, forced variation, whitelist, profile, audience, group, bucket.
pub fn experiment<T: Trace>(
    datafile: &Datafile,
    index: RuleIndex,
    user: &User<'_>,
    given: &Given<'_>,
    trace: &mut T,
) -> ExperimentDecision {
    match datafile.rule(index) {
        Some(rule) => experiment_found(datafile, (index, rule), user, given, trace),
        None => ExperimentDecision::none(How::NoRule),
    }
}

/// The same, for who has found it already.
#[inline(always)]
pub(crate) fn experiment_found<T: Trace>(
    datafile: &Datafile,
    (index, rule): (RuleIndex, &Rule),
    user: &User<'_>,
    given: &Given<'_>,
    trace: &mut T,
) -> ExperimentDecision {
    trace.open();
    let decision = decide(datafile, (index, rule), user, given, trace);
    trace.close(|| Step::Experiment {
        key: rule.key.to_string(),
        variation: rule.key_of(decision.variation),
    });
    decision
}

impl ExperimentDecision {
    /// No variation, and why.
    #[inline]
    #[must_use]
    pub const fn none(how: How) -> Self {
        Self { variation: None, how }
    }
}

#[inline(always)]
fn decide<T: Trace>(
    datafile: &Datafile,
    (index, rule): (RuleIndex, &Rule),
    user: &User<'_>,
    given: &Given<'_>,
    trace: &mut T,
) -> ExperimentDecision {
    if (!rule.is_plain || given.has_arrangements())
        && let Some(decision) = before_audience(rule, user, given, trace)
    {
        return decision;
    }
    if !audience::is_in(datafile, &rule.audiences, user, trace, || rule.key.to_string()) {
        return ExperimentDecision::none(How::OutsideAudience);
    }
    let bucketing_id = user.bucketing_id();
    if !rule.is_plain && !bucket::group_admits(datafile, (index, rule), bucketing_id, trace) {
        return ExperimentDecision::none(How::OutsideTraffic);
    }
    match bucket::variation_inlined(rule, bucketing_id, trace) {
        None => ExperimentDecision::none(How::OutsideTraffic),
        Some(_) if !rule.is_plain && rule.is_contextual_bandit() => {
            predicted((index, rule), given, trace)
        }
        variation => ExperimentDecision { variation, how: How::Bucket },
    }
}

/// What decides before the audience is asked, if anything does.
#[cold]
fn before_audience<T: Trace>(
    rule: &Rule,
    user: &User<'_>,
    given: &Given<'_>,
    trace: &mut T,
) -> Option<ExperimentDecision> {
    if !rule.is_running {
        trace.add(|| Step::NotRunning {
            key: rule.key.to_string(),
            status: rule.status.to_string(),
        });
        return Some(ExperimentDecision::none(How::NotRunning));
    }
    let (variation, how) = arranged(rule, user, given, trace)?;
    Some(ExperimentDecision { variation: Some(variation), how })
}

/// A variation that was arranged for the user before: forced, whitelisted or remembered.
fn arranged<T: Trace>(
    rule: &Rule,
    user: &User<'_>,
    given: &Given<'_>,
    trace: &mut T,
) -> Option<(VariationIndex, How)> {
    if let Some(forced) = given.forced_variations.and_then(|forced| forced.get(&rule.id)) {
        let variation = rule.variation_by_id.get(forced).copied();
        trace.add(|| {
            let (variation, is_valid) = rule.key_or(variation, forced);
            Step::ForcedVariation { experiment: rule.key.to_string(), variation, is_valid }
        });
        if let Some(variation) = variation {
            return Some((variation, How::ForcedVariation));
        }
    }
    if let Some(listed) = rule.whitelist.get(user.id()) {
        let variation = listed.as_ref().ok().copied();
        trace.add(|| {
            let written = listed.as_ref().err().map_or("", AsRef::as_ref);
            let (variation, is_valid) = rule.key_or(variation, written);
            Step::Whitelist { experiment: rule.key.to_string(), variation, is_valid }
        });
        if let Some(variation) = variation {
            return Some((variation, How::Whitelist));
        }
    }
    let stored = given.profile.and_then(|profile| profile.get(&rule.id))?;
    let variation = rule.variation_by_id.get(stored).copied();
    trace.add(|| {
        let (variation, is_valid) = rule.key_or(variation, stored);
        Step::Profile { experiment: rule.key.to_string(), variation, is_valid }
    });
    Some((variation?, How::Profile))
}

#[cold]
fn predicted<T: Trace>(
    (index, rule): (RuleIndex, &Rule),
    given: &Given<'_>,
    trace: &mut T,
) -> ExperimentDecision {
    let Some(prediction) = given.predictions.iter().find(|prediction| prediction.rule == index)
    else {
        return ExperimentDecision::none(How::NeedsPrediction);
    };
    let predicted = prediction.variation_id.as_deref();
    let variation = predicted.and_then(|id| rule.variation_by_id.get(id).copied());
    trace.add(|| Step::Prediction {
        rule: rule.key.to_string(),
        variation: rule.key_of(variation),
        is_answered: predicted.is_some(),
    });
    match (predicted, variation) {
        (None, _) => ExperimentDecision::none(How::PredictionFailed),
        (Some(_), None) => ExperimentDecision::none(How::OutsideTraffic),
        (Some(_), variation) => ExperimentDecision { variation, how: How::Prediction },
    }
}

impl Rule {
    /// The key of a variation, for the trace.
    pub(super) fn key_of(&self, variation: Option<VariationIndex>) -> Option<String> {
        Some(self.variation(variation?)?.key.to_string())
    }

    /// The key of a variation and true; or what was written instead and false.
    fn key_or(&self, variation: Option<VariationIndex>, written: &str) -> (String, bool) {
        self.key_of(variation).map_or_else(|| (written.to_owned(), false), |key| (key, true))
    }
}
