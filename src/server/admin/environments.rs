//! `POST /environments/{name}/accept` and `/refresh`: what people tell a source to do.
//!
//! Must not know how sources are asked.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::reading::{work, work_in};
use super::told::Told;
use super::wire::{AcceptBody, EnvironmentAnswer};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;

/// How long who asks for it waits for the source.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

type Name = Result<Path<String>, PathRejection>;

/// Puts the lower revision in force that is held back.
pub(super) async fn accept(
    State(app): State<Arc<App>>,
    name: Name,
    Told(body): Told<AcceptBody>,
) -> Result<Response, Refusal> {
    let environment = named(&app, name)?;
    let answer = work(&app, move |_| {
        if environment.client.accept_datafile(&body.revision) {
            tracing::info!(environment = environment.name(), "a lower revision was accepted");
            return Ok(answer(&environment));
        }
        let status = environment.look();
        let held_back = status.and_then(|status| status.held_back);
        let text = match held_back {
            Some(held_back) => {
                format!("this revision is not held back: it is {:?} that is", &*held_back.revision)
            }
            None => "nothing is held back".to_owned(),
        };
        Err(Refusal::new(StatusCode::CONFLICT, text))
    });
    Ok(Json(answer.await?).into_response())
}

/// Has the source asked at once; with `wait=true`, says what came of it.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    name: Name,
    asked: Asked,
) -> Result<Response, Refusal> {
    asked.only(&[&["wait"]])?;
    let environment = named(&app, name)?;
    if !asked.is_true("wait") {
        environment.client.refresh();
        return Ok((StatusCode::ACCEPTED, Json(answer(&environment))).into_response());
    }
    let patience = LONGEST_WAIT.min(app.settings.limits.request_timeout.as_duration() / 2);
    let place = Arc::clone(&app.waits).try_acquire_owned();
    let place = place.map_err(|_| Refusal::too_many_waits())?;
    let answer = work_in(&app, place, move |_| {
        let was_asked = environment.client.refresh_and_wait(patience);
        Ok((was_asked, answer(&environment)))
    });
    let (was_asked, answer) = answer.await?;
    let status = if was_asked { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(answer)).into_response())
}

fn named(app: &App, name: Name) -> Result<Arc<Environment>, Refusal> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let found = app.environments.iter().find(|environment| environment.name() == name);
    found.cloned().ok_or_else(|| {
        let known: Vec<_> = app.environments.iter().map(|known| known.name()).collect();
        Refusal::not_there(format!(
            "there is no environment {name:?}: there is {}",
            known.join(", ")
        ))
    })
}

/// How an environment is doing.
pub(super) fn answer(environment: &Environment) -> EnvironmentAnswer {
    let status = environment.look();
    let status = status.as_ref();
    let text = |text: &str| text.to_owned();
    EnvironmentAnswer {
        name: environment.name().to_owned(),
        state: status.map_or("never-loaded", |status| status.readiness.as_str()),
        source: status.map(|status| text(&status.source)),
        revision: status.and_then(|status| status.revision.as_deref()).map(text),
        came_from: status.and_then(|status| status.came_from).map(|from| from.as_str()),
        age_seconds: status.and_then(|status| status.checked_ago_ms).map(|ago_ms| ago_ms / 1000),
        findings: status.map_or(0, |status| status.finding_count),
        held_back_revision: status
            .and_then(|status| status.held_back.as_ref())
            .map(|held_back| text(&held_back.revision)),
        // One that it has got over is history.
        problem: status
            .filter(|status| status.consecutive_failures > 0)
            .and_then(|status| status.last_problem.as_ref())
            .map(|problem| text(&problem.text)),
        last_attempt_at: status.and_then(|status| status.last_attempt_ms),
        last_success_at: status.and_then(|status| status.last_success_ms),
        last_change_at: status.and_then(|status| status.last_change_ms),
        next_attempt_at: status.and_then(|status| status.next_attempt_ms),
    }
}
