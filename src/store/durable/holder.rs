//! Which process has a store open: noted in a file beside the lock, for who finds it locked.
//!
//! Must not know the engine. The note is a help for people, never a lock: it may be missing, and where a
//! process was killed it is old.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) const FILE: &str = "process";

/// Notes that this process has the store open. Where that fails, others are not told who it is.
pub(super) fn note(folder: &Path) {
    drop(fs::write(file(folder), format!("{}\n", std::process::id())));
}

/// Takes the note away; the store is still locked then, so that it is nobody else's.
pub(super) fn take_away(folder: &Path) {
    drop(fs::remove_file(file(folder)));
}

/// The process that noted itself, if it still runs.
pub(super) fn holder(folder: &Path) -> Option<u32> {
    let noted: u32 = fs::read_to_string(file(folder)).ok()?.trim().parse().ok()?;
    let processes = Path::new("/proc");
    let can_tell = processes.join("self").exists();
    (!can_tell || processes.join(noted.to_string()).exists()).then_some(noted)
}

fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
