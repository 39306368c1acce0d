//! What enters the store: impressions and events, as captured when they happened.
//!
//! Must not know clocks, locks or I/O: times that the caller did not give are set by the store.

use std::borrow::Cow;
use std::sync::Arc;

use super::attributes::{Attributes, GivenAttributes};
use crate::clock::TimeMs;
use crate::datafile::{
    Datafile, EventIndex, FlagIndex, Rule, RuleIndex, RuleKind, Shown, Variation, VariationIndex,
};

/// Which entrance an impression or event came through. Ids are unique within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A call of the library or the command.
    Library,
    /// A request in the form of Optimizely Agent.
    Agent,
    /// A request in the form of OpenFeature's remote evaluation protocol.
    Ofrep,
    /// A request in the form of Optimizely's event API.
    Optimizely,
    /// A request in the form of Flagger.
    Flagger,
    /// A request in the form of ThriveStack.
    Thrivestack,
    /// A request in the form of Segment.
    Segment,
    /// A request in the form of Countly.
    Countly,
    /// A request in the form of OnboardFlow.
    Onboardflow,
}

impl Origin {
    const ALL: [Self; 9] = [
        Self::Library,
        Self::Agent,
        Self::Ofrep,
        Self::Optimizely,
        Self::Flagger,
        Self::Thrivestack,
        Self::Segment,
        Self::Countly,
        Self::Onboardflow,
    ];

    /// The word for it in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Agent => "agent",
            Self::Ofrep => "ofrep",
            Self::Optimizely => "optimizely",
            Self::Flagger => "flagger",
            Self::Thrivestack => "thrivestack",
            Self::Segment => "segment",
            Self::Countly => "countly",
            Self::Onboardflow => "onboardflow",
        }
    }

    /// The number that stands for it in stores, which never changes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Library => 0,
            Self::Agent => 1,
            Self::Ofrep => 2,
            Self::Optimizely => 3,
            Self::Flagger => 4,
            Self::Thrivestack => 5,
            Self::Segment => 6,
            Self::Countly => 7,
            Self::Onboardflow => 8,
        }
    }

    /// The one that a number stands for.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.number() == number)
    }
}

/// What every impression and event carries.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The caller's id. Only such ids can be repeats; without one, the store makes an id.
    pub id: Option<Box<str>>,
    /// Where it came from.
    pub origin: Origin,
    /// Whom it is about.
    pub user_id: Box<str>,
    /// When it happened; without one, the store's clock says when it is taken up.
    pub time_ms: Option<TimeMs>,
    /// The datafile in force when it was accepted.
    pub datafile: Arc<Datafile>,
}

/// A decision to report, as it comes to a store: borrowed, so that what is never kept is never copied.
#[derive(Debug, Clone, Copy)]
pub struct NewImpression<'a> {
    /// The caller's id. Only such ids can be repeats; without one, the store makes an id.
    pub id: Option<&'a str>,
    /// Where it came from.
    pub origin: Origin,
    /// Whom it is about.
    pub user_id: &'a str,
    /// When it happened; without one, the store's clock says when it is taken up.
    pub time_ms: Option<TimeMs>,
    /// The datafile in force when it was accepted.
    pub datafile: &'a Arc<Datafile>,
    /// See [`Impression::flag`].
    pub flag: Option<FlagIndex>,
    /// See [`Impression::rule`].
    pub rule: Option<RuleIndex>,
    /// See [`Impression::variation`].
    pub variation: Option<(RuleIndex, VariationIndex)>,
    /// See [`Impression::source`].
    pub source: ImpressionSource,
    /// See [`Impression::is_enabled`].
    pub is_enabled: bool,
    /// See [`Impression::is_forced`].
    pub is_forced: bool,
    /// The caller's attributes.
    pub attributes: GivenAttributes<'a>,
    /// See [`Impression::prediction_id`].
    pub prediction_id: Option<&'a str>,
}

impl<'a> NewImpression<'a> {
    /// What the user was exposed to, if this is an activation; see [`Impression::activates`].
    #[must_use]
    pub fn shows(&self) -> Option<Cow<'a, Arc<Shown>>> {
        let index = self.rule?;
        let rule = self.datafile.rule(index).filter(|rule| rule.kind() != RuleKind::Rollout)?;
        let (of_rule, variation) = self.variation?;
        if of_rule == index {
            return rule.shown(variation).map(Cow::Borrowed);
        }
        let variation = self.datafile.rule(of_rule)?.variation(variation)?;
        Some(Cow::Owned(Arc::new(Shown::new(rule, variation))))
    }
}

impl<'a> From<&'a Impression> for NewImpression<'a> {
    fn from(impression: &'a Impression) -> Self {
        let Envelope { id, origin, user_id, time_ms, datafile } = &impression.envelope;
        Self {
            id: id.as_deref(),
            origin: *origin,
            user_id,
            time_ms: *time_ms,
            datafile,
            flag: impression.flag,
            rule: impression.rule,
            variation: impression.variation,
            source: impression.source,
            is_enabled: impression.is_enabled,
            is_forced: impression.is_forced,
            attributes: GivenAttributes::Recorded(&impression.attributes),
            prediction_id: impression.prediction_id.as_deref(),
        }
    }
}

impl From<&NewImpression<'_>> for Impression {
    fn from(new: &NewImpression<'_>) -> Self {
        Self {
            envelope: Envelope {
                id: new.id.map(Into::into),
                origin: new.origin,
                user_id: new.user_id.into(),
                time_ms: new.time_ms,
                datafile: Arc::clone(new.datafile),
            },
            flag: new.flag,
            rule: new.rule,
            variation: new.variation,
            source: new.source,
            is_enabled: new.is_enabled,
            is_forced: new.is_forced,
            attributes: new.attributes.to_recorded(new.datafile),
            prediction_id: new.prediction_id.map(Into::into),
        }
    }
}

/// The news that two user ids are one person, as it comes to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMerge<'a> {
    /// The caller's id. Only such ids can be repeats.
    pub id: Option<&'a str>,
    /// Where it came from.
    pub origin: Origin,
    /// The old id, whose activations are copied.
    pub from_user_id: &'a str,
    /// The new id, which the person has from now on.
    pub into_user_id: &'a str,
}

/// A decision to report. It is an activation if it names an experiment or a holdout.
#[derive(Debug, Clone)]
pub struct Impression {
    /// Id, user, time, datafile.
    pub envelope: Envelope,
    /// The flag that was decided; `None` for a call on an experiment.
    pub flag: Option<FlagIndex>,
    /// What decided: an experiment, a rollout rule, a holdout, or nothing.
    pub rule: Option<RuleIndex>,
    /// The variation and the rule that it belongs to: a forced decision may name another rule's.
    pub variation: Option<(RuleIndex, VariationIndex)>,
    /// Which kind of decision it reports.
    pub source: ImpressionSource,
    /// Whether the flag (or experiment) was on for the user.
    pub is_enabled: bool,
    /// Whether someone chose the variation: whitelist, forced variation or decision.
    pub is_forced: bool,
    /// The caller's attributes.
    pub attributes: Attributes,
    /// The id of the prediction behind a contextual bandit's decision.
    pub prediction_id: Option<Box<str>>,
}

impl Impression {
    /// The rule that decided.
    #[must_use]
    pub fn rule(&self) -> Option<&Rule> {
        self.envelope.datafile.rule(self.rule?)
    }

    /// The variation that was shown.
    #[must_use]
    pub fn variation(&self) -> Option<&Variation> {
        let (rule, variation) = self.variation?;
        self.envelope.datafile.rule(rule)?.variation(variation)
    }

    /// The experiment or holdout and the variation that the user was exposed to, if this is an
    /// activation: impressions of rollouts, empty decisions and flag-level forced decisions are none.
    #[must_use]
    pub fn activates(&self) -> Option<(&Rule, &Variation)> {
        let rule = self.rule().filter(|rule| rule.kind() != RuleKind::Rollout)?;
        Some((rule, self.variation()?))
    }
}

/// Which kind of decision an impression reports: the `rule_type` of the event API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImpressionSource {
    /// A call on an experiment.
    Experiment,
    /// An experiment of a flag, or a flag-level forced decision.
    FeatureTest,
    /// A rollout rule, or no rule at all.
    Rollout,
    /// A holdout.
    Holdout,
}

impl ImpressionSource {
    /// The word for it in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::FeatureTest => "feature-test",
            Self::Rollout => "rollout",
            Self::Holdout => "holdout",
        }
    }

    /// The number that stands for it in stores, which never changes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Experiment => 0,
            Self::FeatureTest => 1,
            Self::Rollout => 2,
            Self::Holdout => 3,
        }
    }

    /// The one that a number stands for.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        let all = [Self::Experiment, Self::FeatureTest, Self::Rollout, Self::Holdout];
        all.into_iter().find(|source| source.number() == number)
    }
}

/// Something a user did.
#[derive(Debug, Clone)]
pub struct Event {
    /// Id, user, time, datafile.
    pub envelope: Envelope,
    /// Which event of the datafile.
    pub event: EventIndex,
    /// The caller's attributes; `None` where the caller gave none at all.
    pub attributes: Option<Attributes>,
    /// The caller's tags, verbatim; `None` where there were none.
    pub tags: Option<serde_json::Map<String, serde_json::Value>>,
    /// Revenue in cents.
    pub revenue_cents: Option<i64>,
    /// The value that the event measures.
    pub value: Option<f64>,
    /// How often it happened, where one event stands for several.
    pub count: Option<u64>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
}
