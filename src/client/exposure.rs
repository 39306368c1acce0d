//! Exposures that somebody else decided: what a user was really shown, by whatever name that has.
//!
//! Must not know deciding: nothing is bucketed here.

use std::fmt;
use std::sync::Arc;

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
/// meant which runs and has the variation. The variation is named by its id or its key. An id goes before a
/// key.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Exposure<'a> {
    experiment: &'a str,
    variation: &'a str,
    flag_key: Option<&'a str>,
    stamp: Stamp<'a>,
}

impl<'a> Exposure<'a> {
    /// A variation of an experiment.
    pub fn new(experiment: &'a str, variation: &'a str) -> Self {
        Self { experiment, variation, flag_key: None, stamp: Stamp::default() }
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
    /// Whether the user is activated by it: experiments and holdouts activate, rules of rollouts do not.
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
    /// It has no variation of this name; of a flag: no experiment that runs has.
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
            rule: Some(found.index),
            variation: Some((found.index, found.variation)),
            is_enabled: found.is_enabled(),
            ..self.new_impression(datafile, exposure.stamp, found.source())
        });
        Exposed {
            unknown: None,
            is_activation: found.rule.kind() != RuleKind::Rollout,
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
struct Found<'d> {
    flag: Option<FlagIndex>,
    index: RuleIndex,
    rule: &'d Rule,
    variation: VariationIndex,
}

impl Found<'_> {
    /// As a decision of the SDKs would report it.
    fn source(&self) -> ImpressionSource {
        match self.rule.kind() {
            RuleKind::Holdout => ImpressionSource::Holdout,
            RuleKind::Rollout => ImpressionSource::Rollout,
            RuleKind::Experiment if self.flag.is_some() => ImpressionSource::FeatureTest,
            RuleKind::Experiment => ImpressionSource::Experiment,
        }
    }

    /// A call on an experiment is always on.
    fn is_enabled(&self) -> bool {
        let variation = self.rule.variation(self.variation);
        self.source() == ImpressionSource::Experiment
            || variation.is_some_and(Variation::is_feature_enabled)
    }
}

fn find<'d>(
    datafile: &'d Arc<Datafile>,
    exposure: Exposure<'_>,
) -> Result<Found<'d>, UnknownExposure> {
    let Exposure { experiment, variation, flag_key, .. } = exposure;
    let flag = flag_key.and_then(|key| datafile.flag_index(key));
    let by_name = datafile.rule_index(experiment).or_else(|| datafile.experiment_index(experiment));
    if let Some((index, rule)) = by_name.and_then(|index| Some((index, datafile.rule(index)?))) {
        let variation = variation_of(rule, variation).ok_or(UnknownExposure::Variation)?;
        return Ok(Found { flag, index, rule, variation });
    }
    let flag = datafile.flag_index(experiment).ok_or(UnknownExposure::Experiment)?;
    let experiments = datafile.flag(flag).map(|flag| flag.experiments()).unwrap_or_default();
    let mut running = experiments.iter().filter_map(|index| {
        let rule = datafile.rule(*index).filter(|rule| rule.is_running())?;
        let variation = variation_of(rule, variation)?;
        Some(Found { flag: Some(flag), index: *index, rule, variation })
    });
    running.next().ok_or(UnknownExposure::Variation)
}

fn variation_of(rule: &Rule, name: &str) -> Option<VariationIndex> {
    let by_key = || rule.variation_by_key.get(name).copied();
    rule.variation_index(name).or_else(by_key)
}
