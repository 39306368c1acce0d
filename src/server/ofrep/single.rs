//! `POST /ofrep/v1/evaluate/flags/{key}`: one flag, which the user is exposed to by it.
//!
//! Must not know how a decision is made. It always answers: where the store does not take the impression,
//! the metadata say `"recorded": false`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::asking::Keyed;
use super::context::Context;
use super::fault::Fault;
use super::flag::Answering;
use crate::client::DecideOptions;
use crate::server::answer::{By, Json};
use crate::server::app::App;

pub(super) async fn evaluate(State(app): State<Arc<App>>, keyed: Keyed) -> Result<Response, Fault> {
    answer(&app, &keyed).map_err(|fault| fault.about(&keyed.key))
}

fn answer(app: &App, keyed: &Keyed) -> Result<Response, Fault> {
    let Keyed { key, asking, context } = keyed;
    let environment = &asking.environment;
    let snapshot = environment.client.snapshot();
    let datafile = snapshot.datafile().ok_or_else(Fault::not_ready)?;
    let has_profiles = environment.profiles.is_some();
    let answering = Answering { datafile, context, settings: &app.settings.ofrep, has_profiles };
    let user = context.user(&snapshot);
    let unsettled = user.decide_unsettled(datafile, key, options(context));
    // Who is given no value shows the user something of their own, which is no exposure.
    let has_value = answering.success(unsettled.decision()).is_ok();
    let decision = unsettled.settle(has_value);
    environment.figures.decided(&decision);
    let answer = answering.success(&decision)?;
    Ok(By(environment, datafile.revision(), Json(answer)).into_response())
}

/// Where there is nobody, nobody is exposed, and nobody has a profile: it would be that of all who have no id.
pub(super) fn options(context: &Context) -> DecideOptions {
    match context.targeting_key {
        Some(_) => DecideOptions::NONE,
        None => DecideOptions::DISABLE_DECISION_EVENT | DecideOptions::IGNORE_USER_PROFILE_SERVICE,
    }
}
