//! `GET /v1/config`: what SDKs call OptimizelyConfig.
//!
//! Must not know the datafile: the client has this view of it.

mod wire;

use axum::response::{IntoResponse as _, Response};

use self::wire::ConfigAnswer;
use super::chosen::Chosen;
use crate::server::answer::{By, Json};
use crate::server::refusal::Refusal;

pub(super) async fn config(Chosen(environment): Chosen) -> Result<Response, Refusal> {
    let config = environment.client.config().ok_or_else(Refusal::not_ready)?;
    let answer = Json(ConfigAnswer::new(&config));
    Ok(By(&environment, &config.revision, answer).into_response())
}
