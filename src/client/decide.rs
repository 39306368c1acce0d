//! The decide calls: flags with variation, variables and reasons.
//!
//! Must not know how a decision is made.

use std::sync::Arc;

use super::capture::Stamp;
use super::features::{is_enabled, variation_of};
use super::options::DecideOptions;
use super::session::{Sees, Session};
#[cfg(feature = "server")]
use super::unsettled::{Open, Unsettled};
use super::user::UserContext;
use super::variables::Variables;
use crate::attribution::{ImpressionSource, NewImpression};
use crate::datafile::{Datafile, FlagIndex, Rule, Variation};
use crate::decide::{Explanation, FlagDecision, How, Source, prediction_failed};
use crate::store::Receipt;

const NOT_READY: &str = "Optimizely SDK not configured properly yet.";

/// What was decided for a flag.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Decision {
    /// The flag.
    pub flag_key: String,
    /// The variation; `None` where nothing decided, and in error decisions.
    pub variation_key: Option<String>,
    /// The experiment, rollout rule or holdout that decided; `None` for a forced decision of the whole
    /// flag and where nothing decided.
    pub rule_key: Option<String>,
    /// Which kind of rule that is; `None` where the rule key is.
    pub source: Option<Source>,
    /// Which step decided; `None` in error decisions.
    pub how: Option<How>,
    /// Whether the variation switches the flag on.
    pub enabled: bool,
    /// The variables; empty with [`DecideOptions::EXCLUDE_VARIABLES`].
    pub variables: Variables,
    /// Why: with [`DecideOptions::INCLUDE_REASONS`], and always in error decisions.
    pub reasons: Vec<String>,
    /// Whether this is an error decision: unknown flag, no datafile yet, or no prediction.
    pub is_error: bool,
    /// Tell when the impressions of the decision are stored; empty where none was to be recorded.
    pub receipts: Vec<Receipt>,
    /// The steps that led here, with `DecideOptions::EXPLAIN`: those of this very decision, since another one
    /// would see what this one left.
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only the daemon shows it"))]
    pub(crate) explanation: Option<Box<Explanation>>,
}

impl<'a> UserContext<'a> {
    /// Decides a flag with the client's default options.
    #[must_use]
    pub fn decide(&self, flag_key: &str) -> Decision {
        self.decide_with(flag_key, DecideOptions::NONE)
    }

    /// Decides a flag. `ENABLED_FLAGS_ONLY` has no effect on a single flag.
    #[must_use]
    pub fn decide_with(&self, flag_key: &str, options: DecideOptions) -> Decision {
        let in_force = self.in_force();
        let Some(datafile) = in_force.datafile() else {
            return Decision::error(flag_key, NOT_READY);
        };
        let Some(index) = datafile.flag_index(flag_key) else {
            return Decision::unknown_flag(flag_key);
        };
        let mut call = DecideCall::new(self, datafile, options);
        let decision = call.decide(index, flag_key);
        call.session.finish();
        decision
    }

    /// Decides all flags, in the datafile's order.
    #[must_use]
    pub fn decide_all(&self, options: DecideOptions) -> Vec<Decision> {
        let in_force = self.in_force();
        let Some(datafile) = in_force.datafile() else { return Vec::new() };
        let mut call = DecideCall::new(self, datafile, options);
        let mut decisions = Vec::with_capacity(datafile.flags().len());
        for flag in datafile.flags() {
            if let Some(index) = datafile.flag_index(flag.key()) {
                decisions.extend(call.decide_wanted(index, flag.key()));
            }
        }
        call.session.finish();
        decisions
    }

    /// Decides some flags. An unknown key gets an error decision; a key given twice is answered once.
    #[must_use]
    pub fn decide_for_keys(
        &self,
        flag_keys: &[impl AsRef<str>],
        options: DecideOptions,
    ) -> Vec<Decision> {
        let in_force = self.in_force();
        let Some(datafile) = in_force.datafile() else { return Vec::new() };
        let mut call = DecideCall::new(self, datafile, options);
        let mut decisions: Vec<Decision> = Vec::with_capacity(flag_keys.len());
        for key in flag_keys {
            let key = key.as_ref();
            // Under ENABLED_FLAGS_ONLY both SDKs decide a repeated key again, and send its impression
            // again, as long as no answer was kept for it.
            if decisions.iter().any(|decision| decision.flag_key == key) {
                continue;
            }
            match datafile.flag_index(key) {
                Some(index) => decisions.extend(call.decide_wanted(index, key)),
                None => decisions.push(Decision::unknown_flag(key)),
            }
        }
        call.session.finish();
        decisions
    }

    /// Decides a flag by this datafile, which the caller holds, and leaves it to be settled.
    #[cfg(feature = "server")]
    pub(crate) fn decide_unsettled<'c>(
        &'c self,
        datafile: &'c Arc<Datafile>,
        flag_key: &str,
        options: DecideOptions,
    ) -> Unsettled<'c, 'a> {
        let Some(index) = datafile.flag_index(flag_key) else {
            let decision = Decision::unknown_flag(flag_key);
            return Unsettled { context: self, open: None, decision };
        };
        let mut call = DecideCall::new(self, datafile, options);
        let unsettled = call.decide_unsettled(index, flag_key);
        call.session.finish();
        unsettled
    }

    /// The same of all flags, in the datafile's order.
    #[cfg(feature = "server")]
    pub(crate) fn decide_all_unsettled<'c>(
        &'c self,
        datafile: &'c Arc<Datafile>,
        options: DecideOptions,
    ) -> Vec<Unsettled<'c, 'a>> {
        let mut call = DecideCall::new(self, datafile, options);
        let indexed = datafile
            .flags()
            .iter()
            .filter_map(|flag| datafile.flag_index(flag.key()).map(|index| (index, flag.key())));
        let unsettled = indexed.map(|(index, key)| call.decide_unsettled(index, key)).collect();
        call.session.finish();
        unsettled
    }

    /// Explains what [`UserContext::decide`] answers, and records nothing; `None` if there is no such
    /// flag.
    #[must_use]
    pub fn explain(&self, flag_key: &str) -> Option<Explanation> {
        let in_force = self.in_force();
        let datafile = in_force.datafile()?;
        let index = datafile.flag_index(flag_key)?;
        let mut call = DecideCall::new(self, datafile, DecideOptions::NONE);
        Some(call.session.explain_flag(index).1)
    }

    /// What [`UserContext::decide`] would answer, explained by the same decision. It leaves no trace: nothing is
    /// recorded, the profile stays as it is, and no listener hears of it.
    #[cfg(feature = "server")]
    pub(crate) fn preview(&self, flag_key: &str) -> Option<(Decision, Explanation)> {
        let in_force = self.in_force();
        let datafile = in_force.datafile()?;
        let index = datafile.flag_index(flag_key)?;
        let mut call = DecideCall::new(self, datafile, DecideOptions::NONE);
        let (decided, explanation) = call.session.explain_flag(index);
        let decision = if decided.is_error() {
            call.failed(flag_key, &decided, Why::default())
        } else {
            call.decision((index, flag_key), &decided, (Why::default(), Vec::new()))
        };
        Some((decision, explanation))
    }

    /// The impression that the SDKs send for a flag's decision, if they send one.
    pub(super) fn flag_impression<'i>(
        &'i self,
        datafile: &'i Arc<Datafile>,
        index: FlagIndex,
        decision: &FlagDecision,
        prediction_id: Option<&'i str>,
    ) -> Option<NewImpression<'i>> {
        if decision.is_error() {
            return None;
        }
        let source = match decision.source {
            Source::FeatureTest => ImpressionSource::FeatureTest,
            Source::Holdout => ImpressionSource::Holdout,
            Source::Rollout if datafile.sends_flag_decisions() => ImpressionSource::Rollout,
            Source::Rollout => return None,
        };
        Some(NewImpression {
            flag: Some(index),
            rule: decision.rule,
            variation: decision.variation,
            is_enabled: is_enabled(datafile, decision),
            is_forced: decision.how.is_forced(),
            prediction_id,
            ..self.new_impression(datafile, Stamp::default(), source)
        })
    }
}

impl Decision {
    fn error(flag_key: &str, reason: impl Into<String>) -> Self {
        Self {
            flag_key: flag_key.to_owned(),
            reasons: vec![reason.into()],
            is_error: true,
            ..Self::default()
        }
    }

    fn unknown_flag(flag_key: &str) -> Self {
        Self::error(flag_key, format!("No flag was found for key \"{flag_key}\"."))
    }
}

impl FlagDecision {
    /// Whether a contextual bandit had no prediction: then nothing is served or recorded.
    fn is_error(&self) -> bool {
        matches!(self.how, How::PredictionFailed | How::NeedsPrediction)
    }
}

/// What is said of why, as far as it was asked for.
#[derive(Default)]
struct Why {
    reasons: Vec<String>,
    explanation: Option<Box<Explanation>>,
}

/// One decide call: several flags may be decided in it, with one profile.
struct DecideCall<'c, 'u> {
    context: &'c UserContext<'u>,
    datafile: &'c Arc<Datafile>,
    options: DecideOptions,
    session: Session<'c, 'u>,
}

impl<'c, 'u> DecideCall<'c, 'u> {
    fn new(
        context: &'c UserContext<'u>,
        datafile: &'c Arc<Datafile>,
        options: DecideOptions,
    ) -> Self {
        let options = options | context.inner.options;
        let profile = !options.contains(DecideOptions::IGNORE_USER_PROFILE_SERVICE);
        let session = Session::new(context, datafile, Sees { forced_decisions: true, profile });
        Self { context, datafile, options, session }
    }

    fn decide_wanted(&mut self, index: FlagIndex, flag_key: &str) -> Option<Decision> {
        let decision = self.decide(index, flag_key);
        let is_wanted = decision.enabled
            || decision.is_error
            || !self.options.contains(DecideOptions::ENABLED_FLAGS_ONLY);
        is_wanted.then_some(decision)
    }

    /// Decides and settles: the user is exposed.
    fn decide(&mut self, index: FlagIndex, flag_key: &str) -> Decision {
        let (decided, why) = self.make(index);
        if decided.is_error() {
            return self.failed(flag_key, &decided, why);
        }
        let receipts = if self.is_recorded() {
            let prediction_id = self.session.prediction_id(decided.rule);
            let prediction_id = prediction_id.as_deref();
            self.context.record_flag(self.datafile, (index, &decided), prediction_id)
        } else {
            Vec::new()
        };
        let decision = self.decision((index, flag_key), &decided, (why, receipts));
        self.context.tell_flag(self.datafile, (index, &decided), &decision);
        decision
    }

    /// Decides; whether the user is exposed is for the caller to say.
    #[cfg(feature = "server")]
    fn decide_unsettled(&mut self, index: FlagIndex, flag_key: &str) -> Unsettled<'c, 'u> {
        let context = self.context;
        let (decided, why) = self.make(index);
        if decided.is_error() {
            return Unsettled {
                context,
                open: None,
                decision: self.failed(flag_key, &decided, why),
            };
        }
        let decision = self.decision((index, flag_key), &decided, (why, Vec::new()));
        let open = Open {
            datafile: self.datafile,
            flag: index,
            decided,
            prediction_id: self.session.prediction_id(decided.rule),
            is_recorded: self.is_recorded(),
        };
        Unsettled { context, open: Some(open), decision }
    }

    #[inline(always)]
    fn make(&mut self, index: FlagIndex) -> (FlagDecision, Why) {
        if self.options.tell_why() {
            let (decided, explanation) = self.session.explain_flag(index);
            (decided, self.why(explanation))
        } else {
            (self.session.flag(index), Why::default())
        }
    }

    #[cold]
    fn why(&self, explanation: Explanation) -> Why {
        let has_reasons = self.options.contains(DecideOptions::INCLUDE_REASONS);
        let is_kept = self.options.contains(DecideOptions::EXPLAIN);
        Why {
            reasons: if has_reasons { explanation.reasons() } else { Vec::new() },
            explanation: is_kept.then(|| Box::new(explanation)),
        }
    }

    #[cold]
    fn failed(&self, flag_key: &str, decided: &FlagDecision, why: Why) -> Decision {
        let rule = decided.rule.and_then(|rule| self.datafile.rule(rule));
        let reason = prediction_failed(rule.map(Rule::key).unwrap_or_default());
        Decision { explanation: why.explanation, ..Decision::error(flag_key, reason) }
    }

    const fn is_recorded(&self) -> bool {
        !self.options.contains(DecideOptions::DISABLE_DECISION_EVENT)
    }

    /// A decision as callers see it.
    #[inline(always)]
    fn decision(
        &self,
        (index, flag_key): (FlagIndex, &str),
        decided: &FlagDecision,
        (why, receipts): (Why, Vec<Receipt>),
    ) -> Decision {
        let datafile = self.datafile;
        let rule = decided.rule.and_then(|rule| datafile.rule(rule));
        let variables = datafile
            .flag(index)
            .filter(|_| !self.options.contains(DecideOptions::EXCLUDE_VARIABLES))
            .map(|flag| Variables::of(datafile, flag, decided));
        Decision {
            flag_key: flag_key.to_owned(),
            variation_key: variation_of(datafile, decided).map(Variation::key).map(str::to_owned),
            rule_key: rule.map(Rule::key).map(str::to_owned),
            source: rule.map(|_| decided.source),
            how: Some(decided.how),
            enabled: is_enabled(datafile, decided),
            variables: variables.unwrap_or_default(),
            reasons: why.reasons,
            is_error: false,
            receipts,
            explanation: why.explanation,
        }
    }
}
