//! Malformed lines: each gets a message, none stops the replay, and none makes it panic.
//!
//! Must not know the answers to well-formed calls.

use std::fmt::Write as _;
use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{SHOP, check, replay, stderr, stdout, variate};

#[test]
fn a_line_that_does_not_end_is_told() {
    let call = "{\"call\":\"isFeatureEnabled\",\"userId\":\"u\",\"flagKey\":\"no-such-flag\"}";
    let longest = " ".repeat((16 << 20) - call.len());
    check(&format!("{call}{longest}\n"), "{\"enabled\":false}\n", 0);
    let output = replay(&format!("{call}\n{call}{longest} {call}\n"), &[]);
    assert_eq!((stdout(&output), output.status.code()), ("{\"enabled\":false}\n", Some(1)));
    let said = "error: line 2 does not end within 16 MiB: write one call a line\n";
    assert_eq!(stderr(&output), said);
}

const MALFORMED: &[&str] = &[
    "{",
    "{\"call\": \"decide\",}",
    "{\"call\": \"decideAll\", \"userId\": \"a\"} {}",
    "decide",
    "42",
    "[]",
    "\"text\"",
    "null",
    "{}",
    r#"{"userId": "anna"}"#,
    r#"{"call": null, "userId": "anna"}"#,
    r#"{"call": 5, "userId": "anna"}"#,
    r#"{"call": "explode", "userId": "anna"}"#,
    r#"{"call": "Activate", "userId": "anna"}"#,
    r#"{"call": "getVariations", "userId": "anna"}"#,
    r#"{"call": "isFeatureEnabeld", "userId": "anna"}"#,
    r#"{"call": "decideAll"}"#,
    r#"{"call": "decideAll", "userId": null}"#,
    r#"{"call": "decideAll", "userId": 7}"#,
    r#"{"call": "decideAll", "userId": ["anna"]}"#,
    r#"{"call": "decideAll", "userId": {"id": "anna"}}"#,
    r#"{"call": "decideAll", "userId": true}"#,
    r#"{"call": "decideAll", "userId": "anna", "attributes": []}"#,
    r#"{"call": "decideAll", "userId": "anna", "attributes": "country"}"#,
    r#"{"call": "decideAll", "userId": "anna", "segments": "loyal"}"#,
    r#"{"call": "decideAll", "userId": "anna", "segments": ["loyal", 2]}"#,
    r#"{"call": "decideAll", "userId": "anna", "options": "INCLUDE_REASONS"}"#,
    r#"{"call": "decideAll", "userId": "anna", "options": [null]}"#,
    r#"{"call": "decideAll", "userId": "anna", "time": "now"}"#,
    r#"{"call": "decideAll", "userId": "anna", "time": 1.5}"#,
    r#"{"call": "decideAll", "userId": "anna", "time": 1e300}"#,
    r#"{"call": "decideAll", "userId": "anna", "time": 1e999}"#,
    r#"{"call": "activate", "userId": "anna"}"#,
    r#"{"call": "activate", "userId": "anna", "experimentKey": null}"#,
    r#"{"call": "activate", "userId": "anna", "experimentKey": "x", "id": 5}"#,
    r#"{"call": "getVariation", "userId": "anna"}"#,
    r#"{"call": "track", "userId": "anna"}"#,
    r#"{"call": "track", "userId": "anna", "eventKey": ["purchase"]}"#,
    r#"{"call": "track", "userId": "anna", "eventKey": "purchase", "eventTags": []}"#,
    r#"{"call": "track", "userId": "anna", "eventKey": "purchase", "count": -1}"#,
    r#"{"call": "track", "userId": "anna", "eventKey": "purchase", "count": "3"}"#,
    r#"{"call": "track", "userId": "anna", "eventKey": "purchase", "duration": -0.5}"#,
    r#"{"call": "track", "userId": "anna", "eventKey": "purchase", "duration": "1s"}"#,
    r#"{"call": "decide", "userId": "anna"}"#,
    r#"{"call": "decideForKeys", "userId": "anna"}"#,
    r#"{"call": "decideForKeys", "userId": "anna", "flagKeys": "search"}"#,
    r#"{"call": "decideForKeys", "userId": "anna", "flagKeys": ["search", 1]}"#,
    r#"{"call": "isFeatureEnabled", "userId": "anna"}"#,
    r#"{"call": "getFeatureVariable", "userId": "anna", "flagKey": "search"}"#,
    r#"{"call": "getAllFeatureVariables", "userId": "anna"}"#,
    r#"{"call": "setForcedVariation", "userId": "anna", "experimentKey": "x"}"#,
    r#"{"call": "setForcedVariation", "userId": "anna", "experimentKey": "x", "variationKey": 1}"#,
    r#"{"call": "getForcedVariation", "userId": "anna"}"#,
    r#"{"call": "setForcedDecision", "userId": "anna", "flagKey": "search", "variationKey": null}"#,
    r#"{"call": "removeForcedDecision", "userId": "anna", "flagKey": "search", "ruleKey": 5}"#,
    r#"{"call": "setDatafile"}"#,
    r#"{"call": "setDatafile", "path": 5}"#,
];

#[test]
fn each_malformed_line_gets_its_message() {
    let output = replay(&MALFORMED.join("\n"), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let mut messages = String::new();
    let answers: Vec<&str> = stdout(&output).lines().collect();
    assert_eq!(answers.len(), MALFORMED.len());
    for (line, answer) in MALFORMED.iter().zip(answers) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        writeln!(messages, "{line}\n    {}", answer["error"].as_str().unwrap()).unwrap();
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn the_replay_goes_on_and_counts_all_lines() {
    let ask = r#"{"call":"isFeatureEnabled","userId":"u","flagKey":"no-such-flag"}"#;
    let off = "{\"enabled\":false}\n";
    let error = |line: u32| {
        format!(
            "{{\"error\":\"line {line}: a number, not an object: write {{\\\"call\\\": \\\"...\\\", ...}}\"}}\n"
        )
    };
    check(&format!("{ask}\n1\n{ask}"), &format!("{off}{}{off}", error(2)), 1);
    check(&format!("\n  \t\r\n{ask}\r\n\r\n1\n"), &format!("{off}{}", error(5)), 1);
    check(&format!("\u{feff}{ask}\n"), off, 0);
    check("", "", 0);
    check("\n\n", "", 0);
}

#[test]
fn bytes_that_are_no_text_are_malformed() {
    let arguments = ["replay", "--datafile", SHOP, "--calls", "-", "--quiet"];
    let output = variate(
        &arguments,
        b"{\"call\": \"\xff\"}\n{\"call\":\"removeAllForcedDecisions\",\"userId\":\"\"}\n",
    );
    let expect = "{\"error\":\"line 1: not UTF-8 text from byte 11 on: save the calls as UTF-8\"}\n{\"ok\":true}\n";
    assert_eq!(stdout(&output), expect);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_optional_may_be_null_and_unknown_members_are_ignored() {
    let line = |rest: &str| {
        format!("{{\"call\":\"track\",\"userId\":\"\",\"eventKey\":\"purchase\",{rest}}}\n")
    };
    let nulls = r#""attributes":null,"eventTags":null,"time":null,"id":null,"segments":null"#;
    let more = r#""count":2.0,"duration":0,"time":1772442000000.0,"options":5,"extra":[{}]"#;
    let answer = "{\"tracked\":true,\"experiments\":[],\"reason\":\"no-activation\"}\n";
    check(&format!("{}{}", line(more), line(nulls)), &answer.repeat(2), 0);
}

#[test]
fn deep_and_long_lines_are_answered() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = json!({"call": "decideAll", "userId": "u".repeat(3_000_000), "options": ["EXCLUDE_VARIABLES"]});
    let output = replay(&format!("{deep}\n{long}\n"), &[]);
    let answers: Vec<&str> = stdout(&output).lines().collect();
    assert_eq!(answers.len(), 2);
    assert!(answers[0].contains("recursion limit"), "{}", answers[0]);
    assert!(answers[1].starts_with("{\"decisions\":{\"search\":"), "{}", answers[1]);
}

/// Members of calls with values of every type, so that nearly well-formed lines come up often.
fn any_call() -> impl Strategy<Value = Value> {
    let calls = include_str!("../../../datafiles/shop.calls.jsonl").lines();
    let calls: Vec<Value> = calls.map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<String> =
        calls.iter().flat_map(|call| call.as_object().unwrap().keys().cloned()).collect();
    let change = (prop::sample::select(names), any_value());
    (prop::sample::select(calls), prop::collection::vec(change, 0..3)).prop_map(
        |(call, changes)| {
            let mut call: Map<String, Value> = call.as_object().unwrap().clone();
            call.extend(changes);
            Value::Object(call)
        },
    )
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["purchase", "search", "checkout_button", "green", "decideAll"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let without_line_ends = |mut bytes: Vec<u8>| {
        bytes.retain(|byte| *byte != b'\n');
        bytes
    };
    prop_oneof![
        6 => any_call().prop_map(|call| call.to_string().into_bytes()),
        1 => any_value().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(without_line_ends),
        1 => (any_call(), 0..80_usize).prop_map(|(call, most)| {
            let mut text = call.to_string().into_bytes();
            text.truncate(most);
            text
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_line_gets_one_answer(
        lines in prop::collection::vec(any_line(), 1..120),
        is_for_people in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let events = folder.path().join("events.jsonl");
        let events_path = events.to_str().unwrap();
        let format = if is_for_people { "text" } else { "json" };
        let output = variate(
            &["replay", "--datafile", SHOP, "--calls", "-", "--quiet", "--late-window", "1h", "--sticky",
              "--format", format, "--events", events_path],
            &lines.join(&b'\n'),
        );
        prop_assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
        let asked = lines.iter().filter(|line| !line.trim_ascii().is_empty()).count();
        if !is_for_people {
            prop_assert_eq!(stdout(&output).lines().count(), asked);
        }
        for line in stdout(&output).lines().filter(|_| !is_for_people) {
            prop_assert!(serde_json::from_str::<Map<String, Value>>(line).is_ok(), "{}", line);
        }
        let events = fs::read_to_string(&events).unwrap();
        prop_assert_eq!(events.lines().count(), asked);
    }
}

#[test]
fn malformed_lines_are_counted_at_the_end() {
    let good = r#"{"call":"getEnabledFeatures","userId":"u"}"#;
    let said = |calls: &str| stderr(&replay(calls, &[])).to_owned();
    assert_eq!(said(&format!("{good}\n\n{good}\n")), "");
    let one = format!("{good}\n\nx\n");
    assert_eq!(said(&one), "error: 1 of 2 lines is malformed, line 3\n");
    let two = format!("{one}{{}}");
    assert_eq!(said(&two), "error: 2 of 3 lines are malformed, the first is line 3\n");
}
