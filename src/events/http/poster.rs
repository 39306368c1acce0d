//! Posting a body: the client, its connections, and what the answer means.
//!
//! Must not know what is in the body.

use std::io::Read;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;

use super::answer;
use super::destination::Destination;
use crate::error::Error;
use crate::events::sink::Undelivered;
use crate::web::{LONGEST_CONNECTING, UNTRUSTED, USER_AGENT, WebAddress, problem_of, trust};

/// So much of an answer is read: enough to tell people, and mostly all, so that the connection is kept.
const MOST_ANSWER_BYTES: u64 = 16 << 10;

/// Posts to one destination. The client is made by the first post: making it inside of a caller's async
/// runtime is not allowed.
pub(super) struct Poster {
    timeout: Duration,
    client: Option<Client>,
}

/// Without the client, which may know the addresses of proxies.
impl std::fmt::Debug for Poster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Poster").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Poster {
    pub(super) const fn new(timeout: Duration) -> Self {
        Self { timeout, client: None }
    }

    /// Posts JSON; success is any 2xx.
    pub(super) fn post(
        &mut self,
        destination: &Destination,
        headers: HeaderMap,
        body: String,
    ) -> Result<(), Undelivered> {
        let client = match self.client.take() {
            Some(client) => client,
            None => new_client(&destination.address)?,
        };
        let request = client
            .post(destination.address.url.clone())
            // Of the whole answer: the client's own is of each piece of it.
            .timeout(self.timeout)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .headers(headers)
            .body(body);
        let sent = request.send();
        self.client = Some(client);
        match sent {
            Ok(response) => judge(destination, response),
            Err(error) => {
                let problem = problem_of(&error, self.timeout);
                let error = error.without_url();
                Err(Error::destination(destination.name(), problem, Some(error.into())).into())
            }
        }
    }
}

/// What the answer means. Once its head is here it is decided: whether the rest arrives changes nothing.
fn judge(destination: &Destination, response: Response) -> Result<(), Undelivered> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut text = Vec::new();
    response.take(MOST_ANSWER_BYTES).read_to_end(&mut text).unwrap_or_default();
    answer::judge(destination, status, &headers, &text)
}

fn new_client(destination: &WebAddress) -> Result<Client, Error> {
    let trusted = trust(destination)
        .map_err(|error| Error::destination(&destination.name, UNTRUSTED, Some(error.into())))?;
    let client = Client::builder()
        .tls_backend_preconfigured(trusted)
        .connect_timeout(LONGEST_CONNECTING)
        .timeout(None)
        .redirect(Policy::none())
        .no_gzip()
        .user_agent(USER_AGENT);
    let client = if destination.is_loopback() { client.no_proxy() } else { client };
    client.build().map_err(|error| {
        let problem = "cannot be posted to, since the HTTP client does not start";
        Error::destination(&destination.name, problem, Some(error.without_url().into()))
    })
}
