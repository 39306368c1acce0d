//! Where posts go, and what to call it without telling its secrets.
//!
//! Must not know what is posted.

use reqwest::Url;

use crate::error::Error;

/// An address that posts can go to.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) url: Url,
    /// The address without user, password, query and fragment.
    pub(super) name: String,
}

impl Destination {
    /// Reads an address.
    pub(super) fn new(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text).map_err(|error| {
            Error::sink_target(
                text,
                format!("is no URL ({error}): write it like https://example.com/path"),
            )
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            let problem = "is no address of the web: write it like https://example.com/path";
            return Err(Error::sink_target(text, problem));
        }
        let mut plain = url.clone();
        plain.set_query(None);
        plain.set_fragment(None);
        // Addresses of the web have a host, so that they can have these, and lose them.
        plain.set_username("").unwrap_or_default();
        plain.set_password(None).unwrap_or_default();
        Ok(Self { url, name: plain.into() })
    }

    /// Whether it is on this machine, where no proxy is to be asked.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Destination").field(&self.name).finish()
    }
}
