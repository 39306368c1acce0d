//! The sink that appends records to a file, one JSON object a line, each exactly once.
//!
//! Must not know how records get here, or who retries.

mod beyond;
mod held;
mod names;
mod place;
mod recover;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};

use self::writing::Writing;
use super::batch::{Batch, Encoded};
use super::mode::AttributionMode;
use super::sink::{Pace, Sink, Undelivered};
use super::stdout_sink::{encode_line, lines};
use crate::attribution::Record;
use crate::clock::TimeMs;
use crate::error::Error;

const DAY_MS: TimeMs = 86_400_000;

/// How a [`FileSink`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSettings {
    /// In `activated` mode, the default, it leaves out events without credits.
    pub mode: AttributionMode,
    /// The file is rotated before it would grow beyond so many bytes. Default: never.
    pub most_bytes: Option<u64>,
    /// The file is rotated before records that were received on another day (UTC). Default: no.
    pub is_daily: bool,
    /// The size of what is written and synced at once. Default: 5000 records or 4 MiB, and what is
    /// there at once.
    pub pace: Pace,
}

impl Default for FileSettings {
    fn default() -> Self {
        let pace = Pace { batch_records: 5_000, batch_bytes: 4 << 20, ..Pace::default() };
        Self { mode: AttributionMode::default(), most_bytes: None, is_daily: false, pace }
    }
}

/// Appends records to a file, one JSON object a line ([`record_json`](super::record_json)).
///
/// Behind a durable store each record is in the file exactly once, however the process ends: a batch is
/// synced to the disk before the store learns of it, and what a kill leaves of a batch that the store did
/// not learn of is gone on with on start. Without a stored state (a store in memory, a new sink) it
/// appends to what it finds.
///
/// A whole line is never taken away. What the store does not know of, and does not deliver next, was
/// delivered in a life that the store does not remember, since it was put back from an older back-up: it
/// is moved aside, to `records.ndjson.aside-1` and so on, and [`Sink::warning`] says so.
///
/// The file is locked: a second sink on it, of this process or another, does not start.
///
/// Rotation renames the file to its name with a number, `records.ndjson.1` being the oldest, and nothing
/// is ever removed. Somebody else may move the file or a rotated one away, and put an empty one in its
/// place, and that is all that others may do: not write to it, not empty it. A file that lost something, since
/// somebody emptied, cut or overwrote it, is gone on with behind what is left, and [`Sink::warning`] says so;
/// what was taken out of it is not written again. Another file in its place is moved aside. Of a file that is
/// moved or emptied between a crash and the restart, or since the last batch before the crash, and not moved
/// to a name beside it that begins with its own, a last batch may come again.
///
/// What is no regular file (a pipe, a device) is appended to, at least once.
#[derive(Debug)]
pub struct FileSink {
    settings: FileSettings,
    name: String,
    writing: Writing,
}

impl FileSink {
    /// A sink that appends to a file. In `activated` mode it leaves out events without credits.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, mode: AttributionMode) -> Self {
        Self::with(path, FileSettings { mode, ..FileSettings::default() })
    }

    /// A sink that appends to a file by these settings.
    #[must_use]
    pub fn with(path: impl Into<PathBuf>, settings: FileSettings) -> Self {
        let path = path.into();
        let name = format!("file:{}", path.display());
        let writing = Writing::new(path, settings.most_bytes, settings.is_daily);
        Self { settings, name, writing }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.writing.path()
    }
}

impl Sink for FileSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn pace(&self) -> Pace {
        self.settings.pace
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        encode_line(self.settings.mode, record)
    }

    fn open(&mut self, state: &str) -> Result<(), Error> {
        self.writing.open(state)
    }

    fn state(&self) -> String {
        self.writing.state()
    }

    fn warning(&mut self) -> Option<String> {
        self.writing.warning()
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        let Some(first) = batch.records().next() else { return Ok(()) };
        let day = first.about().received_at_ms.div_euclid(DAY_MS);
        if is_stream(self.path()) {
            return Ok(self.writing.stream(&lines(batch))?);
        }
        Ok(self.writing.append(lines(batch).as_bytes(), day)?)
    }
}

/// Whether something is there that is no regular file: a pipe or a device has no place.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}
