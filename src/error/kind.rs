//! What can go wrong, and in which words.
//!
//! Must not know who asks: errors are made and told apart by the predicates of [`Error`].

use std::io::ErrorKind;
use std::path::PathBuf;

#[cfg(feature = "durable")]
use super::Error;

pub(super) type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub(super) enum Kind {
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
