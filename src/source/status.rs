//! What a source says of itself: every outcome of asking it can be seen here, and no secret.
//!
//! Must not know how it asks.

use std::fmt;

use crate::clock::TimeMs;

/// How a source is doing. Times are milliseconds since the epoch.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The source: a path, or an address without secrets and SDK keys.
    pub source: Box<str>,
    /// Whether there is a datafile, and whether it is known to be of today.
    pub readiness: Readiness,
    /// The revision of the datafile in force.
    pub revision: Option<Box<str>>,
    /// Who gave the datafile in force, or confirmed it last.
    pub came_from: Option<CameFrom>,
    /// When the text in force was got; of one from the store, when it was got then.
    pub fetched_at_ms: Option<TimeMs>,
    /// How many findings the datafile in force has.
    pub finding_count: usize,
    /// When the source was last asked.
    pub last_attempt_ms: Option<TimeMs>,
    /// When it last gave, or confirmed, a datafile that can be used.
    pub last_success_ms: Option<TimeMs>,
    /// When another datafile was last put in force.
    pub last_change_ms: Option<TimeMs>,
    /// When it will be asked next, unless somebody asks for it before; `None` while it is being asked.
    pub next_attempt_ms: Option<TimeMs>,
    /// How long it has been since the last success, also where the system's time was changed.
    pub checked_ago_ms: Option<u64>,
    /// The datafile that goes back to a lower revision and waits to be accepted.
    pub held_back: Option<HeldBack>,
    /// How many times in a row it gave nothing that can be used.
    pub consecutive_failures: u64,
    /// The latest problem, also where it has succeeded since.
    pub last_problem: Option<SourceProblem>,
    /// Why the datafile in force is not in the store, if it should be.
    pub keep_problem: Option<SourceProblem>,
    /// Why changes of a file are not seen at once, but only every few seconds.
    pub watch_problem: Option<SourceProblem>,
    /// How many times it was asked.
    pub attempts: u64,
    /// How many times that gave nothing that can be used.
    pub failures: u64,
    /// How many times another datafile was put in force.
    pub changes: u64,
}

/// Whether there is a datafile in force, and whether it is known to be of today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// There has never been one: everything is answered as by SDKs that are not ready.
    NeverLoaded,
    /// There is one, but the source has not confirmed it for longer than it may be.
    Stale,
    /// There is one that the source gave or confirmed lately.
    Fresh,
}

/// Who gave a datafile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CameFrom {
    /// An address.
    Network,
    /// A file.
    File,
    /// The store, where it was kept as the last good one.
    Store,
    /// The program itself.
    Embedded,
}

/// A datafile that waits to be accepted, since its revision is lower than the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldBack {
    /// Its revision, by which it is accepted.
    pub revision: Box<str>,
    /// Since when it has been held back.
    pub since_ms: TimeMs,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceProblem {
    /// When.
    pub at_ms: TimeMs,
    /// What, and what to do about it.
    pub text: Box<str>,
}

impl Readiness {
    /// Its word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverLoaded => "never-loaded",
            Self::Stale => "stale",
            Self::Fresh => "fresh",
        }
    }
}

impl CameFrom {
    /// Its word for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::File => "file",
            Self::Store => "store",
            Self::Embedded => "embedded",
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for CameFrom {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for SourceProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
