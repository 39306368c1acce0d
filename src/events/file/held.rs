//! The file of a file sink while it is open: locked, so that nobody else writes to it.
//!
//! Must not know what is in it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::names;
use crate::error::Error;

/// So often a file is moved away while it is opened, and no more.
const MOST_ATTEMPTS: usize = 5;

/// A file that is open for appending and locked.
#[derive(Debug)]
pub(super) struct Held {
    path: PathBuf,
    file: File,
    identity: Option<Box<str>>,
}

impl Held {
    /// Opens the file at a path, which is made if it is not there, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |error| Error::file("append to", path, error);
        for _ in 0..MOST_ATTEMPTS {
            let file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let problem = "is written to by another sink, of this process or another: give each sink a file of its own";
                    return Err(Error::sink_file(path, problem));
                }
                // Some file systems have no locks: there each sink has to be given its own file by people.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            let identity = identity_of(&file.metadata().map_err(failed)?);
            let held = Self { path: path.into(), file, identity };
            // Else another sink has put it away before it was locked.
            if held.is_there().map_err(failed)? {
                return Ok(held);
            }
        }
        Err(failed(io::ErrorKind::ResourceBusy.into()))
    }

    /// Whether the path still leads to it.
    pub(super) fn is_there(&self) -> io::Result<bool> {
        match fs::metadata(&self.path) {
            Ok(found) => Ok(identity_of(&found) == self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn identity(&self) -> Option<Box<str>> {
        self.identity.clone()
    }

    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Appends text, and waits until it is on the disk. Where that fails nothing is appended.
    pub(super) fn append(&mut self, text: &[u8], length: u64) -> io::Result<()> {
        let written = self.file.write_all(text).and_then(|()| self.file.sync_data());
        // The name of a file that is new must be on the disk, too.
        let written = written.and_then(|()| if length == 0 { self.sync_name() } else { Ok(()) });
        if written.is_err() {
            // Nothing but cut: somebody may have made it shorter. If this fails, too, the next batch finds it.
            let is_longer = self.length().is_ok_and(|now| now > length);
            if is_longer {
                self.file.set_len(length).unwrap_or_default();
            }
        }
        written
    }

    fn sync_name(&self) -> io::Result<()> {
        names::sync_folder(&self.path)
    }
}

/// Which file it is, whatever its name; `None` where the system does not tell. Numbers of files that are
/// gone are given to new ones, so that the time of its making belongs to it.
pub(super) fn identity_of(found: &Metadata) -> Option<Box<str>> {
    let made = found.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let made = made.map(|time| time.as_nanos());
    match (number_of(found), made) {
        (None, None) => None,
        (number, made) => {
            let (number, made) = (number.unwrap_or_default(), made.unwrap_or_default());
            Some(format!("{number}-{made}").into())
        }
    }
}

#[cfg(unix)]
fn number_of(found: &Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(found.ino())
}

#[cfg(not(unix))]
fn number_of(_: &Metadata) -> Option<u64> {
    None
}
