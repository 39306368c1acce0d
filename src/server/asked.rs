//! What requests ask: parameters of the query, and a JSON body.
//!
//! Must not know who asks for what.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use serde::de::DeserializeOwned;

use super::app::App;
use super::refusal::Refusal;
use crate::settings::nearest;

/// So much of a name that is not known is told.
const LONGEST_SHOWN: usize = 100;

/// The parameters of the query, in their order; some come more than once.
#[derive(Debug, Default)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// All values of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter; an empty one is none.
    pub(super) fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// Refuses a parameter that nobody reads, which would be a question that is not answered.
    pub(super) fn only(&self, known: &[&[&str]]) -> Result<(), Refusal> {
        let known = known.concat();
        let wrong = self.0.iter().find(|(name, _)| !known.contains(&name.as_str()));
        let Some((name, _)) = wrong else { return Ok(()) };
        let remedy = match nearest(name, known.iter().copied()) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None if known.is_empty() => "leave it out".to_owned(),
            None => format!("use one of {}", known.join(", ")),
        };
        let shown: String = name.chars().take(LONGEST_SHOWN).collect();
        Err(Refusal::bad_request(format!("there is no parameter {shown:?}: {remedy}")))
    }

    /// Whether a parameter says `true`.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.first(name) == Some("true")
    }

    /// A number, if the parameter is given; an empty one is none that could be meant.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let read = |text: &str| {
            text.parse().map_err(|_| {
                Refusal::bad_request(format!(
                    "{name} {text:?} is no whole number from 0: write digits"
                ))
            })
        };
        self.all(name).next().map(read).transpose()
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Any text is a query: what is no UTF-8 is read as what stands for that.
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

/// A JSON body; one that is empty says nothing.
#[derive(Debug)]
pub(super) struct Said<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<App>> for Said<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Refusal> {
        let text = json_text(request, app).await?;
        if text.is_empty() {
            return Ok(Self(T::default()));
        }
        let read = serde_json::from_slice::<Option<T>>(&text);
        let said = read.map_err(|_| Refusal::bad_request("error parsing request body"))?;
        Ok(Self(said.unwrap_or_default()))
    }
}

/// The text of a JSON body; an empty one may be of any kind.
pub(super) async fn json_text(request: Request<Body>, app: &App) -> Result<Bytes, Refusal> {
    let is_json = is_json(request.headers());
    let is_empty = request.body().is_end_stream();
    if !is_json && !is_empty {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON: send Content-Type: application/json",
        ));
    }
    whole(request.into_body(), app.settings.limits.body.bytes).await
}

/// Whether a body is said to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// A whole body, which may not be larger than this.
pub(super) async fn whole(body: Body, most_bytes: u64) -> Result<Bytes, Refusal> {
    let too_large = || {
        let text = format!("the body is larger than {most_bytes} bytes: send less at once");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    };
    let most = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    // What says that it is too large is not read at all.
    if body.size_hint().lower() > most_bytes {
        return Err(too_large());
    }
    to_bytes(body, most).await.map_err(|error| {
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            if error.to_string().contains("length limit") {
                return too_large();
            }
            cause = error.source();
        }
        Refusal::bad_request("error reading request body")
    })
}
