//! Answers, as they are printed: one JSON object each.
//!
//! Must not know how they come about. Flags and variables keep the datafile's order, so they are lists
//! that are written as objects.

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use crate::client::{Activated, DecideOptions, Decision, Tracked, Variables};
use crate::value::VariableValue;

/// The answer to a call.
#[derive(Debug, serde::Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum Answer {
    Variation {
        variation_key: Option<String>,
        /// Whether it is that of an activation whose id was seen before.
        #[serde(skip)]
        is_repeat: bool,
    },
    Tracked(TrackedAnswer),
    Decision(DecisionAnswer),
    Decisions {
        decisions: Ordered<DecisionAnswer>,
    },
    Enabled {
        enabled: bool,
    },
    FlagKeys {
        flag_keys: Vec<String>,
    },
    Value {
        value: Option<Value>,
    },
    Variables {
        variables: Option<Ordered<Option<Value>>>,
    },
    Done {
        ok: bool,
    },
    Error {
        error: String,
    },
}

/// The answer to `track`.
#[derive(Debug, serde::Serialize)]
pub(super) struct TrackedAnswer {
    pub(super) tracked: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) duplicate: bool,
    pub(super) experiments: Vec<CreditedExperiment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
}

/// An experiment that an event counts for.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreditedExperiment {
    experiment_key: String,
    variation_key: String,
}

/// The decision for a flag.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionAnswer {
    pub(super) flag_key: String,
    pub(super) variation_key: Option<String>,
    pub(super) enabled: bool,
    pub(super) rule_key: Option<String>,
    pub(super) variables: Ordered<Option<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasons: Option<Vec<String>>,
    /// How it came about, where `--explain` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explanation: Option<Value>,
    #[serde(skip)]
    pub(super) is_error: bool,
}

/// A list of named values that is written as an object.
#[derive(Debug)]
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl TrackedAnswer {
    pub(super) fn new(tracked: Tracked) -> Self {
        let experiments = tracked.credits.iter().map(|credit| CreditedExperiment {
            experiment_key: credit.experiment.experiment_key.as_ref().to_owned(),
            variation_key: credit.experiment.variation_key.as_ref().to_owned(),
        });
        Self {
            tracked: tracked.is_known,
            duplicate: tracked.duplicate,
            experiments: experiments.collect(),
            reason: tracked.reason.map(|reason| reason.as_str()),
        }
    }
}

impl DecisionAnswer {
    pub(super) fn new(decision: Decision, options: DecideOptions) -> Self {
        let tells_why = decision.is_error || options.contains(DecideOptions::INCLUDE_REASONS);
        Self {
            flag_key: decision.flag_key,
            variation_key: decision.variation_key,
            enabled: decision.enabled,
            rule_key: decision.rule_key,
            variables: ordered_variables(&decision.variables),
            reasons: tells_why.then_some(decision.reasons),
            explanation: None,
            is_error: decision.is_error,
        }
    }
}

impl Answer {
    pub(super) fn decisions(decisions: Vec<Decision>, options: DecideOptions) -> Self {
        let answer = |decision: Decision| {
            (decision.flag_key.clone(), DecisionAnswer::new(decision, options))
        };
        Self::Decisions { decisions: Ordered(decisions.into_iter().map(answer).collect()) }
    }

    pub(super) fn activation(activated: &Activated) -> Self {
        let outcome = activated.outcome.as_ref();
        Self::Variation {
            variation_key: activated.variation_key().map(str::to_owned),
            is_repeat: outcome.is_some_and(|outcome| outcome.duplicate),
        }
    }

    pub(super) fn variation(key: Option<&str>) -> Self {
        Self::Variation { variation_key: key.map(str::to_owned), is_repeat: false }
    }
}

pub(super) fn ordered_variables(variables: &Variables) -> Ordered<Option<Value>> {
    let named = |(key, value): (&str, Option<&VariableValue>)| (key.to_owned(), value.map(to_json));
    Ordered(variables.iter().map(named).collect())
}

pub(super) fn to_json(value: &VariableValue) -> Value {
    match value {
        VariableValue::Boolean(flag) => (*flag).into(),
        VariableValue::String(text) => text.as_ref().into(),
        VariableValue::Integer(number) => (*number).into(),
        VariableValue::Double(number) => (*number).into(),
        VariableValue::Json(value) => value.clone(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
