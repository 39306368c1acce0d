//! Sinks with real files, and the one in memory.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use variate::attribution::Record;
use variate::events::{
    AttributionMode, Batch, FileSink, MemorySink, Pace, Sink, Undelivered, record_json,
};
use variate::{Client, Error};

use super::world::world;

/// The records of an activation, a credited event and one without credits.
fn records() -> Vec<Arc<Record>> {
    let world = world();
    let mut records = world.activate("in", 900);
    records.push(world.track(world.event("buy")));
    records.push(world.track(world.event("free")));
    records
}

/// Hands records over by hand.
fn deliver(sink: &mut dyn Sink, records: &[Arc<Record>]) -> Result<(), Undelivered> {
    Batch::of(sink, records).iter().try_for_each(|batch| sink.deliver(batch))
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
    assert_eq!(sink.path(), path);
    deliver(&mut sink, &records).unwrap();
    check(&path, "ic");
    drop(sink);
    deliver(&mut FileSink::new(&path, AttributionMode::Backend), &records).unwrap();
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
    deliver(&mut sink, &records).unwrap();
    fs::rename(&path, &old).unwrap();
    deliver(&mut sink, &records[2..]).unwrap();
    assert!(!path.exists(), "nothing to write");
    deliver(&mut sink, &records[..1]).unwrap();
    check(&old, "ic");
    check(&path, "i");
}

#[test]
fn half_a_line_of_a_dead_process_spoils_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.ndjson");
    fs::write(&path, "{\"v\":1,\"type\":\"impr").unwrap();
    deliver(&mut FileSink::new(&path, AttributionMode::Activated), &records()).unwrap();
    check(&path, "?ic");
}

#[test]
fn a_missing_folder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/records.ndjson");
    let mut sink = FileSink::new(&path, AttributionMode::Activated);
    let Undelivered::Unavailable { cause, .. } = deliver(&mut sink, &records()).unwrap_err() else {
        panic!("the records are not to blame");
    };
    assert!(cause.is_file());
    assert_eq!(
        cause.to_string(),
        format!(
            "cannot append to {}: check that it exists and that you may access it",
            path.display()
        )
    );
    fs::create_dir(path.parent().unwrap()).unwrap();
    deliver(&mut sink, &records()).unwrap();
    check(&path, "ic");
}

#[test]
fn handles_on_one_memory_share_it() {
    let records = records();
    let mine = MemorySink::new();
    let mut given = mine.clone();
    deliver(&mut given, &records[..1]).unwrap();
    deliver(&mut given, &records[1..]).unwrap();
    let taken = mine.take();
    assert!(taken.iter().zip(&records).all(|(taken, given)| Arc::ptr_eq(taken, given)));
    assert_eq!((taken.len(), mine.take().len()), (3, 0));
}

/// A sink that panics when this is asked of it.
#[derive(Debug)]
struct Panicking(&'static str);

impl Panicking {
    fn asked(&self, what: &str) {
        assert_ne!(self.0, what, "no {what}");
    }
}

impl Sink for Panicking {
    fn name(&self) -> &str {
        self.asked("name");
        "mine"
    }

    fn pace(&self) -> Pace {
        self.asked("pace");
        Pace::default()
    }

    fn open(&mut self, _state: &str) -> Result<(), Error> {
        self.asked("opening");
        Ok(())
    }

    fn deliver(&mut self, _batch: &Batch) -> Result<(), Undelivered> {
        Ok(())
    }
}

#[test]
fn a_sink_that_panics_when_it_is_set_up_is_said() {
    let check = |at: &'static str, expect: &str| {
        let error = Client::builder().sink(Panicking(at)).build().unwrap_err();
        assert_eq!(error.to_string(), format!("{expect}: mend the sink, or leave it out"));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("the sink panicked: ") && cause.contains(at), "{cause}");
    };
    check("name", "a sink does not tell its name");
    check("pace", "sink \"mine\" does not tell its pace");
    check("opening", "sink \"mine\" could not be opened");
    Client::builder().sink(Panicking("nothing")).build().unwrap();
}

#[test]
fn a_file_has_a_name() {
    let sink = FileSink::new("", AttributionMode::Activated);
    let error = Client::builder().sink(sink).build().unwrap_err();
    assert_eq!(error.to_string(), "the path of the file sink is empty: give a file");
}
