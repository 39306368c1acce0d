//! Datafiles from a file: looked at every few seconds, and at once where its folders can be watched.
//!
//! Must not know what is in the file. That it changed is only ever guessed from outside, so that every
//! guess ends in reading it, and the content decides.

mod choice;
mod read;
mod watch;

pub use choice::FileSource;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use self::read::{Traits, read};
use self::watch::Watch;
use super::signals::Signals;
use super::supplied::{Fetched, FetchedText, Trouble};

/// A file, as its thread asks it.
#[derive(Debug)]
pub(super) struct FileOrigin {
    path: PathBuf,
    name: Box<str>,
    interval: Duration,
    most_bytes: u64,
    is_to_be_watched: bool,
    watch: Option<Watch>,
    /// Those of the file when it was last asked for.
    seen: Option<Traits>,
}

impl FileOrigin {
    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether it looks different from when it was last asked for.
    pub(super) fn looks_changed(&self) -> bool {
        Traits::at(&self.path) != self.seen
    }

    pub(super) fn fetch(&mut self) -> Result<Fetched, Trouble> {
        let (bytes, traits) = match read(&self.path, self.most_bytes) {
            Ok(found) => found,
            Err(problem) => {
                self.seen = Traits::at(&self.path);
                return Err(Trouble::new(format!("{} {problem}", self.name)));
            }
        };
        self.seen = Some(traits);
        Ok(Fetched::Text(FetchedText::plain(bytes)))
    }

    /// Watches the folders that the path leads through now, and gives whether they are others than before;
    /// the error says why that cannot be.
    pub(super) fn follow(&mut self, signals: &Arc<Signals>) -> Result<bool, String> {
        if !self.is_to_be_watched {
            return Ok(false);
        }
        let watch = match &mut self.watch {
            Some(watch) => watch,
            None => self.watch.insert(Watch::new(signals)?),
        };
        watch.follow(&self.path)
    }
}
