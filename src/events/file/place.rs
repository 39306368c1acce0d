//! Where a file sink is in its file, as the store keeps it, and the file operations that move it.
//!
//! Must not know records.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::TimeMs;

/// So many bytes of a batch at most tell its file from others.
const LONGEST_TAIL: usize = 4096;

/// How much of the file is known to the store, and how to know the file again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// All beyond this length is unknown to the store.
    pub(super) length: u64,
    /// The end of what is known; none in an empty file.
    pub(super) tail: Option<Tail>,
    /// The latest day of the records in the file, in days since the epoch.
    pub(super) day: Option<TimeMs>,
    /// The number of the file that was rotated last; 0 before the first.
    pub(super) rotated: u64,
}

/// The last bytes of what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tail {
    bytes: u64,
    hash: String,
}

impl Place {
    pub(super) fn to_text(&self) -> String {
        // Numbers and ids: there is nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn advance(&mut self, added: u64, tail: Tail, day: TimeMs) {
        self.length = self.length.saturating_add(added);
        self.tail = Some(tail);
        // A dead letter that is delivered late must not bring yesterday back.
        self.day = Some(self.day.map_or(day, |last| last.max(day)));
    }

    /// Goes on with an empty file.
    pub(super) fn begin_file(&mut self) {
        *self = Self { rotated: self.rotated, ..Self::default() };
    }

    /// Renames the file to the next free number.
    pub(super) fn rotate(&mut self, path: &Path) -> io::Result<()> {
        let (number, target) = (self.rotated + 1..)
            .map(|number| (number, rotated_path(path, number)))
            .find(|(_, target)| !target.exists())
            .unwrap_or_else(|| (u64::MAX, rotated_path(path, u64::MAX)));
        fs::rename(path, target)?;
        // From here on the file is gone: whatever fails now, the next batch begins a new one.
        self.begin_file();
        self.rotated = number;
        sync_folder(path, true)
    }

    /// Whether a file has what is known at the end of the known length.
    pub(super) fn is_in(&self, path: &Path) -> io::Result<bool> {
        let length = fs::metadata(path)?.len();
        match &self.tail {
            None => Ok(self.length == 0),
            Some(_) if length < self.length => Ok(false),
            Some(tail) => Ok(Tail::read(path, self.length, tail.bytes)? == *tail),
        }
    }
}

impl Tail {
    /// Of text that was just written.
    pub(super) fn of(text: &[u8]) -> Self {
        let skipped = text.len().saturating_sub(LONGEST_TAIL);
        let end = text.get(skipped..).unwrap_or_default();
        Self { bytes: end.len() as u64, hash: Uuid::new_v5(&Uuid::NAMESPACE_OID, end).to_string() }
    }

    /// Of the end of a file's first `length` bytes.
    pub(super) fn of_file(path: &Path, length: u64) -> io::Result<Self> {
        Self::read(path, length, length.min(LONGEST_TAIL as u64))
    }

    fn read(path: &Path, length: u64, bytes: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
        let mut end = Vec::new();
        file.take(bytes.min(LONGEST_TAIL as u64)).read_to_end(&mut end)?;
        Ok(Self::of(&end))
    }
}

/// The name of a rotated file.
pub(super) fn rotated_path(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Cuts a file, and waits until it is cut on the disk, too.
pub(super) fn cut(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(length)?;
    file.sync_data()
}

/// Waits until the name of a file that is new is on the disk, too.
pub(super) fn sync_folder(path: &Path, is_new: bool) -> io::Result<()> {
    if !is_new {
        return Ok(());
    }
    File::open(folder(path))?.sync_all()
}

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What is wrong with a file that lost something, and what to do.
pub(super) fn too_short(length: u64, known: u64) -> String {
    format!(
        "has {length} bytes, but {known} were written to it: put the whole file back, or move this one away to begin a new one"
    )
}
