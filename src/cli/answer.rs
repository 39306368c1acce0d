//! Answers as the JSON that a replay prints.
//!
//! Must not know calls.

use serde_json::{Map, Value, json};

use super::value;
use crate::client::{DecideOptions, Decision, Tracked};

/// `{"variationKey"}`.
pub(super) fn variation(key: Option<&str>) -> Value {
    json!({ "variationKey": key })
}

/// `{"tracked","experiments"}`, with `reason` where there are no experiments, and `duplicate`.
pub(super) fn tracked(tracked: &Tracked) -> Value {
    let credits = tracked.credits.iter().map(|credit| {
        let shown = &credit.experiment;
        json!({ "experimentKey": *shown.experiment_key, "variationKey": *shown.variation_key })
    });
    let mut answer =
        json!({ "tracked": tracked.is_known, "experiments": credits.collect::<Vec<_>>() });
    if let Some(object) = answer.as_object_mut() {
        if let Some(reason) = tracked.reason {
            object.insert("reason".to_owned(), json!(reason.as_str()));
        }
        if tracked.duplicate {
            object.insert("duplicate".to_owned(), json!(true));
        }
    }
    answer
}

/// `{"flagKey","variationKey","enabled","ruleKey","variables"}`, with `reasons` if asked, or in an error.
pub(super) fn decision(decision: &Decision, options: DecideOptions) -> Value {
    let mut answer = json!({
        "flagKey": decision.flag_key,
        "variationKey": decision.variation_key,
        "enabled": decision.enabled,
        "ruleKey": decision.rule_key,
        "variables": value::variables(&decision.variables),
    });
    let has_reasons = decision.is_error || options.contains(DecideOptions::INCLUDE_REASONS);
    if let Some(object) = answer.as_object_mut().filter(|_| has_reasons) {
        object.insert("reasons".to_owned(), json!(decision.reasons));
    }
    answer
}

/// `{"decisions": {flagKey: decision}}`.
pub(super) fn decisions(decisions: &[Decision], options: DecideOptions) -> Value {
    let by_key: Map<_, _> = decisions
        .iter()
        .map(|decided| (decided.flag_key.clone(), decision(decided, options)))
        .collect();
    json!({ "decisions": by_key })
}
