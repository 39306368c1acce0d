//! Where posts go, and what to call it without telling its secrets.
//!
//! Must not know what is posted.

use reqwest::Url;
use uuid::Uuid;

use crate::error::Error;

/// The namespace of hashes: UUIDv5 of `urn:variate:destination` in the URL namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0xf0fd_ac69_8341_5ea6_874c_3ee1_f98b_a611);
/// So many hexadecimal digits of them: too few to find out a secret by.
const HASH_DIGITS: usize = 8;

/// An address that posts can go to.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) url: Url,
    /// The address without user, password, query and fragment.
    pub(super) name: String,
    /// The same, and where it is to tell addresses apart that differ in what it leaves out, a hash of that.
    /// It says no more than whether two are the same.
    pub(super) distinct_name: String,
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
        let name = String::from(plain);
        let distinct_name = match hash_of_hidden(&url) {
            Some(hash) => format!("{name}~{hash}"),
            None => name.clone(),
        };
        Ok(Self { url, name, distinct_name })
    }

    /// Whether it is on this machine, where no proxy is to be asked.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

/// A hash of what is not told of an address, if there is anything.
fn hash_of_hidden(url: &Url) -> Option<String> {
    let (user, password, query) = (url.username(), url.password(), url.query());
    let query = query.filter(|query| !query.is_empty());
    if user.is_empty() && password.is_none() && query.is_none() {
        return None;
    }
    let hidden = (user, password.unwrap_or_default(), query.unwrap_or_default());
    let hash = Uuid::new_v5(&NAMESPACE, format!("{hidden:?}").as_bytes()).simple().to_string();
    hash.get(..HASH_DIGITS).map(str::to_owned)
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Destination").field(&self.name).finish()
    }
}
