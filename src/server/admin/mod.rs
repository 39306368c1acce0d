//! The administration: what people and their tools ask who look after the daemon.
//!
//! Must not know the interfaces of the API.

mod events;
mod info;
mod metrics;
mod overrides;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/events", get(events::events))
        .route("/info", get(info::info))
        .route("/metrics", get(metrics::metrics))
        .route("/overrides", get(overrides::list).delete(overrides::remove))
}
