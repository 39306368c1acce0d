//! The names of the files around a sink's file: rotated ones, and what was moved aside.
//!
//! Must not know what is in them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const ASIDE: &str = ".aside-";

/// The name of a rotated file.
pub(super) fn rotated(path: &Path, number: u64) -> PathBuf {
    with(path, &format!(".{number}"))
}

/// The rotated files behind a number, without gaps.
pub(super) fn rotated_after(path: &Path, number: u64) -> impl Iterator<Item = (u64, PathBuf)> {
    let file = move |number| (number, rotated(path, number));
    (number.saturating_add(1)..).map(file).take_while(|(_, path)| path.exists())
}

/// The name of the next file to be rotated, and its number.
pub(super) fn next_rotated(path: &Path, after: u64) -> (u64, PathBuf) {
    let mut free = (after.saturating_add(1)..).map(|number| (number, rotated(path, number)));
    let free = free.find(|(_, path)| is_free(path));
    free.unwrap_or_else(|| (u64::MAX, rotated(path, u64::MAX)))
}

/// A name for what is moved aside, which no file has.
pub(super) fn aside(path: &Path) -> PathBuf {
    let mut free = (1_u64..).map(|number| with(path, &format!("{ASIDE}{number}")));
    let free = free.find(|path| is_free(path));
    free.unwrap_or_else(|| with(path, ASIDE))
}

/// The other files in the folder whose names begin with that of the file, in order, but for what was
/// moved aside.
pub(super) fn beside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let own = path.file_name().unwrap_or_default().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let name = entry?.file_name();
        let rest = name.as_encoded_bytes().strip_prefix(own);
        if rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(ASIDE.as_bytes())) {
            found.push(folder(path).join(name));
        }
    }
    found.sort();
    Ok(found)
}

/// Waits until names in the file's folder are on the disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether no file has this name, nor a link that leads nowhere.
fn is_free(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err()
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
