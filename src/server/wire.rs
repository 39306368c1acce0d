//! JSON that ends its line, and bodies that several endpoints have in common.
//!
//! Must not know who sends them.

pub(super) mod batch;
pub(super) mod frame;
pub(super) mod hook;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

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

#[derive(Debug, Serialize)]
pub(super) struct ErrorAnswer<'a> {
    pub(super) error: &'a str,
}

/// Whether the process is alive, or ready, in one word.
#[derive(Debug, Serialize)]
pub(super) struct HealthAnswer {
    pub(super) status: &'static str,
}

/// Whether the daemon can do its work, and what is in the way.
#[derive(Debug, Serialize)]
pub(super) struct ReadyAnswer {
    pub(super) status: &'static str,
    pub(super) environments: Vec<ReadyEnvironment>,
    pub(super) store: ReadyStore,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadyEnvironment {
    pub(super) name: String,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held_back_revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReadyStore {
    pub(super) state: &'static str,
}
