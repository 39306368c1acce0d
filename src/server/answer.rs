//! Answers: their JSON, and what an environment says of its datafile beside it.
//!
//! Must not know what was asked.

use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::environment::Environment;
pub(super) use super::wire::{JSON, Json};

/// The revision of the datafile that answered.
const REVISION: HeaderName = HeaderName::from_static("variate-revision");
/// For how many seconds its source has not confirmed it.
const AGE: HeaderName = HeaderName::from_static("variate-datafile-age");

/// What Agent answers where something is switched off: words, not JSON.
pub(super) fn forbidden(text: &str) -> Response {
    let mut response = (StatusCode::FORBIDDEN, format!("{text}\n")).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The same, and told to who looks after the daemon: the words are Agent's, and name no setting.
pub(super) fn switched_off(app: &App, text: &'static str, setting: &'static str) -> Response {
    app.misses(setting);
    forbidden(text)
}

/// An answer by an environment's datafile of a revision.
#[derive(Debug)]
pub(super) struct By<'e, T>(pub(super) &'e Environment, pub(super) &'e str, pub(super) T);

impl<T: IntoResponse> IntoResponse for By<'_, T> {
    fn into_response(self) -> Response {
        let Self(environment, revision, answer) = self;
        let mut response = answer.into_response();
        let headers = response.headers_mut();
        // A revision may be any text; one that is fit for no header is in the bodies that have one.
        if let Ok(revision) = HeaderValue::from_str(revision) {
            headers.insert(REVISION, revision);
        }
        if let Some(seconds) = environment.age_seconds() {
            headers.insert(AGE, seconds.into());
        }
        response
    }
}
