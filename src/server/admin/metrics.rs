//! `GET /metrics`: the figures, in the text form of Prometheus.
//!
//! Must not know what is counted: `figures` has the names.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

use super::reading::read;
use crate::server::app::App;
use crate::server::figures::count;
use crate::server::refusal::Refusal;

const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    // The store is read for some of it.
    let page = read(&app, |app| Ok(app.figures.with(|| count(app)))).await?;
    let mut response = Response::new(Body::from(page));
    response.headers_mut().insert(CONTENT_TYPE, PROMETHEUS);
    Ok(response)
}
