//! `GET /settings`, and `/config` as Optimizely Agent calls it: what is in force, without secrets.
//!
//! Must not know what is a secret: who prints the settings hides them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::refusal::Refusal;

pub(super) async fn settings(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    // What is printed can be read.
    let read: Result<Value, _> = toml::from_str(&app.in_force.now().to_toml());
    let read = read.map_err(|_| Refusal::defect())?;
    Ok(Json(read).into_response())
}
