//! A call of a replay, as read from its line.
//!
//! Must not know JSON beyond the values that are passed on, or how a call is answered.

use serde_json::{Map, Value};

use crate::client::DecideOptions;
use crate::clock::TimeMs;
use crate::targeting::Attribute;

/// A call: who, when, what.
#[derive(Debug)]
pub(super) struct Call<'l> {
    /// The call's name.
    pub(super) name: &'static str,
    /// The user; empty where the call is about none.
    pub(super) user_id: &'l str,
    pub(super) attributes: Vec<Attribute<'l>>,
    /// `None` where they were never fetched. Only the decide calls look at them.
    pub(super) segments: Option<Vec<&'l str>>,
    pub(super) time_ms: Option<TimeMs>,
    pub(super) ask: Ask<'l>,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Ask<'l> {
    Activate { experiment_key: &'l str, id: Option<&'l str> },
    GetVariation { experiment_key: &'l str },
    Track(TrackedEvent<'l>),
    Decide { flag_key: &'l str, options: DecideOptions },
    DecideAll { options: DecideOptions },
    DecideForKeys { flag_keys: Vec<&'l str>, options: DecideOptions },
    IsFeatureEnabled { flag_key: &'l str },
    GetEnabledFeatures,
    GetFeatureVariable { flag_key: &'l str, variable_key: &'l str },
    GetAllFeatureVariables { flag_key: &'l str },
    SetForcedVariation { experiment_key: &'l str, variation_key: Option<&'l str> },
    GetForcedVariation { experiment_key: &'l str },
    SetForcedDecision { flag_key: &'l str, rule_key: Option<&'l str>, variation_key: &'l str },
    RemoveForcedDecision { flag_key: &'l str, rule_key: Option<&'l str> },
    RemoveAllForcedDecisions,
    SetDatafile { path: &'l str },
}

impl Ask<'_> {
    /// Whether an activation, another impression or an event may come of it.
    pub(super) fn may_record(&self) -> bool {
        matches!(
            self,
            Self::Activate { .. }
                | Self::Track(_)
                | Self::Decide { .. }
                | Self::DecideAll { .. }
                | Self::DecideForKeys { .. }
                | Self::IsFeatureEnabled { .. }
                | Self::GetEnabledFeatures
        )
    }
}

/// What `track` is told.
#[derive(Debug)]
pub(super) struct TrackedEvent<'l> {
    pub(super) event_key: &'l str,
    pub(super) id: Option<&'l str>,
    pub(super) tags: Option<&'l Map<String, Value>>,
    pub(super) count: Option<u64>,
    pub(super) duration_seconds: Option<f64>,
}

/// The names of all calls, in the order in which the help lists them.
pub(super) const CALL_NAMES: &[&str] = &[
    "activate",
    "getVariation",
    "track",
    "decide",
    "decideAll",
    "decideForKeys",
    "isFeatureEnabled",
    "getEnabledFeatures",
    "getFeatureVariable",
    "getAllFeatureVariables",
    "setForcedVariation",
    "getForcedVariation",
    "setForcedDecision",
    "removeForcedDecision",
    "removeAllForcedDecisions",
    "setDatafile",
];
