//! Hostile datafiles: linting ends soon, and what is not listed is not forgotten.

use serde_json::{Value, json};
use variate::datafile::Severity;

use super::{checked, condition, flag};
use crate::datafile::{datafile, experiment};

/// Conditions that are as hard as they come: nothing is met, and it takes all combinations to see it.
fn hard(attributes: usize) -> Value {
    let mut parts = vec![json!("and")];
    for index in 0..attributes {
        let name = format!("x{index}");
        let value = |value: i64| condition(&name, "exact", json!(value));
        parts.push(json!(["or", value(1), value(2), value(3)]));
        let next = format!("x{}", (index + 1) % attributes);
        let of_next = |value: i64| condition(&next, "exact", json!(value));
        for number in 1..4 {
            parts.push(json!(["or", ["not", value(number)], ["not", of_next(number)]]));
        }
    }
    parts.into()
}

#[test]
fn searches_end() {
    let audiences: Vec<_> = (0..12)
        .map(|id| json!({"id": id.to_string(), "name": "hard", "conditions": hard(31)}))
        .collect();
    let rules: Vec<_> = (0..12)
        .map(|id| experiment(&format!("9{id}"), "r", json!({"audienceIds": [id.to_string()]})))
        .collect();
    let rollouts = json!([{"id": "r", "experiments": rules}]);
    let datafile = datafile(
        json!({"typedAudiences": audiences, "rollouts": rollouts, "featureFlags": [flag("f", "r", &[])]}),
    );
    // What matters is that this returns: without a budget it would not in a lifetime.
    let found = checked(&datafile).findings;
    assert!(!found.iter().any(|found| found.finding.code == "never-true"));
}

#[test]
fn many_texts_and_versions_are_not_looked_into() {
    let texts = (0..40).map(|text| condition("s", "substring", json!(text.to_string())));
    let versions = (0..40).map(|number| {
        condition("v", "semver_ge", json!(format!("{number}.{number}.{number}-{number}")))
    });
    let conditions: Vec<_> = [json!("and")].into_iter().chain(texts).chain(versions).collect();
    let audiences = json!([{"id": "a", "name": "a", "conditions": conditions}]);
    checked(&datafile(json!({"typedAudiences": audiences})));
}

#[test]
fn the_last_finding_is_as_severe_as_what_it_stands_for() {
    let last = |sections: Value| {
        let found = checked(&datafile(sections)).findings;
        assert_eq!(found.len(), 1001);
        let last = found.last().unwrap().finding.clone();
        assert_eq!(last.code, "too-many-findings");
        last.severity
    };
    let event = |id: i32| json!({"id": id.to_string(), "key": id.to_string(), "experimentIds": []});
    let events: Vec<_> = (0..1500).map(event).collect();
    assert_eq!(last(json!({"events": events})), Severity::Note);
    let broken = vec![json!({}); 1500];
    assert_eq!(last(json!({"holdouts": broken, "events": events})), Severity::Error);
}
