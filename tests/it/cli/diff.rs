//! `variate diff`: what it shows, its exit codes, and that no datafile makes it panic.
//!
//! Must not know how differences are found; `difference` holds them against brute force.

use std::fmt::Write as _;
use std::fs;
use std::process::Output;

use serde_json::Value;

use super::{SHOP, stderr, stdout, variate};

const EDITED: &str = "datafiles/diff/shop-edited.json";

fn diff(arguments: &[&str]) -> Output {
    variate(&[&["diff"], arguments].concat(), b"")
}

/// What it answers; it must end well and say nothing else.
fn answer(arguments: &[&str]) -> String {
    let output = diff(arguments);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""), "{arguments:?}");
    stdout(&output).to_owned()
}

#[test]
fn one_change_of_each_kind_in_words() {
    let anna = ["--attribute", "country=SE", "--attribute", "age=34", "--segment", "loyal_buyers"];
    insta::assert_snapshot!(answer(&[&[SHOP, EDITED, "--sample", "2000"], &anna[..]].concat()));
}

#[test]
fn one_change_of_each_kind_for_machines() {
    let text = answer(&[SHOP, EDITED, "--sample", "1000", "--seed", "4", "--format", "json"]);
    assert_eq!(text.lines().count(), 1);
    let answer: Value = serde_json::from_str(&text).unwrap();
    // One line a change or subject, so that a new field is a short difference.
    let mut lines = String::new();
    for change in answer["changes"].as_array().unwrap() {
        writeln!(lines, "{change}").unwrap();
    }
    for subject in ["experiments", "flags"] {
        for effect in answer["people"][subject].as_array().unwrap() {
            writeln!(lines, "{effect}").unwrap();
        }
    }
    let mut rest = answer.clone();
    rest["changes"] = Value::Null;
    rest["people"]["experiments"] = Value::Null;
    rest["people"]["flags"] = Value::Null;
    writeln!(lines, "{rest}").unwrap();
    insta::assert_snapshot!(lines);
}

#[test]
fn the_shop_against_itself() {
    insta::assert_snapshot!(answer(&[SHOP, SHOP]));
    let json = answer(&[SHOP, SHOP, "--format", "json", "--exit-code"]);
    let answer: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["changes"], Value::Array(Vec::new()));
    assert_eq!(answer["people"]["users"], 100_000);
    for subject in ["experiments", "flags"] {
        let effects = answer["people"][subject].as_array().unwrap();
        assert!(!effects.is_empty() && effects.iter().all(|one| one["changed"] == 0), "{subject}");
    }
}

#[test]
fn the_exit_code_tells_differences_if_asked() {
    let code = |arguments: &[&str]| diff(arguments).status.code();
    assert_eq!(code(&[SHOP, EDITED, "--sample", "0"]), Some(0));
    assert_eq!(code(&[SHOP, EDITED, "--sample", "0", "--exit-code"]), Some(1));
    assert_eq!(code(&[SHOP, SHOP, "--sample", "500", "--exit-code"]), Some(0));
}

#[test]
fn broken_datafiles_are_compared_or_refused() {
    let mut names: Vec<String> = fs::read_dir("datafiles/broken")
        .unwrap()
        .map(|entry| format!("datafiles/broken/{}", entry.unwrap().file_name().to_string_lossy()))
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    let mut said = String::new();
    for name in &names {
        let output = diff(&[SHOP, name, "--sample", "50"]);
        let is_refused = name.contains("/refused-");
        assert_eq!(output.status.code(), Some(if is_refused { 3 } else { 0 }), "{name}");
        assert_eq!(stdout(&output).is_empty(), is_refused, "{name}");
        write!(said, "{}", stderr(&output)).unwrap();
        let output = diff(&[name, name, "--sample", "50", "--exit-code", "--quiet"]);
        assert_eq!(output.status.code(), Some(if is_refused { 3 } else { 0 }), "{name} and itself");
        let back = diff(&[name, SHOP, "--sample", "50", "--quiet"]);
        assert_eq!(back.status.code(), Some(if is_refused { 3 } else { 0 }), "{name}");
        assert_eq!(stderr(&back).contains("the old datafile"), is_refused, "{}", stderr(&back));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn both_refused_datafiles_are_named() {
    let (one, other) = ("datafiles/broken/refused-empty.json", "no-such-file.json");
    let output = diff(&[one, other]);
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!(stderr(&output));
}

#[test]
fn a_broken_datafile_against_another_in_words() {
    let names =
        ["range-dangling", "audience-dangling", "holdout-rules-missing", "variable-value-bad"];
    let mut said = String::new();
    for name in names {
        let path = format!("datafiles/broken/{name}.json");
        let output =
            diff(&["datafiles/broken/header-missing.json", &path, "--sample", "100", "-q"]);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
        writeln!(said, "{}", stdout(&output)).unwrap();
    }
    insta::assert_snapshot!(said);
}

#[test]
fn users_of_a_file_are_decided_for() {
    let users = "user_id,country,age,logged_in,lifetime_value\n\
                 user-1-0,SE,34,true,\nuser-1-1,DE,19,true,600\n\"qa-anna\",,,,\nuser-1-2,NO,70,false,\n";
    let of_csv = variate(
        &["diff", SHOP, EDITED, "--users", "-", "--input-format", "csv", "--threads", "3"],
        users.as_bytes(),
    );
    assert_eq!((of_csv.status.code(), stderr(&of_csv)), (Some(0), ""));
    let people = stdout(&of_csv).split_once("What it does").unwrap().1;
    insta::assert_snapshot!(people);
    let lines = r#"{"userId":"user-1-0","attributes":{"country":"SE","age":34,"logged_in":true}}
{"userId":"user-1-1","attributes":{"country":"DE","age":19,"logged_in":true,"lifetime_value":600}}
"qa-anna"
{"userId":"user-1-2","attributes":{"country":"NO","age":70,"logged_in":false}}
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.ndjson");
    fs::write(&path, lines).unwrap();
    let path = path.to_str().unwrap();
    let json = |more: &[&str], input: &str| -> Value {
        let arguments = [&["diff", SHOP, EDITED, "--format", "json"], more].concat();
        let output = variate(&arguments, input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let mut answer: Value = serde_json::from_str(stdout(&output)).unwrap();
        answer["people"]["file"] = Value::Null;
        answer["people"].take()
    };
    let of_lines = json(&["--users", path], "");
    assert_eq!(of_lines["users"], 4);
    assert_eq!(of_lines, json(&["--users", "-", "--input-format", "csv"], users));
}

#[test]
fn many_users_are_the_same_on_many_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.csv");
    let ids: String = (0..40_000).map(|number| format!("user-9-{number}\n")).collect();
    fs::write(&path, ids).unwrap();
    let path = path.to_str().unwrap();
    let people = |more: &[&str]| {
        let arguments = [&[SHOP, EDITED, "--format", "json"], more].concat();
        let answer: Value = serde_json::from_str(&answer(&arguments)).unwrap();
        (answer["people"]["experiments"].clone(), answer["people"]["flags"].clone())
    };
    let of_file = people(&["--users", path, "--threads", "2"]);
    assert_eq!(of_file, people(&["--sample", "40000", "--seed", "9", "--threads", "1"]));
}

/// A quote that is never closed ends the reading; the block before it may still be at work.
#[test]
fn the_first_fault_of_a_file_is_told() {
    let users = format!("id,age\n{}x\n\"{}", "anna,1\n".repeat(36_000), "b\n".repeat(9_000));
    for threads in ["1", "2", "7"] {
        let asked =
            ["diff", SHOP, SHOP, "--users", "-", "--input-format", "csv", "-q", "--threads"];
        let output = variate(&[&asked[..], &[threads]].concat(), users.as_bytes());
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("line 36002: 1 column"), "{}", stderr(&output));
    }
}

#[test]
fn wrong_uses() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.csv");
    fs::write(&bad, "user_id,age\nanna,3\nben\n").unwrap();
    let bad = bad.to_str().unwrap();
    let uses: &[(&[&str], i32)] = &[
        (&[], 2),
        (&[SHOP], 2),
        (&[SHOP, SHOP, SHOP], 2),
        (&[SHOP, "-"], 2),
        (&[SHOP, SHOP, "--sample", "-1"], 2),
        (&[SHOP, SHOP, "--sample", "many"], 2),
        (&[SHOP, SHOP, "--seed", "x"], 2),
        (&[SHOP, SHOP, "--threads", "0"], 2),
        (&[SHOP, SHOP, "--exit-cod"], 2),
        (&[SHOP, SHOP, "--attribute", "country"], 2),
        (&[SHOP, SHOP, "--format", "xml"], 2),
        (&[SHOP, SHOP, "--users", bad, "--sample", "5"], 2),
        (&[SHOP, SHOP, "--users", bad, "--attribute", "a=1"], 2),
        (&[SHOP, SHOP, "--input-format", "csv"], 2),
        (&[SHOP, SHOP, "--users", "no-such-file.csv"], 2),
        (&[SHOP, SHOP, "--users", "-"], 2),
        (&[SHOP, SHOP, "--users", bad], 1),
        (&[SHOP, "no-such-file.json"], 3),
        (&["datafiles", SHOP], 3),
    ];
    let mut said = String::new();
    for (arguments, code) in uses {
        let output = diff(arguments);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
        let shown = arguments.join(" ").replace(bad, "bad.csv");
        writeln!(said, "$ variate diff {shown}\n{}", stderr(&output)).unwrap();
    }
    insta::assert_snapshot!(said);
}
