//! The interface of Optimizely Agent, as its clients see it.
//!
//! Must not know other interfaces. Kept are shapes, status codes, error bodies and reason texts; lists have
//! a stable order: what was asked for in the order in which it was asked for, else as in the datafile.

mod activate;
mod chosen;
mod config;
mod decide;
mod track;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};

use self::chosen::Chosen;
use super::app::App;
use super::datafiles;
use super::refusal::Refusal;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/activate", post(activate::activate))
        .route("/v1/config", get(config::config))
        .route("/v1/datafile", get(datafile))
        .route("/v1/decide", post(decide::decide))
        .route("/v1/track", post(track::track))
}

/// `GET /v1/datafile`: the datafile in force.
async fn datafile(
    State(_): State<Arc<App>>,
    Chosen(environment): Chosen,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    datafiles::serve(&environment, &headers)
}
