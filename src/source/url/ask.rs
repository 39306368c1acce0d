//! Asking an address once: the connection, the limits, and breaking it off when nobody needs it any more.
//!
//! Must not know what is in the text. The request is driven by a runtime of this thread's own, so that
//! it works inside and outside of a caller's, and that the end of the source ends the request at once.

use std::future::Future;
use std::time::Duration;

use reqwest::header::{
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Request, RequestBuilder, Response, StatusCode, Url};
use tokio::runtime::{Builder, Runtime};

use super::words::Words;
use crate::clock::system_time_ms;
use crate::source::signals::Signals;
use crate::source::supplied::{Fetched, FetchedText, Trouble, Validators};
use crate::web::{
    LONGEST_CONNECTING, UNTRUSTED, USER_AGENT, WebAddress, retry_after, trust_on_the_way,
};

const MOST_REDIRECTS: usize = 5;

#[derive(Debug)]
pub(super) struct Asker {
    client: Client,
    /// Only ever taken by the end.
    runtime: Option<Runtime>,
}

impl Asker {
    /// The error says why nothing can be asked.
    pub(super) fn new(address: &WebAddress, timeout: Duration) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            format!("cannot be asked, since no runtime starts ({error}): raise the limit on files")
        })?;
        let trusted =
            trust_on_the_way(address).map_err(|error| format!("{UNTRUSTED} ({error})"))?;
        let client = Client::builder()
            .tls_backend_preconfigured(trusted)
            .connect_timeout(LONGEST_CONNECTING.min(timeout))
            .timeout(timeout)
            .redirect(Policy::custom(follow))
            // Nobody drives a connection between two times of asking.
            .pool_max_idle_per_host(0)
            .user_agent(USER_AGENT);
        let client = if address.is_loopback() { client.no_proxy() } else { client };
        let client = client.build().map_err(|error| {
            let error = error.without_url();
            format!("cannot be asked, since the HTTP client does not start ({error})")
        })?;
        Ok(Self { client, runtime: Some(runtime) })
    }

    pub(super) fn request(&self, url: Url, headers: HeaderMap) -> RequestBuilder {
        self.client.get(url).headers(headers)
    }

    pub(super) fn ask(
        &self,
        request: RequestBuilder,
        most_bytes: u64,
        words: &Words<'_>,
        signals: &Signals,
    ) -> Result<Fetched, Trouble> {
        let request = request.build().map_err(|error| words.failed(error))?;
        let is_conditional = [IF_NONE_MATCH, IF_MODIFIED_SINCE]
            .iter()
            .any(|condition| request.headers().contains_key(condition));
        let client = self.client.clone();
        let answer = self.drive(exchange(client, request, most_bytes), signals);
        let Answer { status, headers, bytes } = match answer {
            Some(Ok(answer)) => answer,
            Some(Err(Failed::Request(error))) => return Err(words.failed(error)),
            Some(Err(Failed::TooLarge)) => return Err(words.too_large(most_bytes)),
            None => return Err(words.trouble("was not asked: it is over")),
        };
        match status {
            StatusCode::OK => Ok(Fetched::Text(FetchedText {
                bytes,
                validators: Validators {
                    etag: text_of(&headers, ETAG),
                    last_modified: text_of(&headers, LAST_MODIFIED),
                },
                said_to_be: text_of(&headers, CONTENT_TYPE)
                    .filter(|kind| !kind.contains("json"))
                    .map(String::from),
            })),
            StatusCode::NOT_MODIFIED if is_conditional => Ok(Fetched::Confirmed),
            status => {
                let retry_after = retry_after(&headers, system_time_ms());
                Err(Trouble { text: words.refused(status), retry_after })
            }
        }
    }

    /// Runs to the end, or until it is over; `None` then.
    fn drive<T: Send + 'static>(
        &self,
        exchange: impl Future<Output = T> + Send + 'static,
        signals: &Signals,
    ) -> Option<T> {
        let runtime = self.runtime.as_ref()?;
        let task = runtime.spawn(exchange);
        if signals.note_under_way(Some(task.abort_handle())) {
            task.abort();
        }
        let answer = runtime.block_on(task);
        signals.note_under_way(None);
        match answer {
            Ok(answer) => Some(answer),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => None,
        }
    }
}

/// A name that is being looked up cannot be broken off, and is not waited for.
impl Drop for Asker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// Of a success only: what goes with a failure is not read.
    bytes: Vec<u8>,
}

enum Failed {
    Request(reqwest::Error),
    TooLarge,
}

async fn exchange(client: Client, request: Request, most_bytes: u64) -> Result<Answer, Failed> {
    let response = client.execute(request).await.map_err(Failed::Request)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes =
        if status == StatusCode::OK { body(response, most_bytes).await? } else { Vec::new() };
    Ok(Answer { status, headers, bytes })
}

async fn body(mut response: Response, most_bytes: u64) -> Result<Vec<u8>, Failed> {
    if response.content_length().is_some_and(|length| length > most_bytes) {
        return Err(Failed::TooLarge);
    }
    let mut bytes = Vec::new();
    // A body that ends before its announced length is an error here.
    while let Some(chunk) = response.chunk().await.map_err(Failed::Request)? {
        if (bytes.len() as u64).saturating_add(chunk.len() as u64) > most_bytes {
            return Err(Failed::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let was_secure = attempt.previous().iter().any(|url| url.scheme() == "https");
    if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error("too many redirects")
    } else if was_secure && attempt.url().scheme() != "https" {
        attempt.error("a redirect from https to http")
    } else {
        attempt.follow()
    }
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<Box<str>> {
    headers.get(name)?.to_str().ok().map(Into::into)
}
