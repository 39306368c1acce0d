//! Answers: JSON that ends its line, and what an environment says of its datafile beside it.
//!
//! Must not know what was asked.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::ser::Serialize;

use super::environment::Environment;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// The revision of the datafile that answered.
const REVISION: HeaderName = HeaderName::from_static("variate-revision");
/// For how many seconds its source has not confirmed it.
const AGE: HeaderName = HeaderName::from_static("variate-datafile-age");

/// JSON with the end of the line, as Optimizely Agent sends it.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut text = Vec::with_capacity(256);
        if let Err(error) = serde_json::to_writer(&mut text, &self.0) {
            tracing::error!(%error, "an answer cannot be written as JSON");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        text.push(b'\n');
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    }
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
