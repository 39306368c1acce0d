//! `POST /ofrep/v1/evaluate/flags/{key}`: one flag, which the user is exposed to by it.
//!
//! Must not know how a decision is made. It always answers: where the store does not take the impression,
//! the metadata say `"recorded": false`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};

use super::asking::{Asking, key};
use super::context::Context;
use super::fault::Fault;
use super::flag::Answering;
use crate::client::DecideOptions;
use crate::server::answer::{By, Json};
use crate::server::app::App;

pub(super) async fn evaluate(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Fault> {
    let key = key(path)?;
    let asking = Asking::read(&app, request).await.map_err(|fault| fault.about(&key))?;
    answer(&app, &key, asking).map_err(|fault| fault.about(&key))
}

fn answer(app: &App, key: &str, mut asking: Asking) -> Result<Response, Fault> {
    let context = Context::taken_from(&mut asking.body)?;
    let environment = &asking.environment;
    let snapshot = environment.client.snapshot();
    let datafile = snapshot.datafile().ok_or_else(Fault::not_ready)?;
    let answering = Answering { datafile, context: &context, settings: &app.settings.ofrep };
    let user = context.user(&snapshot);
    // Who is given no value shows the user something of their own, which is no exposure.
    let unexposed = user.decide_with(key, DecideOptions::DISABLE_DECISION_EVENT);
    let has_value = answering.success(&unexposed).map(drop);
    if has_value.is_err() {
        environment.figures.decided(&unexposed);
    }
    has_value?;
    let decision = user.decide_with(key, options(&context));
    environment.figures.decided(&decision);
    let answer = answering.success(&decision)?;
    Ok(By(environment, datafile.revision(), Json(answer)).into_response())
}

/// Nobody is exposed where there is nobody.
pub(super) fn options(context: &Context) -> DecideOptions {
    match context.targeting_key {
        Some(_) => DecideOptions::NONE,
        None => DecideOptions::DISABLE_DECISION_EVENT,
    }
}
