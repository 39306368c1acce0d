//! How an address is chosen as a source.
//!
//! Must not know how it is asked.

use std::time::Duration;

use reqwest::header::HeaderValue;

use super::UrlOrigin;
use super::address::{AUTHENTICATED, PUBLIC, filled, shown};
use crate::error::Error;
use crate::source::acceptance::Order;
use crate::source::desk::About;
use crate::source::sdk_key::SdkKey;
use crate::source::settings::{
    DEFAULT_MAX_BYTES, checked_interval, default_stale_after_ms, fingerprint,
};
use crate::source::status::CameFrom;
use crate::web::WebAddress;

const SHORTEST_INTERVAL_MS: u64 = 1_000;

/// An address that gives a datafile, asked again and again.
///
/// What has not changed is not sent again (`ETag` and `Last-Modified`). A numerically lower revision than
/// the one in force is held back until somebody accepts it. After a failure it is asked again soon, then
/// at growing intervals, up to a minute or its own, and not before it wants to be (`Retry-After`).
#[derive(Clone)]
#[must_use]
pub struct UrlSource {
    address: Option<String>,
    sdk_key: Option<String>,
    token: Option<String>,
    interval_ms: u64,
    timeout_ms: u64,
    stale_after_ms: Option<u64>,
    max_bytes: u64,
    accepts_lower_revisions: bool,
}

impl UrlSource {
    pub(in crate::source) const fn new(address: Option<String>, sdk_key: Option<String>) -> Self {
        Self {
            address,
            sdk_key,
            token: None,
            interval_ms: 60_000,
            timeout_ms: 10_000,
            stale_after_ms: None,
            max_bytes: DEFAULT_MAX_BYTES,
            accepts_lower_revisions: false,
        }
    }

    /// The SDK key, which stands in the address in the place of `%s`; with a token behind a colon where
    /// the datafile is authenticated.
    pub fn sdk_key(mut self, sdk_key: impl Into<String>) -> Self {
        self.sdk_key = Some(sdk_key.into());
        self
    }

    /// The address, with `%s` in the place of the SDK key. Default: Optimizely's,
    /// `https://cdn.optimizely.com/datafiles/%s.json`, or for keys with a token
    /// `https://config.optimizely.com/datafiles/auth/%s.json`.
    pub fn template(mut self, template: impl Into<String>) -> Self {
        self.address = Some(template.into());
        self
    }

    /// The token of an authenticated datafile, sent as `Authorization: Bearer`. Default: that of the SDK
    /// key.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How often it is asked; each time a little sooner or later, so that many do not ask together.
    /// Default 60 000 ms; at least 1000.
    pub const fn interval_ms(mut self, interval_ms: u64) -> Self {
        self.interval_ms = interval_ms;
        self
    }

    /// How long asking may take, from connecting to the end of the datafile. Default 10 000 ms.
    pub const fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// After how long without an answer that can be used ("not modified" is one) the datafile in force
    /// counts as stale. Default: 10 minutes, or three intervals where that is longer; `u64::MAX` is never.
    pub const fn stale_after_ms(mut self, stale_after_ms: u64) -> Self {
        self.stale_after_ms = Some(stale_after_ms);
        self
    }

    /// How large the datafile may be, packed or unpacked. Default 32 MiB.
    pub const fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Whether lower revisions than the one in force are taken like all others. Default: they are held
    /// back.
    pub const fn accept_lower_revisions(mut self, accepts: bool) -> Self {
        self.accepts_lower_revisions = accepts;
        self
    }

    /// The SDK key without its token; without one, the last part of the address, without what says its kind.
    pub(in crate::source) fn key_or_stem(&self) -> Option<String> {
        if let Some(sdk_key) = &self.sdk_key {
            return Some(sdk_key.parse::<SdkKey>().ok()?.key().to_owned());
        }
        let address = WebAddress::parse(self.address.as_deref()?).ok()?;
        let last = address.url.path_segments()?.next_back()?;
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        (!stem.is_empty()).then(|| stem.to_owned())
    }

    pub(in crate::source) fn open(self) -> Result<(About, UrlOrigin), Error> {
        let sdk_key = self.sdk_key.as_deref().map(str::parse::<SdkKey>).transpose()?;
        let token = self.token.as_deref().or_else(|| sdk_key.as_ref().and_then(SdkKey::token));
        let standard = if token.is_some() { AUTHENTICATED } else { PUBLIC };
        let template = self.address.as_deref().unwrap_or(standard);
        let name = shown(template);
        let wrong = |problem: String| Error::source_setting(&*name, problem);
        let text = filled(template, sdk_key.as_ref().map(SdkKey::key)).map_err(wrong)?;
        let address = WebAddress::parse(&text).map_err(wrong)?;
        checked_interval(&name, self.interval_ms, SHORTEST_INTERVAL_MS)?;
        if self.timeout_ms == 0 {
            return Err(wrong("cannot answer within 0 ms: give it some time".to_owned()));
        }
        let authorization = token.map(bearer).transpose().map_err(wrong)?;
        let stale_after_ms =
            self.stale_after_ms.unwrap_or_else(|| default_stale_after_ms(self.interval_ms));
        let about = About {
            fingerprint: fingerprint("url", &text),
            name: name.clone(),
            gives: CameFrom::Network,
            order: if self.accepts_lower_revisions { Order::Any } else { Order::Rising },
            stale_after_ms,
        };
        let origin = UrlOrigin {
            address,
            name,
            has_key: sdk_key.is_some(),
            authorization,
            interval: Duration::from_millis(self.interval_ms),
            timeout: Duration::from_millis(self.timeout_ms),
            most_bytes: self.max_bytes,
            asker: None,
        };
        Ok((about, origin))
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
        "cannot be asked with this token: give one without line ends and the like".to_owned()
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Neither the key nor the token, nor secrets in the address.
impl std::fmt::Debug for UrlSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("UrlSource")
            .field("address", &self.address.as_deref().map(shown))
            .field("has_sdk_key", &self.sdk_key.is_some())
            .field("has_token", &self.token.is_some())
            .field("interval_ms", &self.interval_ms)
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}
