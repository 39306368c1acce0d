//! What requests ask: parameters of the query, and a JSON body.
//!
//! Must not know who asks for what.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use serde::de::DeserializeOwned;

use super::app::App;
use super::body::{Sent, to_its_end, too_large};
use super::client_json;
use super::refusal::Refusal;
use super::unpacked::unpack;
use crate::settings::nearest;

/// So much of a name that is not known is told.
const LONGEST_SHOWN: usize = 100;

/// The parameters of the query, in their order; some come more than once.
#[derive(Debug, Default)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// Any text is a query: what is no UTF-8 is read as what stands for that.
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        if query.contains(['%', '+']) {
            return Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

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
        Ok(Self::of(&parts.uri))
    }
}

/// A JSON body; one that is empty says nothing.
#[derive(Debug)]
pub(super) struct Said<T>(pub(super) T);

impl<T: DeserializeOwned + Default> Said<T> {
    /// Reads one, which may not be larger than the settings have it.
    pub(super) async fn read<B>(app: &App, headers: &HeaderMap, body: B) -> Result<Self, Refusal>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let text = json_of(app, headers, body).await?;
        if text.is_empty() {
            return Ok(Self(T::default()));
        }
        let said = client_json::read::<Option<T>>(&text).map_err(|_| Refusal::unreadable_body())?;
        Ok(Self(said.unwrap_or_default()))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Arc<App>> for Said<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        Self::read(app, &head.headers, body).await
    }
}

/// The text of a JSON body; an empty one may be of any kind.
pub(super) async fn json_text(request: Request<Body>, app: &App) -> Result<Bytes, Refusal> {
    let (head, body) = request.into_parts();
    json_of(app, &head.headers, body).await
}

async fn json_of<B>(app: &App, headers: &HeaderMap, body: B) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let (most_bytes, is_json) = (app.settings.limits.body.bytes, is_json(headers));
    match to_its_end(body, most_bytes).await? {
        Sent::Whole(text) if text.is_empty() => Ok(text),
        Sent::Whole(text) if is_json => unpack(headers, text, most_bytes),
        Sent::Beginning(_) if is_json => Err(too_large(most_bytes)),
        Sent::Whole(_) | Sent::Beginning(_) => Err(not_json()),
    }
}

/// What a body gets that is not said to be JSON.
fn not_json() -> Refusal {
    Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body must be JSON: send Content-Type: application/json",
    )
}

/// Whether a body is said to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    const JSON: &str = "application/json";
    let Some(said) = headers.get(CONTENT_TYPE) else { return false };
    let text = said.to_str().unwrap_or_default();
    said == JSON || text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(JSON)
}
