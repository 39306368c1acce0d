//! One call's view of a user: profile and forced variations looked up once, predictions asked for when
//! a decision needs them, the profile saved at most once.
//!
//! Must not know what is done with a decision.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::predictor::PredictionRequest;
use super::user::UserContext;
use super::{Inner, Services};
use crate::datafile::{Datafile, FlagIndex, RuleIndex, VariationIndex};
use crate::decide::{
    self, ExperimentDecision, Explanation, FlagDecision, ForcedDecisions, ForcedVariations, Given,
    How, Prediction, Profile, Silent, User,
};

/// Which of a user's arrangements a call sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sees {
    /// Forced decisions: the decide calls only.
    pub(super) forced_decisions: bool,
    /// The sticky profile.
    pub(super) profile: bool,
}

/// What the calls of before flags had a `decide` see.
pub(super) const LEGACY_CALL: Sees = Sees { forced_decisions: false, profile: true };

/// The decisions of one call.
pub(super) struct Session<'c, 'u> {
    inner: &'c Inner,
    datafile: &'c Datafile,
    user: &'c User<'u>,
    forced_decisions: Option<&'c ForcedDecisions>,
    /// Nothing, in most calls of most clients; those then pay for one comparison.
    arranged: Option<Box<Arranged>>,
}

/// What was looked up and asked for on behalf of one call.
#[derive(Default)]
struct Arranged {
    forced_variations: Option<Arc<ForcedVariations>>,
    profile: Option<Profile>,
    /// What the call adds to the profile.
    new: Profile,
    predictions: Vec<Prediction>,
}

impl<'c, 'u> Session<'c, 'u> {
    #[inline]
    pub(super) fn new(context: &'c UserContext<'u>, datafile: &'c Datafile, sees: Sees) -> Self {
        let inner = context.inner;
        let forced_decisions =
            context.forced_decisions.as_deref().filter(|_| sees.forced_decisions);
        Self {
            inner,
            datafile,
            user: &context.user,
            forced_decisions,
            arranged: if inner.extras.arrange() {
                Arranged::look_up(inner, datafile, context.id(), sees.profile)
            } else {
                None
            },
        }
    }

    #[inline]
    pub(super) fn experiment(&mut self, rule: RuleIndex) -> ExperimentDecision {
        let decision = self.with_predictions(
            |datafile, user, given| match datafile.rule(rule) {
                Some(found) => {
                    decide::experiment_found(datafile, (rule, found), user, given, &mut Silent)
                }
                None => ExperimentDecision::none(How::NoRule),
            },
            |decision| (decision.how == How::NeedsPrediction).then_some(rule),
        );
        if decision.how == How::Bucket
            && let Some(variation) = decision.variation
        {
            self.remember(rule, variation);
        }
        decision
    }

    pub(super) fn flag(&mut self, flag: FlagIndex) -> FlagDecision {
        let decision = self.with_predictions(
            |datafile, user, given| decide::flag(datafile, flag, user, given, &mut Silent),
            FlagDecision::needs_prediction,
        );
        self.remember_flag(&decision);
        decision
    }

    /// Decides a flag like [`Session::flag`], and explains it.
    pub(super) fn explain_flag(&mut self, flag: FlagIndex) -> (FlagDecision, Explanation) {
        let (decision, explanation) = self.with_predictions(
            |datafile, user, given| Explanation::of_flag(datafile, flag, user, given),
            |(decision, _)| decision.needs_prediction(),
        );
        self.remember_flag(&decision);
        (decision, explanation)
    }

    /// Decides an experiment and explains it; there is nothing to remember of it.
    pub(super) fn explain_experiment(
        &mut self,
        rule: RuleIndex,
    ) -> (ExperimentDecision, Explanation) {
        self.with_predictions(
            |datafile, user, given| Explanation::of_experiment(datafile, rule, user, given),
            |(decision, _)| (decision.how == How::NeedsPrediction).then_some(rule),
        )
    }

    /// Decides, and as long as that needs a prediction, asks for it and decides again: each rule is
    /// asked for once.
    #[inline]
    fn with_predictions<D>(
        &mut self,
        decide: impl Fn(&Datafile, &User<'_>, &Given<'_>) -> D,
        needed: impl Fn(&D) -> Option<RuleIndex>,
    ) -> D {
        loop {
            let decision = decide(self.datafile, self.user, &self.given());
            match needed(&decision) {
                Some(rule) => self.predict(rule),
                None => return decision,
            }
        }
    }

    fn remember_flag(&mut self, decision: &FlagDecision) {
        if let Some((rule, variation)) = decision.to_remember() {
            self.remember(rule, variation);
        }
    }

    /// The id of the prediction behind a decision.
    #[inline]
    pub(super) fn prediction_id(&self, rule: Option<RuleIndex>) -> Option<Box<str>> {
        let predictions = &self.arranged.as_ref()?.predictions;
        let prediction = predictions.iter().find(|prediction| Some(prediction.rule) == rule)?;
        prediction.prediction_id.clone()
    }

    /// Saves the profile if a decision changed it.
    #[inline]
    pub(super) fn finish(self) {
        if let Some(arranged) = self.arranged
            && let (false, Some(whole)) = (arranged.new.is_empty(), &arranged.profile)
        {
            self.inner.services.save_profile(self.user.id(), &arranged.new, whole);
        }
    }

    #[inline]
    fn given(&self) -> Given<'_> {
        let forced_decisions = self.forced_decisions;
        let Some(arranged) = &self.arranged else {
            return Given { forced_decisions, ..Given::default() };
        };
        Given {
            forced_variations: arranged.forced_variations.as_deref(),
            forced_decisions,
            profile: arranged.profile.as_ref(),
            predictions: &arranged.predictions,
        }
    }

    #[inline]
    fn remember(&mut self, rule: RuleIndex, variation: VariationIndex) {
        if let Some(arranged) = &mut self.arranged
            && let (Some(profile), Some(rule)) = (&mut arranged.profile, self.datafile.rule(rule))
            && let Some(variation) = rule.variation(variation)
            && profile.set(rule.id(), variation.id())
        {
            arranged.new.set(rule.id(), variation.id());
        }
    }

    #[cold]
    fn predict(&mut self, index: RuleIndex) {
        let answer = self.datafile.rule(index).and_then(|rule| {
            let may_use = |key: &str| {
                let declared = self.datafile.attribute_by_key(key);
                declared.is_some_and(|declared| {
                    rule.prediction_attribute_ids().any(|id| id == declared.id())
                })
            };
            let attributes =
                self.user.attributes().iter().copied().filter(|attribute| may_use(attribute.key()));
            self.inner.services.predict(&PredictionRequest {
                rule_id: rule.id(),
                rule_key: rule.key(),
                user_id: self.user.id(),
                attributes: attributes.collect(),
            })
        });
        let (variation_id, prediction_id) =
            answer.map_or((None, None), |answer| (Some(answer.variation_id), answer.prediction_id));
        let arranged = self.arranged.get_or_insert_default();
        arranged.predictions.push(Prediction { rule: index, variation_id, prediction_id });
    }
}

impl Arranged {
    /// What there is for a user, if anything.
    #[cold]
    fn look_up(
        inner: &Inner,
        datafile: &Datafile,
        user_id: &str,
        sees_profile: bool,
    ) -> Option<Box<Self>> {
        let forced_variations = inner.forced_for(user_id, datafile);
        let profile = if sees_profile { inner.services.profile(user_id) } else { None };
        if forced_variations.is_none() && profile.is_none() {
            return None;
        }
        Some(Box::new(Self { forced_variations, profile, ..Self::default() }))
    }
}

impl Services {
    /// The user's profile, empty where there is none or the service fails; `None` without a service.
    fn profile(&self, user_id: &str) -> Option<Profile> {
        let service = self.profiles.as_ref()?;
        let found = self.guarded(|| service.lookup(user_id));
        Some(found.flatten().unwrap_or_default())
    }

    fn save_profile(&self, user_id: &str, new: &Profile, whole: &Profile) {
        if let Some(service) = &self.profiles {
            self.guarded(|| service.save_new(user_id, new, whole));
        }
    }

    fn predict(
        &self,
        request: &PredictionRequest<'_>,
    ) -> Option<super::predictor::PredictedVariation> {
        let predictor = self.predictor.as_ref()?;
        self.guarded(|| predictor.predict(request))
    }

    /// Calls the caller's code; failures and panics are counted and give nothing.
    fn guarded<T>(
        &self,
        call: impl FnOnce() -> Result<T, super::profile::ServiceError>,
    ) -> Option<T> {
        if let Ok(Ok(answer)) = catch_unwind(AssertUnwindSafe(call)) {
            return Some(answer);
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        None
    }
}
