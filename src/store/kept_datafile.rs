//! The last good datafile of an environment, kept for the next start.
//!
//! Must not know what a datafile is, nor who gives it.

use std::fmt;
use std::sync::Arc;

use crate::clock::TimeMs;

/// The last good datafile of an environment, as it was got from its source.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptDatafile {
    /// Its text.
    pub text: Arc<str>,
    /// Its revision.
    pub revision: Box<str>,
    /// When it was got.
    pub fetched_at_ms: TimeMs,
    /// What tells the source that gave it from others.
    pub source: Box<str>,
    /// The `ETag` that came with it.
    pub etag: Option<Box<str>>,
    /// The `Last-Modified` that came with it.
    pub last_modified: Option<Box<str>>,
}

/// Without the text.
impl fmt::Debug for KeptDatafile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeptDatafile")
            .field("revision", &self.revision)
            .field("fetched_at_ms", &self.fetched_at_ms)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}
