//! Datafiles for official SDKs that are pointed at this daemon, as Optimizely serves them.
//!
//! Must not know where datafiles come from.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get;

use super::answer::{By, JSON};
use super::app::App;
use super::environment::Environment;
use super::etag::Published;
use super::guard::Caller;
use super::refusal::Refusal;
use crate::clock::system_time_ms;
use crate::datafile::Datafile;

/// Whoever keeps it asks each time whether it is still the one.
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");

const BEARER: &str = "Bearer ";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/datafiles/{file}", get(datafile))
}

/// `GET /datafiles/{sdkKey}.json`; the token of an authenticated one as `Authorization: Bearer TOKEN`, as official
/// SDKs send it.
async fn datafile(
    State(app): State<Arc<App>>,
    caller: Caller,
    file: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let Path(file) = file.map_err(|_| Refusal::unknown_key())?;
    let key = file.strip_suffix(".json").ok_or_else(Refusal::not_found)?;
    let said = headers.get(AUTHORIZATION).and_then(|said| said.to_str().ok());
    let token = said.and_then(|said| said.strip_prefix(BEARER));
    serve(app.environments.by_key_and_token(key, token, &caller)?, &headers)
}

/// The datafile in force, or that it is the one that is known already.
pub(super) fn serve(
    environment: &Environment,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let published = published(environment).ok_or_else(Refusal::not_ready)?;
    let mut response = if published.is_known(headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let text = Bytes::from_owner(Text(Arc::clone(&published.datafile)));
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    };
    let head = response.headers_mut();
    head.insert(ETAG, published.etag.clone());
    head.insert(LAST_MODIFIED, published.last_modified.clone());
    head.insert(CACHE_CONTROL, ASK_FIRST);
    Ok(By(environment, published.datafile.revision(), response).into_response())
}

/// The datafile in force as it is published.
pub(super) fn published(environment: &Environment) -> Option<Arc<Published>> {
    let now_seconds = u64::try_from(system_time_ms() / 1000).unwrap_or_default();
    environment.published(now_seconds)
}

/// The text of a datafile, which is sent from where it is.
struct Text(Arc<Datafile>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.text().as_bytes()
    }
}
