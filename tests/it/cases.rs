//! Runs the conformance cases under `datafiles/cases` through `variate replay`.
//!
//! Knows the format of the case files and the contract of the command; must not know how decisions are made.
//! Each case is one process, so that each starts with a fresh client.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking, and indexing a JSON value gives null where there is none"
)]

mod compare;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Map, Value, json};

/// A case, with what it inherits from its file.
struct Case {
    title: String,
    folder: PathBuf,
    file: Value,
    body: Value,
}

#[test]
fn every_case_is_answered_as_recorded() {
    let cases = read_cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("datafiles/cases"));
    assert!(!cases.is_empty(), "no cases under datafiles/cases");
    let failures = run_all(&cases);
    let mut message = String::new();
    for (title, complaints) in &failures {
        writeln!(message, "{title}").expect("a string takes all");
        for complaint in complaints {
            writeln!(message, "    {complaint}").expect("a string takes all");
        }
    }
    assert!(failures.is_empty(), "{} of {} cases differ:\n{message}", failures.len(), cases.len());
}

fn read_cases(folder: &Path) -> Vec<Case> {
    let listing = fs::read_dir(folder).expect("datafiles/cases is readable");
    let mut paths: Vec<PathBuf> =
        listing.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.iter().flat_map(|path| cases_of_file(path)).collect()
}

fn cases_of_file(path: &Path) -> Vec<Case> {
    let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let file = read_json(path);
    let cases = file["cases"].as_array().unwrap_or_else(|| panic!("{name}: `cases` is missing"));
    cases
        .iter()
        .map(|body| Case {
            title: format!("{name}: {}", body["name"].as_str().unwrap_or("a case without a name")),
            folder: path.parent().expect("a file has a folder").to_path_buf(),
            file: file.clone(),
            body: body.clone(),
        })
        .collect()
}

fn read_json(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The complaints of every case that has some, in the order of the cases.
fn run_all(cases: &[Case]) -> Vec<(String, Vec<String>)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failures = Vec::new();
        while let Some((position, case)) = take(cases, &next) {
            let complaints = run_case(case);
            if !complaints.is_empty() {
                failures.push((position, case.title.clone(), complaints));
            }
        }
        failures
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut failures: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|worker| worker.join().expect("a worker ends")).collect()
    });
    failures.sort_by_key(|(position, ..)| *position);
    failures.into_iter().map(|(_, title, complaints)| (title, complaints)).collect()
}

fn take<'cases>(cases: &'cases [Case], next: &AtomicUsize) -> Option<(usize, &'cases Case)> {
    let position = next.fetch_add(1, Ordering::Relaxed);
    cases.get(position).map(|case| (position, case))
}

fn run_case(case: &Case) -> Vec<String> {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let expected = case.body["calls"].as_array().cloned().unwrap_or_default();
    let output = replay(case, &expected, scratch.path());
    if let Some(complaint) = wrong_exit(case, &expected, &output) {
        return vec![complaint];
    }
    if case.body["refused"] == json!(true) {
        return Vec::new();
    }
    let events = fs::read_to_string(scratch.path().join("events.ndjson")).unwrap_or_default();
    let (Ok(answers), Ok(events)) =
        (lines(&String::from_utf8_lossy(&output.stdout)), lines(&events))
    else {
        return vec![
            "standard output or the file of events is not one JSON value a line".to_owned(),
        ];
    };
    if answers.len() != expected.len() || events.len() != expected.len() {
        return vec![format!(
            "{} calls, {} answers, {} lines of events",
            expected.len(),
            answers.len(),
            events.len()
        )];
    }
    let got = answers.iter().zip(&events);
    expected
        .iter()
        .zip(got)
        .enumerate()
        .flat_map(|(index, (call, (answer, events)))| {
            compare::complaints(call, answer, events)
                .into_iter()
                .map(move |text| format!("call {}: {text}", index + 1))
        })
        .collect()
}

fn lines(text: &str) -> serde_json::Result<Vec<Value>> {
    text.lines().map(serde_json::from_str).collect()
}

fn replay(case: &Case, expected: &[Value], scratch: &Path) -> Output {
    let datafile = scratch.join("datafile.json");
    fs::write(&datafile, datafile_of(case).to_string())
        .expect("the scratch folder takes the datafile");
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.arg("replay").arg("--datafile").arg(&datafile).args(["--calls", "-"]);
    command.arg("--events").arg(scratch.join("events.ndjson")).args(option_arguments(case));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut input = child.stdin.take().expect("standard input is piped");
    let calls: String = expected
        .iter()
        .map(|call| format!("{}\n", with_paths(case, &call["call"], scratch)))
        .collect();
    // Written beside the reading: a command that answers while it is asked would fill its pipe otherwise.
    // A failed write is no matter here: the exit and the number of answers tell.
    thread::scope(|scope| {
        scope.spawn(move || drop(input.write_all(calls.as_bytes())));
        child.wait_with_output().expect("the command ends")
    })
}

/// The datafile of the file, with the top-level keys that the case's `patch` replaces or, by null, removes.
fn datafile_of(case: &Case) -> Value {
    let mut datafile = match case.file["datafileFile"].as_str() {
        Some(name) => read_json(&case.folder.join(name)),
        None => case.file["datafile"].clone(),
    };
    let whole: &mut Map<String, Value> = datafile.as_object_mut().expect("a datafile is an object");
    for (key, value) in case.body["patch"].as_object().into_iter().flatten() {
        if value.is_null() {
            whole.remove(key);
        } else {
            whole.insert(key.clone(), value.clone());
        }
    }
    datafile
}

/// `setDatafile` names one of the file's `datafiles`; the command wants a path.
fn with_paths(case: &Case, call: &Value, scratch: &Path) -> Value {
    let mut call = call.clone();
    if call["call"] == json!("setDatafile") {
        let name = call["path"].as_str().expect("setDatafile names a datafile").to_owned();
        let path = scratch.join(format!("{name}.json"));
        fs::write(&path, case.file["datafiles"][&name].to_string())
            .expect("the scratch folder takes it");
        call["path"] = json!(path);
    }
    call
}

fn option_arguments(case: &Case) -> Vec<String> {
    let option = |name: &str| {
        [&case.body, &case.file].into_iter().find_map(|level| level["options"].get(name))
    };
    let mut arguments = Vec::new();
    if option("sticky") == Some(&json!(true)) {
        arguments.push("--sticky".to_owned());
    }
    for (name, flag) in [("attribution", "--attribution"), ("lateWindow", "--late-window")] {
        if let Some(value) = option(name).and_then(Value::as_str) {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    arguments
}

fn wrong_exit(case: &Case, expected: &[Value], output: &Output) -> Option<String> {
    let wanted = if case.body["refused"] == json!(true) {
        3
    } else {
        i32::from(expected.iter().any(|call| call["malformed"] == json!(true)))
    };
    let message = String::from_utf8_lossy(&output.stderr);
    let last = message.lines().last().unwrap_or("nothing on standard error");
    (output.status.code() != Some(wanted))
        .then(|| format!("{}, not {wanted}: {last}", output.status))
}
