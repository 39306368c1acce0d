//! Watching the folders that the path of a file leads through.
//!
//! Must not know what the file is. The file itself is not watched: it may be replaced by another one of
//! its name, and not be there for a while. What happens in its folder is: and in that of what a link
//! leads to. Names are not looked at, since a link may be swapped under any name, as `..data` is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::source::file::read::Traits;
use crate::source::signals::Signals;

#[derive(Debug)]
pub(in crate::source::file) struct Watch {
    watcher: RecommendedWatcher,
    watched: Vec<Folder>,
}

/// A folder, and where it lies on its disk: another one may come to bear its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Folder {
    path: PathBuf,
    place: [u64; 2],
}

impl Watch {
    pub(in crate::source::file) fn new(signals: &Arc<Signals>) -> Result<Self, String> {
        let signals = Arc::downgrade(signals);
        let watcher = notify::recommended_watcher(move |event| stir(&signals, event))
            .map_err(|error| problem(&error))?;
        Ok(Self { watcher, watched: Vec::new() })
    }

    /// Watches the folders that a path leads through now, in the place of those before; gives whether
    /// there are new ones.
    pub(in crate::source::file) fn follow(&mut self, path: &Path) -> Result<bool, String> {
        let wanted = folders_of(path);
        let gone: Vec<Folder> =
            self.watched.extract_if(.., |folder| !wanted.contains(folder)).collect();
        for folder in gone {
            // It may be gone from the disk, and from the list of the system with it.
            drop(self.watcher.unwatch(&folder.path));
        }
        let mut has_new = false;
        for folder in wanted {
            if !self.watched.contains(&folder) {
                let watched = self.watcher.watch(&folder.path, RecursiveMode::NonRecursive);
                watched.map_err(|error| problem(&error))?;
                self.watched.push(folder);
                has_new = true;
            }
        }
        if self.watched.is_empty() {
            return Err("its folder is not there, and cannot be watched before it is".to_owned());
        }
        Ok(has_new)
    }
}

/// What opens or reads is no change: this thread does so itself.
fn stir(signals: &Weak<Signals>, event: notify::Result<Event>) {
    let is_harmless = event.is_ok_and(|event| match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    });
    if let (false, Some(signals)) = (is_harmless, signals.upgrade()) {
        signals.stir();
    }
}

fn folders_of(path: &Path) -> Vec<Folder> {
    let named = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Some(PathBuf::from(".")),
        parent => parent.map(Path::to_path_buf),
    };
    let real = path.canonicalize().ok().and_then(|real| real.parent().map(Path::to_path_buf));
    let mut folders: Vec<Folder> = Vec::new();
    for path in [named, real].into_iter().flatten() {
        let Some(traits) = Traits::at(&path) else { continue };
        let place = traits.place();
        if !folders.iter().any(|folder| folder.place == place && place != [0; 2]) {
            folders.push(Folder { path, place });
        }
    }
    folders
}

fn problem(error: &notify::Error) -> String {
    let remedy = match error.kind {
        notify::ErrorKind::MaxFilesWatch => "raise fs.inotify.max_user_watches, or live with that",
        _ => "it is looked at every few seconds all the same",
    };
    format!("the system does not tell of its changes ({error}): {remedy}")
}
