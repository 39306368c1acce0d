//! The sink that posts records to an address of yours, signed.
//!
//! Must not know who retries.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

use super::bodies::push_array;
use super::destination::Destination;
use super::poster::Poster;
use crate::attribution::Record;
use crate::clock::system_time_ms;
use crate::error::Error;
use crate::events::batch::{Batch, Encoded};
use crate::events::mode::AttributionMode;
use crate::events::sink::{Pace, Sink, Undelivered};
use crate::events::stdout_sink::encode_line;

const TIMESTAMP: HeaderName = HeaderName::from_static("variate-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("variate-signature");

/// How a [`WebhookSink`] posts.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where it posts to.
    pub url: String,
    /// The secret that requests are signed with; without one they are not. Default: none.
    pub secret: Option<String>,
    /// In `activated` mode, the default, it leaves out events without credits.
    pub mode: AttributionMode,
    /// How long a request may take, from connecting to the end of the answer. Default 10 s.
    pub timeout: Duration,
    /// The size of batches, and how it is asked again. Default: 500 records or 1 MiB, after one second at
    /// the latest.
    pub pace: Pace,
}

impl WebhookSettings {
    /// To an address, everything else by default.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            secret: None,
            mode: AttributionMode::default(),
            timeout: Duration::from_secs(10),
            pace: Pace { batch_age: Duration::from_secs(1), ..Pace::default() },
        }
    }
}

/// Neither the secret nor those in the address.
impl std::fmt::Debug for WebhookSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WebhookSettings")
            .field("is_signed", &self.secret.is_some())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// Posts batches of records to an address: a JSON array of records ([`record_json`](super::super::record_json)).
///
/// Each request has a header `Variate-Timestamp`, the time of sending in seconds since the epoch, and, with
/// a secret, `Variate-Signature: v1=` and the HMAC-SHA256, in hexadecimal digits, of the timestamp, a dot
/// and the body. Check the signature over the bytes as they came, and refuse old timestamps.
///
/// Its name is its address without user, password and query; where there are such, with a hash of them
/// behind it, so that the store keeps sinks apart that differ in nothing else. A sink with a new password
/// is a new one to the store, and begins with the oldest record that is still there.
#[derive(Debug)]
pub struct WebhookSink {
    name: String,
    settings: WebhookSettings,
    destination: Destination,
    poster: Poster,
}

impl WebhookSink {
    /// A sink that posts by these settings.
    ///
    /// # Errors
    ///
    /// If the address is none.
    pub fn new(settings: WebhookSettings) -> Result<Self, Error> {
        let mut destination = Destination::new(&settings.url)?;
        destination.keep_secret(settings.secret.as_slice());
        let name = format!("webhook:{}", destination.distinct_name);
        let poster = Poster::new(settings.timeout);
        Ok(Self { name, settings, destination, poster })
    }

    fn headers(&self, timestamp: &str, body: &str) -> Result<HeaderMap, Error> {
        let bad = |error: reqwest::header::InvalidHeaderValue| Error::sink(error);
        let mut headers = HeaderMap::new();
        headers.insert(TIMESTAMP, HeaderValue::from_str(timestamp).map_err(bad)?);
        if let Some(secret) = &self.settings.secret {
            let signature = sign(secret, timestamp, body).map_err(Error::sink)?;
            headers.insert(SIGNATURE, HeaderValue::from_str(&signature).map_err(bad)?);
        }
        Ok(headers)
    }
}

impl Sink for WebhookSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn pace(&self) -> Pace {
        self.settings.pace
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        encode_line(self.settings.mode, record)
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        let mut body = String::with_capacity(batch.bytes() + batch.len() + 2);
        push_array(&mut body, batch.texts());
        let timestamp = (system_time_ms() / 1000).to_string();
        let headers = self.headers(&timestamp, &body)?;
        self.poster.post(&self.destination, headers, body)
    }
}

fn sign(secret: &str, timestamp: &str, body: &str) -> Result<String, hmac::digest::InvalidLength> {
    let mut code = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    code.update(timestamp.as_bytes());
    code.update(b".");
    code.update(body.as_bytes());
    let mut signature = "v1=".to_owned();
    for byte in code.finalize().into_bytes() {
        // Writing to text cannot fail.
        write!(signature, "{byte:02x}").unwrap_or_default();
    }
    Ok(signature)
}
