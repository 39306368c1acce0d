//! The interface of Optimizely Agent, as its clients see it.
//!
//! Must not know other interfaces. Kept are shapes, status codes, error bodies and reason texts; lists have
//! a stable order: what was asked for in the order in which it was asked for, else as in the datafile.

mod activate;
mod chosen;
mod config;
mod decide;
mod notifications;
mod odp;
mod overrides;
mod profiles;
mod track;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};

pub(super) use self::activate::activate;
pub(super) use self::chosen::Chosen;
pub(super) use self::decide::decide;
pub(super) use self::overrides::SWITCHED_OFF as OVERRIDES_SWITCHED_OFF;
pub(super) use self::track::track;
pub(super) use self::wire::{ReasonsAnswer, VariablesAnswer};
use super::app::App;
use super::datafiles;
use super::refusal::Refusal;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/activate", post(activate))
        .route("/v1/config", get(config::config))
        .route("/v1/datafile", get(datafile))
        .route("/v1/decide", post(decide))
        .route("/v1/lookup", post(profiles::lookup))
        .route("/v1/notifications/event-stream", get(notifications::stream))
        .route("/v1/override", post(overrides::set))
        .route("/v1/save", post(profiles::save))
        .route("/v1/send-odp-event", post(odp::send))
        .route("/v1/track", post(track))
}

/// `GET /v1/datafile`: the datafile in force.
async fn datafile(
    State(_): State<Arc<App>>,
    Chosen(environment): Chosen,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    datafiles::serve(&environment, &headers)
}
