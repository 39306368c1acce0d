//! How a file is chosen as a source.
//!
//! Must not know how it is read.

use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use super::FileOrigin;
use crate::error::Error;
use crate::source::acceptance::Order;
use crate::source::desk::About;
use crate::source::settings::{
    DEFAULT_MAX_BYTES, checked_interval, default_stale_after_ms, fingerprint,
};
use crate::source::status::CameFrom;

const SHORTEST_INTERVAL_MS: u64 = 100;

/// A file that holds a datafile: every good change of it is taken, whatever its revision.
///
/// It may be written in place, replaced by renaming, or reached through links that are swapped, as
/// Kubernetes does with its ConfigMaps. While it is missing, half written or broken, the datafile in
/// force stays. Changes are seen at once where the system tells of them (with the feature `watch`), and
/// at the latest when it is looked at the next time.
#[derive(Debug, Clone)]
#[must_use]
pub struct FileSource {
    path: PathBuf,
    interval_ms: u64,
    stale_after_ms: Option<u64>,
    max_bytes: u64,
    is_watched: bool,
}

impl FileSource {
    pub(in crate::source) fn new(path: PathBuf) -> Self {
        Self {
            path,
            interval_ms: 2_000,
            stale_after_ms: None,
            max_bytes: DEFAULT_MAX_BYTES,
            is_watched: true,
        }
    }

    /// How often the file is looked at, changed or not. Default 2000 ms; at least 100.
    pub const fn interval_ms(mut self, interval_ms: u64) -> Self {
        self.interval_ms = interval_ms;
        self
    }

    /// Whether the system is asked to tell of changes. Default: yes; of no effect without the feature
    /// `watch`.
    pub const fn watch(mut self, is_watched: bool) -> Self {
        self.is_watched = is_watched;
        self
    }

    /// After how long without a file that can be used the datafile in force counts as stale. Default: 10
    /// minutes, or three intervals where that is longer; `u64::MAX` is never.
    pub const fn stale_after_ms(mut self, stale_after_ms: u64) -> Self {
        self.stale_after_ms = Some(stale_after_ms);
        self
    }

    /// How large the file may be. Default 32 MiB.
    pub const fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The file's name without its ending.
    pub(in crate::source) fn stem(&self) -> Option<String> {
        self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned())
    }

    pub(in crate::source) fn open(self) -> Result<(About, FileOrigin), Error> {
        if self.path.as_os_str().is_empty() {
            return Err(Error::empty_path("the datafile", "file"));
        }
        let name: Box<str> = self.path.display().to_string().into();
        checked_interval(&name, self.interval_ms, SHORTEST_INTERVAL_MS)?;
        let stale_after_ms =
            self.stale_after_ms.unwrap_or_else(|| default_stale_after_ms(self.interval_ms));
        let about = About {
            fingerprint: fingerprint("file", &whole(&self.path).to_string_lossy()),
            name: name.clone(),
            gives: CameFrom::File,
            order: Order::Any,
            stale_after_ms,
        };
        let origin = FileOrigin {
            path: whole(&self.path),
            name,
            interval: Duration::from_millis(self.interval_ms),
            most_bytes: self.max_bytes,
            is_to_be_watched: self.is_watched,
            watch: None,
            seen: None,
        };
        Ok((about, origin))
    }
}

/// The path from the root, links unresolved.
fn whole(path: &Path) -> PathBuf {
    absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
