//! The settings of a sink.
//!
//! Must not know how anything is delivered.

use std::fmt;

use super::values::Size;
use crate::error::Error;
use crate::events::{AttributionMode, FileSettings, FileSink, Sink, SinkTarget};

/// The settings of a sink.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkSettings {
    /// What kind of sink, and where it goes.
    pub to: SinkTarget,
    /// What a webhook is signed with. Default: the secret of all webhooks, if there is one.
    pub secret: Option<String>,
    /// Who attributes the events that it is sent. Default: as each environment has it.
    pub attribution: Option<AttributionMode>,
    /// A file is rotated before it would grow beyond this. Default: never.
    pub rotate_at: Option<Size>,
    /// A file is rotated before records that were received on another day (UTC). Default: no.
    pub rotate_daily: bool,
}

impl SinkSettings {
    /// A sink with defaults.
    #[must_use]
    pub const fn new(to: SinkTarget) -> Self {
        Self { to, secret: None, attribution: None, rotate_at: None, rotate_daily: false }
    }

    /// Whether it is rotated at all.
    const fn is_rotated(&self) -> bool {
        self.rotate_at.is_some() || self.rotate_daily
    }

    /// The sink in a mode, and signed with a secret where it is one that signs.
    pub(crate) fn build(
        &self,
        mode: AttributionMode,
        secret: Option<&str>,
    ) -> Result<Box<dyn Sink>, Error> {
        let SinkTarget::File(path) = &self.to else { return self.to.build(mode, secret) };
        let most_bytes = self.rotate_at.map(|size| size.bytes);
        let settings = FileSettings {
            mode,
            most_bytes,
            is_daily: self.rotate_daily,
            ..FileSettings::default()
        };
        Ok(Box::new(FileSink::with(path, settings)))
    }
}

/// Refuses two sinks that go to one place, where all would arrive twice, and what cannot be rotated or signed.
pub(super) fn check(sinks: &[SinkSettings]) -> Result<(), Error> {
    let cannot = |sink: &&SinkSettings| {
        let is_file = matches!(sink.to, SinkTarget::File(_));
        sink.is_rotated() && !is_file || sink.rotate_at.is_some_and(|size| size.bytes == 0)
    };
    if let Some(wrong) = sinks.iter().find(cannot) {
        return Err(Error::settings(format!(
            "sink {} cannot be rotated so: give rotate_at a size such as 100MiB, and only to a file",
            wrong.to
        )));
    }
    let is_signed =
        |sink: &&SinkSettings| sink.secret.is_some() && !matches!(sink.to, SinkTarget::Webhook(_));
    if let Some(wrong) = sinks.iter().find(is_signed) {
        return Err(Error::settings(format!(
            "sink {} signs nothing: give a secret only to a webhook, or leave it out",
            wrong.to
        )));
    }
    for (before, sink) in sinks.iter().enumerate() {
        let place = place(&sink.to);
        let mut later = sinks.iter().enumerate().skip(before + 1);
        if let Some((later, _)) = later.find(|(_, other)| self::place(&other.to) == place) {
            return Err(Error::settings(format!(
                "sink {} and sink {} both go to {}, where all would arrive twice: leave one of them out",
                before + 1,
                later + 1,
                sink.to
            )));
        }
    }
    Ok(())
}

/// Where a sink goes: a file has many paths.
fn place(to: &SinkTarget) -> SinkTarget {
    match to {
        SinkTarget::File(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            // It may not be there yet.
            let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
            let by_folder = folder.zip(path.file_name()).map(|(folder, name)| folder.join(name));
            SinkTarget::File(path.canonicalize().ok().or(by_folder).unwrap_or(path))
        }
        other => other.clone(),
    }
}

/// Without the secret.
impl fmt::Debug for SinkSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SinkSettings")
            .field("to", &self.to)
            .field("has_secret", &self.secret.is_some())
            .field("attribution", &self.attribution)
            .field("rotate_at", &self.rotate_at)
            .field("rotate_daily", &self.rotate_daily)
            .finish()
    }
}
