//! What one user gets of an experiment or flag in one datafile.
//!
//! Must not know the other datafile.

use crate::datafile::{Datafile, FlagIndex, RuleIndex, Variation, VariationIndex};
use crate::decide::{self, FlagDecision, Given, How, Silent, Source, User};

/// What a user gets: small, since it is counted once per user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Got {
    Nothing,
    /// A variation, which may be another rule's than the one that decided.
    Variation {
        rule: Option<RuleIndex>,
        of: RuleIndex,
        variation: VariationIndex,
    },
    /// Whatever is predicted for the user.
    Prediction {
        rule: RuleIndex,
    },
}

/// What users get, in the words of the SDKs' answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The variation; `None` for nothing, and where a prediction chooses it.
    pub variation_key: Option<String>,
    /// Of a flag: the rule that decided.
    pub rule_key: Option<String>,
    /// Of a flag: whether it is on. Where a prediction chooses, this is not known.
    pub enabled: bool,
    /// Whether a prediction chooses the variation.
    pub is_predicted: bool,
}

impl Outcome {
    /// Whether this is no variation, and none that a prediction may choose.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.variation_key.is_none() && !self.is_predicted
    }
}

/// What a user gets of an experiment, as `get_variation` answers.
pub(super) fn of_experiment(datafile: &Datafile, index: RuleIndex, user: &User<'_>) -> Got {
    let decision = decide::experiment(datafile, index, user, &Given::default(), &mut Silent);
    match decision.variation {
        Some(variation) => Got::Variation { rule: None, of: index, variation },
        None if decision.how == How::NeedsPrediction => Got::Prediction { rule: index },
        None => Got::Nothing,
    }
}

/// What a user gets of a flag, as `decide` answers.
pub(super) fn of_flag(datafile: &Datafile, index: FlagIndex, user: &User<'_>) -> Got {
    let decision = decide::flag(datafile, index, user, &Given::default(), &mut Silent);
    match (decision.variation, decision.needs_prediction()) {
        (Some((of, variation)), _) => Got::Variation { rule: decision.rule, of, variation },
        (None, Some(rule)) => Got::Prediction { rule },
        (None, None) => Got::Nothing,
    }
}

impl Got {
    /// The same in words; of an experiment, the rule goes without saying.
    pub(super) fn outcome(self, datafile: &Datafile, is_flag: bool) -> Outcome {
        let key = |rule: Option<RuleIndex>| {
            let rule = rule.filter(|_| is_flag).and_then(|rule| datafile.rule(rule));
            rule.map(|rule| rule.key().to_owned())
        };
        match self {
            Self::Nothing => Outcome::default(),
            Self::Prediction { rule } => {
                Outcome { rule_key: key(Some(rule)), is_predicted: true, ..Outcome::default() }
            }
            Self::Variation { rule, of, variation } => {
                let variation = datafile.rule(of).and_then(|of| of.variation(variation));
                Outcome {
                    variation_key: variation.map(|variation| variation.key().to_owned()),
                    rule_key: key(rule),
                    enabled: is_flag && variation.is_some_and(Variation::is_feature_enabled),
                    is_predicted: false,
                }
            }
        }
    }

    /// The decision of a flag in so far as its variables depend on it.
    pub(super) fn decision(self) -> FlagDecision {
        let variation = match self {
            Self::Variation { of, variation, .. } => Some((of, variation)),
            Self::Nothing | Self::Prediction { .. } => None,
        };
        let (source, how) = (Source::Rollout, How::NoRule);
        FlagDecision { source, rule: None, variation, how, set_aside: None }
    }
}
