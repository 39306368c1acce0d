//! Calls on flags that the SDKs call features: on or off, and their variables.
//!
//! Must not know forced decisions: only the decide calls see those.

use std::sync::Arc;

use super::listener::{DecisionKind, DecisionNotice};
use super::session::{LEGACY_CALL, Session};
use super::user::UserContext;
use super::variables::Variables;
use crate::datafile::{Datafile, FlagIndex, Rule, Variation};
use crate::decide::{FlagDecision, variable_value};
use crate::value::VariableValue;

impl UserContext<'_> {
    /// Whether a flag is on for the user. Records an impression as the SDKs send one.
    #[must_use]
    pub fn is_feature_enabled(&self, flag_key: &str) -> bool {
        let in_force = self.in_force();
        let Some((datafile, flag)) = in_force
            .datafile()
            .and_then(|datafile| Some((datafile, datafile.flag_index(flag_key)?)))
        else {
            return false;
        };
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        let is_on = self.is_on(&mut session, datafile, flag);
        session.finish();
        is_on
    }

    /// The keys of all flags that are on for the user, in the datafile's order. Records an impression
    /// for each flag that the SDKs send one for.
    #[must_use]
    pub fn get_enabled_features(&self) -> Vec<String> {
        let in_force = self.in_force();
        let Some(datafile) = in_force.datafile() else { return Vec::new() };
        let indexed = datafile
            .flags()
            .iter()
            .filter_map(|flag| Some((flag, datafile.flag_index(flag.key())?)));
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        let enabled = indexed
            .filter(|(_, index)| self.is_on(&mut session, datafile, *index))
            .map(|(flag, _)| flag.key().to_owned())
            .collect();
        session.finish();
        enabled
    }

    /// The value of one variable of a flag; `None` if flag or variable are unknown, or the datafile's
    /// text is not of the variable's type. Records nothing.
    #[must_use]
    pub fn get_feature_variable(
        &self,
        flag_key: &str,
        variable_key: &str,
    ) -> Option<VariableValue> {
        let in_force = self.in_force();
        let datafile = in_force.datafile()?;
        let index = datafile.flag_index(flag_key)?;
        let variable = datafile.flag(index)?.variable_by_key(variable_key)?;
        let decision = self.decide_feature(datafile, index);
        self.tell_feature(DecisionKind::FeatureVariable, datafile, (index, &decision), false);
        variable_value(datafile, variable, &decision).cloned()
    }

    /// The values of all variables of a flag; `None` if the flag is unknown. Records nothing.
    #[must_use]
    pub fn get_all_feature_variables(&self, flag_key: &str) -> Option<Variables> {
        let in_force = self.in_force();
        let datafile = in_force.datafile()?;
        let index = datafile.flag_index(flag_key)?;
        let decision = self.decide_feature(datafile, index);
        self.tell_feature(DecisionKind::AllFeatureVariables, datafile, (index, &decision), false);
        Some(Variables::of(datafile, datafile.flag(index)?, &decision))
    }

    fn is_on(
        &self,
        session: &mut Session<'_, '_>,
        datafile: &Arc<Datafile>,
        index: FlagIndex,
    ) -> bool {
        let decision = session.flag(index);
        let prediction_id = session.prediction_id(decision.rule);
        let is_dispatched = self
            .flag_impression(datafile, index, &decision, prediction_id.as_deref())
            .map(|impression| self.record_impression(&impression))
            .is_some();
        self.tell_feature(DecisionKind::Feature, datafile, (index, &decision), is_dispatched);
        says_true(datafile, &decision)
    }

    fn decide_feature(&self, datafile: &Arc<Datafile>, index: FlagIndex) -> FlagDecision {
        let mut session = Session::new(self, datafile, LEGACY_CALL);
        let decision = session.flag(index);
        session.finish();
        decision
    }

    pub(super) fn tell_feature(
        &self,
        kind: DecisionKind,
        datafile: &Datafile,
        (index, decision): (FlagIndex, &FlagDecision),
        is_dispatched: bool,
    ) {
        if self.inner.listeners.is_empty() {
            return;
        }
        let notice = self.feature_notice(kind, datafile, (index, decision), is_dispatched);
        self.inner.listeners.tell(|listener| listener.decision(&notice));
    }

    /// What listeners are told of a flag's decision.
    pub(super) fn feature_notice<'n>(
        &'n self,
        kind: DecisionKind,
        datafile: &'n Datafile,
        (index, decision): (FlagIndex, &FlagDecision),
        is_dispatched: bool,
    ) -> DecisionNotice<'n> {
        let rule = decision.rule.and_then(|rule| datafile.rule(rule));
        let variation = variation_of(datafile, decision);
        DecisionNotice {
            kind,
            user_id: self.id(),
            attributes: self.attributes(),
            flag_key: datafile.flag(index).map(crate::datafile::Flag::key),
            rule_key: rule.map(Rule::key),
            rule_id: rule.filter(|_| variation.is_some()).map(Rule::id),
            variation_key: variation.map(Variation::key),
            variation_id: variation.map(Variation::id),
            variables: None,
            reasons: &[],
            is_enabled: match kind {
                DecisionKind::Feature => says_true(datafile, decision),
                _ => is_enabled(datafile, decision),
            },
            is_dispatched,
        }
    }
}

/// Whether a flag is on for `isFeatureEnabled`: what stands for `true` is none there, in both official SDKs.
fn says_true(datafile: &Datafile, decision: &FlagDecision) -> bool {
    variation_of(datafile, decision).is_some_and(|variation| variation.says_true)
}

/// The variation of a flag's decision.
pub(super) fn variation_of<'d>(
    datafile: &'d Datafile,
    decision: &FlagDecision,
) -> Option<&'d Variation> {
    let (rule, variation) = decision.variation?;
    datafile.rule(rule)?.variation(variation)
}

/// Whether a flag's decision switches the flag on.
pub(super) fn is_enabled(datafile: &Datafile, decision: &FlagDecision) -> bool {
    variation_of(datafile, decision).is_some_and(Variation::is_feature_enabled)
}
