//! Where findings stand in the text, to the character.

use super::checked_text;

/// The text that a finding of this code covers, behind its line and column.
#[track_caller]
fn check(text: &str, code: &str, expect: &str) {
    let checked = checked_text(text);
    let found = checked.findings.iter().find(|found| found.finding.code == code);
    let span = found.unwrap_or_else(|| panic!("{:#?}", checked.findings)).span;
    let line = text.trim_start_matches('\u{feff}').split('\n').nth(span.line - 1).unwrap();
    let covered: String =
        line.chars().skip(span.column - 1).take(span.end_column - span.column).collect();
    assert_eq!(format!("{}:{} {covered}", span.line, span.column), expect);
}

const HEAD: &str = r#"{"version":"4","accountId":"1","projectId":"2","revision":"3""#;

fn with(rest: &str) -> String {
    format!("{HEAD},\n{rest}}}")
}

#[test]
fn values_objects_and_what_is_missing() {
    check(&with(r#""anonymizeIP": 1"#), "wrong-type", "2:16 1");
    check(
        &with("\"events\": [{\"id\":\"e\",\n\"key\":\"buy\"}]"),
        "untied-event",
        "2:12 {\"id\":\"e\",",
    );
    check(
        &with("\"events\": [{\"id\":\"e\",\r\n\"key\":\"buy\"}]"),
        "untied-event",
        "2:12 {\"id\":\"e\",",
    );
    check(&with(r#""events": [ {"id":"e"} ]"#), "missing-field", r#"2:13 {"id":"e"}"#);
    check(
        r#"{"version":"4","accountId":"1","projectId":"2"}"#,
        "missing-field",
        r#"1:1 {"version":"4","accountId":"1","projectId":"2"}"#,
    );
}

#[test]
fn columns_count_characters() {
    check(&with(r#""ключ😀": 1, "anonymizeIP": 1"#), "wrong-type", "2:28 1");
    check(&format!("\u{feff}{HEAD},\"anonymizeIP\":1}}"), "wrong-type", "1:77 1");
}

#[test]
fn of_fields_given_twice_the_last_counts() {
    check(&with(r#""region": "EU", "region": 1"#), "duplicate-field", "2:27 1");
}

#[test]
fn the_json_in_strings_of_untyped_audiences() {
    let audience = |conditions: &str| {
        with(&format!(r#""audiences": [{{"id":"a","name":"a","conditions": {conditions}}}]"#))
    };
    check(
        &audience(r#""[\"or\", {\"name\": \"ü\", \"type\": \"cookie\", \"value\": \"x\"}]""#),
        "unknown-type",
        r#"2:88 \"cookie\""#,
    );
    check(
        &audience(r#""[\u0022or\u0022, {\"name\": \"\ud83d\ude00\", \"type\": \"cookie\"}]""#),
        "unknown-type",
        r#"2:107 \"cookie\""#,
    );
    check(&audience(r#""[1""#), "bad-conditions", r#"2:50 "[1""#);
}
