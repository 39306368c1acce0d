//! The one error type of the crate: private kinds, real sources, messages that say what to do.
//!
//! Must not know anything else of this crate: sources arrive boxed, through named constructors.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What went wrong, where, and what to do about it.
///
/// The kinds are private, so that they can grow; ask with the predicates. The message is one line
/// without a trailing full stop; the cause, if there is one, is its [`source`](std::error::Error::source).
/// Many can wait for one thing, so an error can be given to each of them: clones share what it holds.
/// Its debug form is the message with its causes, since that is what is shown of an error that `main` returns.
#[derive(Clone, thiserror::Error)]
#[error(transparent)]
pub struct Error(Arc<Kind>);

impl std::fmt::Debug for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{self}")?;
        std::iter::successors(std::error::Error::source(self), |error| error.source())
            .try_for_each(|cause| write!(formatter, ": {cause}"))
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Arc::new(kind))
    }
}

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
    #[error("cannot {action} {path}: {remedy}", path = path.display(), remedy = remedy_of(source.as_ref()))]
    File { action: &'static str, path: PathBuf, source: Source },
    #[error("{queue} is full, with room for {limit} {unit}: {remedy}, or raise its limit")]
    Full { queue: &'static str, limit: usize, unit: &'static str, remedy: &'static str },
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
    #[cfg(feature = "durable")]
    #[error(
        "the store's journal {path} is damaged at byte {offset} ({problem}): restore the store from a back-up, or run `variate events verify`, which says what is missing; nothing was changed", path = path.display()
    )]
    StoreJournal { path: PathBuf, offset: u64, problem: &'static str },
    #[cfg(feature = "durable")]
    #[error(
        "the store is damaged, {path} {problem}: restore the store from a back-up, or run `variate events verify`, which says what is missing; nothing was changed", path = path.display()
    )]
    StoreFolder { path: PathBuf, problem: &'static str },
    #[cfg(feature = "durable")]
    #[error(
        "the store in {path} is in use by {holder}, or give another folder", path = path.display()
    )]
    StoreInUse { path: PathBuf, holder: String },
    #[cfg(feature = "durable")]
    #[error(
        "there is no store in {path}: give the folder that a store was opened in", path = path.display()
    )]
    NoStore { path: PathBuf },
    #[cfg(feature = "durable")]
    #[error(
        "{path} holds other things and no store: give a store's folder, or one that is empty or not there yet", path = path.display()
    )]
    OtherFolder { path: PathBuf },
    #[cfg(feature = "durable")]
    #[error("this was not stored, and nothing of it is kept: mend the cause and send it again")]
    NotStored { source: Error },
    #[cfg(feature = "durable")]
    #[error(
        "this was not stored, but what was written of it could not be taken back, so that it may be there after a power cut: send it again with the same id"
    )]
    NotTakenBack { source: Error },
    #[cfg(feature = "durable")]
    #[error(
        "not all was stored before the deadline: it still waits for the disk, flush again or look at the disk"
    )]
    NotStoredInTime,
    #[cfg(feature = "durable")]
    #[error("cannot {action} the store in {folder}: {remedy}", folder = folder.display())]
    Store { action: &'static str, folder: PathBuf, remedy: &'static str, source: Source },
    #[cfg(feature = "durable")]
    #[error("the store in {folder} cannot take anything now: {why}", folder = folder.display())]
    StoreRefuses { folder: PathBuf, why: String },
    #[cfg(feature = "durable")]
    #[error("the store in {folder} holds what this version cannot read ({what}): {remedy}", folder = folder.display())]
    StoreContent { folder: PathBuf, what: String, remedy: &'static str },
    #[error("the sink did not take the records: mend the cause, and they are delivered again")]
    Sink { source: Source },
    #[error("{what}: mend the sink, or leave it out")]
    SinkCall { what: String, source: Source },
    #[error("the path of {what} is empty: give a {kind}")]
    EmptyPath { what: &'static str, kind: &'static str },
    #[cfg(feature = "http")]
    #[error("{destination} {problem}")]
    Destination { destination: String, problem: String, source: Option<Source> },
    #[error("the file sink's {path} {problem}", path = path.display())]
    SinkFile { path: PathBuf, problem: String },
    #[error("sink {found:?} {problem}")]
    SinkTarget { found: String, problem: String },
    #[error("source {source_name} {problem}")]
    SourceSetting { source_name: String, problem: String },
    #[error(
        "the SDK key is none: it is letters, digits and any of + / = _, then a colon and the same again where there is a token"
    )]
    SdkKey,
    #[cfg(feature = "server")]
    #[error("{what} {found:?} cannot be used: {problem}")]
    SettingValue { what: &'static str, found: String, problem: String },
    #[cfg(feature = "server")]
    #[error("{path} line {line}: {problem}", path = path.display())]
    SettingsFile { path: PathBuf, line: usize, problem: String },
    #[cfg(feature = "server")]
    #[error("the settings cannot be used: {problem}")]
    Settings { problem: String },
    #[cfg(feature = "server")]
    #[error("cannot listen on {address}: {problem}")]
    Address { address: String, problem: &'static str, is_in_use: bool, source: Source },
    #[error("there was no datafile within {timeout_ms} ms{why}")]
    NotLoaded { timeout_ms: u128, why: String },
}

/// What to do about a file that cannot be read or written.
fn remedy_of(source: &(dyn std::error::Error + 'static)) -> &'static str {
    let kind = source.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    match kind {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => "free some of its disk",
        _ => "check that it exists and that you may access it",
    }
}

impl Error {
    pub(crate) fn datafile_encoding(offset: usize, source: impl Into<Source>) -> Self {
        Kind::DatafileEncoding { offset, source: source.into() }.into()
    }

    pub(crate) fn outbox(problem: &'static str) -> Self {
        Kind::Outbox { problem }.into()
    }

    pub(crate) fn outbox_is_claimed() -> Self {
        Self::outbox(
            "another client delivers from it: give each client with sinks a store of its own",
        )
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

    pub(crate) fn full(
        queue: &'static str,
        limit: usize,
        unit: &'static str,
        remedy: &'static str,
    ) -> Self {
        Kind::Full { queue, limit, unit, remedy }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn not_stored(source: Self) -> Self {
        Kind::NotStored { source }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn not_taken_back(source: Self) -> Self {
        Kind::NotTakenBack { source }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn not_stored_in_time() -> Self {
        Kind::NotStoredInTime.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn store(
        action: &'static str,
        folder: impl Into<PathBuf>,
        remedy: &'static str,
        source: impl Into<Source>,
    ) -> Self {
        Kind::Store { action, folder: folder.into(), remedy, source: source.into() }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn store_refuses(folder: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Kind::StoreRefuses { folder: folder.into(), why: why.into() }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn store_content(
        folder: impl Into<PathBuf>,
        what: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Kind::StoreContent { folder: folder.into(), what: what.into(), remedy }.into()
    }

    pub(crate) fn deadline(waiting: u64) -> Self {
        Kind::Deadline { waiting }.into()
    }

    pub(crate) fn thread(name: &'static str, source: impl Into<Source>) -> Self {
        Kind::Thread { name, source: source.into() }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn store_journal(
        path: impl Into<PathBuf>,
        offset: u64,
        problem: &'static str,
    ) -> Self {
        Kind::StoreJournal { path: path.into(), offset, problem }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn store_folder(path: impl Into<PathBuf>, problem: &'static str) -> Self {
        Kind::StoreFolder { path: path.into(), problem }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn store_in_use(path: impl Into<PathBuf>, process: Option<u32>) -> Self {
        let holder = match process {
            Some(id) if id == std::process::id() => {
                "this very process: open it once, and give its clients the same `Arc`".to_owned()
            }
            Some(id) => format!("process {id}: wait for it or stop it"),
            None => "another process: wait for it or stop it".to_owned(),
        };
        Kind::StoreInUse { path: path.into(), holder }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn no_store(path: impl Into<PathBuf>) -> Self {
        Kind::NoStore { path: path.into() }.into()
    }

    #[cfg(feature = "durable")]
    pub(crate) fn other_folder(path: impl Into<PathBuf>) -> Self {
        Kind::OtherFolder { path: path.into() }.into()
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

    pub(crate) fn sink_call(what: impl Into<String>, panic: impl Into<Source>) -> Self {
        Kind::SinkCall { what: what.into(), source: panic.into() }.into()
    }

    pub(crate) fn empty_path(what: &'static str, kind: &'static str) -> Self {
        Kind::EmptyPath { what, kind }.into()
    }

    pub(crate) fn sink_file(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Kind::SinkFile { path: path.into(), problem: problem.into() }.into()
    }

    pub(crate) fn sink_target(found: impl Into<String>, problem: impl Into<String>) -> Self {
        Kind::SinkTarget { found: found.into(), problem: problem.into() }.into()
    }

    pub(crate) fn source_setting(
        source_name: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Kind::SourceSetting { source_name: source_name.into(), problem: problem.into() }.into()
    }

    pub(crate) fn sdk_key() -> Self {
        Kind::SdkKey.into()
    }

    #[cfg(feature = "server")]
    pub(crate) fn setting_value(
        what: &'static str,
        found: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Kind::SettingValue { what, found: found.into(), problem: problem.into() }.into()
    }

    #[cfg(feature = "server")]
    pub(crate) fn settings_file(
        path: impl Into<PathBuf>,
        line: usize,
        problem: impl Into<String>,
    ) -> Self {
        Kind::SettingsFile { path: path.into(), line, problem: problem.into() }.into()
    }

    #[cfg(feature = "server")]
    pub(crate) fn settings(problem: impl Into<String>) -> Self {
        Kind::Settings { problem: problem.into() }.into()
    }

    #[cfg(feature = "server")]
    pub(crate) fn address(address: impl Into<String>, source: std::io::Error) -> Self {
        let is_in_use = source.kind() == std::io::ErrorKind::AddrInUse;
        let problem = match source.kind() {
            std::io::ErrorKind::AddrInUse => {
                "somebody listens there: stop it, or give another port"
            }
            std::io::ErrorKind::PermissionDenied => {
                "that needs a permission: give a port from 1024 on"
            }
            _ => "give an address of this machine",
        };
        Kind::Address { address: address.into(), problem, is_in_use, source: source.into() }.into()
    }

    /// `problem` is what is known of the reason.
    pub(crate) fn not_loaded(timeout: Duration, problem: Option<&str>) -> Self {
        let why = problem.unwrap_or("give the client one, or wait for longer");
        Kind::NotLoaded { timeout_ms: timeout.as_millis(), why: format!(": {why}") }.into()
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
            *self.0,
            Kind::DatafileEncoding { .. }
                | Kind::DatafileSyntax { .. }
                | Kind::DatafileShape { .. }
                | Kind::DatafileVersion { .. }
        )
    }

    /// The line and column, from 1, at which a refused datafile stopped being JSON, if that is why.
    #[must_use]
    pub fn datafile_position(&self) -> Option<(usize, usize)> {
        match *self.0 {
            Kind::DatafileSyntax { line, column, .. } => Some((line.max(1), column.max(1))),
            _ => None,
        }
    }

    /// Whether a call needed a datafile and there was none yet.
    #[must_use]
    pub fn is_not_ready(&self) -> bool {
        matches!(*self.0, Kind::NotReady | Kind::NotLoaded { .. })
    }

    /// The cause, where this says only that something was not stored.
    #[cfg(feature = "server")]
    pub(crate) fn why_not_stored(&self) -> &Self {
        match &*self.0 {
            Kind::NotStored { source } => source,
            _ => self,
        }
    }

    /// Whether a file could not be read or written.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(*self.0, Kind::File { .. } | Kind::SinkFile { .. })
    }

    /// Whether a bounded queue refused an entry.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(*self.0, Kind::Full { .. })
    }

    /// Where and how a store on disk is damaged, without the remedy.
    #[cfg(feature = "durable")]
    pub(crate) fn store_damage(&self) -> Option<String> {
        match &*self.0 {
            Kind::StoreJournal { path, offset, problem } => {
                Some(format!("{} at byte {offset}: {problem}", path.display()))
            }
            Kind::StoreFolder { path, problem } => Some(format!("{} {problem}", path.display())),
            _ => None,
        }
    }

    /// What the engine of a store on disk found wrong with its files, where it was not kept from reading them.
    #[cfg(feature = "durable")]
    pub(crate) fn unreadable_store(&self) -> Option<String> {
        use ErrorKind::{InvalidData, InvalidInput, NotFound, UnexpectedEof};
        let Kind::Store { source, .. } = &*self.0 else { return None };
        // What the engine says of files has a cause of its own; of itself, and of a panic, it has none.
        source.source()?;
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source.as_ref());
        let mut said = String::new();
        while let Some(one) = cause {
            let kind = one.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            if !matches!(kind, None | Some(NotFound | UnexpectedEof | InvalidData | InvalidInput)) {
                return None;
            }
            said = one.to_string();
            cause = one.source();
        }
        Some(said)
    }

    #[cfg(feature = "durable")]
    /// Whether a store on disk is damaged in what was acknowledged.
    #[must_use]
    pub fn is_damaged_store(&self) -> bool {
        matches!(*self.0, Kind::StoreJournal { .. } | Kind::StoreFolder { .. })
    }

    #[cfg(feature = "durable")]
    /// Whether another process (or another handle of this one) has the store open.
    #[must_use]
    pub fn is_store_in_use(&self) -> bool {
        matches!(*self.0, Kind::StoreInUse { .. })
    }

    /// Whether the daemon's settings cannot be used, as they stand or together.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn is_settings(&self) -> bool {
        matches!(
            *self.0,
            Kind::SettingValue { .. }
                | Kind::SettingsFile { .. }
                | Kind::Settings { .. }
                | Kind::SourceSetting { .. }
        )
    }

    /// Whether somebody else listens on an address.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn is_address_in_use(&self) -> bool {
        matches!(*self.0, Kind::Address { is_in_use: true, .. })
    }

    /// Whether a deadline passed before the work was done.
    #[must_use]
    pub fn is_deadline(&self) -> bool {
        match *self.0 {
            Kind::Deadline { .. } => true,
            #[cfg(feature = "durable")]
            Kind::NotStoredInTime => true,
            _ => false,
        }
    }
}
