//! The one error type of the crate: private kinds, real sources, messages that say what to do.
//!
//! Must not know anything else of this crate: sources arrive boxed, through named constructors.

use std::path::PathBuf;

/// What went wrong, where, and what to do about it.
///
/// The kinds are private, so that they can grow; ask with the predicates. The message is one line
/// without a trailing full stop; the cause, if there is one, is its [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("the datafile is not UTF-8 text (first bad byte at offset {offset}): save it as UTF-8")]
    DatafileEncoding { offset: usize, source: Source },
    #[error(
        "the datafile is not readable JSON at line {line}, column {column}: download it again or mend it there"
    )]
    DatafileSyntax { line: usize, column: usize, source: Source },
    #[error(
        "the datafile is {found}, not a JSON object: give the project configuration that Optimizely serves"
    )]
    DatafileShape { found: &'static str },
    #[error(
        "datafile version {found} is not supported: use a datafile of version \"2\", \"3\" or \"4\" (a string)"
    )]
    DatafileVersion { found: String },
    #[error("there is no datafile yet: give the client one before tracking, or track again later")]
    NotReady,
    #[error("cannot {action} {path}: check that it exists and that you may access it", path = path.display())]
    File { action: &'static str, path: PathBuf, source: Source },
    #[error("{queue} is full ({limit} entries): give it a sink that keeps up, or raise its limit")]
    Full { queue: &'static str, limit: usize },
    #[error(
        "{waiting} records were not delivered before the deadline: they stay queued, drain again or look at the sink's errors"
    )]
    Deadline { waiting: u64 },
    #[error("{what} {found:?} is unknown: use {choices}")]
    Choice { what: &'static str, found: String, choices: &'static str },
    #[error("cannot start the thread {name}: raise the limit on threads or close some")]
    Thread { name: &'static str, source: Source },
    #[error("the store's outbox cannot be read: {problem}")]
    Outbox { problem: &'static str },
    #[error("the sink did not take the records: mend the cause, and they are delivered again")]
    Sink { source: Source },
    #[cfg(feature = "http")]
    #[error("{destination} {problem}")]
    Destination { destination: String, problem: String, source: Option<Source> },
    #[error("the file sink's {path} {problem}", path = path.display())]
    SinkFile { path: PathBuf, problem: String },
    #[error("sink {found:?} {problem}")]
    SinkTarget { found: String, problem: String },
}

impl Error {
    pub(crate) fn datafile_encoding(offset: usize, source: impl Into<Source>) -> Self {
        Kind::DatafileEncoding { offset, source: source.into() }.into()
    }

    pub(crate) fn outbox(problem: &'static str) -> Self {
        Kind::Outbox { problem }.into()
    }

    pub(crate) fn datafile_syntax(line: usize, column: usize, source: impl Into<Source>) -> Self {
        Kind::DatafileSyntax { line, column, source: source.into() }.into()
    }

    pub(crate) fn datafile_shape(found: &'static str) -> Self {
        Kind::DatafileShape { found }.into()
    }

    pub(crate) fn datafile_version(found: impl Into<String>) -> Self {
        Kind::DatafileVersion { found: found.into() }.into()
    }

    pub(crate) fn not_ready() -> Self {
        Kind::NotReady.into()
    }

    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<Source>,
    ) -> Self {
        Kind::File { action, path: path.into(), source: source.into() }.into()
    }

    pub(crate) fn full(queue: &'static str, limit: usize) -> Self {
        Kind::Full { queue, limit }.into()
    }

    pub(crate) fn deadline(waiting: u64) -> Self {
        Kind::Deadline { waiting }.into()
    }

    pub(crate) fn thread(name: &'static str, source: impl Into<Source>) -> Self {
        Kind::Thread { name, source: source.into() }.into()
    }

    /// The error of a sink that could not take records now, for sinks that you write.
    #[must_use]
    pub fn sink(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Kind::Sink { source: cause.into() }.into()
    }

    #[cfg(feature = "http")]
    pub(crate) fn destination(
        destination: impl Into<String>,
        problem: impl Into<String>,
        source: Option<Source>,
    ) -> Self {
        Kind::Destination { destination: destination.into(), problem: problem.into(), source }
            .into()
    }

    pub(crate) fn sink_file(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Kind::SinkFile { path: path.into(), problem: problem.into() }.into()
    }

    pub(crate) fn sink_target(found: impl Into<String>, problem: impl Into<String>) -> Self {
        Kind::SinkTarget { found: found.into(), problem: problem.into() }.into()
    }

    pub(crate) fn choice(
        what: &'static str,
        found: impl Into<String>,
        choices: &'static str,
    ) -> Self {
        Kind::Choice { what, found: found.into(), choices }.into()
    }

    /// Whether a datafile was refused: unreadable, or of an unsupported version.
    #[must_use]
    pub fn is_datafile(&self) -> bool {
        matches!(
            self.0,
            Kind::DatafileEncoding { .. }
                | Kind::DatafileSyntax { .. }
                | Kind::DatafileShape { .. }
                | Kind::DatafileVersion { .. }
        )
    }

    /// The line and column, from 1, at which a refused datafile stopped being JSON, if that is why.
    #[must_use]
    pub fn datafile_position(&self) -> Option<(usize, usize)> {
        match self.0 {
            Kind::DatafileSyntax { line, column, .. } => Some((line.max(1), column.max(1))),
            _ => None,
        }
    }

    /// Whether a call needed a datafile and there was none yet.
    #[must_use]
    pub fn is_not_ready(&self) -> bool {
        matches!(self.0, Kind::NotReady)
    }

    /// Whether a file could not be read or written.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(self.0, Kind::File { .. } | Kind::SinkFile { .. })
    }

    /// Whether a bounded queue refused an entry.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.0, Kind::Full { .. })
    }

    /// Whether a deadline passed before the work was done.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        matches!(self.0, Kind::Deadline { .. })
    }
}
