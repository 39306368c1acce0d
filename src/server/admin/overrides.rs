//! `GET /overrides`: what is arranged for users, of all environments or one, and of all users or one.
//! `DELETE /overrides?environment=&userId=&experimentKey=` takes one back.
//!
//! Must not know where overrides are kept.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::wire::{OverrideListed, OverridesAnswer};
use crate::error::Error;
use crate::server::agent::OVERRIDES_SWITCHED_OFF;
use crate::server::answer::{Json, switched_off};
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;

const USUAL_LIMIT: u64 = 1000;
const MOST_AT_ONCE: u64 = 10_000;

pub(super) async fn list(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    if !app.settings.agent.overrides {
        return Ok(switched_off(&app, OVERRIDES_SWITCHED_OFF, "agent.overrides"));
    }
    asked.only(&[&["environment", "userId", "limit"]])?;
    let limit = asked.number("limit")?.unwrap_or(USUAL_LIMIT).clamp(1, MOST_AT_ONCE);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let environments: Vec<&Arc<Environment>> = match asked.first("environment") {
        Some(name) => vec![environment(&app, name)?],
        None => app.environments.iter().collect(),
    };
    let user_id = asked.first("userId");
    let mut overrides = Vec::new();
    let mut total = 0;
    for environment in environments {
        for one in environment.client.overrides() {
            if user_id.is_some_and(|user_id| *one.user_id != *user_id) {
                continue;
            }
            total += 1;
            if overrides.len() < limit {
                overrides.push(OverrideListed::new(environment.name(), one));
            }
        }
    }
    Ok(Json(OverridesAnswer { overrides, total }).into_response())
}

pub(super) async fn remove(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    if !app.settings.agent.overrides {
        return Ok(switched_off(&app, OVERRIDES_SWITCHED_OFF, "agent.overrides"));
    }
    asked.only(&[&["environment", "userId", "experimentKey"]])?;
    let given = |name: &str| {
        let missing =
            || Refusal::bad_request(format!("{name} is missing: add {name}=... to the query"));
        asked.first(name).map(str::to_owned).ok_or_else(missing)
    };
    let environment = Arc::clone(environment(&app, &given("environment")?)?);
    let (user_id, experiment_key) = (given("userId")?, given("experimentKey")?);
    let its = Arc::clone(&environment);
    let doing =
        tokio::spawn(
            async move { its.remove_override(&app.store, &user_id, &experiment_key).await },
        );
    let done = async {
        doing.await.unwrap_or_else(|error| Err(environment.not_stored(&Error::sink(error))))
    };
    let before = environment.in_time(done).await?;
    match before {
        Some(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        None => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "there is no such override: GET /overrides lists those that there are",
        )),
    }
}

fn environment<'a>(app: &'a App, name: &str) -> Result<&'a Arc<Environment>, Refusal> {
    let found = app.environments.iter().find(|environment| environment.name() == name);
    found.ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            format!("there is no environment {name:?}: GET /info lists those that there are"),
        )
    })
}
