//! Keys that are published: asked for again and again, and the last good ones kept.
//!
//! Must not know claims.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, decode_header};
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::watch;

use super::ciphers::algorithms_of;
use crate::error::Error;
use crate::server::app::App;
use crate::server::current::Current;
use crate::server::problems::{ProblemKind, Problems};
use crate::web::{LONGEST_CONNECTING, UNTRUSTED, USER_AGENT, WebAddress, problem_of, trust};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Where it failed, it is asked again sooner.
const AFTER_A_FAILURE: Duration = Duration::from_secs(10);
/// Larger answers hold no keys.
const MOST_BYTES: usize = 1024 * 1024;
const NO_KEY: &str =
    "has no key with a name (kid) and a known algorithm, so that no token is good: publish one";

/// Some publish a key once for each algorithm, under one name.
type ByName = HashMap<String, Vec<Key>>;

/// A key, and the only algorithm that it is for where it says that.
#[derive(Debug, Clone)]
struct Key {
    key: DecodingKey,
    only_for: Option<Algorithm>,
}

#[derive(Debug)]
pub(super) struct Published {
    address: WebAddress,
    interval: Duration,
    client: Client,
    /// By their names (`kid`).
    keys: Arc<Current<ByName>>,
}

impl Published {
    pub(super) fn new(url: &str, interval: Duration, before: Option<&Self>) -> Result<Self, Error> {
        let wrong = |problem: String| Error::settings(format!("jwks_url {problem}"));
        let address = WebAddress::parse(url).map_err(wrong)?;
        let trusted = trust(&address).map_err(|error| wrong(format!("{UNTRUSTED} ({error})")))?;
        let client = Client::builder()
            .tls_backend_preconfigured(trusted)
            .connect_timeout(LONGEST_CONNECTING)
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .user_agent(USER_AGENT);
        let client = if address.is_loopback() { client.no_proxy() } else { client };
        let client = client.build().map_err(|error| wrong(error.without_url().to_string()))?;
        let same = before.filter(|before| before.address.url == address.url);
        let keys = same.map(|before| Arc::clone(&before.keys)).unwrap_or_default();
        Ok(Self { address, interval, client, keys })
    }

    /// The key that a token names, and the algorithms that belong to it.
    pub(super) fn key_of(&self, token: &str) -> Option<(DecodingKey, Vec<Algorithm>)> {
        let header = decode_header(token).ok()?;
        let keys = self.keys.now();
        let is_for_it = |key: &&Key| {
            key.only_for.is_none_or(|only| only == header.alg)
                && algorithms_of(key.key.family()).contains(&header.alg)
        };
        let found = keys.get(header.kid.as_deref()?)?.iter().find(is_for_it)?;
        Some((found.key.clone(), vec![header.alg]))
    }

    /// Asks once; gives whether there were keys. A set without any takes back those before it.
    async fn ask(&self, problems: &Problems) -> bool {
        let address = &self.address.name;
        match self.fetch().await {
            Ok(keys) => {
                let count = keys.len();
                self.keys.replace(keys);
                if count == 0 {
                    tracing::warn!(address, problem = NO_KEY, "no keys for tokens: none is good");
                    problems.note(ProblemKind::Keys, address, NO_KEY);
                } else {
                    tracing::debug!(address, keys = count, "keys for tokens");
                }
                count > 0
            }
            Err(problem) => {
                let kept = self.keys.now().len();
                problems.note(ProblemKind::Keys, address, &problem);
                tracing::warn!(address, problem, kept, "no keys for tokens: the last ones stay");
                false
            }
        }
    }

    async fn fetch(&self) -> Result<ByName, String> {
        let failed = |error: reqwest::Error| problem_of(&error, TIMEOUT);
        let mut answer = self.client.get(self.address.url.clone()).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("answered {}: check the address", answer.status()));
        }
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if text.len() + chunk.len() > MOST_BYTES {
                return Err(format!("sent more than {MOST_BYTES} bytes: check the address"));
            }
            text.extend_from_slice(&chunk);
        }
        let set: JwkSet = serde_json::from_slice(&text)
            .map_err(|_| "sent no set of keys (JWKS): check the address".to_owned())?;
        let mut keys = ByName::new();
        for (name, key) in set.keys.iter().filter_map(usable) {
            keys.entry(name).or_default().push(key);
        }
        Ok(keys)
    }
}

/// A key and its name; `None` for one that checks no signatures here.
fn usable(jwk: &Jwk) -> Option<(String, Key)> {
    let name = jwk.common.key_id.clone()?;
    let key = DecodingKey::from_jwk(jwk).ok()?;
    // What it is for in words that are not known here is its publisher's own, or a newer name.
    let known = jwk.common.key_algorithm.filter(|name| *name != KeyAlgorithm::UNKNOWN_ALGORITHM);
    let only_for = known.map(Algorithm::try_from).transpose().ok()?;
    // A secret that is published is none.
    (key.family() != AlgorithmFamily::Hmac).then_some((name, Key { key, only_for }))
}

/// Asks until it is to stop, for what is in force then.
pub(in crate::server) async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let mut reloaded = app.reloaded.subscribe();
    loop {
        let asked = async {
            match published(&app) {
                Some(published) if published.ask(&app.problems).await => published.interval,
                Some(published) => published.interval.min(AFTER_A_FAILURE),
                None => Duration::MAX,
            }
        };
        let pause = tokio::select! {
            pause = asked => pause,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = reloaded.changed() => {}
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
        }
    }
}

fn published(app: &App) -> Option<Arc<Published>> {
    app.guard.now().jwts.as_ref()?.published().cloned()
}
