//! `variate bench`: that it measures what it says, not how fast anything is.
//!
//! Must not know figures: they are the machine's.

use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::{SHOP, stderr, stdout, variate};

fn bench(more: &[&str]) -> Value {
    let asked = [&["bench", "--duration", "1ms", "--format", "json", "-q"], more].concat();
    let output = variate(&asked, b"");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn kinds(report: &Value) -> Vec<(String, u64)> {
    let kind =
        |one: &Value| (one["what"].as_str().unwrap().to_owned(), one["threads"].as_u64().unwrap());
    report["measurements"].as_array().unwrap().iter().map(kind).collect()
}

const ALL_KINDS: [&str; 6] = [
    "hashing",
    "bucketing",
    "experimentDecision",
    "flagDecision",
    "newActivation",
    "repeatedActivation",
];

#[test]
fn the_shop_by_threads() {
    let report = bench(&["--threads", "1", "--threads", "3"]);
    let wanted: Vec<_> = [1, 3]
        .iter()
        .flat_map(|threads| ALL_KINDS.iter().map(|kind| ((*kind).to_owned(), *threads)))
        .collect();
    assert_eq!(kinds(&report), wanted);
    assert_eq!(
        report["experiment"],
        json!({"experimentKey": "checkout_button", "shareWithVariation": 1.0})
    );
    assert_eq!(report["durationMs"], 1);
    for one in report["measurements"].as_array().unwrap() {
        let figure = |name: &str| one["nsPerCall"][name].as_f64().unwrap();
        assert!(figure("best") > 0.0, "{one}");
        assert!(figure("best") <= figure("median") && figure("median") <= figure("p99"), "{one}");
        assert!(one["calls"].as_u64().unwrap() >= one["callsPerBatch"].as_u64().unwrap(), "{one}");
        assert!(one["callsPerSecond"].as_f64().unwrap() > 0.0, "{one}");
    }
    let ratios = report["bucketingToHashing"].as_array().unwrap();
    assert!(ratios.len() == 2 && ratios.iter().all(|one| one["ratio"].as_f64().unwrap() > 0.0));
}

#[test]
fn what_cannot_be_measured_is_left_out() {
    let nobody =
        bench(&["--datafile", SHOP, "--threads", "1", "--experiment", "free_shipping_banner"]);
    let kinds_of =
        |report: &Value| kinds(report).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds_of(&nobody), ALL_KINDS[..4]);
    let some =
        ["--attribute", "country=SE", "--experiment", "free_shipping_banner", "--threads", "1"];
    assert_eq!(kinds_of(&bench(&some)), ALL_KINDS);
    let folder = tempdir().unwrap();
    let path = folder.path().join("flags.json");
    let flag =
        json!({"id": "1", "key": "f", "experimentIds": [], "rolloutId": "", "variables": []});
    fs::write(&path, json!({"version": "4", "featureFlags": [flag]}).to_string()).unwrap();
    let only_flags = bench(&["--datafile", path.to_str().unwrap(), "--threads", "1"]);
    assert_eq!(kinds_of(&only_flags), ["flagDecision"]);
    assert_eq!(only_flags["experiment"], Value::Null);
}

#[test]
fn the_text_says_what_it_measured() {
    let output = variate(&["bench", "--duration", "1ms", "--threads", "1"], b"");
    let text = stdout(&output);
    for said in [
        "built-in shop",
        "checkout_button",
        "median ns",
        "hashing alone",
        "of this machine at this moment",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text}");
    }
}

#[test]
fn wrong_uses() {
    let folder = tempdir().unwrap();
    let empty = folder.path().join("empty.json");
    fs::write(&empty, r#"{"version": "4"}"#).unwrap();
    let said = |arguments: &[&str], exit_code: i32| {
        let output = variate(&[&["bench", "-q"], arguments].concat(), b"");
        assert_eq!(
            (output.status.code(), stdout(&output)),
            (Some(exit_code), ""),
            "{}",
            stderr(&output)
        );
        stderr(&output).to_owned()
    };
    let messages = [
        said(&["--datafile", empty.to_str().unwrap()], 1),
        said(&["--experiment", "chekout_button"], 1),
        said(&["--flag", "serach"], 1),
        said(&["--threads", "0"], 2),
        said(&["--duration", "soon"], 2),
        said(&["--duration", "0s"], 2),
        said(&["--duration", "25h"], 2),
        said(&["--duration", "99999999999h"], 2),
        said(&["--datafile", "datafiles/broken/refused-truncated.json"], 3),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}
