//! `POST /events/forget`: takes a user out of the ledger, and says what was there.
//!
//! Must not know how a row is kept. Records about the user stay until their time is over.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::asked_for::must_be_known;
use super::reading::work;
use super::told::Told;
use super::wire::{ForgetBody, ForgottenActivation, ForgottenAnswer};
use crate::attribution::Activation;
use crate::error::Error;
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::refusal::Refusal;
use crate::store::{HeldUser, Store as _};

pub(super) async fn forget(
    State(app): State<Arc<App>>,
    Told(body): Told<ForgetBody>,
) -> Result<Response, Refusal> {
    let answer = work(&app, move |app| {
        let ForgetBody { environment, user } = body;
        must_be_known(app, &environment)?;
        let held = app.store.held_user(&environment, &user);
        let held = held.map_err(|error| Refusal::unreadable(&error))?;
        let was_there = forget_in(app, &environment, &user);
        let was_there = was_there.map_err(|error| app.not_stored(&error))?;
        let Some(held) = held.or_else(|| was_there.then(HeldUser::default)) else {
            return Err(Refusal::not_there(format!(
                "the ledger holds nothing of this user in {environment}: look at the id's spelling"
            )));
        };
        Ok(ForgottenAnswer {
            environment,
            user_id: user,
            activations: held.activations.iter().map(forgotten).collect(),
            pending_events: held.pending_events,
        })
    });
    Ok(Json(answer.await?).into_response())
}

/// What an environment of this run keeps beside the store is forgotten, too.
fn forget_in(app: &App, environment: &str, user: &str) -> Result<bool, Error> {
    match app.environments.iter().find(|own| own.name() == environment) {
        Some(own) => {
            let profiles = own.profiles.as_ref();
            let had_profile = profiles.map_or(Ok(false), |profiles| profiles.forget(user))?;
            Ok(own.client.forget(user)? || had_profile)
        }
        None => app.store.forget(environment, user),
    }
}

fn forgotten(activation: &Activation) -> ForgottenActivation {
    ForgottenActivation {
        experiment_key: activation.shown.experiment_key.as_ref().to_owned(),
        variation_key: activation.shown.variation_key.as_ref().to_owned(),
        first_at: activation.first_ms,
    }
}
