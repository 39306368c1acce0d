//! Which path of which listener is answered by what.
//!
//! Must not know how anything is answered. A new interface adds a line here and a file beside this one. The calls
//! that are asked most `direct` answers the same way without the router, unless there is more `around` it: a service
//! that is added here has to be known there, or belongs in that function.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;

use super::app::App;
use super::listener::Side;
use super::refusal::Refusal;
use super::{admin, agent, batch, datafiles, guard, health, hook, ofrep, openapi, tracking};
use crate::error::Error;
use crate::settings::CorsSettings;

/// All that a listener answers, behind the guard.
pub(super) fn of(side: Side, app: &Arc<App>) -> Result<Router, Error> {
    let answered = match side {
        Side::Api => {
            let own = agent::routes().merge(datafiles::routes()).merge(hook::routes());
            own.merge(ofrep::routes()).merge(tracking::routes())
        }
        Side::Admin => admin::routes(),
    };
    let answered = answered
        .merge(openapi::routes(side))
        .merge(guard::oauth(side))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .fallback(batch::unrouted)
        .method_not_allowed_fallback(|| async { Refusal::wrong_method() });
    let (catching, guarding) =
        (CatchPanicLayer::custom(panicked), guard::Guarding { app: Arc::clone(app), side });
    // The first is the outermost. One call, because each makes a copy of what it is about for every request.
    let answered = match around(side, app) {
        Some(cors) => answered.layer((catching, guard::cors(cors)?, guarding)),
        None => answered.layer((catching, guarding)),
    };
    Ok(answered.with_state(Arc::clone(app)))
}

/// What there is around a listener's router beyond the guard, if anything: then nothing is answered without it.
pub(super) fn around(side: Side, app: &App) -> Option<&CorsSettings> {
    app.settings.access.cors.as_ref().filter(|_| side == Side::Api)
}

/// What is answered where a handler panics: nothing of it.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    Refusal::defect().into_response()
}
