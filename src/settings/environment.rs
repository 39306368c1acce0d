//! The settings of an environment: where its datafile comes from, and what becomes of its events.
//!
//! Must not know how datafiles are got.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::agent::AgentSettings;
use super::print::without_secrets;
use super::values::Span;
use crate::error::Error;
use crate::events::AttributionMode;
use crate::source::{SdkKey, Source};

/// Where a datafile is: a path, or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatafilePlace {
    /// A file.
    File(PathBuf),
    /// An address that begins with `http://` or `https://`; `%s` in it stands for the SDK key.
    Url(String),
}

/// `[NAME=]PATH|URL`, as on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDatafile {
    /// The environment's name, if it was given.
    pub name: Option<String>,
    /// Where its datafile is.
    pub place: DatafilePlace,
}

/// `[NAME=]KEY` or `[NAME=]KEY:TOKEN`, as on the command line.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedSdkKey {
    /// The environment's name, if it was given.
    pub name: Option<String>,
    /// Its SDK key.
    pub sdk_key: SdkKey,
}

/// The settings of an environment. It has a datafile's place, or an SDK key, or both.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvironmentSettings {
    /// Its name, which separates its ledger from those of others. Default: the datafile's environment
    /// key, else its SDK key, else the file's name.
    pub name: Option<String>,
    /// Where its datafile is. Default: at Optimizely, by its SDK key.
    pub datafile: Option<DatafilePlace>,
    /// The SDK key by which clients choose it, beside that of its datafile.
    pub sdk_key: Option<SdkKey>,
    /// How often its source is asked. Default: an address as all are, a file every 2 seconds.
    pub poll_interval: Option<Span>,
    /// Who attributes its events, as far as sinks do not say it themselves. Default: as everywhere.
    pub attribution: Option<AttributionMode>,
    /// What Optimizely signs its webhook with that tells of a new datafile. Default: as everywhere.
    pub datafile_webhook_secret: Option<String>,
}

impl EnvironmentSettings {
    pub(super) const fn new(name: Option<String>) -> Self {
        Self {
            name,
            datafile: None,
            sdk_key: None,
            poll_interval: None,
            attribution: None,
            datafile_webhook_secret: None,
        }
    }

    /// An environment with a datafile at a place.
    #[must_use]
    pub fn of_datafile(NamedDatafile { name, place }: NamedDatafile) -> Self {
        Self { datafile: Some(place), ..Self::new(name) }
    }

    /// An environment whose datafile is got by its SDK key.
    #[must_use]
    pub fn of_sdk_key(NamedSdkKey { name, sdk_key }: NamedSdkKey) -> Self {
        Self { sdk_key: Some(sdk_key), ..Self::new(name) }
    }

    /// Refuses an empty name, which would be one that nobody can tell.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.name.as_deref() == Some("") {
            let datafile = Self { name: None, ..self.clone() }.shown();
            return Err(Error::settings(format!(
                "the name of the environment with {datafile} is empty: give it one, or leave it out"
            )));
        }
        Ok(())
    }

    /// With the secret of all webhooks, where it has none of its own.
    #[must_use]
    pub fn with_datafile_webhook_secret(&self, agent: &AgentSettings) -> Self {
        let own = self.datafile_webhook_secret.as_ref();
        let secret = own.or(agent.datafile_webhook_secret.as_ref()).cloned();
        Self { datafile_webhook_secret: secret, ..self.clone() }
    }

    /// What to call it in messages.
    #[must_use]
    pub fn shown(&self) -> String {
        match (&self.name, &self.datafile, &self.sdk_key) {
            (Some(name), ..) => name.clone(),
            (None, Some(DatafilePlace::File(path)), _) => path.display().to_string(),
            (None, Some(DatafilePlace::Url(url)), _) => without_secrets(url),
            (None, None, Some(sdk_key)) => sdk_key.key().to_owned(),
            (None, None, None) => "without a name".to_owned(),
        }
    }

    /// Its source. An address is asked at its own interval, else at this one; without an address of its
    /// own, at this template.
    ///
    /// # Errors
    ///
    /// If it has neither a datafile nor an SDK key.
    pub fn source(&self, poll_interval: Span, template: Option<&str>) -> Result<Source, Error> {
        let own_interval = self.poll_interval;
        let interval_ms = own_interval.unwrap_or(poll_interval).as_ms().unsigned_abs();
        let url = match (&self.datafile, &self.sdk_key) {
            (Some(DatafilePlace::File(path)), _) => {
                let file = Source::file(path);
                let own_ms = own_interval.map(|interval| interval.as_ms().unsigned_abs());
                return Ok(own_ms.map_or(file.clone(), |own_ms| file.interval_ms(own_ms)).into());
            }
            (Some(DatafilePlace::Url(url)), Some(key)) if url.contains("%s") => {
                Source::url(url).sdk_key(key.with_token())
            }
            // The key is what clients say, and no part of the address.
            (Some(DatafilePlace::Url(url)), key) => {
                let source = Source::url(url);
                let token = key.as_ref().and_then(SdkKey::token);
                token.map_or(source.clone(), |token| source.token(token))
            }
            (None, Some(key)) => {
                let source = Source::sdk_key(key.with_token());
                template.map_or(source.clone(), |template| source.template(template))
            }
            (None, None) => {
                let problem = "has neither a datafile nor an SDK key: give it one";
                return Err(Error::setting_value("environment", self.shown(), problem));
            }
        };
        Ok(url.interval_ms(interval_ms).into())
    }
}

/// Nothing is refused here: what is no address is a path.
impl FromStr for DatafilePlace {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_url = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
        Ok(if is_url { Self::Url(text.to_owned()) } else { Self::File(text.into()) })
    }
}

impl FromStr for NamedDatafile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = text.split_once('=').filter(|(name, _)| !name.contains(['/', ':', '\\']));
        let (name, place) = named.map_or((None, text), |(name, place)| (Some(name), place));
        if name == Some("") || place.is_empty() {
            return Err(Error::setting_value("datafile", text, "write PATH, URL or NAME=PATH"));
        }
        let Ok(place) = place.parse();
        Ok(Self { name: name.map(str::to_owned), place })
    }
}

impl FromStr for NamedSdkKey {
    type Err = Error;

    /// A key that ends in `=` needs a name before it: alone, it looks like a name whose key is empty.
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = text.split_once('=');
        let (name, sdk_key) = named.map_or((None, text), |(name, key)| (Some(name), key));
        let remedy = "write KEY, KEY:TOKEN or NAME=KEY";
        if name == Some("") {
            return Err(Error::setting_value("SDK key", "=...", remedy));
        }
        if name.is_some() && sdk_key.trim_matches('=').is_empty() {
            return Err(Error::setting_value("SDK key", "NAME=", remedy));
        }
        Ok(Self { name: name.map(str::to_owned), sdk_key: sdk_key.parse()? })
    }
}

impl fmt::Display for DatafilePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Url(url) => formatter.pad(url),
        }
    }
}

/// Without what is secret.
impl fmt::Debug for EnvironmentSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EnvironmentSettings")
            .field("name", &self.name)
            .field(
                "datafile",
                &self.datafile.as_ref().map(|place| without_secrets(&place.to_string())),
            )
            .field("sdk_key", &self.sdk_key)
            .field("poll_interval", &self.poll_interval)
            .field("attribution", &self.attribution)
            .finish_non_exhaustive()
    }
}

/// Without the token.
impl fmt::Debug for NamedSdkKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NamedSdkKey")
            .field("name", &self.name)
            .field("sdk_key", &self.sdk_key)
            .finish()
    }
}
