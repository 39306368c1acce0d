//! One step of a trace in words, and as members of a JSON object.
//!
//! Must not know how steps nest.

use serde_json::{Value, json};

use super::trace::{BucketStep, Seen, Step};

/// A step in one line.
pub(super) fn headline(step: &Step) -> String {
    match step {
        Step::Experiment { key, variation } => {
            format!("experiment {key:?}: {}", outcome(variation.as_ref()))
        }
        Step::RolloutRule { key, name, variation } => {
            let name = if name == "Everyone Else" {
                "everyone else".to_owned()
            } else {
                format!("rule {name}")
            };
            format!("rollout {name} ({key:?}): {}", outcome(variation.as_ref()))
        }
        Step::Holdout { key, rule, variation } => {
            let scope = rule
                .as_ref()
                .map_or_else(|| "global".to_owned(), |rule| format!("for rule {rule:?}"));
            let outcome = variation.as_ref().map_or_else(
                || "not held out".to_owned(),
                |variation| format!("held out, variation {variation:?}"),
            );
            format!("holdout {key:?} ({scope}): {outcome}")
        }
        Step::NotRunning { status, .. } => format!("does not run: its status is {status:?}"),
        Step::HoldoutSetAside { key } => {
            format!(
                "holdout {key:?} excludes targeted deliveries: only these and the rollout are left"
            )
        }
        Step::PassedOver { key } => {
            format!("experiment {key:?}: passed over, it is no targeted delivery")
        }
        Step::ForcedDecision { rule, variation, is_valid, .. } => {
            let scope = rule
                .as_ref()
                .map_or_else(|| "the flag".to_owned(), |rule| format!("rule {rule:?}"));
            format!("forced decision for {scope}: {}", named(variation, *is_valid))
        }
        Step::ForcedVariation { variation, is_valid, .. } => {
            format!("forced variation: {}", named(variation, *is_valid))
        }
        Step::Whitelist { variation, is_valid, .. } => {
            format!("whitelist: {}", named(variation, *is_valid))
        }
        Step::Profile { variation, is_valid, .. } => {
            format!("sticky profile: {}", named(variation, *is_valid))
        }
        Step::Condition { attribute, test, seen, outcome } => {
            format!("{attribute:?} {test}: {} (saw {})", truth(*outcome), seen_text(seen))
        }
        Step::Audience { name, wanted, is_met, .. } => {
            let wanted = if *wanted { "" } else { " (asked to be false)" };
            format!("audience {name:?}{wanted}: {}", if *is_met { "yes" } else { "no" })
        }
        Step::Audiences { is_everyone: true, .. } => "audiences: everyone".to_owned(),
        Step::Audiences { is_met, .. } => {
            format!("audiences: {}", if *is_met { "the user is in" } else { "the user is not in" })
        }
        Step::Bucket(bucket) => bucket_headline(bucket),
        Step::Group { id, is_chosen: true, .. } => format!("group {id}: gives this experiment"),
        Step::Group { id, is_chosen: false, .. } => {
            format!("group {id}: does not give this experiment")
        }
        Step::Prediction { is_answered: false, .. } => "prediction: no answer".to_owned(),
        Step::Prediction { variation, .. } => {
            format!("prediction: {}", outcome(variation.as_ref()))
        }
        Step::ToEveryoneElse { .. } => {
            "in the audience but not in the traffic: on to everyone else".to_owned()
        }
        Step::NoRule => "no rule decided: there is none that could".to_owned(),
    }
}

fn bucket_headline(step: &BucketStep) -> String {
    let BucketStep { bucketing_id, parent_id, bucket, range, leads_to } = step;
    let range = range.map_or_else(
        || "behind every range".to_owned(),
        |(from, to)| format!("in the range {from} to {}", to.saturating_sub(1)),
    );
    format!("bucket {bucket} ({bucketing_id:?} in {parent_id}), {range}: {leads_to}")
}

fn outcome(variation: Option<&String>) -> String {
    variation.map_or_else(|| "no variation".to_owned(), |key| format!("variation {key:?}"))
}

fn named(variation: &str, is_valid: bool) -> String {
    if is_valid {
        format!("variation {variation:?}")
    } else {
        format!("{variation:?}, which does not exist: ignored")
    }
}

fn truth(outcome: Option<bool>) -> &'static str {
    match outcome {
        Some(true) => "true",
        Some(false) => "false",
        None => "unknown",
    }
}

fn seen_text(seen: &Seen) -> String {
    match seen {
        Seen::Missing => "nothing".to_owned(),
        Seen::Segments(None) => "no segments fetched".to_owned(),
        Seen::Segments(Some(segments)) => format!("segments {segments:?}"),
        Seen::Other => "a list or an object".to_owned(),
        Seen::String(_) | Seen::Integer(_) | Seen::Double(_) | Seen::Boolean(_) | Seen::Null => {
            seen_json(seen).to_string()
        }
    }
}

fn seen_json(seen: &Seen) -> Value {
    match seen {
        Seen::Missing | Seen::Null | Seen::Other => Value::Null,
        Seen::String(text) => json!(text),
        Seen::Integer(number) => json!(number),
        Seen::Double(number) => json!(number),
        Seen::Boolean(flag) => json!(flag),
        Seen::Segments(segments) => json!(segments),
    }
}

/// A step's name (`step`) and its own members, for JSON.
pub(super) fn members(step: &Step) -> Vec<(&'static str, Value)> {
    let mut members = vec![("step", json!(name(step)))];
    members.extend(match step {
        Step::Experiment { key, variation } => {
            vec![("key", json!(key)), ("variation", json!(variation))]
        }
        Step::RolloutRule { key, name, variation } => {
            vec![("key", json!(key)), ("name", json!(name)), ("variation", json!(variation))]
        }
        Step::Holdout { key, rule, variation } => {
            vec![("key", json!(key)), ("rule", json!(rule)), ("variation", json!(variation))]
        }
        Step::NotRunning { key, status } => vec![("key", json!(key)), ("status", json!(status))],
        Step::HoldoutSetAside { key } | Step::PassedOver { key } => vec![("key", json!(key))],
        Step::ForcedDecision { flag, rule, variation, is_valid } => vec![
            ("flag", json!(flag)),
            ("rule", json!(rule)),
            ("variation", json!(variation)),
            ("valid", json!(is_valid)),
        ],
        Step::ForcedVariation { experiment, variation, is_valid }
        | Step::Whitelist { experiment, variation, is_valid }
        | Step::Profile { experiment, variation, is_valid } => {
            vec![
                ("experiment", json!(experiment)),
                ("variation", json!(variation)),
                ("valid", json!(is_valid)),
            ]
        }
        Step::Condition { attribute, test, seen, outcome } => vec![
            ("attribute", json!(attribute)),
            ("test", json!(test)),
            ("given", json!(!matches!(seen, Seen::Missing | Seen::Segments(None)))),
            ("seen", seen_json(seen)),
            ("outcome", json!(outcome)),
        ],
        Step::Audience { id, name, wanted, is_met } => {
            vec![
                ("id", json!(id)),
                ("name", json!(name)),
                ("wanted", json!(wanted)),
                ("met", json!(is_met)),
            ]
        }
        Step::Audiences { name, is_everyone, is_met } => {
            vec![("name", json!(name)), ("everyone", json!(is_everyone)), ("met", json!(is_met))]
        }
        Step::Bucket(bucket) => vec![
            ("bucketingId", json!(bucket.bucketing_id)),
            ("parentId", json!(bucket.parent_id)),
            ("bucket", json!(bucket.bucket)),
            ("range", json!(bucket.range)),
            ("leadsTo", json!(bucket.leads_to)),
        ],
        Step::Group { id, experiment, is_chosen } => {
            vec![("id", json!(id)), ("experiment", json!(experiment)), ("chosen", json!(is_chosen))]
        }
        Step::Prediction { rule, variation, is_answered } => {
            vec![
                ("rule", json!(rule)),
                ("variation", json!(variation)),
                ("answered", json!(is_answered)),
            ]
        }
        Step::ToEveryoneElse { from } => vec![("from", json!(from))],
        Step::NoRule => Vec::new(),
    });
    members
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::Experiment { .. } => "experiment",
        Step::RolloutRule { .. } => "rollout-rule",
        Step::Holdout { .. } => "holdout",
        Step::NotRunning { .. } => "not-running",
        Step::HoldoutSetAside { .. } => "holdout-set-aside",
        Step::PassedOver { .. } => "passed-over",
        Step::ForcedDecision { .. } => "forced-decision",
        Step::ForcedVariation { .. } => "forced-variation",
        Step::Whitelist { .. } => "whitelist",
        Step::Profile { .. } => "profile",
        Step::Condition { .. } => "condition",
        Step::Audience { .. } => "audience",
        Step::Audiences { .. } => "audiences",
        Step::Bucket(_) => "bucket",
        Step::Group { .. } => "group",
        Step::Prediction { .. } => "prediction",
        Step::ToEveryoneElse { .. } => "to-everyone-else",
        Step::NoRule => "no-rule",
    }
}
