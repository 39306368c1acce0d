//! Sinks by name, as settings say them: `file:PATH`, `stdout`, `webhook:URL`, `optimizely`,
//! `optimizely:URL`.
//!
//! Must not know where settings come from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::file::FileSink;
use super::hidden::without_secrets;
use super::mode::AttributionMode;
use super::sink::Sink;
use super::stdout_sink::StdoutSink;
use crate::error::Error;

const CHOICES: &str = "file:PATH, stdout, webhook:URL, optimizely or optimizely:URL";

/// What kind of sink, and where it goes. What it is printed as tells no secrets of an address, so that it
/// cannot always be read again.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkTarget {
    /// Lines of JSON, appended to a file: `file:PATH`.
    File(PathBuf),
    /// Lines of JSON on standard output: `stdout`.
    Stdout,
    /// Arrays of JSON, posted to an address: `webhook:URL`.
    Webhook(String),
    /// Optimizely's event API, at an address of its own or that of the project's region: `optimizely`,
    /// `optimizely:URL`.
    Optimizely(Option<String>),
}

impl SinkTarget {
    /// A sink of this kind with its default settings, in a mode, and signed with a secret where it is one
    /// that signs. Give it to [`ClientBuilder::sink`](crate::ClientBuilder::sink).
    ///
    /// # Errors
    ///
    /// If the address is none, or if this build has no sinks that post (feature `http`).
    pub fn build(
        &self,
        mode: AttributionMode,
        secret: Option<&str>,
    ) -> Result<Box<dyn Sink>, Error> {
        match self {
            Self::File(path) => Ok(Box::new(FileSink::new(path, mode))),
            Self::Stdout => Ok(Box::new(StdoutSink::new(mode))),
            Self::Webhook(url) => self.webhook(url, mode, secret),
            Self::Optimizely(url) => self.optimizely(url.as_ref(), mode),
        }
    }

    #[cfg(feature = "http")]
    fn webhook(
        &self,
        url: &str,
        mode: AttributionMode,
        secret: Option<&str>,
    ) -> Result<Box<dyn Sink>, Error> {
        use super::http::{WebhookSettings, WebhookSink};
        let secret = secret.map(str::to_owned);
        let settings = WebhookSettings { secret, mode, ..WebhookSettings::new(url) };
        Ok(Box::new(WebhookSink::new(settings)?))
    }

    #[cfg(feature = "http")]
    fn optimizely(
        &self,
        url: Option<&String>,
        mode: AttributionMode,
    ) -> Result<Box<dyn Sink>, Error> {
        use super::http::{EventApiSettings, EventApiSink};
        let settings = EventApiSettings { url: url.cloned(), mode, ..EventApiSettings::default() };
        Ok(Box::new(EventApiSink::new(settings)?))
    }

    #[cfg(not(feature = "http"))]
    fn webhook(
        &self,
        _: &str,
        _: AttributionMode,
        _: Option<&str>,
    ) -> Result<Box<dyn Sink>, Error> {
        Err(self.cannot_post())
    }

    #[cfg(not(feature = "http"))]
    fn optimizely(&self, _: Option<&String>, _: AttributionMode) -> Result<Box<dyn Sink>, Error> {
        Err(self.cannot_post())
    }

    #[cfg(not(feature = "http"))]
    fn cannot_post(&self) -> Error {
        Error::sink_target(self.to_string(), "posts, and this build cannot: add the feature `http`")
    }
}

impl FromStr for SinkTarget {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (kind, target) =
            text.split_once(':').map_or((text, None), |(kind, target)| (kind, Some(target)));
        let missing = |form: &str| {
            Err(Error::sink_target(told(text), format!("has no target: write {form}")))
        };
        match (kind, target.filter(|target| !target.is_empty())) {
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("file", None) => missing("file:PATH"),
            ("stdout", None) if target.is_none() => Ok(Self::Stdout),
            ("stdout", _) => Err(Error::sink_target(
                told(text),
                "has a target, and there is one standard output: write stdout",
            )),
            ("webhook", Some(url)) => Ok(Self::Webhook(checked(text, url)?)),
            ("webhook", None) => missing("webhook:URL"),
            ("optimizely", Some(url)) => Ok(Self::Optimizely(Some(checked(text, url)?))),
            ("optimizely", None) if target.is_none() => Ok(Self::Optimizely(None)),
            ("optimizely", None) => missing("optimizely or optimizely:URL"),
            // It may be the rest of an address that was cut.
            _ => {
                let told = told(text);
                Err(Error::choice("sink", told.split('=').next().unwrap_or_default(), CHOICES))
            }
        }
    }
}

/// An address that begins like one; what is wrong with the rest is said when the sink is built.
fn checked(text: &str, url: &str) -> Result<String, Error> {
    let is_address = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    if is_address {
        return Ok(url.to_owned());
    }
    Err(Error::sink_target(told(text), "has no address: write it like https://example.com/path"))
}

/// A setting that may hold secrets wherever somebody put an address, as it is told.
fn told(text: &str) -> String {
    match text.split_once(':') {
        Some((kind, target)) if !text.contains('@') => {
            format!("{kind}:{}", without_secrets(target))
        }
        _ => without_secrets(text),
    }
}

impl fmt::Display for SinkTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Stdout => formatter.write_str("stdout"),
            Self::Webhook(url) => write!(formatter, "webhook:{}", without_secrets(url)),
            Self::Optimizely(None) => formatter.write_str("optimizely"),
            Self::Optimizely(Some(url)) => write!(formatter, "optimizely:{}", without_secrets(url)),
        }
    }
}

impl fmt::Debug for SinkTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SinkTarget({self})")
    }
}
