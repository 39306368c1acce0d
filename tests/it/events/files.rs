//! The file sink: each record exactly once, whenever the process ends, and files that others touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use variate::attribution::Record;
use variate::events::{AttributionMode, Batch, FileSettings, FileSink, Pace, Sink, record_json};

use super::world::world;

const DAY_MS: i64 = 86_400_000;

fn sink(path: &Path, settings: FileSettings) -> FileSink {
    FileSink::with(path, FileSettings { mode: AttributionMode::Backend, ..settings })
}

fn rotating(most_bytes: u64) -> FileSettings {
    FileSettings { most_bytes: Some(most_bytes), ..FileSettings::default() }
}

/// Events `e-1` to `e-n`.
fn records(count: usize) -> Vec<Arc<Record>> {
    let world = world();
    (1..=count)
        .map(|number| {
            let mut event = world.event("free");
            event.envelope = world.envelope(Some(&format!("e-{number}")), 950);
            world.track(event)
        })
        .collect()
}

fn deliver(sink: &mut FileSink, records: &[Arc<Record>]) {
    for batch in Batch::of(sink, records) {
        sink.deliver(&batch).unwrap();
    }
}

/// The numbers of the events in a file, in order; nothing if there is none.
fn numbers(path: &Path) -> Vec<usize> {
    let text = fs::read_to_string(path).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'));
    let number = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["id"].as_str().unwrap().strip_prefix("e-").unwrap().parse().unwrap()
    };
    text.lines().map(number).collect()
}

fn rotated(path: &Path, number: usize) -> PathBuf {
    PathBuf::from(format!("{}.{number}", path.display()))
}

/// Lets a sink deliver `e-1` and `e-2`, which the store learns of, and `e-3`, which it does not; then does
/// something to the folder, starts again, and delivers from `e-3` on. Gives what is told of that.
#[track_caller]
fn check(
    settings: FileSettings,
    between: impl Fn(&Path),
    expect: &[(&str, &[usize])],
) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let records = records(5);
    let mut first = sink(&path, settings);
    first.open("").unwrap();
    deliver(&mut first, &records[..2]);
    let state = first.state();
    deliver(&mut first, &records[2..3]);
    drop(first);
    between(&path);
    let mut second = sink(&path, settings);
    second.open(&state).unwrap();
    let said = second.warning().map(|said| said.replace(&path.display().to_string(), "PATH"));
    let opened = second.state();
    deliver(&mut second, &records[2..]);
    drop(second);
    // What opening found out is itself a state to start from, and what was lost is told only once.
    let mut third = sink(&path, settings);
    third.open(&opened).unwrap();
    assert_eq!(third.warning().filter(|said| said.contains("written again")), None);
    deliver(&mut third, &records[2..]);
    for (name, expect) in expect {
        assert_eq!(numbers(&folder.path().join(name)), *expect, "{name}");
    }
    let count = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(count, expect.len(), "no other files");
    said
}

#[track_caller]
fn check_said(
    settings: FileSettings,
    between: impl Fn(&Path),
    expect: &[(&str, &[usize])],
) -> String {
    check(settings, between, expect).expect("something is told")
}

#[test]
fn what_the_store_does_not_know_of_is_cut_off() {
    let plain = FileSettings::default();
    assert_eq!(check(plain, |_| {}, &[("r", &[1, 2, 3, 4, 5])]), None);
    let half_a_line = |path: &Path| {
        let mut text = fs::read_to_string(path).unwrap();
        text.truncate(text.len() - 9);
        fs::write(path, text).unwrap();
    };
    assert_eq!(check(plain, half_a_line, &[("r", &[1, 2, 3, 4, 5])]), None);
    let garbage = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        bytes.extend([0, 255, b'x', 0]);
        fs::write(path, bytes).unwrap();
    };
    assert_eq!(check(plain, garbage, &[("r", &[1, 2, 3, 4, 5])]), None);
}

#[test]
fn a_rotation_that_the_store_does_not_know_of_is_gone_on_with() {
    let line = record_json(&records(1)[0]).len() as u64 + 1;
    // `e-3` fits and stays: the file is rotated before the rest of the batch of three.
    let expect: [(&str, &[usize]); 2] = [("r.1", &[1, 2, 3]), ("r", &[4, 5])];
    assert_eq!(check(rotating(3 * line), |_| {}, &expect), None);
    // `e-3` went to a new file already.
    let every_two = rotating(2 * line);
    let expect: [(&str, &[usize]); 3] = [("r.1", &[1, 2]), ("r.2", &[3]), ("r", &[4, 5])];
    assert_eq!(check(every_two, |_| {}, &expect), None);
    let expect: [(&str, &[usize]); 2] = [("r.1", &[1, 2]), ("r", &[3, 4, 5])];
    let only_renamed = |path: &Path| fs::remove_file(path).unwrap();
    assert_eq!(check(every_two, only_renamed, &expect), None);
    let numbered_before = |path: &Path| {
        fs::rename(rotated(path, 1), rotated(path, 2)).unwrap();
        fs::write(rotated(path, 1), "").unwrap();
    };
    let expect = [("r.1", &[][..]), ("r.2", &[1, 2]), ("r.3", &[3]), ("r", &[4, 5])];
    assert_eq!(check(every_two, numbered_before, &expect), None);
}

#[test]
fn a_file_that_lost_something_is_gone_on_with_and_told() {
    let plain = FileSettings::default();
    let cut_to = |length: u64| {
        move |path: &Path| {
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
        }
    };
    let line = record_json(&records(1)[0]).len() as u64 + 1;
    // As `> r` does. What is gone is not written again; what the store does not know of is.
    let said = check_said(plain, cut_to(0), &[("r", &[3, 4, 5])]);
    assert!(said.starts_with("the file sink's PATH has 0 bytes, but "), "{said}");
    assert!(said.ends_with("let it be renamed instead (no `copytruncate`)"), "{said}");
    let said = check_said(plain, cut_to(line), &[("r", &[1, 3, 4, 5])]);
    assert!(said.starts_with(&format!("the file sink's PATH has {line} bytes, but ")), "{said}");
    check_said(rotating(4 * line), cut_to(line), &[("r", &[1, 3, 4, 5])]);
    let copied = |path: &Path| {
        fs::copy(path, rotated(path, 1)).unwrap();
        cut_to(0)(path);
    };
    // As `copytruncate` does: the copy is found, and what is in it does not come again.
    check_said(plain, copied, &[("r.1", &[1, 2, 3]), ("r", &[4, 5])]);
    let another = |path: &Path| {
        let record = record_json(&records(9)[8]);
        fs::write(path, format!("{record}\n").repeat(5)).unwrap();
    };
    let said = check_said(plain, another, &[("r", &[9, 9, 9, 9, 9, 3, 4, 5])]);
    let expect = "the file sink's PATH is not the file that was written before: ";
    assert!(said.starts_with(expect), "{said}");
    let moved = |path: &Path| fs::rename(path, rotated(path, 7)).unwrap();
    let said = check_said(plain, moved, &[("r.7", &[1, 2, 3]), ("r", &[4, 5])]);
    assert!(said.contains("was moved away, to PATH.7; a new one is begun"), "{said}");
    // Whole lines stay, also behind half a one.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let records = records(3);
    let mut first = sink(&path, plain);
    deliver(&mut first, &records[..2]);
    let state = first.state();
    drop(first);
    cut_to(line + 5)(&path);
    let mut second = sink(&path, plain);
    second.open(&state).unwrap();
    deliver(&mut second, &records[2..]);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().map(str::len).collect();
    assert_eq!(lines, [line as usize - 1, 5, line as usize - 1]);
}

#[test]
fn a_stored_place_of_another_version_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = FileSettings::default();
    let error = sink(&folder.path().join("r"), settings).open("{\"length\": \"?\"}").unwrap_err();
    assert!(error.to_string().contains("has a stored place that cannot be read ("), "{error}");
}

#[test]
fn a_file_that_loses_something_is_gone_on_with_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let records = records(4);
    let mut sink = sink(&path, FileSettings::default());
    sink.open("").unwrap();
    deliver(&mut sink, &records[..1]);
    assert_eq!(sink.warning(), None);
    fs::write(&path, "").unwrap();
    deliver(&mut sink, &records[1..2]);
    let said = sink.warning().unwrap();
    assert!(said.contains("has 0 bytes, but "), "{said}");
    deliver(&mut sink, &records[2..3]);
    assert_eq!((numbers(&path), sink.warning()), (vec![2, 3], None));
    // What it says of its place is a place to go on from.
    let state = sink.state();
    drop(sink);
    let mut sink = self::sink(&path, FileSettings::default());
    sink.open(&state).unwrap();
    deliver(&mut sink, &records[3..]);
    assert_eq!((numbers(&path), sink.warning()), (vec![2, 3, 4], None));
    // Also before its first batch: nothing is written behind half a line.
    let state = sink.state();
    drop(sink);
    let mut sink = self::sink(&path, FileSettings::default());
    sink.open(&state).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 5).unwrap();
    deliver(&mut sink, &records[..1]);
    assert!(sink.warning().unwrap().contains(&format!("has {} bytes, but ", length - 5)));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().last().unwrap(), record_json(&records[0]), "{text}");
}

#[test]
fn what_was_there_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let records = records(3);
    fs::write(&path, format!("{}\n", record_json(&records[0]))).unwrap();
    let mut first = sink(&path, FileSettings::default());
    first.open("").unwrap();
    let state = first.state();
    deliver(&mut first, &records[1..2]);
    drop(first);
    let mut second = sink(&path, FileSettings::default());
    second.open(&state).unwrap();
    assert_eq!(numbers(&path), [1, 2]);
    deliver(&mut second, &records[1..]);
    assert_eq!(numbers(&path), [1, 2, 3]);
}

#[test]
fn files_are_rotated_by_size_and_by_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r");
    let records = records(7);
    let line = record_json(&records[0]).len() as u64 + 1;
    let mut by_size = sink(&path, rotating(3 * line));
    records.chunks(1).for_each(|one| deliver(&mut by_size, one));
    let files = [rotated(&path, 1), rotated(&path, 2), path];
    assert_eq!(files.map(|file| numbers(&file)), [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);

    let path = folder.path().join("d");
    let world = world();
    let settings = FileSettings { is_daily: true, ..FileSettings::default() };
    let mut daily = sink(&path, settings);
    for (number, day) in (1..).zip([0, 0, 1, 1, 3]) {
        world.clock.advance_to(1000 + day * DAY_MS);
        let mut event = world.event("free");
        event.envelope = world.envelope(Some(&format!("e-{number}")), 950);
        deliver(&mut daily, &[world.track(event)]);
    }
    // A dead letter of the first day brings that day not back.
    deliver(&mut daily, &records[5..6]);
    let files = [rotated(&path, 1), rotated(&path, 2), path];
    assert_eq!(files.map(|file| numbers(&file)), [vec![1, 2], vec![3, 4], vec![5, 6]]);
}

#[test]
fn devices_are_written_to_without_a_place() {
    let mut sink = sink(Path::new("/dev/null"), rotating(10));
    sink.open("").unwrap();
    let state = sink.state();
    deliver(&mut sink, &records(3));
    assert_eq!(sink.state(), state);
    sink.open(&state).unwrap();
}

#[test]
fn its_batches_are_large_and_do_not_wait() {
    let Pace { batch_records, batch_age, .. } =
        sink(Path::new("r"), FileSettings::default()).pace();
    assert_eq!((batch_records, batch_age.is_zero()), (5_000, true));
}
