//! The sink that appends records to a file, one JSON object a line.
//!
//! Must not know how records get here, or who retries.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mode::AttributionMode;
use super::sink::Sink;
use super::wire::record_json;
use crate::attribution::Record;
use crate::error::Error;

/// Appends records to a file, one JSON object a line ([`record_json`]).
///
/// The file is opened for each batch, so that it may be moved away at any time, and made if it is
/// missing; its folder is not. A batch that could not be written whole is cut off again. Nobody else
/// may write to the file.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    mode: AttributionMode,
    name: String,
    /// What a failed batch left behind and could not be cut off: all beyond this length.
    sound_length: Option<u64>,
    /// Whether the last line's end was looked at: a process that died may have left half a line.
    is_end_known: bool,
}

impl FileSink {
    /// A sink that appends to a file. In `activated` mode it leaves out events without credits.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, mode: AttributionMode) -> Self {
        let path = path.into();
        let name = format!("file:{}", path.display());
        Self { path, mode, name, sound_length: None, is_end_known: false }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.path)?;
        let mut length = file.metadata()?.len();
        if let Some(sound_length) = self.sound_length {
            if length > sound_length {
                file.set_len(sound_length)?;
                length = sound_length;
            }
            self.sound_length = None;
        }
        let opening =
            if self.is_end_known || ends_with_line(&self.path, length)? { "" } else { "\n" };
        self.is_end_known = true;
        let written = file
            .write_all(opening.as_bytes())
            .and_then(|()| file.write_all(lines.as_bytes()))
            .and_then(|()| file.flush());
        if written.is_err() {
            self.is_end_known = false;
            self.sound_length = cut_back(&file, length).is_err().then_some(length);
        }
        written
    }
}

impl Sink for FileSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), Error> {
        let mut lines = String::new();
        for record in records.iter().filter(|record| self.mode.sends(record)) {
            lines.push_str(&record_json(record));
            lines.push('\n');
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.append(&lines).map_err(|error| Error::file("append to", &self.path, error))
    }
}

fn cut_back(file: &File, length: u64) -> io::Result<()> {
    if file.metadata()?.len() > length { file.set_len(length) } else { Ok(()) }
}

/// Whether a file of this length ends where a line does. Of pipes and devices, whose length is 0, it
/// does.
fn ends_with_line(path: &Path, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else { return Ok(true) };
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(last))?;
    let mut end = [0];
    file.read_exact(&mut end)?;
    Ok(end == *b"\n")
}
