//! The one error type of the crate: private kinds, real sources, messages that say what to do.
//!
//! Must not know anything else of this crate: sources arrive boxed, through named constructors.

mod kind;

#[cfg(feature = "durable")]
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kind::{Kind, Source};

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
    pub(crate) fn store_in_use(path: impl Into<PathBuf>, holder: String) -> Self {
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
