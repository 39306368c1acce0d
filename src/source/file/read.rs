//! Reading a file that others may be writing.
//!
//! Must not know what is in it.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// How many times a file is read that changes while it is read.
const MOST_READS: usize = 3;

/// What changes with the content: where the file lies on its disk, its length and its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    place: [u64; 2],
    bytes: u64,
    modified_ns: u128,
    changed: [i64; 2],
}

impl Traits {
    /// Those of what is at a path, through links; `None` where nothing is.
    pub(super) fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::of)
    }

    fn of(metadata: &Metadata) -> Self {
        let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let (place, changed) = place_and_change(metadata);
        Self {
            place,
            bytes: metadata.len(),
            modified_ns: since.unwrap_or_default().as_nanos(),
            changed,
        }
    }

    #[cfg(feature = "watch")]
    /// Where it lies: the same as long as it is not replaced.
    pub(super) const fn place(&self) -> [u64; 2] {
        self.place
    }
}

#[cfg(unix)]
fn place_and_change(metadata: &Metadata) -> ([u64; 2], [i64; 2]) {
    use std::os::unix::fs::MetadataExt as _;
    ([metadata.dev(), metadata.ino()], [metadata.ctime(), metadata.ctime_nsec()])
}

#[cfg(not(unix))]
const fn place_and_change(_: &Metadata) -> ([u64; 2], [i64; 2]) {
    ([0; 2], [0; 2])
}

/// Reads a file, through links; the error says what is wrong with it and what to do.
pub(super) fn read(path: &Path, most_bytes: u64) -> Result<(Vec<u8>, Traits), String> {
    let mut reads = 1;
    loop {
        let (bytes, before, after) = read_once(path, most_bytes)?;
        if before == after {
            return Ok((bytes, after));
        }
        if reads == MOST_READS {
            return Err("is being written: it is looked at again when it is done".to_owned());
        }
        reads += 1;
    }
}

fn read_once(path: &Path, most_bytes: u64) -> Result<(Vec<u8>, Traits, Traits), String> {
    // Before it is opened, which might wait for ever for somebody to write to a pipe.
    let found = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !found.is_file() {
        let what = if found.is_dir() { "is a folder" } else { "is no regular file" };
        return Err(format!("{what}: put the datafile there, or give its path"));
    }
    let mut file = File::open(path).map_err(|error| unreadable(&error))?;
    let before = file.metadata().map_err(|error| unreadable(&error))?;
    if before.len() > most_bytes {
        return Err(too_large(most_bytes));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or_default());
    let read = file.by_ref().take(most_bytes.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > most_bytes {
        return Err(too_large(most_bytes));
    }
    let after = file.metadata().map_err(|error| unreadable(&error))?;
    Ok((bytes, Traits::of(&before), Traits::of(&after)))
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "is not there: put it back, or give another path".to_owned(),
        ErrorKind::PermissionDenied => {
            "may not be read: allow this process to read it and the folders above it".to_owned()
        }
        _ => format!("cannot be read ({error}): check the path and the disk"),
    }
}

fn too_large(most_bytes: u64) -> String {
    format!(
        "is larger than {most_bytes} bytes, the most that is taken: look whether it is the datafile, and where a program of yours sets that limit, raise it"
    )
}
