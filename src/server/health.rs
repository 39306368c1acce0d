//! Whether the process is alive, and whether it can do its work: two questions.
//!
//! Must not know metrics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::answer::Json;
use super::app::App;
use super::environment::Environment;
use super::guard::Caller;
use super::wire::{HealthAnswer, ReadyAnswer, ReadyEnvironment, ReadyStore};
use crate::source::{Readiness, SourceProblem};

/// Alive: whoever gets an answer knows.
pub(super) async fn health() -> Response {
    Json(HealthAnswer { status: "ok" }).into_response()
}

/// Able to work: every environment has a datafile, and the store takes what is recorded. A stale datafile
/// is told, and is no reason to take the daemon out of service: all others would be as stale.
pub(super) async fn ready(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let environments: Vec<_> = app.environments.iter().map(|one| environment(one)).collect();
    let is = |state: Readiness| {
        environments.iter().any(|environment| environment.state == state.as_str())
    };
    let is_refusing = app.store.refusal().is_some();
    let (status, code) = match (is(Readiness::NeverLoaded) || is_refusing, is(Readiness::Stale)) {
        (true, _) => ("not-ready", StatusCode::SERVICE_UNAVAILABLE),
        (false, true) => ("stale", StatusCode::OK),
        (false, false) => ("ready", StatusCode::OK),
    };
    let store = ReadyStore { state: if is_refusing { "refusing" } else { "ok" } };
    let known: Vec<_> = app
        .environments
        .iter()
        .zip(environments)
        .filter_map(|(one, told)| caller.reaches(one).then_some(told))
        .collect();
    // Whoever asks without a token may only know whether.
    if known.is_empty() {
        return (code, Json(HealthAnswer { status })).into_response();
    }
    (code, Json(ReadyAnswer { status, environments: known, store })).into_response()
}

fn environment(environment: &Environment) -> ReadyEnvironment {
    let status = environment.look();
    let status = status.as_ref();
    let readiness = status.map_or(Readiness::NeverLoaded, |status| status.readiness);
    let problem = |problem: &SourceProblem| problem.text.as_ref().to_owned();
    ReadyEnvironment {
        name: environment.name().to_owned(),
        state: readiness.as_str(),
        revision: status.and_then(|status| status.revision.as_deref()).map(str::to_owned),
        age_seconds: environment.age_seconds(),
        held_back_revision: status
            .and_then(|status| status.held_back.as_ref())
            .map(|held_back| held_back.revision.as_ref().to_owned()),
        // One that it has got over is history.
        problem: status
            .filter(|status| status.consecutive_failures > 0)
            .and_then(|status| status.last_problem.as_ref())
            .map(problem),
    }
}
