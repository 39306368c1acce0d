//! Where posts go: what to call it, and what not to tell of it, also where others do.
//!
//! Must not know what is posted.

use reqwest::Url;
use uuid::Uuid;

use crate::error::Error;
use crate::events::hidden::{HIDDEN, without_secrets};
use crate::web::WebAddress;

/// The namespace of hashes: UUIDv5 of `urn:variate:destination` in the URL namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0xf0fd_ac69_8341_5ea6_874c_3ee1_f98b_a611);
/// So many hexadecimal digits of them: too few to find out a secret by.
const HASH_DIGITS: usize = 8;
/// What has fewer bytes is no secret, and stands in many words.
const SHORTEST_SECRET: usize = 4;

/// An address that posts can go to.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) address: WebAddress,
    /// Its name, and where that leaves something out, a hash of it, to tell addresses apart that differ in
    /// nothing else. It says no more than whether two are the same.
    pub(super) distinct_name: String,
    /// What must not be told, also where somebody else says it: longer ones first.
    secrets: Vec<String>,
}

impl Destination {
    /// Reads an address.
    pub(super) fn new(text: &str) -> Result<Self, Error> {
        let address = WebAddress::parse(text)
            .map_err(|problem| Error::sink_target(without_secrets(text), problem))?;
        let distinct_name = match hash_of_hidden(&address.url) {
            Some(hash) => format!("{}~{hash}", address.name),
            None => address.name.clone(),
        };
        let mut destination = Self { address, distinct_name, secrets: Vec::new() };
        destination.keep_secret(&secrets_of(&destination.address.url));
        Ok(destination)
    }

    /// What to call it in words.
    pub(super) fn name(&self) -> &str {
        &self.address.name
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
        formatter.debug_tuple("Destination").field(&self.distinct_name).finish()
    }
}
