//! Replays as programs see them: the form of answers and events, the clock, pipes.
//!
//! Must not know how decisions come about.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{SHOP, check, replay, stderr, stdout, variate};

#[test]
fn answers_keep_the_order_of_the_datafile() {
    let output = replay(r#"{"call":"decideAll","userId":"mia"}"#, &[]);
    let answer = stdout(&output);
    let datafile: Value = serde_json::from_slice(&fs::read(SHOP).unwrap()).unwrap();
    let flags = datafile["featureFlags"].as_array().unwrap();
    let places: Vec<_> = flags
        .iter()
        .map(|flag| answer.find(&format!("{}:{{\"flagKey\"", flag["key"])).unwrap())
        .collect();
    assert!(places.is_sorted(), "{answer}");
}

#[test]
fn an_unknown_flag_gets_an_error_decision_with_its_reason() {
    let error = r#"{"flagKey":"x","variationKey":null,"enabled":false,"ruleKey":null,"variables":{},"reasons":["No flag was found for key \"x\"."]}"#;
    check(r#"{"call":"decide","userId":"u","flagKey":"x"}"#, &format!("{error}\n"), 0);
    check(
        r#"{"call":"decideForKeys","userId":"u","flagKeys":["x","x"]}"#,
        &format!("{{\"decisions\":{{\"x\":{error}}}}}\n"),
        0,
    );
}

#[test]
fn reasons_and_variables_follow_the_options() {
    let ask = |options: &str| {
        let call =
            format!(r#"{{"call":"decide","userId":"u","flagKey":"search","options":{options}}}"#);
        serde_json::from_str::<Value>(stdout(&replay(&call, &[]))).unwrap()
    };
    assert!(ask("[]").get("reasons").is_none());
    assert!(ask(r#"["INCLUDE_REASONS"]"#)["reasons"].is_array());
    assert!(ask(r#"["NO_SUCH_OPTION"]"#)["variables"]["page_size"].is_i64());
    assert_eq!(ask(r#"["EXCLUDE_VARIABLES"]"#)["variables"], serde_json::json!({}));
}

#[test]
fn what_is_forced_is_kept_per_user() {
    let calls = r#"
{"call":"setForcedDecision","userId":"u","flagKey":"search","variationKey":"beta"}
{"call":"decide","userId":"u","flagKey":"search","options":["EXCLUDE_VARIABLES"]}
{"call":"removeForcedDecision","userId":"v","flagKey":"search"}
{"call":"removeForcedDecision","userId":"u","flagKey":"search","ruleKey":"x"}
{"call":"removeForcedDecision","userId":"u","flagKey":"search","ruleKey":null}
{"call":"removeForcedDecision","userId":"u","flagKey":"search"}
{"call":"removeAllForcedDecisions","userId":"u"}
{"call":"setForcedVariation","userId":"u","experimentKey":"checkout_button","variationKey":"orange"}
{"call":"getForcedVariation","userId":"u","experimentKey":"checkout_button"}
{"call":"getForcedVariation","userId":"v","experimentKey":"checkout_button"}
{"call":"setForcedVariation","userId":"u","experimentKey":"checkout_button","variationKey":null}
{"call":"getForcedVariation","userId":"u","experimentKey":"checkout_button"}
{"call":"setForcedVariation","userId":"u","experimentKey":"no-such","variationKey":"x"}
"#;
    let expect = r#"{"ok":true}
{"flagKey":"search","variationKey":"beta","enabled":true,"ruleKey":null,"variables":{}}
{"ok":false}
{"ok":false}
{"ok":true}
{"ok":false}
{"ok":true}
{"ok":true}
{"variationKey":"orange"}
{"variationKey":null}
{"ok":true}
{"variationKey":null}
{"ok":false}
"#;
    check(calls, expect, 0);
}

#[test]
fn events_are_one_array_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let calls = r#"
{"call":"getVariation","userId":"anna","experimentKey":"checkout_button"}
nonsense
{"call":"track","userId":"anna","eventKey":"purchase"}
{"call":"activate","userId":"anna","experimentKey":"checkout_button"}
{"call":"track","userId":"anna","eventKey":"purchase"}
"#;
    let counts = |more: &[&str]| -> Vec<usize> {
        replay(calls, &[&["--events", path.to_str().unwrap()], more].concat());
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap());
        lines
            .inspect(|line| {
                assert!(line.iter().all(|one| one["url"].is_string() && one["body"].is_object()))
            })
            .map(|line| line.len())
            .collect()
    };
    assert_eq!(counts(&[]), [0, 0, 0, 1, 1]);
    assert_eq!(counts(&["--attribution", "backend"]), [0, 0, 1, 1, 1]);
}

#[test]
fn receipt_follows_the_file_and_never_goes_back() {
    let event = |time: i64, id: &str| {
        format!(
            r#"{{"call":"track","userId":"u","eventKey":"purchase","time":{time},"id":"{id}"}}"#
        )
    };
    let day_ms = 24 * 60 * 60 * 1000;
    let fresh = r#"{"tracked":true,"experiments":[],"reason":"no-activation"}"#;
    let repeat = r#"{"tracked":true,"duplicate":true,"experiments":[],"reason":"duplicate"}"#;
    let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    // Ids are recognised for a day of receipt, whatever time an event is said to have happened at.
    check(&lines(&[&event(0, "a"), &event(day_ms - 1, "a")]), &lines(&[fresh, repeat]), 0);
    check(&lines(&[&event(0, "a"), &event(day_ms, "a")]), &lines(&[fresh, fresh]), 0);
    check(&lines(&[&event(day_ms, "a"), &event(0, "a")]), &lines(&[fresh, repeat]), 0);
}

#[test]
fn answers_are_flushed_one_by_one() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.args(["replay", "--datafile", SHOP, "--calls", "-", "--quiet"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        input.write_all(b"{\"call\":\"removeAllForcedDecisions\",\"userId\":\"u\"}\n").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "{\"ok\":true}\n");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    for format in ["json", "text"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
        command.args(["replay", "--datafile", SHOP, "--calls", "-", "--quiet", "--format", format]);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        // The command may be gone before it has read everything.
        let _ = input.write_all(&b"{\"call\":\"decideAll\",\"userId\":\"u\"}\n".repeat(1000));
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn a_file_of_calls_is_read_like_standard_input() {
    let calls = "datafiles/shop.calls.jsonl";
    let from_file = variate(&["replay", "--datafile", SHOP, "--calls", calls], b"");
    let from_pipe = replay(&fs::read_to_string(calls).unwrap(), &[]);
    assert_eq!(from_file.status.code(), Some(0));
    assert_eq!(stdout(&from_file), stdout(&from_pipe));
}
