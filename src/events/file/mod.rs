//! The sink that appends records to a file, one JSON object a line, each exactly once.
//!
//! Must not know how records get here, or who retries.

mod place;
mod recover;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use self::place::{Place, Tail};
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
/// synced to the disk before the store learns of it, and on start the file is cut back to what the store
/// knows. Without a stored state (a store in memory, a new sink) it appends to what it finds.
///
/// Rotation renames the file to its name with a number, `records.ndjson.1` being the oldest, and nothing
/// is ever removed. Somebody else may move the file or a rotated one away, and that is all that others may
/// do: not write to it, not empty it, not put another one in its place. A file that is moved away between a
/// crash and the restart may hold a last batch that comes again.
///
/// What is no regular file (a pipe, a device) is appended to, at least once.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    settings: FileSettings,
    name: String,
    /// Where it is in the file; `None` until it is opened.
    place: Option<Place>,
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
        Self { path, settings, name, place: None }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn must_rotate(&self, place: &Place, length: u64, day: TimeMs) -> bool {
        let is_too_long =
            self.settings.most_bytes.is_some_and(|most| place.length.saturating_add(length) > most);
        let is_another_day = self.settings.is_daily && place.day.is_some_and(|last| last < day);
        place.length > 0 && (is_too_long || is_another_day)
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::file("append to", &self.path, error)
    }

    /// Appends lines behind the place; it is moved only when they are on the disk.
    fn append(&self, place: &mut Place, lines: &str, day: TimeMs) -> Result<(), Error> {
        let (length, is_there) = match fs::metadata(&self.path) {
            Ok(found) if !found.is_file() => {
                let mut stream = self.open_file()?;
                let written = stream.write_all(lines.as_bytes()).and_then(|()| stream.flush());
                return written.map_err(|error| self.failed(error));
            }
            Ok(found) => (found.len(), true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (0, false),
            Err(error) => return Err(self.failed(error)),
        };
        if !is_there {
            // It was moved away, or was never there.
            place.begin_file();
        } else if length < place.length {
            return Err(Error::sink_file(&self.path, place::too_short(length, place.length)));
        }
        let added = lines.len() as u64;
        if self.must_rotate(place, added, day) {
            self.cut(length, place.length)?;
            place.rotate(&self.path).map_err(|error| self.failed(error))?;
        } else {
            self.cut(length, place.length)?;
        }
        let is_new = place.length == 0;
        let mut file = self.open_file()?;
        let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
        if let Err(error) = written.and_then(|()| place::sync_folder(&self.path, is_new)) {
            // If this fails, too, the next batch cuts it.
            file.set_len(place.length).unwrap_or_default();
            return Err(self.failed(error));
        }
        place.advance(added, Tail::of(lines.as_bytes()), day);
        Ok(())
    }

    fn open_file(&self) -> Result<File, Error> {
        let opened = OpenOptions::new().append(true).create(true).open(&self.path);
        opened.map_err(|error| self.failed(error))
    }

    /// Cuts off what the store does not know of.
    fn cut(&self, length: u64, sound: u64) -> Result<(), Error> {
        if length <= sound {
            return Ok(());
        }
        place::cut(&self.path, sound).map_err(|error| self.failed(error))
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
        self.place = Some(recover::open(&self.path, state)?);
        Ok(())
    }

    fn state(&self) -> String {
        self.place.as_ref().map(Place::to_text).unwrap_or_default()
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        let Some(first) = batch.records().next() else { return Ok(()) };
        let day = first.about().received_at_ms.div_euclid(DAY_MS);
        let mut place = match self.place.take() {
            Some(place) => place,
            None => recover::open(&self.path, "")?,
        };
        let appended = self.append(&mut place, &lines(batch), day);
        self.place = Some(place);
        Ok(appended?)
    }
}
