//! Linting: what is found and what is not, rule by rule, where it stands, and that it never is wrong.

mod audiences;
mod fields;
mod met;
mod places;
mod planted;
mod reach;
mod references;
mod work;

use serde_json::{Value, json};
use variate::datafile::{Checked, Datafile, Severity};

use super::{datafile, experiment};

/// Checks a datafile that must be accepted.
fn checked(datafile: &Value) -> Checked {
    checked_text(&datafile.to_string())
}

fn checked_text(text: &str) -> Checked {
    Datafile::check(text).unwrap_or_else(|error| panic!("refused: {error}\n{text:.300}"))
}

/// What is found in a datafile with these sections, as `code path` lines, sorted.
#[track_caller]
fn check(sections: Value, expect: &[&str]) {
    let checked = checked(&datafile(sections));
    let found = checked.findings.iter();
    let mut found: Vec<_> =
        found.map(|found| format!("{} {}", found.finding.code, found.finding.path)).collect();
    found.sort_unstable();
    assert_eq!(found, expect, "{:#?}", checked.findings);
}

/// A traffic allocation of ranges that lead to entities.
fn ranges(ranges: &[(&str, i64)]) -> Value {
    ranges.iter().map(|(id, end)| json!({"entityId": id, "endOfRange": end})).collect()
}

/// The allocation of an experiment with id `10`, whose variations are `101` and `102`.
#[track_caller]
fn check_ranges(of_rule: &[(&str, i64)], expect: &[&str]) {
    let experiment = experiment("10", "x", json!({"trafficAllocation": ranges(of_rule)}));
    check(json!({"experiments": [experiment]}), expect);
}

const ALLOCATION: &str = "experiments[0].trafficAllocation";

#[test]
fn ranges_rise_to_10000() {
    check_ranges(&[("101", 5000), ("102", 10000)], &[]);
    let at = |code: &str, rest: &str| format!("{code} {ALLOCATION}{rest}");
    let backwards = at("range-backwards", "[1].endOfRange");
    check_ranges(&[("101", 6000), ("102", 4000), ("", 10000)], &[&backwards]);
    check_ranges(&[("101", 10000), ("102", 4000)], &[&backwards]);
    check_ranges(&[("101", 10000), ("102", 0)], &[&backwards]);
    check_ranges(&[("101", 5000), ("102", 0), ("", 10000)], &[&backwards]);
    let overlaps = at("range-overlaps", "[1].endOfRange");
    check_ranges(&[("101", 5000), ("102", 5000), ("", 10000)], &[&overlaps]);
    check_ranges(&[("101", 10000), ("102", 10000)], &[&at("over-allocated", "[1].endOfRange")]);
    check_ranges(&[("101", 3000), ("102", 6000)], &[&at("range-falls-short", "")]);
    check_ranges(&[("101", 3333), ("102", 6666), ("101", 9999)], &[&at("range-falls-short", "")]);
    check_ranges(&[("101", 5000), ("102", 12000)], &[&at("bad-range", "[1].endOfRange")]);
}

/// How severe what is found in the only experiment is.
#[track_caller]
fn check_severity(fields: Value, expect: &[(&str, Severity)]) {
    let found =
        checked(&datafile(json!({"experiments": [experiment("10", "x", fields)]}))).findings;
    let found: Vec<_> = found.iter().map(|one| (one.finding.code, one.finding.severity)).collect();
    assert_eq!(found, expect);
}

#[test]
fn percent_where_hundredths_are_meant_is_a_warning() {
    let short = |severity| [("range-falls-short", severity)];
    let check_ends = |ends: &[(&str, i64)], severity| {
        check_severity(json!({"trafficAllocation": ranges(ends)}), &short(severity));
    };
    check_ends(&[("101", 50), ("102", 100)], Severity::Warning);
    check_ends(&[("101", 10), ("102", 60)], Severity::Warning);
    check_ends(&[("101", 50), ("102", 101)], Severity::Note);
    check_ends(&[("101", 3000), ("102", 6000)], Severity::Note);
    check_severity(json!({"trafficAllocation": []}), &[("no-traffic", Severity::Warning)]);
    let at = |of_rule: &[(&str, i64)]| json!({"holdouts": [experiment("10", "x", json!({"trafficAllocation": ranges(of_rule)}))]});
    check(at(&[("101", 100)]), &[]);
    check(at(&[("101", 20), ("102", 60)]), &[]);
    check(at(&[("101", 50), ("102", 100)]), &["range-falls-short holdouts[0].trafficAllocation"]);
    let of_group = ranges(&[("10", 50), ("20", 100)]);
    let experiments = [experiment("10", "x", json!({})), experiment("20", "y", json!({}))];
    check(
        json!({"groups": [{"id": "g", "policy": "random", "trafficAllocation": of_group, "experiments": experiments}]}),
        &["range-falls-short groups[0].trafficAllocation"],
    );
}

#[test]
fn ranges_that_are_empty_on_purpose_are_no_fault() {
    check_ranges(&[("101", 0), ("102", 10000)], &[]);
    check_ranges(&[("101", 0), ("101", 0), ("102", 10000)], &[]);
    check_ranges(&[("101", 3000), ("102", 6000), ("", 10000)], &[]);
    check_ranges(&[("", 2000), ("101", 3000), ("", 5000), ("102", 10000)], &[]);
    check_ranges(&[("101", 5000), ("102", 10000), ("", 10000)], &[]);
    check_ranges(&[("101", 100), ("102", 200), ("", 10000)], &[]);
    check_ranges(&[("101", 50), ("102", 100), ("", 10000)], &[]);
}

#[test]
fn only_experiments_that_run_are_expected_to_be_full() {
    let short = ranges(&[("101", 3000), ("102", 6000)]);
    for fields in [
        json!({"status": "Paused"}),
        json!({"type": "td"}),
        json!({"type": "fr"}),
        json!({"cmab": {"attributeIds": [], "trafficAllocation": 500}}),
    ] {
        let mut experiment = experiment("10", "x", fields);
        experiment["trafficAllocation"] = short.clone();
        check(json!({"experiments": [experiment]}), &[]);
    }
    let holdout = experiment("10", "x", json!({"trafficAllocation": short.clone()}));
    check(json!({"holdouts": [holdout]}), &[]);
    let rounded = ranges(&[("101", 3333), ("102", 6666), ("101", 9999)]);
    let rule = experiment("10", "x", json!({"trafficAllocation": rounded}));
    check(
        json!({"rollouts": [{"id": "r", "experiments": [rule]}], "featureFlags": [flag("f", "r", &[])]}),
        &["range-falls-short rollouts[0].experiments[0].trafficAllocation"],
    );
}

#[test]
fn groups_give_each_of_their_experiments_a_range() {
    let group = |policy: &str, of_group: &[(&str, i64)]| {
        let experiments = [experiment("10", "x", json!({})), experiment("20", "y", json!({}))];
        json!({"groups": [{
            "id": "g", "policy": policy, "trafficAllocation": ranges(of_group), "experiments": experiments,
        }]})
    };
    check(group("random", &[("10", 3000), ("20", 6000)]), &[]);
    check(group("random", &[("10", 3000), ("20", 6000), ("", 10000)]), &[]);
    check(
        group("random", &[("10", 10000), ("20", 10000)]),
        &["over-allocated groups[0].trafficAllocation[1].endOfRange"],
    );
    check(group("random", &[("10", 3000)]), &["no-traffic groups[0].experiments[1]"]);
    check(group("overlapping", &[]), &[]);
    check(group("exclusive", &[("10", 5000)]), &["ignored-field groups[0].trafficAllocation"]);
}

#[test]
fn what_runs_has_traffic() {
    let of = |fields: Value| json!({"experiments": [experiment("10", "x", fields)]});
    check(of(json!({"trafficAllocation": []})), &["no-traffic experiments[0].trafficAllocation"]);
    check(of(json!({"trafficAllocation": [], "status": "Paused"})), &[]);
    check(
        of(json!({"trafficAllocation": [{"entityId": "", "endOfRange": 10000}]})),
        &["no-traffic experiments[0].trafficAllocation"],
    );
    let nobody =
        json!([{"entityId": "101", "endOfRange": 0}, {"entityId": "102", "endOfRange": 0}]);
    check(
        of(json!({"trafficAllocation": nobody})),
        &["no-traffic experiments[0].trafficAllocation"],
    );
    check(of(json!({"trafficAllocation": nobody, "forcedVariations": {"tester": "b"}})), &[]);
    let only_a = json!([{"entityId": "101", "endOfRange": 10000}]);
    check(of(json!({"trafficAllocation": only_a})), &["no-traffic experiments[0].variations[1]"]);
    check(of(json!({"trafficAllocation": only_a, "forcedVariations": {"tester": "b"}})), &[]);
    check(of(json!({"trafficAllocation": only_a, "type": "mab"})), &[]);
}

#[test]
fn events_are_tied_to_something() {
    let events = |events: Value| json!({"events": events, "experiments": [experiment("10", "x", json!({"status": "Paused"}))]});
    check(events(json!([{"id": "e", "key": "buy", "experimentIds": ["10"]}])), &[]);
    check(
        events(json!([{"id": "e", "key": "buy", "experimentIds": []}])),
        &["untied-event events[0]"],
    );
    check(
        events(json!([{"id": "e", "key": "buy", "experimentIds": ["99"]}])),
        &["dangling-reference events[0].experimentIds[0]"],
    );
    check(
        events(
            json!([{"id": "e", "key": "buy"}, {"id": "f", "key": "buy", "experimentIds": ["10"]}]),
        ),
        &["duplicate-key events[1]"],
    );
}

#[test]
fn whitelists_belong_to_experiments() {
    let rule = |user: &str| experiment("10", "x", json!({"forcedVariations": {user: "a"}}));
    check(json!({"experiments": [rule("anna")]}), &[]);
    check(
        json!({"holdouts": [rule("anna")]}),
        &["holdout-takes-all holdouts[0]", "ignored-field holdouts[0].forcedVariations"],
    );
    let rollouts = json!([{"id": "r", "experiments": [rule("anna")]}]);
    check(
        json!({"rollouts": rollouts, "featureFlags": [flag("f", "r", &[])]}),
        &["ignored-field rollouts[0].experiments[0].forcedVariations"],
    );
}

#[test]
fn keys_lead_to_one_thing() {
    let two = [experiment("10", "x", json!({})), experiment("20", "x", json!({}))];
    check(json!({"experiments": two}), &["duplicate-key experiments[0]"]);
    // Rules of different flags may share a key; but calls on experiments find one of them only.
    let flags = [flag("f", "", &["10"]), flag("g", "", &["20"])];
    check(json!({"experiments": two, "featureFlags": flags}), &["duplicate-key experiments[0]"]);
    check(
        json!({"experiments": [experiment("10", "x", json!({"status": "running"}))]}),
        &["unknown-status experiments[0].status"],
    );
    let at_half = |id: &str| {
        experiment(
            id,
            "x",
            json!({"trafficAllocation": [{"entityId": "", "endOfRange": 10000}], "status": "Paused"}),
        )
    };
    check(
        json!({"experiments": [at_half("10"), at_half("20")], "featureFlags": [flag("f", "", &["10", "20"])]}),
        &["duplicate-key experiments[1]"],
    );
    check(
        json!({"attributes": [{"id": "a", "key": "age"}, {"id": "a", "key": "country"}]}),
        &["duplicate-id attributes[1]"],
    );
}

/// A flag with a rollout and experiments.
fn flag(key: &str, rollout_id: &str, experiment_ids: &[&str]) -> Value {
    json!({
        "id": format!("id-{key}"), "key": key, "rolloutId": rollout_id,
        "experimentIds": experiment_ids, "variables": [],
    })
}

/// A condition on an attribute.
fn condition(name: &str, matching: &str, value: Value) -> Value {
    json!({"type": "custom_attribute", "name": name, "match": matching, "value": value})
}

/// Sections with these typed audiences (`a0`, `a1`, ...) and an experiment for each.
fn with_audiences(conditions: &[Value]) -> Value {
    let id = |index: usize| format!("a{index}");
    let audience = |(index, conditions): (usize, &Value)| json!({"id": id(index), "name": id(index), "conditions": conditions});
    let audiences: Vec<_> = conditions.iter().enumerate().map(audience).collect();
    let experiments = (0..conditions.len()).map(|index| {
        experiment(&format!("{}0", index + 1), &id(index), json!({"audienceIds": [id(index)]}))
    });
    let attributes = ["n", "s", "v", "m"].map(|key| json!({"id": key, "key": key}));
    json!({
        "attributes": attributes, "typedAudiences": audiences,
        "experiments": experiments.collect::<Vec<_>>(),
    })
}
