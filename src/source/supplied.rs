//! What passes through a source: texts as they come in, datafiles as they go out.
//!
//! Must not know what is done with either.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::status::CameFrom;
use crate::clock::TimeMs;
use crate::datafile::{Compiled, Datafile};
use crate::error::Error;

/// What asking a source gave.
#[derive(Debug)]
pub(super) enum Fetched {
    /// That the text in force is still the one.
    #[cfg(feature = "http")]
    Confirmed,
    /// A text.
    Text(FetchedText),
}

/// A text that nobody has judged yet.
#[derive(Debug)]
pub(super) struct FetchedText {
    pub(super) bytes: Vec<u8>,
    pub(super) validators: Validators,
    /// What it was said to be, where that is not JSON.
    pub(super) said_to_be: Option<String>,
}

impl FetchedText {
    /// A text that nothing else is known of.
    pub(super) fn plain(bytes: Vec<u8>) -> Self {
        Self { bytes, validators: Validators::default(), said_to_be: None }
    }
}

/// Why a source gave nothing that can be used.
#[derive(Debug)]
pub(super) struct Trouble {
    /// What is wrong and what to do about it, beginning with the source's name.
    pub(super) text: String,
    /// How long the other side wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Trouble {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), retry_after: None }
    }
}

/// What an address says of a text, and wants to hear again to tell whether there is another one by now.
/// They mean nothing without the text that they came with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Validators {
    pub(crate) etag: Option<Box<str>>,
    pub(crate) last_modified: Option<Box<str>>,
}

/// A datafile and how it came here.
#[derive(Debug, Clone)]
pub(super) struct Supplied {
    pub(super) datafile: Arc<Datafile>,
    pub(super) finding_count: usize,
    pub(super) came_from: CameFrom,
    pub(super) fetched_at_ms: TimeMs,
    pub(super) validators: Validators,
}

impl Supplied {
    pub(super) fn new(compiled: Compiled, came_from: CameFrom, fetched_at_ms: TimeMs) -> Self {
        Self {
            datafile: Arc::new(compiled.datafile),
            finding_count: compiled.findings.len(),
            came_from,
            fetched_at_ms,
            validators: Validators::default(),
        }
    }
}

/// The last good text of a source: what it needs to begin with after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastGood {
    pub(crate) text: Arc<str>,
    pub(crate) revision: Box<str>,
    pub(crate) fetched_at_ms: TimeMs,
    /// The fingerprint of the source that gave it; no other one begins with it.
    pub(crate) source: Box<str>,
    pub(crate) validators: Validators,
}

/// Who takes what a source supplies. Both are called by one thread at a time.
pub(crate) struct Taker {
    /// Puts a datafile in force.
    pub(crate) put_in_force: Box<dyn FnMut(Arc<Datafile>) + Send>,
    /// Keeps the text in force for the next start.
    pub(crate) keep: Box<dyn FnMut(LastGood) -> Result<(), Error> + Send>,
}

impl fmt::Debug for Taker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Taker").finish_non_exhaustive()
    }
}
