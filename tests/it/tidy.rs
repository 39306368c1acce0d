//! Holds the house: floors, absences, shapes and documents, read from the files themselves.
//!
//! Every rule is a function over a path and a text, so that each is tried on made-up bad input as
//! well: a rule that cannot fail holds nothing. It must not know what the code does.

mod absences;
mod documents;
mod floors;
mod paths;
mod shape;
mod tokens;

use std::fs;
use std::io;
use std::path::Path;

/// A rule of the house: what is wrong with the file at this path with this text.
type Rule = fn(&str, &str) -> Vec<String>;

#[test]
fn every_room_has_a_floor() {
    hold(floors::rooms_without_a_floor);
}

#[test]
fn imports_go_down_only() {
    hold(floors::imports_that_climb);
}

#[test]
fn what_must_be_absent_is_absent() {
    hold(absences::forbidden_things);
}

#[test]
fn the_snapshot_is_loaded_in_one_place() {
    let files = rust_files().unwrap();
    let loads = files.iter().flat_map(|(file, text)| absences::snapshot_loads(file, text));
    let loads: Vec<String> = loads.collect();
    assert!(loads.len() == 1, "one call sees one datafile; loaded in: {loads:#?}");
    let outside: Vec<_> = loads.iter().filter(|load| !load.starts_with("src/client/")).collect();
    assert!(outside.is_empty(), "only the client loads the snapshot; loaded in: {outside:#?}");
}

#[test]
fn every_file_says_what_it_is() {
    hold(shape::silent_openings);
}

#[test]
fn files_stay_short() {
    hold(shape::long_files);
}

#[test]
fn the_root_is_a_tour() {
    hold(shape::functions_in_the_root);
}

#[test]
fn error_texts_are_no_sentences() {
    hold(shape::error_texts);
}

#[test]
fn ignored_tests_say_what_they_need() {
    hold(shape::unexplained_ignores);
}

#[test]
fn the_map_keeps_step() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let entries = source_entries().unwrap();
    assert!(entries.contains(&"lib.rs".to_owned()), "the sources were not found: {entries:?}");
    assert_findings(&documents::faults_of_the_map(&map, &entries), "");
    assert_findings(&documents::wrong_floors_on_the_map(&map), "");
}

#[test]
fn every_dependency_has_a_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert_findings(&documents::unexplained_dependencies(&manifest), "");
}

/// Applies a rule to every Rust file of the project.
#[track_caller]
fn hold(rule: Rule) {
    let files = match rust_files() {
        Ok(files) => files,
        Err(error) => {
            return assert_eq!(error.to_string(), "", "the project's files must be readable");
        }
    };
    for expected in ["src/lib.rs", "src/main.rs", "tests/it/main.rs", "tests/it/tidy/tokens.rs"] {
        assert!(files.iter().any(|(file, _)| file == expected), "{expected} was not looked at");
    }
    let findings: Vec<String> = files.iter().flat_map(|(file, text)| rule(file, text)).collect();
    assert_findings(&findings, "");
}

/// Tries a rule on a made-up file: one finding that contains `expect`, or none if it is empty.
#[track_caller]
fn check(rule: Rule, file: &str, text: &str, expect: &str) {
    assert_findings(&rule(file, text), expect);
}

#[track_caller]
fn assert_findings(findings: &[String], expect: &str) {
    let said = findings.join("\n");
    let is_as_expected = match findings {
        [] => expect.is_empty(),
        [one] => !expect.is_empty() && one.contains(expect),
        _ => false,
    };
    assert!(is_as_expected, "wanted: {expect:?}, found {}:\n{said}", findings.len());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Paths from the project's root, with `/`, and texts of all Rust files in `src`, `tests` and `benches`,
/// without what cargo built there.
fn rust_files() -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for folder in ["src", "tests", "benches"] {
        if root().join(folder).is_dir() {
            collect_rust_files(folder, &mut found)?;
        }
    }
    Ok(found)
}

fn collect_rust_files(folder: &str, found: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(root().join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if path.ends_with("/target") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect_rust_files(&path, found)?;
        } else if path.ends_with(".rs") {
            found.push((path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

/// The entries of `src`; folders end in `/`.
fn source_entries() -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
        Ok(format!("{}{slash}", entry.file_name().to_string_lossy()))
    };
    fs::read_dir(root().join("src"))?.map(name).collect()
}
