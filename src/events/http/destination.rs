//! Where posts go, and what to call it without telling its secrets.
//!
//! Must not know what is posted.

use reqwest::Url;
use uuid::Uuid;

use crate::error::Error;
use crate::events::hidden::{HIDDEN, without_secrets};

/// The namespace of hashes: UUIDv5 of `urn:variate:destination` in the URL namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0xf0fd_ac69_8341_5ea6_874c_3ee1_f98b_a611);
/// So many hexadecimal digits of them: too few to find out a secret by.
const HASH_DIGITS: usize = 8;
/// What has fewer bytes is no secret, and stands in many words.
const SHORTEST_SECRET: usize = 4;

/// An address that posts can go to.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) url: Url,
    /// The address without user, password, query and fragment.
    pub(super) name: String,
    /// The same, and where it is to tell addresses apart that differ in what it leaves out, a hash of that.
    /// It says no more than whether two are the same.
    pub(super) distinct_name: String,
    /// What must not be told, also where somebody else says it: longer ones first.
    secrets: Vec<String>,
}

impl Destination {
    /// Reads an address.
    pub(super) fn new(text: &str) -> Result<Self, Error> {
        let told = || without_secrets(text);
        let url = Url::parse(text).map_err(|error| {
            let problem = format!("is no URL ({error}): write it like https://example.com/path");
            Error::sink_target(told(), problem)
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            let problem = "is no address of the web: write it like https://example.com/path";
            return Err(Error::sink_target(told(), problem));
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
        let mut destination = Self { url, name, distinct_name, secrets: Vec::new() };
        destination.keep_secret(&secrets_of(&destination.url));
        Ok(destination)
    }

    /// Does not tell these either.
    pub(super) fn keep_secret(&mut self, secrets: &[String]) {
        let long = secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET);
        self.secrets.extend(long.cloned());
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// A text of somebody else's without the secrets.
    pub(super) fn told(&self, text: &str) -> String {
        let hide = |text: String, secret: &String| text.replace(secret, HIDDEN);
        self.secrets.iter().fold(text.to_owned(), hide)
    }

    /// Whether it is on this machine, where no proxy is to be asked.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

/// The secrets in an address, as they stand there and as they are meant.
fn secrets_of(url: &Url) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut plain = url.clone();
    for hidden in [Some(url.username()), url.password(), url.query()].into_iter().flatten() {
        let parts =
            hidden.split('&').map(|part| part.split_once('=').map_or(part, |(_, value)| value));
        secrets.extend(parts.map(str::to_owned));
        plain.set_query(Some(hidden));
        for (name, value) in plain.query_pairs() {
            secrets.push(if value.is_empty() { name } else { value }.into_owned());
        }
    }
    secrets
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
