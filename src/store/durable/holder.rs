//! Which process has a store open: noted in a file beside the lock, for who finds it locked.
//!
//! Must not know the engine. The note is a help for people, never a lock: it may be missing, and where a
//! process was killed it is old. In containers many processes have one number, so that each has a mark as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use uuid::Uuid;

pub(super) const FILE: &str = "process";

/// Of this process alone.
static MARK: LazyLock<Box<str>> = LazyLock::new(|| Uuid::new_v4().to_string().into());

/// Notes that this process has the store open. Where that fails, others are not told who it is.
pub(super) fn note(folder: &Path) {
    drop(fs::write(file(folder), format!("{}\n{}\n", std::process::id(), *MARK)));
}

/// Takes the note away; the store is still locked then, so that it is nobody else's.
pub(super) fn take_away(folder: &Path) {
    drop(fs::remove_file(file(folder)));
}

/// The process that noted itself, if it still runs, and what to do about it.
pub(super) fn holder(folder: &Path) -> String {
    let text = fs::read_to_string(file(folder)).unwrap_or_default();
    let mut lines = text.lines();
    let noted: Option<u32> = lines.next().and_then(|line| line.parse().ok());
    if lines.next().is_some_and(|mark| *mark == **MARK) {
        return "this very process: open it once, and give its clients the same `Arc`".to_owned();
    }
    let processes = Path::new("/proc");
    let can_tell = processes.join("self").exists();
    let runs = |id: &u32| !can_tell || processes.join(id.to_string()).exists();
    noted.filter(runs).map_or_else(
        || "another process: wait for it or stop it".to_owned(),
        |id| format!("process {id}: wait for it or stop it"),
    )
}

fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
