//! A store that nobody uses: whether there is one in a folder, and opening it to look at it and mend it by
//! hand.
//!
//! Must not know what is looked for.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{DurableSettings, DurableStore};
use crate::clock::{Clock, TimeMs};
use crate::error::Error;

/// What stands in the folder of a store, beside journals.
#[cfg(feature = "server")]
const OWN_NAMES: [&str; 5] = ["lock", "version", "keyspaces", "dropped", super::holder::FILE];
/// What file systems put into a folder by themselves.
const NOT_OURS: &str = "lost+found";

/// What is in a folder.
enum Found {
    Nothing,
    Store,
    OtherThings,
}

/// Whether there is a store in a folder, sound or not; `false` where the folder is empty or not there.
///
/// # Errors
///
/// If the folder cannot be read, or holds other things and no store.
pub fn is_there(folder: impl AsRef<Path>) -> Result<bool, Error> {
    match find(folder.as_ref())? {
        Found::Nothing => Ok(false),
        Found::Store => Ok(true),
        Found::OtherThings => Err(Error::other_folder(folder.as_ref())),
    }
}

/// Whether a file is in the folder of a store, or would be, whose files are nobody else's.
#[cfg(feature = "cli")]
pub(crate) fn is_inside(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let places = [path, parent].map(fs::canonicalize);
    places.into_iter().flatten().any(|place| place.starts_with(&folder))
}

/// Whether a file is one of a store's own, or would be. Others may stand beside them, also in folders: the folder of
/// the store is the only one that a service may write to.
#[cfg(feature = "server")]
pub(crate) fn is_own_file(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let beside = || Some(fs::canonicalize(parent).ok()?.join(path.file_name()?));
    let place = fs::canonicalize(path).ok().or_else(beside);
    let Some(within) = place.as_deref().and_then(|place| place.strip_prefix(&folder).ok()) else {
        return false;
    };
    let first = within.components().next();
    let name = first.map(|first| first.as_os_str().to_string_lossy()).unwrap_or_default();
    name.is_empty() || name.ends_with(".jnl") || OWN_NAMES.contains(&&*name)
}

/// An error where there is no store.
pub(super) fn must_be_there(folder: &Path) -> Result<(), Error> {
    match find(folder)? {
        Found::Store => Ok(()),
        Found::Nothing | Found::OtherThings => Err(Error::no_store(folder)),
    }
}

/// Nothing grows too old by this clock.
pub(super) fn clock() -> Arc<Clock> {
    Arc::new(Clock::manual(TimeMs::MIN))
}

/// What frees room is taken also where the disk is full, and nothing is taken away to make room.
pub(super) fn settings() -> DurableSettings {
    DurableSettings { reserved_bytes: 0, budget_bytes: u64::MAX, ..DurableSettings::default() }
}

/// An error where the path is none: the engine would take it for a folder.
pub(super) fn must_be_named(folder: &Path) -> Result<(), Error> {
    if folder.as_os_str().is_empty() {
        return Err(Error::empty_path("the store", "folder"));
    }
    Ok(())
}

fn find(folder: &Path) -> Result<Found, Error> {
    must_be_named(folder)?;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(Error::file("list", folder, error)),
    };
    let mut is_empty = true;
    for entry in entries {
        let name = entry.map_err(|error| Error::file("list", folder, error))?.file_name();
        let name = name.to_string_lossy();
        if name == "version" || name == "keyspaces" || name.ends_with(".jnl") {
            return Ok(Found::Store);
        }
        is_empty &= name == NOT_OURS || name == "lock" || name == super::holder::FILE;
    }
    Ok(if is_empty { Found::Nothing } else { Found::OtherThings })
}

impl DurableStore {
    /// Opens a store that is there and that nobody uses, to look at it and mend it by hand. Nothing is
    /// ever too old in it: only its owner knows what the time is, and tidies up. It takes what frees
    /// room also where the disk is full.
    ///
    /// # Errors
    ///
    /// If there is none, or as [`DurableStore::open`]; nothing is made then.
    pub fn open_at_rest(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        must_be_there(folder)?;
        Self::open(folder, clock(), settings())
    }
}
