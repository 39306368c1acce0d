//! `variate check`: what it shows of the shop, of every broken datafile and of the planted faults, in all
//! formats, and its exit codes.
//!
//! Must not know how faults are found.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{SHOP, stderr, stdout, variate, without_folder};

const PLANTED: &str = "datafiles/planted/planted.json";
const CLEAN: &str = "datafiles/planted/clean.json";
const REFUSED: &str = "datafiles/broken/refused-truncated.json";

/// What a check says on standard output, with an exit code that must be this one.
#[track_caller]
fn check(arguments: &[&str], exit_code: i32) -> String {
    let output = variate(&[&["check"], arguments].concat(), b"");
    assert_eq!(output.status.code(), Some(exit_code), "{arguments:?}: {}", stderr(&output));
    stdout(&output).to_owned()
}

#[test]
fn the_shop_and_the_planted_faults() {
    insta::assert_snapshot!("the shop as text", check(&[SHOP], 0));
    insta::assert_snapshot!("the shop as json", check(&[SHOP, "--format", "json"], 0));
    insta::assert_snapshot!("the shop as sarif", check(&[SHOP, "--format", "sarif"], 0));
    insta::assert_snapshot!("planted faults as text", check(&[PLANTED, CLEAN], 1));
    insta::assert_snapshot!("planted faults as json", check(&[PLANTED, "--format", "json"], 1));
    insta::assert_snapshot!("planted faults as sarif", check(&[PLANTED, "--format", "sarif"], 1));
}

#[test]
fn every_broken_datafile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datafiles/broken");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| format!("datafiles/broken/{}", name.to_string_lossy()));
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".json")).collect();
    names.sort_unstable();
    assert!(names.len() >= 40, "{names:?}");
    let mut told = String::new();
    for name in &names {
        let output = variate(&["check", name], b"");
        let is_refused = name.contains("/refused-");
        let code = output.status.code().unwrap();
        assert_eq!(code == 3, is_refused, "{name}: {}", stderr(&output));
        told += &format!(
            "$ variate check {name}: exit {code}\n{}{}\n",
            stdout(&output),
            stderr(&output)
        );
        for format in ["json", "sarif"] {
            let output = variate(&["check", name, "--format", format], b"");
            assert_eq!(output.status.code(), Some(code), "{name}");
            let value: Value = serde_json::from_str(stdout(&output)).unwrap();
            if format == "sarif" {
                assert_is_sarif(&value);
            }
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn exit_codes() {
    check(&[SHOP], 0);
    check(&[SHOP, "--fail-on", "note"], 1);
    check(&[CLEAN, "--fail-on", "note"], 0);
    let warned = "datafiles/broken/event-key-twice.json";
    check(&[warned], 1);
    check(&[warned, "--fail-on", "warning"], 1);
    check(&[warned, "--fail-on", "error"], 0);
    check(&[PLANTED, "--fail-on", "error"], 1);
    check(&[REFUSED], 3);
    check(&["no-such-file.json"], 3);
    check(&[PLANTED, REFUSED, SHOP], 3);
    check(&["--fail-on", "never", SHOP], 2);
}

#[test]
fn what_is_of_no_use_is_told_and_the_rest_is_checked() {
    let arguments = ["check", REFUSED, "no-such-file.json", CLEAN];
    for format in ["text", "json", "sarif"] {
        let output = variate(&[&arguments[..], &["--format", format]].concat(), b"");
        assert_eq!(output.status.code(), Some(3));
        let mut shown = stdout(&output).to_owned();
        if format == "sarif" {
            let mut value: Value = serde_json::from_str(&shown).unwrap();
            assert_is_sarif(&value);
            value["runs"][0]["tool"]["driver"]["rules"].take();
            shown = serde_json::to_string_pretty(&value).unwrap();
        }
        insta::assert_snapshot!(
            format!("no use as {format}"),
            format!("{shown}\n{}", stderr(&output))
        );
    }
}

#[test]
fn standard_input_and_odd_names() {
    let shop = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(PLANTED)).unwrap();
    let from_stdin = variate(&["check", "-", "--format", "json"], &shop);
    let from_file = check(&[PLANTED, "--format", "json"], 1);
    assert_eq!(stdout(&from_stdin).replace(r#""-""#, &format!("{PLANTED:?}")), from_file);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dåta file#1.json");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(SHOP), &path).unwrap();
    let sarif = check(&[path.to_str().unwrap(), "--format", "sarif"], 0);
    assert!(sarif.contains("/d%C3%A5ta%20file%231.json\""), "{sarif}");
    assert!(sarif.contains("\"uri\": \"file:///"), "{sarif}");
    let missing = folder.path().join("missing.json");
    let output = variate(&["check", missing.to_str().unwrap()], b"");
    insta::assert_snapshot!(without_folder(stderr(&output), folder.path()));
}

#[test]
fn sarif_has_what_the_standard_requires() {
    for arguments in [&[SHOP][..], &[PLANTED], &[CLEAN], &[PLANTED, SHOP]] {
        let output = variate(&[&["check", "--format", "sarif"], arguments].concat(), b"");
        assert_is_sarif(&serde_json::from_str(stdout(&output)).unwrap());
    }
}

/// The required properties of SARIF 2.1.0 and the values that it allows, as far as they are used here.
#[track_caller]
fn assert_is_sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "variate");
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
    for notification in run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap() {
        assert!(notification["message"]["text"].is_string(), "{notification}");
    }
    let rules = driver["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["shortDescription"]["text"].is_string()));
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri}");
        let region = &place["region"];
        let number = |name: &str| region[name].as_u64();
        assert!(
            number("startLine").unwrap() >= 1 && number("startColumn").unwrap() >= 1,
            "{result}"
        );
        assert!(
            number("endLine").is_none_or(|end| end >= number("startLine").unwrap()),
            "{result}"
        );
        assert!(
            number("endColumn").is_none_or(|end| end > number("startColumn").unwrap()),
            "{result}"
        );
    }
}
