//! Replayed calls: a line of answer for every line, each of them JSON, whatever the lines.
//!
//! Must not know how calls are answered. The first line of an input says how the replay is set up, and
//! against which of the project's datafiles; the lines behind it are the calls.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};
use variate::Datafile;
use variate::cli::{Rehearsal, RehearsalSetup, rehearse};
use variate::events::AttributionMode;

use crate::random::Random;
use crate::{json, seeds};

/// Checks a replay: its setup, and its calls.
pub fn check(text: &[u8]) {
    let (first, calls) = split_line(text);
    let setup: Value = serde_json::from_slice(first).unwrap_or_default();
    let is_for_people = setup["text"] == json!(true);
    let options = RehearsalSetup {
        is_sticky: setup["sticky"] == json!(true),
        late_window_ms: setup["lateWindow"].as_i64().unwrap_or(0).max(0),
        is_for_people,
        mode: match setup["backend"] == json!(true) {
            true => AttributionMode::Backend,
            false => AttributionMode::Activated,
        },
    };
    let datafile = named(setup["datafile"].as_str().unwrap_or_default());
    let load = |path: &Path| any_of(&path.to_string_lossy());
    let replayed = rehearse(datafile, calls, options, &load).expect("memory takes what is written");
    let lines =
        calls.split(|byte| *byte == b'\n').enumerate().filter(|line| !is_blank(*line)).count();
    check_events(&replayed, lines);
    if is_for_people { check_words(&replayed) } else { check_answers(&replayed, lines) }
}

/// Only a file's first line may begin with a byte-order mark.
fn is_blank((place, line): (usize, &[u8])) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| place == 0).unwrap_or(line);
    line.trim_ascii().is_empty()
}

fn check_answers(replayed: &Rehearsal, lines: usize) {
    let answers = json_lines(&replayed.answers);
    assert_eq!(answers.len(), lines, "one answer a line");
    let errors = answers.iter().filter(|answer| answer.get("error").is_some()).count();
    assert_eq!(
        u64::try_from(errors),
        Ok(replayed.malformed_lines),
        "an error for a malformed line"
    );
    assert!(answers.iter().all(Value::is_object));
}

fn check_events(replayed: &Rehearsal, lines: usize) {
    let events = json_lines(&replayed.events);
    assert_eq!(events.len(), lines, "one list of requests a line");
    for list in &events {
        for request in list.as_array().expect("a list of requests") {
            assert!(request["url"].as_str().is_some_and(|url| url.starts_with("https://")));
            let visitor = &request["body"]["visitors"][0]["visitor_id"];
            assert!(visitor.is_string(), "an event of nobody: {request}");
        }
    }
}

/// What is told to people must not move their terminal's cursor.
fn check_words(replayed: &Rehearsal) {
    let words = std::str::from_utf8(&replayed.answers).expect("words are UTF-8");
    assert!(words.is_empty() || words.ends_with('\n'));
    let control = words.chars().find(|character| character.is_control() && *character != '\n');
    assert_eq!(control, None, "{words:?}");
}

fn json_lines(text: &[u8]) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with(b"\n"), "the last line is whole");
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| serde_json::from_slice(line).expect("each line is JSON")).collect()
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &[]),
    }
}

/// Changes the lines as one list of values, so that values wander from call to call.
#[must_use]
pub fn mutate(text: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let parsed =
        text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let mut lines: Vec<Value> = parsed.collect();
    if lines.is_empty() {
        return None;
    }
    if random.below(4) == 0 {
        let place = random.below(lines.len());
        lines.insert(place, any_call(random));
    }
    let changed = json::mutate(Value::Array(lines).to_string().as_bytes(), random)?;
    let Ok(Value::Array(lines)) = serde_json::from_slice(&changed) else { return None };
    let texts: Vec<String> = lines.iter().map(Value::to_string).collect();
    Some(texts.join("\n").into_bytes())
}

const CALLS: &[&str] = &[
    "activate",
    "getVariation",
    "track",
    "decide",
    "decideAll",
    "decideForKeys",
    "isFeatureEnabled",
    "getEnabledFeatures",
    "getFeatureVariable",
    "getAllFeatureVariables",
    "setForcedVariation",
    "getForcedVariation",
    "setForcedDecision",
    "removeForcedDecision",
    "removeAllForcedDecisions",
    "setDatafile",
];

/// A call with every argument that some call has, naming things of one of the datafiles.
fn any_call(random: &mut Random) -> Value {
    let datafile: Value =
        serde_json::from_str(&random.one_of(datafiles()).1).expect("the project's datafiles");
    let mut key = |section: &str| -> Value {
        let items = datafile[section].as_array().map(Vec::as_slice).unwrap_or_default();
        items.get(random.below(items.len())).map_or(Value::Null, |item| item["key"].clone())
    };
    json!({
        "experimentKey": key("experiments"), "flagKey": key("featureFlags"), "eventKey": key("events"),
        "ruleKey": key("experiments"), "flagKeys": [key("featureFlags"), key("featureFlags")],
        "call": random.one_of(CALLS), "userId": random.one_of(&["anna", "ann", "u8455", ""]),
        "variationKey": random.one_of(&["A", "B", "in", "green", "off"]), "path": random.below(40).to_string(),
        "time": random.below(5000), "id": random.below(8).to_string(), "count": random.below(3),
        "eventTags": {"revenue": random.below(100), "value": 1.5}, "duration": 2.5,
        "attributes": {"country": "SE", "age": random.below(80)}, "segments": ["vip"],
        "options": ["INCLUDE_REASONS"],
    })
}

/// The datafiles that calls are replayed against: names and texts.
fn datafiles() -> &'static [(String, String)] {
    static TEXTS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    TEXTS.get_or_init(seeds::whole_datafiles)
}

/// The datafile of this name; the shop's where there is none.
fn named(name: &str) -> Datafile {
    let found = datafiles().iter().find(|(other, _)| other == name);
    compile(&found.unwrap_or(&datafiles()[0]).1)
}

/// A datafile for any path, since calls may name one.
fn any_of(path: &str) -> Datafile {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let place = usize::try_from(hasher.finish() % 1009).unwrap_or(0) % datafiles().len();
    compile(&datafiles()[place].1)
}

fn compile(text: &str) -> Datafile {
    Datafile::compile(text).expect("the project's datafiles are accepted").datafile
}
