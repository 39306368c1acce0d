//! Conditions that nobody or everybody meets, attributes and types: one line for each case.

use serde_json::{Value, json};

use super::{check, condition, with_audiences};
use crate::datafile::experiment;

/// What is found in the conditions of one audience.
#[track_caller]
fn check_conditions(conditions: Value, expect: &[&str]) {
    check(with_audiences(&[conditions]), expect);
}

const NEVER: &str = "never-true typedAudiences[0].conditions";
const ALWAYS: &str = "always-true typedAudiences[0].conditions";

fn n(matching: &str, value: f64) -> Value {
    condition("n", matching, json!(value))
}

fn s(matching: &str, value: &str) -> Value {
    condition("s", matching, json!(value))
}

fn v(matching: &str, value: &str) -> Value {
    condition("v", &format!("semver_{matching}"), json!(value))
}

fn exists(name: &str) -> Value {
    json!({"type": "custom_attribute", "name": name, "match": "exists"})
}

#[test]
fn numbers_exclude_each_other() {
    check_conditions(json!(["and", n("gt", 30.0), n("lt", 20.0)]), &[NEVER]);
    check_conditions(json!(["and", n("ge", 30.0), n("lt", 30.0)]), &[NEVER]);
    check_conditions(json!(["and", n("ge", 30.0), n("le", 30.0)]), &[]);
    check_conditions(json!(["and", n("exact", 1.0), n("exact", 2.0)]), &[NEVER]);
    check_conditions(json!(["and", n("gt", 1.0), n("lt", 1.0000001)]), &[]);
    let at = |rest: &str| format!("{NEVER}{rest}");
    check_conditions(json!(["and", n("gt", 9_007_199_254_740_992.0)]), &[&at("[1]")]);
    check_conditions(json!(["and", n("gt", 1.0), s("exact", "1")]), &[]);
    check_conditions(json!(["and", n("gt", 1.0), condition("n", "exact", json!("2"))]), &[NEVER]);
    check_conditions(json!(["and", n("gt", 1.0), ["not", exists("n")]]), &[NEVER]);
}

#[test]
fn texts_exclude_each_other() {
    check_conditions(json!(["and", s("exact", "SE"), s("exact", "NO")]), &[NEVER]);
    check_conditions(json!(["and", s("exact", "iPhone"), s("substring", "Phone")]), &[]);
    check_conditions(json!(["and", s("exact", "iPhone"), s("substring", "pad")]), &[NEVER]);
    check_conditions(
        json!(["and", s("substring", "iPhone"), ["not", s("substring", "Phone")]]),
        &[NEVER],
    );
    check_conditions(
        json!(["and", s("substring", "Phone"), ["not", s("substring", "iPhone")]]),
        &[],
    );
    check_conditions(
        json!(["and", s("exact", "true"), condition("s", "exact", json!(true))]),
        &[NEVER],
    );
}

#[test]
fn versions_exclude_each_other() {
    check_conditions(json!(["and", v("ge", "7"), v("lt", "5.2")]), &[NEVER]);
    check_conditions(json!(["and", v("ge", "5.2"), v("lt", "7")]), &[]);
    // A shorter version stands for all that begin with it.
    check_conditions(json!(["and", v("eq", "2"), v("eq", "2.1")]), &[]);
    check_conditions(json!(["and", v("eq", "2"), v("eq", "3.1")]), &[NEVER]);
    check_conditions(json!(["and", v("gt", "2.0.0-beta"), v("lt", "2.0.0")]), &[]);
    check_conditions(json!(["and", v("lt", "0")]), &[]);
    check_conditions(json!(["and", v("ge", "5"), condition("v", "substring", json!("beta"))]), &[]);
}

#[test]
fn segments_and_attributes_do_not_mix() {
    let segment = |name: &str| json!({"type": "third_party_dimension", "name": "odp.audiences", "match": "qualified", "value": name});
    check_conditions(json!(["and", segment("a"), segment("b")]), &[]);
    check_conditions(json!(["and", segment("a"), ["not", segment("a")]]), &[NEVER]);
    check_conditions(json!(["or", segment("a"), ["not", segment("a")]]), &[ALWAYS]);
}

#[test]
fn unknown_is_neither_true_nor_false() {
    // Without the attribute both parts are unknown, so this is no tautology.
    check_conditions(json!(["or", n("gt", 1.0), n("le", 1.0)]), &[]);
    check_conditions(json!(["or", s("exact", "SE"), ["not", s("exact", "SE")]]), &[]);
    check_conditions(json!(["or", exists("n"), ["not", exists("n")]]), &[ALWAYS]);
    check_conditions(json!(["not", ["and", exists("n"), ["not", exists("n")]]]), &[ALWAYS]);
    check_conditions(json!([]), &[NEVER]);
    check_conditions(json!(["and"]), &[ALWAYS]);
    check_conditions(json!(["not", ["or"]]), &[ALWAYS]);
}

#[test]
fn parts_are_told_apart() {
    let nobody = json!(["and", n("gt", 30.0), n("lt", 20.0)]);
    let everybody = json!(["or", exists("n"), ["not", exists("n")]]);
    let at = |what: &str, rest: &str| format!("{what}{rest}");
    check_conditions(json!(["or", s("exact", "SE"), nobody]), &[&at(NEVER, "[2]")]);
    check_conditions(json!(["and", s("exact", "SE"), everybody]), &[&at(ALWAYS, "[2]")]);
    check_conditions(json!(["and", s("exact", "SE"), nobody]), &[&at(NEVER, "[2]")]);
    check_conditions(
        json!([s("exact", "SE"), ["and", s("exact", "NO"), nobody]]),
        &[&at(NEVER, "[1][2]")],
    );
    // Under a `not`, what is never true may still be unknown.
    check_conditions(json!(["not", ["or", s("exact", "SE"), nobody]]), &[]);
}

#[test]
fn what_compiling_found_is_taken_to_be_mendable() {
    let unknown = condition("n", "regex", json!("x"));
    let path = |rest: &str| format!("unknown-match typedAudiences[0].conditions{rest}.match");
    check_conditions(json!(["and", unknown]), &[&path("[1]")]);
    check_conditions(json!(["or", unknown, s("exact", "SE")]), &[&path("[1]")]);
    let nobody = [unknown.clone(), n("gt", 2.0), n("lt", 1.0)];
    check_conditions(json!(["and", nobody[0], nobody[1], nobody[2]]), &[NEVER, &path("[1]")]);
}

#[test]
fn rules_combine_audiences() {
    let of = |conditions: Value| {
        let mut sections =
            with_audiences(&[json!(["or", s("exact", "SE")]), json!(["or", s("exact", "NO")])]);
        let last = experiment("90", "x", json!({"audienceConditions": conditions}));
        sections["experiments"].as_array_mut().expect("a list").push(last);
        sections
    };
    let never = "never-true experiments[2].audienceConditions";
    check(of(json!(["or", "a0", "a1"])), &[]);
    check(of(json!(["and", "a0", "a1"])), &[never]);
    check(of(json!(["and", "a0", ["not", "a0"]])), &[never]);
    check(of(json!(["and", "a0", ["not", "a1"]])), &[]);
    check(
        of(json!(["or", "a0", ["and", "a0", "a1"]])),
        &["never-true experiments[2].audienceConditions[2]"],
    );
    check(
        of(json!(["and", "a0", "missing"])),
        &["dangling-reference experiments[2].audienceConditions[2]"],
    );
    check(of(json!(["or", "$opt_dummy_audience"])), &[]);
}

#[test]
fn an_audience_that_is_reported_is_not_reported_of_its_rules() {
    let mut sections = with_audiences(&[
        json!(["and", n("gt", 2.0), n("lt", 1.0)]),
        json!(["or", s("exact", "NO")]),
    ]);
    let rule = experiment("90", "x", json!({"audienceConditions": ["and", "a0", "a1"]}));
    sections["experiments"].as_array_mut().expect("a list").push(rule);
    check(sections, &[NEVER]);
}

#[test]
fn attributes_are_declared() {
    let of = |name: &str| condition(name, "exact", json!("x"));
    let at = "undeclared-attribute typedAudiences[0].conditions";
    check_conditions(json!(["or", of("contry")]), &[&format!("{at}[1].name")]);
    check_conditions(
        json!(["or", of("contry"), ["and", of("contry")]]),
        &[&format!("{at}[1].name")],
    );
    check_conditions(json!(["or", of("$opt_user_agent"), of("$opt_bucketing_id")]), &[]);
}

#[test]
fn types_go_with_matches() {
    let of = |kind: &str, matching: &str| json!(["or", {"type": kind, "name": "s", "match": matching, "value": "x"}]);
    let found = "type-mismatch typedAudiences[0].conditions[1].type";
    check_conditions(of("custom_attribute", "qualified"), &[found]);
    check_conditions(of("third_party_dimension", "exact"), &[found]);
    check_conditions(of("third_party_dimension", "qualified"), &[]);
}

#[test]
fn unused_audiences_are_noted() {
    let audience = |id: &str| json!({"id": id, "name": id, "conditions": ["or", s("exact", "SE")]});
    let attributes = json!([{"id": "s", "key": "s"}]);
    check(
        json!({"attributes": attributes, "typedAudiences": [audience("a"), audience("$opt_dummy_audience")]}),
        &["unused-audience typedAudiences[0]"],
    );
    // The twin for older SDKs is no audience of its own.
    let twin = json!({"id": "a", "name": "a", "conditions": "[\"or\"]"});
    check(
        json!({
            "attributes": attributes, "typedAudiences": [audience("a")], "audiences": [twin],
            "experiments": [experiment("10", "x", json!({"audienceIds": ["a"]}))],
        }),
        &[],
    );
}

/// Optimizely writes lists of one part around each condition: messages look through them.
#[test]
fn lists_of_one_part_hide_nothing() {
    let [more, less] = [n("gt", 30.0), n("lt", 20.0)].map(|one| json!(["or", ["and", one]]));
    let conditions = with_audiences(&[json!(["and", more, less])]);
    let found = super::checked(&super::datafile(conditions)).findings;
    let expect = "`n gt 30` and `n lt 20` exclude each other: nobody is ever in the audience";
    assert_eq!(found[0].finding.message, expect);
}
