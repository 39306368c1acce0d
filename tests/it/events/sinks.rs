//! Sinks with real files, and the one in memory.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use variate::attribution::Record;
use variate::events::{AttributionMode, FileSink, MemorySink, Sink, record_json};

use super::world::world;

/// The records of an activation, a credited event and one without credits.
fn records() -> Vec<Arc<Record>> {
    let world = world();
    let mut records = world.activate("in", 900);
    records.push(world.track(world.event("buy")));
    records.push(world.track(world.event("free")));
    records
}

/// Checks the kinds of the lines of a file: `i` for an impression, `c` for a conversion, `?` for no record.
#[track_caller]
fn check(path: &Path, expect: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "the last line has an end: {text}");
    let kind = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(record) if record["type"] == "impression" => 'i',
        Ok(record) if record["type"] == "conversion" => 'c',
        _ => '?',
    };
    assert_eq!(text.lines().map(kind).collect::<String>(), expect, "{text}");
}

#[test]
fn a_file_is_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.ndjson");
    let records = records();
    let mut sink = FileSink::new(&path, AttributionMode::Activated);
    assert_eq!(sink.name(), format!("file:{}", path.display()));
    sink.deliver(&records).unwrap();
    check(&path, "ic");
    FileSink::new(sink.path(), AttributionMode::Backend).deliver(&records).unwrap();
    check(&path, "icicc");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().next().unwrap(), record_json(&records[0]));
}

#[test]
fn a_file_may_be_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("new"), folder.path().join("old"));
    let records = records();
    let mut sink = FileSink::new(&path, AttributionMode::Activated);
    sink.deliver(&records).unwrap();
    fs::rename(&path, &old).unwrap();
    sink.deliver(&records[2..]).unwrap();
    assert!(!path.exists(), "nothing to write");
    sink.deliver(&records[..1]).unwrap();
    check(&old, "ic");
    check(&path, "i");
}

#[test]
fn half_a_line_of_a_dead_process_spoils_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.ndjson");
    fs::write(&path, "{\"v\":1,\"type\":\"impr").unwrap();
    FileSink::new(&path, AttributionMode::Activated).deliver(&records()).unwrap();
    check(&path, "?ic");
}

#[test]
fn a_missing_folder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/records.ndjson");
    let mut sink = FileSink::new(&path, AttributionMode::Activated);
    let error = sink.deliver(&records()).unwrap_err();
    assert!(error.is_file());
    assert_eq!(
        error.to_string(),
        format!(
            "cannot append to {}: check that it exists and that you may access it",
            path.display()
        )
    );
    fs::create_dir(path.parent().unwrap()).unwrap();
    sink.deliver(&records()).unwrap();
    check(&path, "ic");
}

#[test]
fn handles_on_one_memory_share_it() {
    let records = records();
    let mine = MemorySink::new();
    let mut given = mine.clone();
    given.deliver(&records[..1]).unwrap();
    given.deliver(&records[1..]).unwrap();
    let taken = mine.take();
    assert!(taken.iter().zip(&records).all(|(taken, given)| Arc::ptr_eq(taken, given)));
    assert_eq!((taken.len(), mine.take().len()), (3, 0));
}
