//! The administration: what people and their tools ask who look after the daemon.
//!
//! Must not know the interfaces of the API.

mod asked_for;
mod environments;
mod events;
mod export;
mod forget;
mod info;
mod letters;
mod metrics;
mod overrides;
mod page;
mod problems;
mod reading;
mod settings;
mod stats;
mod tail;
mod told;
mod verify;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(page::show))
        .route("/config", get(settings::settings))
        .route("/decide", post(page::decided))
        .route("/environments/{name}/accept", post(environments::accept))
        .route("/environments/{name}/refresh", post(environments::refresh))
        .route("/events", get(events::events))
        .route("/events/dead", get(letters::list))
        .route("/events/dead/drop", post(letters::drop_letters))
        .route("/events/dead/retry", post(letters::retry))
        .route("/events/export", get(export::export))
        .route("/events/forget", post(forget::forget))
        .route("/events/stats", get(stats::stats))
        .route("/events/tail", get(tail::tail))
        .route("/events/verify", get(verify::verify))
        .route("/info", get(info::info))
        .route("/metrics", get(metrics::metrics))
        .route("/overrides", get(overrides::list).delete(overrides::remove))
        .route("/problems", get(problems::problems))
        .route("/settings", get(settings::settings))
}
