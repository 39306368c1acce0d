//! Replays as people read them.
//!
//! Must not know the JSON form of answers.

use super::{replay, stdout, variate};

#[test]
fn a_day_in_the_shop() {
    let arguments = [
        "replay",
        "--datafile",
        "datafiles/shop.json",
        "--calls",
        "datafiles/shop.calls.jsonl",
        "--format",
        "text",
    ];
    insta::assert_snapshot!(stdout(&variate(&arguments, b"")));
}

#[test]
fn late_arrivals_are_told() {
    let calls = r#"
{"time":1772442000000,"call":"activate","experimentKey":"checkout_button","userId":"anna"}
{"time":1772441000250,"call":"track","eventKey":"purchase","userId":"anna","id":"o-1","eventTags":{"revenue":4900}}
{"time":1772355600000,"call":"activate","experimentKey":"checkout_button","userId":"anna","id":"a-1"}
"#;
    insta::assert_snapshot!(stdout(&replay(calls, &["--format", "text", "--late-window", "2d"])));
}

#[test]
fn other_calls_and_odd_names_are_told() {
    let calls = r#"
{"time":-1,"call":"getVariation","experimentKey":"no such \u001b[31m","userId":""}
{"time":9223372036854775807,"call":"getAllFeatureVariables","flagKey":"homepage","userId":"with space"}
{"time":0,"call":"getAllFeatureVariables","flagKey":"none","userId":"u"}
{"time":0,"call":"decideForKeys","flagKeys":["none","homepage"],"userId":"u"}
{"time":0,"call":"setForcedVariation","experimentKey":"none","variationKey":null,"userId":"u"}
{"time":0,"call":"removeForcedDecision","flagKey":"search","ruleKey":"r","userId":"u"}
{"time":0,"call":"removeAllForcedDecisions","userId":"u"}
{"time":0,"call":"setDatafile","path":"datafiles/shop.json"}
{"time":0,"call":"decde","userId":"u"}
"#;
    insta::assert_snapshot!(stdout(&replay(calls, &["--format", "text"])));
}

#[test]
fn what_does_not_count_is_told() {
    let calls = r#"
{"time":1772442000000,"call":"activate","experimentKey":"checkout_button","userId":"anna","id":"a-1"}
{"time":1772442000001,"call":"activate","experimentKey":"checkout_button","userId":"anna","id":"a-1"}
{"time":1772442000002,"call":"track","eventKey":"purchase","userId":"anna","eventTags":{"revenue":"1200"}}
{"time":1772442000003,"call":"track","eventKey":"purchase","userId":"anna","eventTags":{"revenue":12.0}}
{"time":1772442000004,"call":"track","eventKey":"purchase","userId":"anna","eventTags":{"revenue":null}}
"#;
    insta::assert_snapshot!(stdout(&replay(calls, &["--format", "text"])));
}

#[test]
fn nothing_is_summed_up_as_nothing() {
    insta::assert_snapshot!(stdout(&replay("", &["--format", "text"])));
}
