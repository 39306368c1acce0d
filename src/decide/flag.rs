//! The decision of one flag: forced decisions, holdouts, experiments, rollout.
//!
//! Must not know variables or impressions.

use super::experiment::{How, experiment_found};
use super::trace::{Step, Trace};
use super::user::{Given, User};
use super::{audience, bucket};
use crate::datafile::{Datafile, Flag, FlagIndex, Rule, RuleIndex, RuleType, VariationIndex};

/// What kind of rule decided a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// An experiment of the flag, or a forced decision of the whole flag.
    FeatureTest,
    /// A rollout rule, or nothing at all.
    Rollout,
    /// A holdout.
    Holdout,
}

/// What was decided for one flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagDecision {
    /// What kind of rule decided.
    pub source: Source,
    /// The rule that decided; none for a forced decision of the whole flag, and where nothing decided.
    pub rule: Option<RuleIndex>,
    /// The variation, and the rule that it belongs to: a forced decision may name another rule's.
    pub variation: Option<(RuleIndex, VariationIndex)>,
    /// Which step decided.
    pub how: How,
    /// The holdout that holds the user out of everything but targeted deliveries, and its variation.
    pub set_aside: Option<(RuleIndex, VariationIndex)>,
}

impl FlagDecision {
    /// The rule that must have a prediction before this can be decided.
    #[must_use]
    pub fn needs_prediction(&self) -> Option<RuleIndex> {
        self.rule.filter(|_| self.how == How::NeedsPrediction)
    }

    /// The experiment and variation to remember in the user's profile, if there is something new.
    #[must_use]
    pub fn to_remember(&self) -> Option<(RuleIndex, VariationIndex)> {
        self.variation.filter(|_| self.how == How::Bucket && self.source == Source::FeatureTest)
    }
}

/// Decides one flag for a user.
pub fn flag<T: Trace>(
    datafile: &Datafile,
    index: FlagIndex,
    user: &User<'_>,
    given: &Given<'_>,
    trace: &mut T,
) -> FlagDecision {
    match datafile.flag(index) {
        Some(flag) => FlagEvaluation { datafile, flag, user, given, set_aside: None }.decide(trace),
        None => NOTHING,
    }
}

const NOTHING: FlagDecision = FlagDecision {
    source: Source::Rollout,
    rule: None,
    variation: None,
    how: How::NoRule,
    set_aside: None,
};

struct FlagEvaluation<'a, 'u> {
    datafile: &'a Datafile,
    flag: &'a Flag,
    user: &'a User<'u>,
    given: &'a Given<'a>,
    set_aside: Option<(RuleIndex, VariationIndex)>,
}

impl FlagEvaluation<'_, '_> {
    fn decide<T: Trace>(&mut self, trace: &mut T) -> FlagDecision {
        if let Some(variation) = self.forced(None, trace) {
            return self.found(Source::FeatureTest, None, variation, How::ForcedDecision);
        }
        if let Some(held) = self.global_holdouts(trace) {
            return held;
        }
        for index in &self.flag.experiments {
            if let Some(decision) = self.experiment(*index, trace) {
                return decision;
            }
        }
        self.rollout(trace)
    }

    fn found(
        &self,
        source: Source,
        rule: Option<RuleIndex>,
        variation: (RuleIndex, VariationIndex),
        how: How,
    ) -> FlagDecision {
        FlagDecision { source, rule, variation: Some(variation), how, set_aside: self.set_aside }
    }

    /// The forced decision of the whole flag or of one rule, if it names a variation of the flag.
    #[inline]
    fn forced<T: Trace>(
        &self,
        rule: Option<&Rule>,
        trace: &mut T,
    ) -> Option<(RuleIndex, VariationIndex)> {
        let forced = self.given.forced_decisions?;
        let rule_key = rule.map(|rule| &*rule.key);
        let key = forced.get(&self.flag.key, rule_key)?;
        let variation = self.datafile.flag_variation(self.flag, key);
        trace.add(|| Step::ForcedDecision {
            flag: self.flag.key.to_string(),
            rule: rule_key.map(str::to_owned),
            variation: key.to_owned(),
            is_valid: variation.is_some(),
        });
        variation
    }

    /// The first global holdout that holds the user out. One that excludes targeted deliveries is set
    /// aside instead, and ends the search too.
    #[inline]
    fn global_holdouts<T: Trace>(&mut self, trace: &mut T) -> Option<FlagDecision> {
        for index in &self.datafile.global_holdouts {
            let Some((holdout, variation)) = self.holdout(*index, None, trace) else { continue };
            if !holdout.excludes_targeted_deliveries {
                return Some(self.found(
                    Source::Holdout,
                    Some(*index),
                    (*index, variation),
                    How::Bucket,
                ));
            }
            trace.add(|| Step::HoldoutSetAside { key: holdout.key.to_string() });
            self.set_aside = Some((*index, variation));
            return None;
        }
        None
    }

    fn holdout<T: Trace>(
        &self,
        index: RuleIndex,
        guarded: Option<&Rule>,
        trace: &mut T,
    ) -> Option<(&Rule, VariationIndex)> {
        let holdout = self.datafile.rule(index)?;
        trace.open();
        let is_in = audience::is_in(self.datafile, &holdout.audiences, self.user, trace, || {
            holdout.key.to_string()
        });
        let variation =
            if is_in { bucket::variation(holdout, self.user.bucketing_id(), trace) } else { None };
        trace.close(|| Step::Holdout {
            key: holdout.key.to_string(),
            rule: guarded.map(|rule| rule.key.to_string()),
            variation: holdout.key_of(variation),
        });
        Some((holdout, variation?))
    }

    #[inline]
    fn local_holdouts<T: Trace>(&self, rule: &Rule, trace: &mut T) -> Option<FlagDecision> {
        rule.local_holdouts.iter().find_map(|index| {
            let (_, variation) = self.holdout(*index, Some(rule), trace)?;
            Some(self.found(Source::Holdout, Some(*index), (*index, variation), How::Bucket))
        })
    }

    #[inline]
    fn experiment<T: Trace>(&self, index: RuleIndex, trace: &mut T) -> Option<FlagDecision> {
        let rule = self.datafile.rule(index)?;
        if self.set_aside.is_some() && rule.rule_type != RuleType::TargetedDelivery {
            trace.add(|| Step::PassedOver { key: rule.key.to_string() });
            return None;
        }
        if let Some(variation) = self.forced(Some(rule), trace) {
            return Some(self.found(
                Source::FeatureTest,
                Some(index),
                variation,
                How::ForcedDecision,
            ));
        }
        if let Some(held) = self.local_holdouts(rule, trace) {
            return Some(held);
        }
        let decision = experiment_found(self.datafile, (index, rule), self.user, self.given, trace);
        match decision.how {
            How::NeedsPrediction | How::PredictionFailed => Some(FlagDecision {
                source: Source::FeatureTest,
                rule: Some(index),
                how: decision.how,
                ..NOTHING
            }),
            how => Some(self.found(
                Source::FeatureTest,
                Some(index),
                (index, decision.variation?),
                how,
            )),
        }
    }

    /// Rollout rules in order. Who is in a rule's audience but not in its traffic goes straight to the
    /// last rule, "Everyone Else".
    #[inline]
    fn rollout<T: Trace>(&self, trace: &mut T) -> FlagDecision {
        let nothing = FlagDecision { set_aside: self.set_aside, ..NOTHING };
        let Some((everyone_else, rules)) = self.flag.rollout.split_last() else { return nothing };
        for (place, index) in rules.iter().enumerate() {
            let name = || (place + 1).to_string();
            match self.rollout_rule(*index, name, trace) {
                Rollout::Decided(decision) => return decision,
                Rollout::OutsideAudience => {}
                Rollout::OutsideTraffic => {
                    trace.add(|| Step::ToEveryoneElse { from: name() });
                    break;
                }
            }
        }
        match self.rollout_rule(*everyone_else, || "Everyone Else".to_owned(), trace) {
            Rollout::Decided(decision) => decision,
            Rollout::OutsideAudience | Rollout::OutsideTraffic => nothing,
        }
    }

    #[inline]
    fn rollout_rule<T: Trace>(
        &self,
        index: RuleIndex,
        name: impl Fn() -> String,
        trace: &mut T,
    ) -> Rollout {
        let Some(rule) = self.datafile.rule(index) else { return Rollout::OutsideAudience };
        if let Some(variation) = self.forced(Some(rule), trace) {
            return Rollout::Decided(self.found(
                Source::Rollout,
                Some(index),
                variation,
                How::ForcedDecision,
            ));
        }
        if let Some(held) = self.local_holdouts(rule, trace) {
            return Rollout::Decided(held);
        }
        trace.open();
        let is_in = audience::is_in(self.datafile, &rule.audiences, self.user, trace, &name);
        let variation =
            if is_in { bucket::variation(rule, self.user.bucketing_id(), trace) } else { None };
        trace.close(|| Step::RolloutRule {
            key: rule.key.to_string(),
            name: name(),
            variation: rule.key_of(variation),
        });
        match variation {
            Some(variation) => Rollout::Decided(self.found(
                Source::Rollout,
                Some(index),
                (index, variation),
                How::Bucket,
            )),
            None if is_in => Rollout::OutsideTraffic,
            None => Rollout::OutsideAudience,
        }
    }
}

enum Rollout {
    Decided(FlagDecision),
    OutsideAudience,
    OutsideTraffic,
}
