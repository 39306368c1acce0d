//! Reasons: a trace in the texts that Optimizely Agent gives, since its clients compare them.
//!
//! Must not know how a trace came about.

use super::trace::{BucketStep, Step, Traced};

/// The reasons of a trace, in the order in which things happened.
pub(super) fn reasons(traced: &[Traced], user_id: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for part in traced {
        collect(part, None, user_id, &mut texts);
    }
    texts
}

/// The one reason of the error decision that a contextual bandit without a prediction gets.
pub(crate) fn prediction_failed(rule_key: &str) -> String {
    format!("Failed to fetch CMAB data for experiment {rule_key}.")
}

/// Parts come before the whole: a step is known only when it is over.
fn collect(traced: &Traced, around: Option<&Step>, user_id: &str, texts: &mut Vec<String>) {
    // Of a rollout rule and a holdout, the verdict on the audience comes before the bucket.
    for part in &traced.parts {
        collect(part, Some(&traced.step), user_id, texts);
        if let Step::Audiences { is_met, .. } = part.step {
            texts.extend(after_audiences(&traced.step, is_met, user_id));
        }
    }
    let is_outside_holdout = matches!(traced.step, Step::Holdout { .. })
        && traced
            .parts
            .iter()
            .any(|part| matches!(part.step, Step::Audiences { is_met: false, .. }));
    if !is_outside_holdout {
        texts.extend(text_of(&traced.step, around, user_id));
    }
}

fn after_audiences(around: &Step, is_met: bool, user: &str) -> Option<String> {
    match around {
        Step::RolloutRule { name, .. } => Some(match (is_met, name.as_str()) {
            (true, "Everyone Else") => {
                format!(r#"User "{user}" meets conditions for targeting rule "Everyone Else"."#)
            }
            (true, name) => format!(r#"User "{user}" meets conditions for targeting rule {name}."#),
            (false, name) => {
                format!(r#"User "{user}" does not meet conditions for targeting rule {name}."#)
            }
        }),
        Step::Holdout { key, .. } => {
            let verb = if is_met { "meets" } else { "does not meet" };
            Some(format!("User {user} {verb} conditions for holdout {key}."))
        }
        Step::Experiment { key, .. } if !is_met => {
            Some(format!(r#"User "{user}" does not meet conditions to be in experiment "{key}"."#))
        }
        _ => None,
    }
}

fn text_of(step: &Step, around: Option<&Step>, user: &str) -> Option<String> {
    Some(match step {
        Step::NotRunning { key, .. } => format!(r#"Experiment "{key}" is not running."#),
        Step::Audiences { name, is_met, .. } => match around {
            Some(Step::RolloutRule { .. }) => {
                format!("Audiences for rule {name} collectively evaluated to {is_met}.")
            }
            Some(Step::Holdout { .. }) => {
                format!("Audiences for holdout {name} collectively evaluated to {is_met}.")
            }
            _ => format!("Audiences for experiment {name} collectively evaluated to {is_met}."),
        },
        Step::ForcedVariation { experiment, variation, is_valid: true } => {
            format!(
                r#"User "{user}" is forced into variation "{variation}" of experiment "{experiment}"."#
            )
        }
        Step::ForcedVariation { experiment, variation, is_valid: false } => {
            format!(r#"Forced variation "{variation}" is not in experiment "{experiment}"."#)
        }
        Step::Whitelist { experiment, variation, is_valid: true } => {
            format!(
                r#"User "{user}" is whitelisted into variation "{variation}" of experiment "{experiment}"."#
            )
        }
        Step::Whitelist { experiment, variation, is_valid: false } => {
            format!(r#"Whitelisted variation "{variation}" is not in experiment "{experiment}"."#)
        }
        Step::Profile { experiment, variation, is_valid: true } => format!(
            r#"User "{user}" was previously bucketed into variation "{variation}" of experiment "{experiment}"."#
        ),
        Step::Profile { experiment, variation, is_valid: false } => format!(
            r#"User "{user}" was previously bucketed into variation with ID "{variation}" for experiment "{experiment}", but no matching variation was found."#
        ),
        Step::ForcedDecision { flag, rule, variation, is_valid } => {
            let subject = if *is_valid {
                format!("Variation ({variation})")
            } else {
                "Invalid variation".to_owned()
            };
            let rule = rule.as_ref().map(|rule| format!(", rule ({rule})")).unwrap_or_default();
            format!(
                "{subject} is mapped to flag ({flag}){rule} and user ({user}) in the forced decision map."
            )
        }
        Step::Holdout { key, variation: Some(variation), .. } => {
            format!("User {user} is in variation {variation} of holdout {key}.")
        }
        // Said only of who meets the conditions: see `collect`.
        Step::Holdout { variation: None, .. } => format!("User {user} is in no holdout variation."),
        Step::HoldoutSetAside { key } => {
            format!(
                "Holdout {key} excludes targeted deliveries, so that these and the rollout are evaluated."
            )
        }
        Step::Experiment { key, variation: Some(variation) } => {
            format!(r#"User "{user}" is in variation "{variation}" of experiment "{key}"."#)
        }
        Step::RolloutRule { name, variation: Some(_), .. } => {
            format!(r#"User "{user}" is bucketed into targeting rule {name}."#)
        }
        Step::Bucket(bucket) => bucket_text(bucket),
        Step::Group { id, experiment, is_chosen: true } => {
            format!(r#"User "{user}" is in experiment "{experiment}" of group {id}."#)
        }
        Step::Group { id, experiment, is_chosen: false } => {
            format!(r#"User "{user}" is not in experiment "{experiment}" of group {id}."#)
        }
        Step::Prediction { rule, is_answered: false, .. } => prediction_failed(rule),
        Step::ToEveryoneElse { from } => {
            format!(
                r#"User "{user}" is not bucketed into targeting rule {from}: checking rule "Everyone Else"."#
            )
        }
        Step::Condition { .. }
        | Step::Audience { .. }
        | Step::PassedOver { .. }
        | Step::NoRule
        | Step::Experiment { variation: None, .. }
        | Step::RolloutRule { variation: None, .. }
        | Step::Prediction { is_answered: true, .. } => return None,
    })
}

fn bucket_text(bucket: &BucketStep) -> String {
    let BucketStep { bucketing_id, bucket, parent_id, leads_to, .. } = bucket;
    format!(
        r#"Bucket {bucket} of bucketing ID "{bucketing_id}" in {parent_id} leads to {leads_to}."#
    )
}
