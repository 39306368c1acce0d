//! `GET /info`: what runs here, and since when.
//!
//! Must not know requests.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::wire::InfoAnswer;
use crate::server::answer::Json;
use crate::server::app::App;

pub(super) async fn info(State(app): State<Arc<App>>) -> Response {
    Json(InfoAnswer {
        app_name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: app.started.elapsed().as_secs(),
        environments: app.environments.iter().map(|one| one.name().to_owned()).collect(),
    })
    .into_response()
}
