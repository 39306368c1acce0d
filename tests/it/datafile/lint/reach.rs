//! Rules that nobody gets to, and rules that somebody does get to.

use serde_json::{Value, json};

use super::{check, condition, flag, ranges};
use crate::datafile::experiment;

/// Audiences `adults` (18 and more), `old` (60 and more), `se`, and `any` (a tautology that is a finding).
fn audiences() -> Value {
    let of = |id: &str, conditions: Value| json!({"id": id, "name": id, "conditions": conditions});
    json!([
        of("adults", json!(["and", condition("n", "ge", json!(18))])),
        of("old", json!(["and", condition("n", "ge", json!(60))])),
        of("se", json!(["or", condition("s", "exact", json!("SE"))])),
    ])
}

fn sections(more: Value) -> Value {
    let mut sections = json!({
        "attributes": [{"id": "n", "key": "n"}, {"id": "s", "key": "s"}],
        "typedAudiences": audiences(),
    });
    let fields = sections.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("sections").clone());
    // Audiences that are not used would be notes.
    let user = json!({"audienceIds": ["adults", "old", "se"], "status": "Paused"});
    let user = experiment("900", "user", user);
    match fields.get_mut("experiments").and_then(Value::as_array_mut) {
        Some(experiments) => experiments.push(user),
        None => _ = fields.insert("experiments".to_owned(), json!([user])),
    }
    sections
}

/// A rule for an audience (`*`: everyone) that gives this much of the traffic a variation.
fn rule(id: &str, audience: &str, end: i64) -> Value {
    let audiences = if audience == "*" { json!([]) } else { json!([audience]) };
    experiment(
        id,
        id,
        json!({
            "audienceIds": audiences, "type": "td",
            "variations": [{"id": format!("{id}1"), "key": "on"}],
            "trafficAllocation": ranges(&[(&format!("{id}1"), end)]),
        }),
    )
}

#[track_caller]
fn check_rollout(rules: &[Value], expect: &[&str]) {
    let rollouts = json!([{"id": "r", "experiments": rules}]);
    check(sections(json!({"rollouts": rollouts, "featureFlags": [flag("f", "r", &[])]})), expect);
}

const SECOND: &str = "unreachable-rule rollouts[0].experiments[1]";
const THIRD: &str = "unreachable-rule rollouts[0].experiments[2]";

#[test]
fn rules_of_a_rollout() {
    let last = rule("default-r", "*", 10000);
    check_rollout(&[rule("1", "adults", 10000), rule("2", "se", 10000), last.clone()], &[]);
    check_rollout(&[rule("1", "old", 10000), rule("2", "adults", 10000), last.clone()], &[]);
    check_rollout(&[rule("1", "adults", 10000), rule("2", "old", 10000), last.clone()], &[SECOND]);
    check_rollout(&[rule("1", "se", 10000), rule("2", "se", 10000), last.clone()], &[SECOND]);
    // Who meets a rule but not its traffic goes straight to the last one.
    check_rollout(&[rule("1", "adults", 100), rule("2", "old", 10000), last.clone()], &[SECOND]);
    check_rollout(&[rule("1", "*", 100), rule("2", "se", 10000), last], &[SECOND]);
}

#[test]
fn the_last_rule_of_a_rollout() {
    check_rollout(&[rule("1", "*", 10000), rule("default-r", "*", 10000)], &[]);
    check_rollout(&[rule("1", "*", 10000), rule("2", "*", 10000)], &[SECOND]);
    check_rollout(&[rule("1", "*", 9000), rule("2", "*", 10000)], &[]);
    check_rollout(&[rule("1", "adults", 10000), rule("2", "*", 10000)], &[]);
    check_rollout(&[rule("1", "adults", 10000), rule("2", "old", 10000)], &[SECOND]);
    check_rollout(
        &[rule("1", "adults", 100), rule("2", "se", 10000), rule("3", "old", 10000)],
        &[],
    );
    check_rollout(
        &[rule("1", "adults", 10000), rule("2", "se", 10000), rule("3", "old", 10000)],
        &[THIRD],
    );
}

#[track_caller]
fn check_flag(experiments: &[Value], more: Value, expect: &[&str]) {
    let ids: Vec<_> = experiments.iter().filter_map(|one| one["id"].as_str()).collect();
    let mut all = json!({"experiments": experiments, "featureFlags": [flag("f", "", &ids)]});
    all.as_object_mut().expect("an object").extend(more.as_object().expect("sections").clone());
    check(sections(all), expect);
}

fn test(id: &str, audience: &str, fields: Value) -> Value {
    let audiences = if audience == "*" { json!([]) } else { json!([audience]) };
    let mut test = experiment(id, id, json!({"audienceIds": audiences}));
    test.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    test
}

#[test]
fn experiments_of_a_flag() {
    let second = "unreachable-rule featureFlags[0].experimentIds[1]";
    let none = || json!({});
    check_flag(&[test("1", "adults", none()), test("2", "se", none())], none(), &[]);
    check_flag(&[test("1", "adults", none()), test("2", "old", none())], none(), &[second]);
    check_flag(&[test("1", "*", none()), test("2", "old", none())], none(), &[second]);
    let paused = || json!({"status": "Paused"});
    check_flag(&[test("1", "*", paused()), test("2", "old", none())], none(), &[]);
    check_flag(&[test("1", "*", none()), test("2", "old", paused())], none(), &[]);
    let half = json!({"trafficAllocation": ranges(&[("11", 2000), ("12", 5000), ("", 10000)])});
    check_flag(&[test("1", "*", half), test("2", "old", none())], none(), &[]);
    let bandit = json!({"type": "cmab", "cmab": {"attributeIds": [], "trafficAllocation": 10000}});
    check_flag(&[test("1", "*", bandit), test("2", "old", none())], none(), &[]);
    // Whitelisted users need not be in the audience.
    let whitelist = || json!({"forcedVariations": {"anna": "a"}});
    check_flag(&[test("1", "adults", none()), test("2", "old", whitelist())], none(), &[]);
    check_flag(&[test("1", "*", none()), test("2", "old", whitelist())], none(), &[second]);
    // Held out of everything but deliveries, a user passes over the first and may get to the second.
    let holdout = json!({"holdouts": [{
        "id": "h", "key": "h", "status": "Running", "audienceIds": [], "excludeTargetedDeliveries": true,
        "variations": [{"id": "h1", "key": "off"}], "trafficAllocation": ranges(&[("h1", 500)]),
    }]});
    check_flag(&[test("1", "*", none()), test("2", "old", json!({"type": "td"}))], holdout, &[]);
}

#[test]
fn experiments_that_a_flag_names_twice() {
    let twice = [flag("f", "", &["1", "1"])];
    check(
        sections(json!({"experiments": [test("1", "*", json!({}))], "featureFlags": twice})),
        &["duplicate-id featureFlags[0].experimentIds[1]"],
    );
}

#[test]
fn holdouts() {
    let holdout = |id: &str, audience: &str, end: i64| {
        let mut holdout = rule(id, audience, end);
        holdout["forcedVariations"] = json!({});
        holdout
    };
    let of = |holdouts: &[Value]| sections(json!({"holdouts": holdouts}));
    check(of(&[holdout("1", "*", 500), holdout("2", "se", 500)]), &[]);
    check(of(&[holdout("1", "adults", 10000)]), &[]);
    check(of(&[holdout("1", "*", 10000)]), &["holdout-takes-all holdouts[0]"]);
    check(
        of(&[holdout("1", "adults", 10000), holdout("2", "old", 500)]),
        &["unreachable-rule holdouts[1]"],
    );
}

#[test]
fn rollouts_that_no_flag_names() {
    let rollouts = json!([{"id": "r", "experiments": [rule("1", "*", 10000)]}]);
    check(sections(json!({"rollouts": rollouts})), &["unreachable-rule rollouts[0]"]);
}
