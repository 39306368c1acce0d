//! `GET /problems`: what went wrong lately, the latest first.
//!
//! Must not know who notes it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::wire::{ProblemAnswer, ProblemsAnswer};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::problems::Problem;

pub(super) async fn problems(State(app): State<Arc<App>>) -> Response {
    let problems = app.problems.latest().into_iter().map(answer).collect();
    Json(ProblemsAnswer { problems }).into_response()
}

fn answer(problem: Problem) -> ProblemAnswer {
    let Problem { kind, about, text, first_at_ms, last_at_ms, count } = problem;
    ProblemAnswer {
        kind: kind.as_str(),
        about: about.into(),
        text: text.into(),
        first_at: first_at_ms,
        last_at: last_at_ms,
        count,
    }
}
