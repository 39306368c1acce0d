//! Hostile text: an error or findings, never a panic, a hang or a stack overflow.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;
use variate::datafile::Datafile;

use super::shapes::everything;
use super::{compile_text, datafile, experiment, findings};

/// A datafile with one section written out as text.
fn with(section: &str, text: &str) -> String {
    format!(
        r#"{{"version":"4","accountId":"1","projectId":"2","revision":"3","{section}":{text}}}"#
    )
}

fn check_codes(text: &str, expect: &[&str]) {
    let compiled = compile_text(text);
    let mut codes: Vec<_> = compiled.findings.iter().map(|finding| finding.code).collect();
    codes.dedup();
    assert_eq!(codes, expect, "{text:.200}");
}

#[test]
fn deep_nesting_is_skipped_or_reported() {
    const DEPTH: usize = 100_000;
    let arrays = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    let objects = "{\"a\":".repeat(DEPTH) + "1" + &"}".repeat(DEPTH);
    let ors = "[\"or\",".repeat(DEPTH / 10) + "[]" + &"]".repeat(DEPTH / 10);
    for deep in [&arrays, &objects, &ors] {
        check_codes(&with("unknown", deep), &[]);
        check_codes(
            &with("experiments", &format!("[{deep}]")),
            if deep.starts_with('{') { &["missing-field"] } else { &["wrong-type"] },
        );
        let inner = serde_json::to_string(deep).unwrap();
        let expect = if deep.starts_with('{') { "missing-field" } else { "nested-too-deep" };
        let audience =
            |conditions: &str| format!(r#"[{{"id":"a","name":"a","conditions":{conditions}}}]"#);
        check_codes(&with("typedAudiences", &audience(deep)), &[expect]);
        check_codes(&with("audiences", &audience(&inner)), &[expect]);
    }
    let rule = experiment("10", "x", json!({"audienceConditions": "@"}))
        .to_string()
        .replace("\"@\"", &arrays);
    check_codes(&with("experiments", &format!("[{rule}]")), &["nested-too-deep"]);
    assert!(Datafile::compile("[".repeat(DEPTH).as_bytes()).is_err());
    assert!(Datafile::compile("{\"a\":".repeat(DEPTH).as_bytes()).is_err());
}

#[test]
fn a_million_broken_entries_are_counted_and_not_listed() {
    let text = with("experiments", &format!("[{}{{}}]", "{},".repeat(999_999)));
    let compiled = compile_text(&text);
    assert_eq!(compiled.findings.len(), 1001);
    let last = compiled.findings.last().unwrap();
    assert_eq!(
        (last.code, last.message.as_str()),
        ("too-many-findings", "999000 more findings are not listed")
    );
}

#[test]
fn duplicate_fields_are_found_at_every_level() {
    let text = everything().to_string();
    let compiled = compile_text(
        &text
            .replace("\"id\":", "\"id\":\"x\",\"id\":")
            .replace("\"match\":", "\"match\":1,\"match\":"),
    );
    assert!(compiled.findings.iter().all(|finding| finding.code == "duplicate-field"));
    let paths = findings(&compiled).join("\n");
    for path in [
        "attributes[0].id",
        "experiments[0].variations[1].id",
        "groups[0].experiments[1].id",
        "typedAudiences[1].conditions[2].match",
    ] {
        assert!(paths.contains(path), "{path}\n{paths}");
    }
    assert_eq!(compiled.datafile.rules().len(), 12);
    let many = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(100_000));
    let compiled = compile_text(&with("experiments", &format!("[{many}]")));
    assert_eq!(compiled.findings.len(), 1001);
}

#[test]
fn numbers_of_any_size_fail_alone() {
    for number in [
        "1e999".to_owned(),
        "-1e999".to_owned(),
        "9".repeat(400),
        format!("0.{}1", "0".repeat(400)),
        "1e-999".to_owned(),
    ] {
        let text = everything().to_string();
        for wanted in [
            "10000",
            "18",
            "99.5",
            "8000",
            "\"100\"",
            "\"1001\"",
            "\"phone\"",
            "\"Running\"",
            "false",
            "\"7\"",
            "\"EU\"",
            "\"r1\"",
            "\"t1\"",
        ] {
            assert!(text.contains(wanted), "{wanted}");
            let compiled = compile_text(&text.replace(wanted, &number));
            assert!(compiled.datafile.flag_by_key("banner").is_some(), "{wanted} {number}");
        }
    }
    let range = experiment("10", "x", json!({"trafficAllocation": "@"})).to_string();
    let range = range.replace("\"@\"", r#"[{"entityId":"101","endOfRange":1e999}]"#);
    check_codes(&with("experiments", &format!("[{range}]")), &["bad-range"]);
}

#[test]
fn half_characters_are_replaced() {
    let text = with("attributes", r#"[{"id":"1","key":"a\ud800b\udc00\ud83d\ude00\ufffd\\u"}]"#);
    let compiled = compile_text(&text);
    assert_eq!(compiled.datafile.attributes()[0].key(), "a\u{fffd}b\u{fffd}\u{1f600}\u{fffd}\\u");
    assert_eq!(findings(&compiled), ["lone-surrogate attributes[0].key"]);
    let text = everything()
        .to_string()
        .replace("\"key\":\"", "\"key\":\"\\udfff")
        .replace("\"device\"", "\"\\ud800\"");
    let codes: Vec<_> = compile_text(&text).findings.iter().map(|finding| finding.code).collect();
    assert!(
        codes.iter().all(|code| ["lone-surrogate", "dangling-reference"].contains(code)),
        "{codes:?}"
    );
    compile_text(&with("\\ud800", "1"));
}

#[test]
fn long_names_do_not_fill_the_findings() {
    let name = "n".repeat(100_000);
    let users: String = (0..100).fold(String::new(), |mut text, user| {
        let _ = write!(text, "\"{name}{user}\":1,");
        text
    });
    let rule = experiment("10", "x", json!({"forcedVariations": "@"}))
        .to_string()
        .replace("\"@\"", &format!("{{{users}\"\":1}}"));
    let compiled = compile_text(&with("experiments", &format!("[{rule}]")));
    assert_eq!(compiled.findings.len(), 101);
    assert!(compiled.findings.iter().all(|finding| finding.to_string().len() < 400));
}

#[test]
fn a_text_cut_anywhere_is_refused() {
    let text = everything().to_string();
    for end in 0..text.len() {
        assert!(Datafile::compile(&text.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn wide_datafiles_cost_what_their_text_does() {
    let leaf = json!({"name": "x", "type": "custom_attribute", "match": "exists"}).to_string();
    let wide = format!("[\"and\"{}]", format!(",{leaf}").repeat(50_000));
    check_codes(
        &with(
            "typedAudiences",
            &format!("[{{\"id\":\"a\",\"name\":\"a\",\"conditions\":{wide}}}]"),
        ),
        &[],
    );

    let ids: Vec<String> = (0..200).map(|id| id.to_string()).collect();
    let audiences: Vec<_> =
        ids.iter().map(|id| json!({"id": id, "name": id, "conditions": ["or"]})).collect();
    let rules: Vec<_> =
        ids.iter().map(|id| experiment(id, id, json!({"audienceIds": ids}))).collect();
    let text = datafile(json!({"experiments": rules, "typedAudiences": audiences})).to_string();
    check_codes(&text, &[]);
}

/// Conditions are read in one pass over their text: what stands in it may not lead that pass astray.
#[test]
fn conditions_are_cut_where_json_is() {
    let audience = |text: &str| {
        let audience = format!(r#"[{{"id":"a","name":"a","conditions":{text}}}]"#);
        let compiled = compile_text(&with("typedAudiences", &audience));
        (format!("{:?}", compiled.datafile.audiences()[0].conditions()), findings(&compiled))
    };
    let check = |text: &str| {
        let plain: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(audience(text), audience(&plain.to_string()), "{text}");
    };
    check(" [ \"or\" , [ ] , [\t]\r\n, [ [ ] ] ] ");
    check(
        r#"["and",{"name":"a]","type":"custom_attribute","value":"\"]["},[ "not" ,{"value":{"a":[1,{}]}}]]"#,
    );
    check(r#"["or",{"name":"\\","type":"custom_attribute","value":"\\\"},["},"\\",["and","]"]]"#);
    check("[ 1 , true,null ,-0.5e3 , \"x\" ,{} , [ 2]]");
    check(r#"{"name":"[","type":"custom_attribute","match":"exists"}"#);
    check("[]");
}

/// Nothing in the compiled form may be as many as flags times rules: not the rules of a shared rollout,
/// not the variations that an experiment borrows again and again.
#[test]
fn shared_parts_are_not_copied() {
    let count = 300;
    let rules: Vec<_> =
        (0..count).map(|id| experiment(&format!("r{id}"), &format!("r{id}"), json!({}))).collect();
    let flags: Vec<_> = (0..count)
        .map(|id| json!({"id": id.to_string(), "key": id.to_string(), "rolloutId": "all", "experimentIds": vec!["fr"; 40], "variables": []}))
        .collect();
    let gradual = experiment("fr", "fr", json!({"type": "fr"}));
    let text = datafile(json!({
        "experiments": [gradual], "featureFlags": flags, "rollouts": [{"id": "all", "experiments": rules}]
    }));
    let datafile = Datafile::compile(text.to_string()).unwrap().datafile;
    let lists: std::collections::HashSet<_> =
        datafile.flags().iter().map(|flag| flag.rollout().as_ptr()).collect();
    assert_eq!(lists.len(), 1, "flags share the list of their rollout");
    let borrowed = datafile.experiment_by_key("fr").unwrap().variations().len();
    assert!(borrowed <= count + 2, "one variation per flag, not per reference: {borrowed}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut text = everything().to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let _ = Datafile::compile(&text);
    }

    #[test]
    fn exchanged_values_never_panic(
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(vec!["null", "true", "0", "-1e999", "\"\"", "[]", "{}", "[[]]", "{\"id\":{}}", "\"\\ud800\""]),
    ) {
        let text = everything().to_string();
        let values: Vec<_> = text.match_indices(':').map(|(at, _)| at + 1).collect();
        let start = values[at.index(values.len())];
        let mut rest = serde_json::Deserializer::from_str(&text[start..]).into_iter::<serde_json::Value>();
        if let Some(Ok(_)) = rest.next() {
            let end = start + rest.byte_offset();
            let changed = format!("{}{with}{}", &text[..start], &text[end..]);
            if let Ok(compiled) = Datafile::compile(changed.as_bytes()) {
                prop_assert!(compiled.findings.len() < 60);
            }
        }
    }
}
