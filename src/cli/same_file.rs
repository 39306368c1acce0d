//! Whether an output would replace an input, or a part of a store.
//!
//! Must not know what the files are for.

use std::fs;
use std::path::Path;

use super::failure::Failure;
use crate::store::is_inside;

/// Whether two paths lead to one file, also by another name of it.
pub(super) fn is_same_file(left: &Path, right: &Path) -> bool {
    let is_one_path = matches!((fs::canonicalize(left), fs::canonicalize(right)), (Ok(left), Ok(right)) if left == right);
    is_one_path || is_hard_link(left, right)
}

/// Refuses an output that stands in the folder of a store, whose files are nobody else's.
pub(super) fn refuse_inside_store(
    output: &Path,
    store: Option<&Path>,
    argument: &str,
) -> Result<(), Failure> {
    let Some(store) = store.filter(|store| is_inside(output, store)) else { return Ok(()) };
    let store = store.display();
    let message = format!("{argument} would write into the store {store}: give another place");
    Err(Failure::usage(anyhow::Error::msg(message)))
}

/// Two names of one file.
#[cfg(unix)]
fn is_hard_link(left: &Path, right: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let inode = |path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((inode(left), inode(right)), (Ok(left), Ok(right)) if left == right)
}

/// The standard library does not tell here.
#[cfg(not(unix))]
fn is_hard_link(_: &Path, _: &Path) -> bool {
    false
}
