//! Bodies of Optimizely Agent, with this daemon's extensions.
//!
//! Must not know how they come about. What is null in a body is as if it were not there.

pub(super) mod arranged;
pub(super) mod track;

use std::borrow::Cow;

use serde::Serialize as Written;
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::client::{Decision, Variables};
use crate::server::wire::members::members;
use crate::server::wire::parts::{CreditsAnswer, VariableAnswer};

#[derive(Debug, Default)]
pub(in crate::server) struct DecideBody {
    pub(super) user_id: Option<String>,
    pub(super) user_attributes: Option<Map<String, Value>>,
    pub(super) decide_options: Option<Vec<String>>,
    pub(super) forced_decisions: Option<Vec<ForcedDecisionBody>>,
    pub(super) fetch_segments: Option<bool>,
}

members!(DecideBody {
    "userId" => user_id,
    "userAttributes" => user_attributes,
    "decideOptions" => decide_options,
    "forcedDecisions" => forced_decisions,
    "fetchSegments" => fetch_segments,
});

#[derive(Debug, Default)]
pub(super) struct ForcedDecisionBody {
    pub(super) flag_key: Option<String>,
    pub(super) rule_key: Option<String>,
    pub(super) variation_key: Option<String>,
}

members!(ForcedDecisionBody {
    "flagKey" => flag_key,
    "ruleKey" => rule_key,
    "variationKey" => variation_key,
});

#[derive(Debug, Default)]
pub(in crate::server) struct ActivateBody {
    pub(super) user_id: Option<String>,
    pub(super) user_attributes: Option<Map<String, Value>>,
}

members!(ActivateBody {
    "userId" => user_id,
    "userAttributes" => user_attributes,
});

/// `recorded` and `explanation` are extensions.
#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionAnswer<'a> {
    pub(super) variation_key: &'a str,
    pub(super) enabled: bool,
    pub(super) rule_key: &'a str,
    pub(super) flag_key: &'a str,
    pub(super) user_context: UserAnswer<'a>,
    pub(super) reasons: ReasonsAnswer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variables: Option<VariablesAnswer<'a>>,
    pub(super) is_everyone_else_variation: bool,
    /// Only where the store did not take the impression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explanation: Option<Value>,
}

#[derive(Debug, Clone, Copy, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserAnswer<'a> {
    pub(super) user_id: &'a str,
    pub(super) attributes: &'a Map<String, Value>,
}

#[derive(Debug, Default, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActivationAnswer {
    pub(super) user_id: String,
    pub(super) experiment_key: String,
    pub(super) feature_key: String,
    pub(super) variation_key: String,
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variables: Option<OwnedVariables>,
    pub(super) enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'static str>,
}

/// All but `userId`, `eventKey` and `error` are extensions.
#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrackAnswer<'a> {
    pub(super) user_id: &'a str,
    pub(super) event_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_id: Option<String>,
    pub(super) credits: CreditsAnswer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    pub(super) duplicate: bool,
    pub(super) revision: &'a str,
}

/// Reasons as Agent gives them. That a variable has no value is an error, and first; errors are given where nobody
/// asks for reasons, too.
#[derive(Debug)]
pub(in crate::server) struct ReasonsAnswer<'a> {
    variables: Option<&'a Variables>,
    reasons: &'a [String],
}

/// Variables as an object, in the datafile's order.
#[derive(Debug)]
pub(in crate::server) struct VariablesAnswer<'a>(&'a Variables);

#[derive(Debug)]
pub(super) struct OwnedVariables(Variables);

impl<'a> ReasonsAnswer<'a> {
    /// The reasons of a decision with these variables.
    pub(in crate::server) const fn new(
        variables: Option<&'a Variables>,
        reasons: &'a [String],
    ) -> Self {
        Self { variables, reasons }
    }
}

impl<'a> VariablesAnswer<'a> {
    /// Whatever there is of them.
    pub(in crate::server) const fn of_all(variables: &'a Variables) -> Self {
        Self(variables)
    }

    /// `None` where there are none: they are left out then.
    pub(super) fn of(decision: &'a Decision) -> Option<Self> {
        Some(&decision.variables).filter(|variables| !variables.is_empty()).map(Self)
    }
}

impl OwnedVariables {
    /// `None` where there are none: they are left out then.
    pub(super) fn new(variables: Variables) -> Option<Self> {
        Some(variables).filter(|variables| !variables.is_empty()).map(Self)
    }
}

impl Serialize for ReasonsAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let variables = self.variables.into_iter().flat_map(Variables::iter);
        let wrong = variables.filter(|(_, value)| value.is_none()).map(|(key, _)| {
            Cow::from(format!("Variable value for key \"{key}\" is invalid or wrong type."))
        });
        let reasons = self.reasons.iter().map(|reason| Cow::from(reason.as_str()));
        serializer.collect_seq(wrong.chain(reasons))
    }
}

impl Serialize for VariablesAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value.map(VariableAnswer))))
    }
}

impl Serialize for OwnedVariables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        VariablesAnswer(&self.0).serialize(serializer)
    }
}
