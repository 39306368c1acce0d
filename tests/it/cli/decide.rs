//! `variate decide`: the answer for one user, as text and as JSON, with and without the explanation.
//!
//! Must not know how decisions come about.

use serde_json::Value;

use super::{SHOP, stderr, stdout, variate};

fn decide(arguments: &[&str]) -> String {
    let all = [&["decide", "--datafile", SHOP, "--quiet"], arguments].concat();
    let output = variate(&all, b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    format!("{}{}", stderr(&output), stdout(&output))
}

fn decide_json(arguments: &[&str]) -> Value {
    serde_json::from_str(&decide(&[arguments, &["--format", "json"]].concat())).unwrap()
}

const MIA: &[&str] = &[
    "--user",
    "mia",
    "--attributes",
    r#"{"country": "DE", "age": 12, "logged_in": true, "staff": false}"#,
    "--attribute",
    "age=27",
];

#[test]
fn a_flag_in_words() {
    insta::assert_snapshot!(decide(&[&["--flag", "search"], MIA].concat()));
}

#[test]
fn a_flag_explained_as_a_tree() {
    insta::assert_snapshot!(decide(&[&["--flag", "search", "--explain"], MIA].concat()));
}

#[test]
fn a_flag_explained_as_json() {
    let answer = decide_json(&[&["--flag", "search", "--explain"], MIA].concat());
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap());
}

#[test]
fn an_experiment_in_words_and_as_json() {
    let subject = ["--experiment", "checkout_button", "--user", "anna"];
    assert_eq!(decide(&subject), "checkout_button: green\n");
    let answer = decide_json(&subject);
    assert_eq!(
        answer,
        serde_json::json!({"experimentKey": "checkout_button", "variationKey": "green"})
    );
    insta::assert_snapshot!(decide(&[&subject[..], &["--explain"]].concat()));
    assert!(decide_json(&[&subject[..], &["--explain"]].concat())["explanation"].is_array());
}

#[test]
fn all_flags_that_are_on() {
    let options = ["--option", "ENABLED_FLAGS_ONLY", "--option", "EXCLUDE_VARIABLES"];
    insta::assert_snapshot!(decide(&[&["--all"], &options[..], MIA].concat()));
    let answer = decide_json(&[&["--all"], &options[..], MIA].concat());
    let decisions = answer["decisions"].as_object().unwrap();
    assert!(
        !decisions.is_empty() && decisions.values().all(|one| one["enabled"] == true),
        "{answer}"
    );
}

#[test]
fn segments_decide() {
    let olga = ["--flag", "support", "--user", "olga"];
    assert_eq!(decide_json(&olga)["variationKey"], "off");
    let loyal = [&olga[..], &["--segment", "loyal_buyers"]].concat();
    assert_eq!(decide_json(&loyal)["variationKey"], "chat");
}

#[test]
fn unknown_keys_get_a_message() {
    let message = |subject: &str, key: &str| {
        let output =
            variate(&["decide", "--datafile", SHOP, "-q", subject, key, "--user", "u"], b"");
        assert_eq!((output.status.code(), stdout(&output)), (Some(1), ""));
        stderr(&output).to_owned()
    };
    let said = [
        message("--flag", "serach"),
        message("--flag", "zzz"),
        message("--experiment", "checkout_buton"),
        message("--flag", "checkout_button"),
        message("--experiment", "search"),
    ];
    insta::assert_snapshot!(said.concat());
}

#[test]
fn attributes_that_nothing_can_use_are_told() {
    let given = ["--flag", "search", "--user", "u", "--attribute", "age=27"];
    let lists = ["--attribute", "tags=[1]", "--attributes", r#"{"home": {"city": "Lund"}}"#];
    let said = decide(&[&given[..], &lists].concat());
    let warnings: Vec<_> = said.lines().filter(|line| line.starts_with("warning: ")).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
fn attribute_values_are_json_or_text() {
    let variation = |attribute: &str| {
        let anna = ["--flag", "support", "--user", "gustav", "--attribute", "country=SE"];
        let answer = decide_json(&[&anna[..], &["--attribute", attribute]].concat());
        answer["ruleKey"].clone()
    };
    assert_eq!(variation("lifetime_value=812.5"), "priority_support_delivery");
    assert_ne!(variation("lifetime_value=\"812.5\""), "priority_support_delivery");
}
