//! Wrong uses of the command line: each gets a message that names the place and the remedy.
//!
//! Must not know what a right use answers.

use std::fmt::Write as _;
use std::fs;

use super::{SHOP, replay, stderr, stdout, variate, without_folder};

/// What the command says to each use, all of which must end with the same exit code.
fn messages(uses: &[&[&str]], exit_code: i32) -> String {
    let mut messages = String::new();
    for arguments in uses {
        let output = variate(arguments, b"");
        assert_eq!(output.status.code(), Some(exit_code), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
        writeln!(messages, "$ variate {}\n{}", arguments.join(" "), stderr(&output)).unwrap();
    }
    messages
}

#[test]
fn wrong_arguments() {
    let uses: &[&[&str]] = &[
        &[],
        &["replya"],
        &["replay"],
        &["replay", "--datafile", SHOP],
        &["replay", "--datafile", SHOP, "--calls", "-", "--format", "xml"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--attribution", "both"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--stiky"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--late-window", "soon"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--late-window", "1.5h"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--late-window", "30"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--late-window=-1h"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--late-window", "-5s"],
        &["replay", "--datafile", "-", "--calls", "-"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--quiet", "--findings"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--late-window", "999999999999999999d"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--late-window", "367d"],
        &["decide", "--datafile", SHOP, "--user", "anna"],
        &["decide", "--datafile", SHOP, "--flag", "search"],
        &["decide", "--datafile", SHOP, "--user", "anna", "--flag", "search", "--all"],
        &["decide", "--datafile", SHOP, "--user", "anna", "--all", "--attributes", "{country: SE}"],
        &["decide", "--datafile", SHOP, "--user", "anna", "--all", "--attributes", "[1]"],
        &["decide", "--datafile", SHOP, "--user", "anna", "--all", "--attribute", "country"],
        &["decide", "--datafile", SHOP, "--user", "anna", "--all", "--attribute", "=SE"],
        &[
            "decide",
            "--datafile",
            SHOP,
            "--user",
            "u",
            "--experiment",
            "x",
            "--option",
            "INCLUDE_REASONS",
        ],
        &["decide", "--datafile", SHOP, "--user", "anna", "--all", "--option", "INCLUDE_REASON"],
        &["decide", "--datafile", SHOP, "--user", "anna", "--all", "--option", "x"],
        &["check"],
        &["check", "-", "-"],
        &["check", SHOP, "--format", "xml"],
        &["check", SHOP, "--fail-on", "info"],
        &["bucket", "--datafile", SHOP, "--users", "users.csv"],
        &["bucket", "--datafile", SHOP, "--users", "users.csv", "--all", "--experiment", "x"],
        &["bucket", "--datafile", SHOP, "--users", "users.csv", "--all", "--threads", "-1"],
        &["bucket", "--datafile", SHOP, "--users", "users.csv", "--all", "--format", "json"],
        &["bucket", "--datafile", SHOP, "--users", "-", "--all"],
        &["bucket", "--datafile", SHOP, "--users", "users.parquet", "--all"],
        &["bucket", "--datafile", SHOP, "--users", "no-such-file.csv", "--all"],
    ];
    insta::assert_snapshot!(messages(uses, 2));
}

#[test]
fn files_that_cannot_be_used() {
    let uses: &[&[&str]] = &[
        &["replay", "--datafile", SHOP, "--calls", "no-such-file.jsonl", "--quiet"],
        &["replay", "--datafile", SHOP, "--calls", "datafiles", "--quiet"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--events", "no/such/folder", "--quiet"],
        &["replay", "--datafile", SHOP, "--calls", "-", "--events", SHOP, "--quiet"],
    ];
    insta::assert_snapshot!(messages(uses, 2));
    assert!(fs::metadata(SHOP).unwrap().len() > 0, "the datafile was not overwritten");
}

#[test]
fn datafiles_that_cannot_be_used() {
    let uses: &[&[&str]] = &[
        &["replay", "--datafile", "no-such-file.json", "--calls", "-"],
        &["decide", "--datafile", "datafiles", "--all", "--user", "anna"],
        &["replay", "--datafile", "datafiles/broken/refused-truncated.json", "--calls", "-"],
        &["replay", "--datafile", "datafiles/broken/refused-empty.json", "--calls", "-"],
        &["replay", "--datafile", "datafiles/broken/refused-not-utf8.json", "--calls", "-"],
        &["replay", "--datafile", "datafiles/broken/refused-version-5.json", "--calls", "-"],
        &[
            "decide",
            "--datafile",
            "datafiles/broken/refused-not-an-object.json",
            "--all",
            "--user",
            "u",
        ],
    ];
    insta::assert_snapshot!(messages(uses, 3));
}

#[test]
fn a_refused_datafile_does_not_replace_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.json");
    fs::write(&path, "{\"version\": \"4\"").unwrap();
    let ask = r#"{"call":"getVariation","userId":"anna","experimentKey":"checkout_button"}"#;
    let calls = format!("{ask}\n{{\"call\":\"setDatafile\",\"path\":{path:?}}}\n{ask}\n");
    let output = replay(&calls, &[]);
    let green = "{\"variationKey\":\"green\"}\n";
    assert_eq!(stdout(&output), format!("{green}{{\"ok\":false}}\n{green}"));
    insta::assert_snapshot!(without_folder(stderr(&output), folder.path()));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn findings_are_summed_up_unless_quiet() {
    let path = "datafiles/broken/audience-dangling.json";
    let findings = |more: &[&str]| {
        let arguments = [&["replay", "--datafile", path, "--calls", "-"], more].concat();
        let output = variate(&arguments, b"");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output).to_owned()
    };
    insta::assert_snapshot!(findings(&[]));
    assert_eq!(findings(&["--quiet"]), "");
    insta::assert_snapshot!("all findings", findings(&["--findings"]));
}

#[test]
fn the_help_teaches() {
    let exit_codes = |help: &str| help.split_once("Exit codes: ").unwrap().1.to_owned();
    let of_all = exit_codes(stdout(&variate(&["--help"], b"")));
    for command in ["serve", "replay", "decide", "check", "diff", "bucket", "events", "bench"] {
        let output = variate(&[command, "--help"], b"");
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(exit_codes(stdout(&output)), of_all);
        insta::assert_snapshot!(format!("help of {command}"), stdout(&output));
    }
    let version = variate(&["--version"], b"");
    assert_eq!(stdout(&version), concat!("variate ", env!("CARGO_PKG_VERSION"), "\n"));
}
