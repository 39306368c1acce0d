//! The first inputs of every target, made from the project's `datafiles/`, so that none are kept twice.
//!
//! Must not know what the targets assert.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Inputs with their names.
pub type Inputs = Vec<(String, Vec<u8>)>;

/// The seeds of all targets.
#[must_use]
pub fn all() -> Vec<(&'static str, Inputs)> {
    vec![
        ("datafile", datafiles()),
        ("conditions", conditions()),
        ("versions", versions()),
        ("replay", replays()),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../datafiles")
}

/// The JSON files of a folder with the stems of their names, in order.
fn json_files(inside: &str) -> Inputs {
    let entries = fs::read_dir(folder().join(inside)).expect("the project's datafiles");
    let mut files: Inputs = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a readable file"))
        })
        .collect();
    files.sort();
    assert!(files.len() > 30, "{inside} holds the seeds");
    files
}

/// The conformance cases, parsed.
fn cases() -> Vec<(String, Value)> {
    let parsed = |text: &[u8]| serde_json::from_slice(text).expect("cases are JSON");
    json_files("cases").iter().map(|(name, text)| (name.clone(), parsed(text))).collect()
}

/// The shop's datafile.
#[must_use]
pub fn shop() -> Vec<u8> {
    fs::read(folder().join("shop.json")).expect("the shop's datafile")
}

/// The shop first, then the datafiles of the conformance cases by their names.
#[must_use]
pub fn whole_datafiles() -> Vec<(String, String)> {
    let shop = String::from_utf8(shop()).expect("the shop's datafile is UTF-8");
    let of_cases = cases().into_iter().filter(|(_, case)| case["datafile"].is_object());
    let texts = of_cases.map(|(name, case)| (name, case["datafile"].to_string()));
    std::iter::once(("shop".to_owned(), shop)).chain(texts).collect()
}

/// The shop, the broken ones, and those of the conformance cases.
fn datafiles() -> Inputs {
    let mut inputs = json_files("broken");
    inputs.push(("shop".to_owned(), shop()));
    for (name, case) in cases() {
        if case["datafile"].is_object() {
            inputs.push((format!("case-{name}"), case["datafile"].to_string().into_bytes()));
        }
    }
    inputs
}

/// Bytes of no meaning: trees are drawn from them.
fn conditions() -> Inputs {
    let mut random = crate::random::Random::new(1);
    let input = |length: usize, random: &mut crate::random::Random| -> Vec<u8> {
        (0..length).map(|_| random.next_number().to_le_bytes()[0]).collect()
    };
    (1..=24).map(|place| (place.to_string(), input(place * 32, &mut random))).collect()
}

/// Rows of the matrix of versions, three texts each.
fn versions() -> Inputs {
    let text = fs::read(folder().join("vectors/versions.json")).expect("the matrix of versions");
    let rows: Vec<Value> = serde_json::from_slice(&text).expect("the matrix is JSON");
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let input = |(place, row): (usize, &Value)| {
        let third = text(&rows[(place * 7) % rows.len()], "user");
        let joined = format!("{}|{}|{third}", text(row, "target"), text(row, "user"));
        (place.to_string(), joined.into_bytes())
    };
    rows.iter().enumerate().step_by(37).map(input).collect()
}

/// The calls of the conformance cases and of the shop: one line that sets the replay up, then calls.
fn replays() -> Inputs {
    let shop_calls = fs::read(folder().join("shop.calls.jsonl")).expect("the shop's calls");
    let mut inputs = vec![("shop".to_owned(), [b"{}\n".as_slice(), &shop_calls].concat())];
    for (place, (name, file)) in cases().into_iter().enumerate() {
        let setup = json!({
            "datafile": name, "sticky": place % 2 == 0, "lateWindow": place % 3 * 1000,
            "text": place % 5 == 0, "backend": place % 7 == 0,
        });
        let mut lines = vec![setup.to_string()];
        for case in file["cases"].as_array().into_iter().flatten() {
            let calls = case["calls"].as_array().into_iter().flatten();
            lines.extend(calls.map(|call| call["call"].to_string()));
        }
        lines.truncate(40);
        inputs.push((name, lines.join("\n").into_bytes()));
    }
    inputs
}
