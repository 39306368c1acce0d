//! A process that writes to a file and is killed again and again: each record is in the file exactly once.
//!
//! The process is this test binary, told by its environment to be the writer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use variate::attribution::{EntryId, Record};
use variate::error::Error;
use variate::events::{AttributionMode, Delivery, FileSettings, FileSink, Pace};
use variate::store::{Cursor, DeadLetter, Outbox, Step};

use super::world::{LONG, world};

const FOLDER: &str = "VARIATE_TEST_KILLED_WRITER";
const RECORDS: u64 = 3_000;
const MOST_KILLS: usize = 60;

/// Has every record from the start, and keeps its cursor in a file.
#[derive(Debug)]
struct Kept {
    cursor: PathBuf,
    record: Arc<Record>,
}

impl Kept {
    fn record(&self, sequence: u64) -> Arc<Record> {
        let Record::Conversion(mut record) = (*self.record).clone() else { panic!("an event") };
        record.id = EntryId::Given(format!("e-{sequence}").into());
        Arc::new(Record::Conversion(record))
    }
}

impl Outbox for Kept {
    fn claim_outbox(&self, _: &[&str]) -> Result<Vec<Cursor>, Error> {
        let kept = fs::read(&self.cursor).ok();
        let kept: Option<Value> = kept.map(|text| serde_json::from_slice(&text).unwrap());
        Ok(vec![kept.map_or_else(Cursor::default, |kept| Cursor {
            through: kept["through"].as_u64().unwrap(),
            state: kept["state"].as_str().unwrap().into(),
        })])
    }

    fn return_outbox(&self) {}

    fn outbox(
        &self,
        after: u64,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<(u64, Arc<Record>)>, Error> {
        if after >= RECORDS {
            thread::sleep(patience);
        }
        Ok((after + 1..=RECORDS).take(limit).map(|number| (number, self.record(number))).collect())
    }

    /// Half of the times it dawdles before, so that many kills come between the file and the cursor.
    fn advance(&self, _: &str, step: Step) -> Result<(), Error> {
        if step.cursor.through.is_multiple_of(2) {
            thread::sleep(Duration::from_millis(2));
        }
        let text =
            json!({"through": step.cursor.through, "state": &*step.cursor.state}).to_string();
        let new = self.cursor.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &self.cursor).unwrap();
        Ok(())
    }

    fn release(&self, _: u64) {}

    fn latest(&self) -> u64 {
        RECORDS
    }

    fn dead_letters(&self, _: u64, _: usize) -> Result<Vec<DeadLetter>, Error> {
        Ok(Vec::new())
    }

    fn retried_letters(&self, _: &str, _: u64, _: usize) -> Result<Vec<DeadLetter>, Error> {
        Ok(Vec::new())
    }

    fn count_dead_letters(&self, _: &str) -> u64 {
        0
    }

    fn retry_dead_letters(&self, _: &[u64]) -> Result<u64, Error> {
        Ok(0)
    }

    fn drop_dead_letters(&self, _: &[u64]) -> Result<u64, Error> {
        Ok(0)
    }
}

/// Is nothing but the writer of the other test.
#[test]
fn writer() {
    #[expect(clippy::disallowed_methods, reason = "this is how a test tells its own child")]
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let world = world();
    // The same in each life, to the byte.
    let mut event = world.event("free");
    event.envelope = world.envelope(Some("e"), 950);
    let record = world.track(event);
    let outbox = Arc::new(Kept { cursor: folder.join("cursor"), record });
    let settings = FileSettings {
        mode: AttributionMode::Backend,
        most_bytes: folder.join("rotates").exists().then_some(50_000),
        pace: Pace { batch_records: 7, ..Pace::default() },
        ..FileSettings::default()
    };
    let sink = FileSink::with(folder.join("records"), settings);
    let delivery = Delivery::start(outbox, vec![Box::new(sink)]).unwrap();
    delivery.drain(LONG * 10).unwrap();
    fs::write(folder.join("done"), "").unwrap();
}

/// Starts the writer again and again until it is done, kills it at random moments, and does something to
/// the folder a little before and after. Gives how often it was killed.
fn kill_and_restart(folder: &Path, mut around_a_kill: impl FnMut()) -> usize {
    let mut kills = 0;
    while !folder.join("done").exists() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "events::killed::writer", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if kills < MOST_KILLS {
            let random = uuid::Uuid::new_v4().as_u128() % 60;
            thread::sleep(Duration::from_millis(10 + u64::try_from(random).unwrap()));
            around_a_kill();
            thread::sleep(Duration::from_millis(u64::try_from(random).unwrap() % 4));
            child.kill().unwrap();
            kills += 1;
        }
        let status = child.wait().unwrap();
        assert!(status.code().is_none_or(|code| code == 0), "the writer did not start again");
        around_a_kill();
    }
    kills
}

/// Checks that each record is once in these files, in order, and that nothing was moved aside.
#[track_caller]
fn check(files: &[PathBuf]) {
    let mut expect = 1..;
    for file in files {
        for line in fs::read_to_string(file).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["id"], format!("e-{}", expect.next().unwrap()), "{file:?}");
        }
    }
    assert_eq!(expect.next(), Some(RECORDS + 1));
    let found = fs::read_dir(files[0].parent().unwrap()).unwrap();
    let mut names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.find(|name| name.contains("aside")), None);
}

#[test]
fn each_record_is_in_the_file_once_however_often_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("rotates"), "").unwrap();
    let kills = kill_and_restart(folder.path(), || {});
    let rotated = (1..).map(|number| path(&format!("records.{number}")));
    let mut files: Vec<PathBuf> = rotated.take_while(|file| file.exists()).collect();
    assert!(files.len() > 5 && kills > 10, "{} files, {kills} kills", files.len());
    files.push(path("records"));
    assert!(files.iter().all(|file| fs::metadata(file).unwrap().len() <= 50_000));
    check(&files);
}

#[test]
fn each_record_is_there_once_although_somebody_moves_the_file_away_around_kills() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut files = Vec::new();
    let kills = kill_and_restart(folder.path(), || {
        let away = path(&format!("records-{:03}", files.len()));
        if fs::metadata(path("records")).is_ok_and(|found| found.len() > 5_000) {
            fs::rename(path("records"), &away).unwrap();
            files.push(away);
            if files.len().is_multiple_of(2) {
                // As logrotate does with `create`; the sink may have been quicker.
                drop(fs::OpenOptions::new().append(true).create(true).open(path("records")));
            }
        }
    });
    assert!(files.len() > 5 && kills > 10, "{} files, {kills} kills", files.len());
    // The last thing may have been that it was moved.
    files.extend(Some(path("records")).filter(|file| file.exists()));
    check(&files);
}
