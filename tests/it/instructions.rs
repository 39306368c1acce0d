//! Instructions per call, counted by valgrind, and the limits that they must keep.
//!
//! Instructions do not depend on how busy a machine is, so these limits can be held in CI where times
//! cannot. Run it with
//! `cargo test --test it -- --ignored --exact instructions::calls_keep_their_limits --nocapture`.
//!
//! It must not know what a case does: the cases are in `benches/instructions.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Calls whose instructions are counted: runs of so many and of twice as many are compared.
const CALLS: u64 = 10_000;

/// So often is a case run that takes more than it may.
const MOST_RUNS: usize = 4;

/// The cases, and how many instructions a call of each may take.
const LIMITS: &[(&str, Option<u64>)] = &[
    ("decision", Some(400)),
    ("decision-audience", Some(600)),
    ("decision-held", Some(320)),
    ("decision-audience-held", Some(515)),
    ("decision-looked-up", Some(217)),
    ("decision-audience-looked-up", Some(413)),
    ("flag", Some(1260)),
    ("flag-audience", Some(1455)),
    ("activate-first", Some(2800)),
    ("activate-repeated", Some(1655)),
    ("activate-repeated-looked-up", Some(1515)),
    ("track", Some(10_000)),
];

#[test]
#[ignore = "needs valgrind: run tests/valgrind/setup"]
fn calls_keep_their_limits() {
    let program = built_program();
    let mut broken = Vec::new();
    for (case, limit) in LIMITS {
        let mut per_call = u64::MAX;
        let mut least = [u64::MAX; 2];
        // What a run does before its calls differs by chance (tables of names have random seeds), now and
        // then by more than a limit leaves: the least of a few runs has none of it.
        for _ in 0..MOST_RUNS {
            let runs = [CALLS, 2 * CALLS].map(|calls| instructions(&program, case, calls));
            least = [least[0].min(runs[0]), least[1].min(runs[1])];
            per_call = (least[1] - least[0]).div_ceil(CALLS);
            if limit.is_none_or(|limit| per_call <= limit) {
                break;
            }
        }
        let limit_text =
            limit.map_or_else(|| "no limit".to_owned(), |limit| format!("at most {limit}"));
        println!("{case}: {per_call} instructions ({limit_text})");
        if limit.is_some_and(|limit| per_call > limit) {
            broken.push(format!("{case}: {per_call}, {limit_text}"));
        }
    }
    assert!(broken.is_empty(), "more instructions per call than allowed: {broken:#?}");
}

/// The bench, built in the release profile and without default features, as those build it who embed
/// the engine.
fn built_program() -> PathBuf {
    let arguments =
        ["bench", "--quiet", "--no-run", "--no-default-features", "--bench", "instructions"];
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .arg("--message-format=json")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let executable = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_it = message.pointer("/target/name")? == "instructions";
        message.get("executable")?.as_str().filter(|_| is_it).map(PathBuf::from)
    });
    executable.expect("cargo names the program that it built")
}

/// All instructions of a run that does a case so many times.
fn instructions(program: &Path, case: &str, times: u64) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("counts");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(program)
        .args([case, &times.to_string()])
        .output()
        .expect("valgrind runs; tests/valgrind/setup installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts = fs::read_to_string(counts).unwrap();
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    total.expect("callgrind writes a total").trim().parse().unwrap()
}
