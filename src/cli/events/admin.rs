//! The administration of a running daemon, over HTTP.
//!
//! Must not know what it is asked.

use std::io::{self, Read as _, Write};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;
use serde_json::Value;

use crate::cli::arguments::DaemonArguments;
use crate::cli::failure::Failure;
use crate::web::{LONGEST_CONNECTING, UNTRUSTED, USER_AGENT, WebAddress, trust};

/// How long an answer may take to begin, and each piece of it to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than this nobody copies.
const LONGEST_EXPORT: Duration = Duration::from_secs(7 * 24 * 3600);
const PIECE_BYTES: usize = 64 * 1024;

pub(super) struct Admin {
    client: Client,
    address: WebAddress,
    token: Option<String>,
}

impl Admin {
    pub(super) fn new(daemon: &DaemonArguments) -> Result<Self, Failure> {
        let text = daemon.admin.as_deref().unwrap_or_default();
        let address = WebAddress::parse(text)
            .map_err(|problem| Failure::usage(anyhow!("--admin {problem}")))?;
        let name = &address.name;
        let trusted = trust(&address).with_context(|| format!("{name} {UNTRUSTED}"));
        let client = Client::builder()
            .tls_backend_preconfigured(trusted.map_err(Failure::usage)?)
            .connect_timeout(LONGEST_CONNECTING)
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .user_agent(USER_AGENT);
        let client = if address.is_loopback() { client.no_proxy() } else { client };
        let client = client.build().context("the HTTP client does not start");
        let client = client.map_err(Failure::usage)?;
        Ok(Self { client, address, token: daemon.token.clone() })
    }

    /// What a question is answered.
    pub(super) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        self.read(self.client.get(self.url(path, query)))
    }

    /// What comes of a demand.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.client.post(self.url(path, &[]));
        let request = request.header("Content-Type", "application/json").body(body.to_string());
        self.read(request)
    }

    /// Copies an answer as it comes, however long it is.
    pub(super) fn copy(
        &self,
        path: &str,
        query: &[(&str, String)],
        output: &mut dyn Write,
        unwritable: impl Fn(io::Error) -> Failure,
    ) -> Result<(), Failure> {
        // An export takes its time; what is waited for is its next piece.
        let request = self.client.get(self.url(path, query)).timeout(LONGEST_EXPORT);
        let mut response = self.send(request)?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = response.read(&mut piece).map_err(|error| self.broken(error))?;
            let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
            output.write_all(read).map_err(&unwritable)?;
        }
        output.flush().map_err(unwritable)
    }

    fn read(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = self.send(request)?;
        let text = response.bytes().map_err(|error| self.broken(error.without_url()))?;
        serde_json::from_slice(&text).map_err(|error| self.broken(error))
    }

    fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let name = &self.address.name;
        let response = request.send().map_err(|error| {
            let error = anyhow::Error::from(error.without_url());
            Failure::unreachable(error.context(format!(
                "{name} cannot be asked: give the address of the administration as the daemon prints it, with https:// where it has a certificate, which this machine must trust (SSL_CERT_FILE)"
            )))
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().unwrap_or_default();
        let said = serde_json::from_str::<Value>(&text).ok();
        let said = said.and_then(|said| said.get("error")?.as_str().map(str::to_owned));
        let said = said.unwrap_or_else(|| format!("{name} answered {status}"));
        Err(match status.as_u16() {
            401 | 403 => Failure::usage(anyhow!("{said}: give a --token that may administer")),
            404 => Failure::unknown_key(said),
            400..500 => Failure::usage(anyhow!(said)),
            _ => Failure::unreachable(anyhow!(said)),
        })
    }

    fn broken(&self, error: impl Into<anyhow::Error>) -> Failure {
        let name = &self.address.name;
        let context = format!("the answer of {name} broke off, and is not whole: ask again");
        Failure::unreachable(error.into().context(context))
    }

    fn url(&self, path: &str, query: &[(&str, String)]) -> reqwest::Url {
        let mut url = self.address.url.clone();
        let before = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{before}{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}
