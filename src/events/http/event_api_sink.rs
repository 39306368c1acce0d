//! The sink that posts to Optimizely's event API, as the SDKs' batch processors do.
//!
//! Must not know how bodies are made, or who retries.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use reqwest::header::HeaderMap;

use super::bodies::{batch_request, encode};
use super::destination::Destination;
use super::poster::Poster;
use crate::attribution::Record;
use crate::error::Error;
use crate::events::batch::{Batch, Encoded};
use crate::events::mode::AttributionMode;
use crate::events::sink::{Pace, Sink, Undelivered};

/// How an [`EventApiSink`] posts.
#[derive(Clone)]
pub struct EventApiSettings {
    /// Where it posts to. Default: the event API of the region of each record's project.
    pub url: Option<String>,
    /// In `activated` mode, the default, conversions are sent with their decisions, and only if they have
    /// any; in `backend` mode as today's SDKs send them.
    pub mode: AttributionMode,
    /// How long a request may take, from connecting to the end of the answer. Default 10 s.
    pub timeout: Duration,
    /// The size of batches, and how it is asked again. Default: 500 records or 1 MiB (the event API takes
    /// 3.5 MB), after one second at the latest.
    pub pace: Pace,
}

/// Without the address, which may hold a secret.
impl std::fmt::Debug for EventApiSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EventApiSettings")
            .field("has_url", &self.url.is_some())
            .field("mode", &self.mode)
            .field("timeout", &self.timeout)
            .field("pace", &self.pace)
            .finish()
    }
}

impl Default for EventApiSettings {
    fn default() -> Self {
        Self {
            url: None,
            mode: AttributionMode::default(),
            timeout: Duration::from_secs(10),
            pace: Pace { batch_age: Duration::from_secs(1), ..Pace::default() },
        }
    }
}

/// Posts records to Optimizely's event API, or to something that speaks like it: one request a batch,
/// one visitor a record. A batch is of one account, project, revision and mode. The mode is in the sink's
/// name, so that one of each can run side by side; of an address with a user, a password or a query, a hash
/// of these is, too.
#[derive(Debug)]
pub struct EventApiSink {
    name: String,
    settings: EventApiSettings,
    /// In the place of any region.
    custom: Option<Destination>,
    /// The regions' own.
    regions: HashMap<String, Destination>,
    poster: Poster,
}

impl EventApiSink {
    /// A sink that posts by these settings.
    ///
    /// # Errors
    ///
    /// If the address is none.
    pub fn new(settings: EventApiSettings) -> Result<Self, Error> {
        let custom = settings.url.as_deref().map(Destination::new).transpose()?;
        let kind = match settings.mode {
            AttributionMode::Activated => "optimizely",
            AttributionMode::Backend => "optimizely-backend",
        };
        let name = match &custom {
            Some(destination) => format!("{kind}:{}", destination.distinct_name),
            None => kind.to_owned(),
        };
        let poster = Poster::new(settings.timeout);
        Ok(Self { name, settings, custom, regions: HashMap::new(), poster })
    }
}

impl Sink for EventApiSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn pace(&self) -> Pace {
        self.settings.pace
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        encode(record, self.settings.mode)
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        let Some((url, body)) = batch_request(batch.context(), batch.texts()) else {
            return Err(Undelivered::refused("it was not made for the event API"));
        };
        if let Some(custom) = &self.custom {
            return self.poster.post(custom, HeaderMap::new(), body);
        }
        let region = match self.regions.entry(url.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Destination::new(url)?),
        };
        self.poster.post(region, HeaderMap::new(), body)
    }
}
