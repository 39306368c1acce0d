//! An address of the web, and what to call it without telling its secrets.
//!
//! Must not know who asks there.

use reqwest::Url;

/// An address of the web.
#[derive(Clone)]
pub(crate) struct WebAddress {
    pub(crate) url: Url,
    /// The address without user, password, query and fragment.
    pub(crate) name: String,
}

impl WebAddress {
    /// Reads an address; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| {
            format!("is no URL ({error}): write it like https://example.com/path")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(
                "is no address of the web: write it like https://example.com/path".to_owned()
            );
        }
        let mut plain = url.clone();
        plain.set_query(None);
        plain.set_fragment(None);
        // Addresses of the web have a host, so that they can have these, and lose them.
        plain.set_username("").unwrap_or_default();
        plain.set_password(None).unwrap_or_default();
        Ok(Self { url, name: plain.into() })
    }

    /// Whether it asks for TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is on this machine, where no proxy is to be asked.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

impl std::fmt::Debug for WebAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("WebAddress").field(&self.name).finish()
    }
}
