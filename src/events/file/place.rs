//! Where a file sink is in its file, as the store keeps it.
//!
//! Must not know records, nor what is done where the file is another than it should be.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::beyond::Whose;
use super::{held, names};
use crate::clock::TimeMs;

/// So many bytes at most tell a file from others.
const LONGEST_MARK: usize = 4096;

/// How much of the file is known to the store, and how to know the file again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// All beyond this length is unknown to the store.
    pub(super) length: u64,
    /// The end of what is known; none in an empty file.
    pub(super) tail: Option<Mark>,
    /// The beginning of the file.
    #[serde(default)]
    pub(super) head: Option<Mark>,
    /// Which file it is, where the system tells.
    #[serde(default)]
    pub(super) file: Option<Box<str>>,
    /// The latest day of the records in the file, in days since the epoch.
    pub(super) day: Option<TimeMs>,
    /// The number of the file that was rotated last; 0 before the first.
    pub(super) rotated: u64,
}

/// Some bytes of a file, by which it is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    bytes: u64,
    hash: String,
}

/// What a file at the path of a known one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The known one, with all that is known.
    Same,
    /// The known one, but it is shorter than what is known.
    Shorter,
    /// The known one by its name in the file system, with something else in it.
    Overwritten,
    /// Another one.
    Other,
}

impl Place {
    /// At the end of a file that is there, and was never known.
    pub(super) fn at_end(path: &Path, length: u64, rotated: u64) -> io::Result<Self> {
        if length == 0 {
            return Ok(Self { rotated, ..Self::default() });
        }
        let longest = length.min(LONGEST_MARK as u64);
        let head = Some(Mark::read(path, 0, longest)?);
        let tail = Some(Mark::read(path, length - longest, longest)?);
        let file = held::identity_of(&fs::metadata(path)?);
        Ok(Self { length, tail, head, file, day: None, rotated })
    }

    pub(super) fn to_text(&self) -> String {
        // Numbers and ids: there is nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Goes behind text that is in the file now.
    pub(super) fn advance(&mut self, text: &[u8], day: TimeMs, file: Option<Box<str>>) {
        if self.length == 0 {
            self.head = Some(Mark::of(text.get(..LONGEST_MARK).unwrap_or(text)));
        }
        self.length = self.length.saturating_add(text.len() as u64);
        self.tail = Some(Mark::of_end(text));
        self.file = file;
        // A dead letter that is delivered late must not bring yesterday back.
        self.day = Some(self.day.map_or(day, |last| last.max(day)));
    }

    /// Goes on with an empty file.
    pub(super) fn begin_file(&mut self) {
        *self = Self { rotated: self.rotated, ..Self::default() };
    }

    /// Is done with what is known of a file.
    pub(super) fn leave(&mut self, whose: Whose) {
        match whose {
            Whose::Own => {}
            Whose::Rotated(number) => {
                self.begin_file();
                self.rotated = number;
            }
            Whose::Others => self.begin_file(),
        }
    }

    /// Renames the file to the next free number.
    pub(super) fn rotate(&mut self, path: &Path) -> io::Result<()> {
        let (number, target) = names::next_rotated(path, self.rotated);
        fs::rename(path, target)?;
        self.leave(Whose::Rotated(number));
        names::sync_folder(path)
    }

    /// Whether a file has what is known at the end of the known length.
    pub(super) fn is_in(&self, path: &Path) -> io::Result<bool> {
        let Some(tail) = &self.tail else { return Ok(self.length == 0) };
        match fs::metadata(path) {
            Ok(found) if found.is_file() && found.len() >= self.length => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(Mark::read(path, self.length.saturating_sub(tail.bytes), tail.bytes)? == *tail)
    }

    /// What the file at a path is.
    pub(super) fn likeness(&self, path: &Path) -> io::Result<Likeness> {
        if self.is_in(path)? {
            return Ok(Likeness::Same);
        }
        let found = fs::metadata(path)?;
        let is_known_by_name = self.file.is_some() && self.file == held::identity_of(&found);
        let begins_alike = match &self.head {
            Some(head) if found.len() >= head.bytes => {
                Some(Mark::read(path, 0, head.bytes)? == *head)
            }
            _ => None,
        };
        // What cannot be told from the known one is taken for it.
        let is_other = match begins_alike {
            Some(begins_alike) => !begins_alike && !is_known_by_name,
            None => self.file.is_some() && !is_known_by_name,
        };
        Ok(match is_other {
            true => Likeness::Other,
            false if found.len() < self.length => Likeness::Shorter,
            false => Likeness::Overwritten,
        })
    }
}

impl Mark {
    fn of(text: &[u8]) -> Self {
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, text).to_string();
        Self { bytes: text.len() as u64, hash }
    }

    fn of_end(text: &[u8]) -> Self {
        let skipped = text.len().saturating_sub(LONGEST_MARK);
        Self::of(text.get(skipped..).unwrap_or_default())
    }

    fn read(path: &Path, from: u64, bytes: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.take(bytes.min(LONGEST_MARK as u64)).read_to_end(&mut text)?;
        Ok(Self::of(&text))
    }
}
