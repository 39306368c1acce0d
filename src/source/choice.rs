//! Which source a client is given.
//!
//! Must not know how any of them works.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::acceptance::Order;
use super::desk::About;
use super::file::{FileOrigin, FileSource};
use super::settings::fingerprint;
use super::signals::Signals;
use super::status::CameFrom;
use super::supplied::{Fetched, FetchedText, Trouble, Validators};
use super::tally::NEVER_STALE;
#[cfg(feature = "http")]
use super::url::{UrlOrigin, UrlSource};
use crate::back_off::BackOff;
use crate::error::Error;

/// Where datafiles come from.
///
/// ```
/// # use variate::source::Source;
/// let from_a_file = Source::file("datafiles/shop.json");
/// let in_the_program = Source::embedded(include_bytes!("../../datafiles/shop.json"));
/// # #[cfg(feature = "http")]
/// let from_optimizely = Source::sdk_key("KXCDLrFvTMgX").interval_ms(30_000);
/// # #[cfg(feature = "http")]
/// let from_elsewhere = Source::url("https://example.com/flags/%s.json").sdk_key("KXCDLrFvTMgX");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Source(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Embedded(EmbeddedSource),
    File(FileSource),
    #[cfg(feature = "http")]
    Url(Box<UrlSource>),
}

/// A datafile that is the program's own.
#[derive(Clone)]
struct EmbeddedSource {
    text: Arc<[u8]>,
}

/// What is asked, by whom it is asked.
#[derive(Debug)]
pub(super) enum Origin {
    /// Asked once.
    Embedded(Arc<[u8]>),
    File(FileOrigin),
    #[cfg(feature = "http")]
    Url(Box<UrlOrigin>),
}

impl Source {
    /// A datafile that is part of the program, and never changes.
    pub fn embedded(text: impl AsRef<[u8]>) -> Self {
        Self(Kind::Embedded(EmbeddedSource { text: text.as_ref().into() }))
    }

    /// A file.
    pub fn file(path: impl Into<PathBuf>) -> FileSource {
        FileSource::new(path.into())
    }

    /// An address; with `%s` in the place of the SDK key, if it is one for many.
    #[cfg(feature = "http")]
    pub fn url(url: impl Into<String>) -> UrlSource {
        UrlSource::new(Some(url.into()), None)
    }

    /// The datafile that Optimizely serves for an SDK key: `KEY`, or `KEY:TOKEN` for an authenticated one.
    #[cfg(feature = "http")]
    pub fn sdk_key(sdk_key: impl Into<String>) -> UrlSource {
        UrlSource::new(None, Some(sdk_key.into()))
    }

    /// What an environment is called whose datafile does not say it, and may not be there yet.
    pub(super) fn environment(&self) -> Option<String> {
        match &self.0 {
            Kind::Embedded(_) => None,
            Kind::File(file) => file.stem(),
            #[cfg(feature = "http")]
            Kind::Url(url) => url.key_or_stem(),
        }
    }

    /// What tells it from every other source, also in what is kept of it.
    #[cfg(feature = "server")]
    pub(crate) fn fingerprint(&self) -> Result<Box<str>, Error> {
        Ok(self.clone().open()?.0.fingerprint)
    }

    /// Checks the settings.
    pub(super) fn open(self) -> Result<(About, Origin), Error> {
        Ok(match self.0 {
            Kind::Embedded(EmbeddedSource { text }) => {
                let about = About {
                    name: "embedded".into(),
                    fingerprint: fingerprint("embedded", ""),
                    gives: CameFrom::Embedded,
                    order: Order::Any,
                    stale_after_ms: NEVER_STALE,
                };
                (about, Origin::Embedded(text))
            }
            Kind::File(file) => {
                let (about, origin) = file.open()?;
                (about, Origin::File(origin))
            }
            #[cfg(feature = "http")]
            Kind::Url(url) => {
                let (about, origin) = url.open()?;
                (about, Origin::Url(Box::new(origin)))
            }
        })
    }
}

impl Origin {
    /// Whether it gives at once what it has.
    pub(super) const fn is_at_hand(&self) -> bool {
        match self {
            Self::Embedded(_) | Self::File(_) => true,
            #[cfg(feature = "http")]
            Self::Url(_) => false,
        }
    }

    /// Asks it. Addresses are told what they gave for the text in force, and can be broken off.
    #[cfg_attr(
        not(feature = "http"),
        expect(unused_variables, reason = "only addresses need to know them")
    )]
    pub(super) fn fetch(
        &mut self,
        validators: &Validators,
        signals: &Signals,
    ) -> Result<Fetched, Trouble> {
        match self {
            Self::Embedded(text) => Ok(Fetched::Text(FetchedText::plain(text.to_vec()))),
            Self::File(file) => file.fetch(),
            #[cfg(feature = "http")]
            Self::Url(url) => url.fetch(validators, signals),
        }
    }

    /// How often it is asked.
    pub(super) const fn interval(&self) -> Duration {
        match self {
            Self::Embedded(_) => Duration::MAX,
            Self::File(file) => file.interval(),
            #[cfg(feature = "http")]
            Self::Url(url) => url.interval(),
        }
    }

    /// How it is left alone after failures, where others ask it, too.
    pub(super) fn back_off(&self) -> Option<BackOff> {
        match self {
            Self::Embedded(_) | Self::File(_) => None,
            #[cfg(feature = "http")]
            Self::Url(url) => Some(url.back_off()),
        }
    }
}

impl From<FileSource> for Source {
    fn from(file: FileSource) -> Self {
        Self(Kind::File(file))
    }
}

#[cfg(feature = "http")]
impl From<UrlSource> for Source {
    fn from(url: UrlSource) -> Self {
        Self(Kind::Url(Box::new(url)))
    }
}

impl std::fmt::Debug for EmbeddedSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmbeddedSource").field("bytes", &self.text.len()).finish()
    }
}
