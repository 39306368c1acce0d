//! Exposures that somebody else decided: what a user was really shown, by whatever name that has.
//!
//! Must not know deciding: nothing is bucketed here.

use std::fmt;

use super::capture::Stamp;
use super::user::UserContext;
use crate::attribution::{ImpressionOutcome, ImpressionSource, NewImpression};
use crate::clock::TimeMs;
use crate::datafile::{Datafile, FlagIndex, Rule, RuleIndex, RuleKind, Variation, VariationIndex};
use crate::error::Error;
use crate::store::Receipt;

/// What [`UserContext::expose`] is told: the experiment and the variation that the user was shown, and what
/// may go with it.
///
/// The experiment is named by its id, its key, or the key of a flag: then that experiment of the flag is
/// meant which runs and has the variation, else that rule of its rollout which has it. The variation is named
/// by its id or its key. An id goes before a key.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Exposure<'a> {
    /// `None` where no rule decided.
    experiment: Option<&'a str>,
    variation: Option<&'a str>,
    flag_key: Option<&'a str>,
    stamp: Stamp<'a>,
}

impl<'a> Exposure<'a> {
    /// A variation of an experiment.
    pub fn new(experiment: &'a str, variation: &'a str) -> Self {
        let (experiment, variation) = (Some(experiment), Some(variation));
        Self { experiment, variation, flag_key: None, stamp: Stamp::default() }
    }

    /// A decision of a flag that none of its rules made, and that activates nobody: the flag is off, or, with
    /// a variation, by its key, somebody forced the flag to show that.
    pub fn without_rule(flag_key: &'a str, variation: Option<&'a str>) -> Self {
        Self { experiment: None, variation, flag_key: Some(flag_key), stamp: Stamp::default() }
    }

    /// Says that a decision of this flag exposed the user. One that the datafile does not know is none.
    pub fn of_flag(mut self, flag_key: &'a str) -> Self {
        self.flag_key = Some(flag_key);
        self
    }

    /// Gives the exposure an id: a repeat with the same id is not counted. Ids are unique in the
    /// environment, not per user; an empty one is none.
    pub fn id(mut self, id: &'a str) -> Self {
        self.stamp.id = Some(id);
        self
    }

    /// Gives the exposure a time, in milliseconds since the epoch.
    pub fn time_ms(mut self, time_ms: TimeMs) -> Self {
        self.stamp.time_ms = Some(time_ms);
        self
    }
}

/// What became of an exposure.
#[derive(Debug)]
#[non_exhaustive]
pub struct Exposed {
    /// Why there is nothing to record, where that is so.
    pub unknown: Option<UnknownExposure>,
    /// Whether the user is activated by it: experiments and holdouts activate, rules of rollouts do not, nor
    /// does a decision without a rule.
    pub is_activation: bool,
    /// What the ledger made of it, or would have if it was refused; `None` where there is nothing to record.
    pub outcome: Option<ImpressionOutcome>,
    /// Tells when it is stored, or that it was refused: full, or no datafile yet.
    pub receipt: Receipt,
}

/// Why the datafile does not know what a user was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownExposure {
    /// No experiment, holdout, rule or flag has this name.
    Experiment,
    /// It has no variation of this name; of a flag: neither an experiment that runs nor the rollout has.
    Variation,
}

impl UserContext<'_> {
    /// Records that the user was shown a variation, whoever decided that.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn expose(&self, exposure: Exposure<'_>) -> Exposed {
        let in_force = self.in_force();
        let Some(datafile) = in_force.datafile() else {
            return Exposed::nothing(None, Receipt::refused(Error::not_ready()));
        };
        let found = match find(datafile, exposure) {
            Ok(found) => found,
            Err(unknown) => return Exposed::nothing(Some(unknown), Receipt::stored()),
        };
        let recorded = self.record_impression(&NewImpression {
            flag: found.flag,
            rule: found.rule,
            variation: found.variation,
            is_enabled: found.is_enabled,
            is_forced: found.rule.is_none() && found.variation.is_some(),
            ..self.new_impression(datafile, exposure.stamp, found.source)
        });
        Exposed {
            unknown: None,
            is_activation: found.rule.is_some() && found.source != ImpressionSource::Rollout,
            outcome: Some(recorded.outcome),
            receipt: recorded.receipt,
        }
    }
}

impl Exposed {
    const fn nothing(unknown: Option<UnknownExposure>, receipt: Receipt) -> Self {
        Self { unknown, is_activation: false, outcome: None, receipt }
    }
}

impl UnknownExposure {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Experiment => "unknown-experiment",
            Self::Variation => "unknown-variation",
        }
    }
}

impl fmt::Display for UnknownExposure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What the names of an exposure stand for.
struct Found {
    flag: Option<FlagIndex>,
    rule: Option<RuleIndex>,
    variation: Option<(RuleIndex, VariationIndex)>,
    source: ImpressionSource,
    is_enabled: bool,
}

impl Found {
    /// As a decision of the SDKs would report it.
    fn by_rule(
        flag: Option<FlagIndex>,
        (index, rule): (RuleIndex, &Rule),
        place: VariationIndex,
    ) -> Self {
        let source = match rule.kind() {
            RuleKind::Holdout => ImpressionSource::Holdout,
            RuleKind::Rollout => ImpressionSource::Rollout,
            RuleKind::Experiment if flag.is_some() => ImpressionSource::FeatureTest,
            RuleKind::Experiment => ImpressionSource::Experiment,
        };
        // A call on an experiment is always on.
        let is_enabled = source == ImpressionSource::Experiment
            || rule.variation(place).is_some_and(Variation::is_feature_enabled);
        Self { flag, rule: Some(index), variation: Some((index, place)), source, is_enabled }
    }

    /// The same of a decision that no rule made.
    fn by_none(datafile: &Datafile, exposure: Exposure<'_>) -> Result<Self, UnknownExposure> {
        let flag = exposure.flag_key.and_then(|key| datafile.flag_index(key));
        let flag = flag.ok_or(UnknownExposure::Experiment)?;
        let nothing = Self {
            flag: Some(flag),
            rule: None,
            variation: None,
            source: ImpressionSource::Rollout,
            is_enabled: false,
        };
        let Some(key) = exposure.variation else { return Ok(nothing) };
        let found = datafile.flag(flag).and_then(|flag| datafile.flag_variation(flag, key));
        let (index, place) = found.ok_or(UnknownExposure::Variation)?;
        let variation = datafile.rule(index).and_then(|rule| rule.variation(place));
        Ok(Self {
            variation: Some((index, place)),
            source: ImpressionSource::FeatureTest,
            is_enabled: variation.is_some_and(Variation::is_feature_enabled),
            ..nothing
        })
    }
}

fn find(datafile: &Datafile, exposure: Exposure<'_>) -> Result<Found, UnknownExposure> {
    let (Some(experiment), Some(variation)) = (exposure.experiment, exposure.variation) else {
        return Found::by_none(datafile, exposure);
    };
    let flag = exposure.flag_key.and_then(|key| datafile.flag_index(key));
    let by_name = datafile.rule_index(experiment).or_else(|| datafile.experiment_index(experiment));
    if let Some((index, rule)) = by_name.and_then(|index| Some((index, datafile.rule(index)?))) {
        let variation = variation_of(rule, variation).ok_or(UnknownExposure::Variation)?;
        return Ok(Found::by_rule(flag, (index, rule), variation));
    }
    let index = datafile.flag_index(experiment).ok_or(UnknownExposure::Experiment)?;
    let flag = datafile.flag(index).ok_or(UnknownExposure::Experiment)?;
    let of_rule = |rule_index: &RuleIndex| Some((*rule_index, datafile.rule(*rule_index)?));
    let running =
        flag.experiments().iter().filter_map(of_rule).filter(|(_, rule)| rule.is_running());
    let mut rules = running.chain(flag.rollout().iter().filter_map(of_rule));
    let found = rules
        .find_map(|rule| Some(Found::by_rule(Some(index), rule, variation_of(rule.1, variation)?)));
    found.ok_or(UnknownExposure::Variation)
}

fn variation_of(rule: &Rule, name: &str) -> Option<VariationIndex> {
    let by_key = || rule.variation_by_key.get(name).copied();
    rule.variation_index(name).or_else(by_key)
}
