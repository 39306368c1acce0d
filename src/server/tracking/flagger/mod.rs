//! Flagger: what its clients are told of flags, and what they report of what they showed and saw.
//!
//! Must not know the attribution rule. `flags` says a datafile as Flagger's model can, `given` and
//! `audience` what a rule gives and to whom, `finding` what cannot be said; `config` and `stream` hand it
//! out, and `ingest` takes what comes back, which `reading` reads. Clients choose
//! variations by a hash of their own, so that they show others than this engine would: what counts is what
//! they report to have shown.

mod audience;
mod config;
mod finding;
mod flags;
mod given;
mod ingest;
mod reading;
mod stream;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::routing::{get, post};

pub(in crate::server) use self::config::Configs;
use super::keys::{self, NoKey};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;

const SYSTEM: TrackingSystem = TrackingSystem::Flagger;
/// What a client calls being shown no variation at all.
const OFF: &str = "off";
/// The type of an entity that is a user, and of one that says no type.
const USER: &str = "User";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v3/ingest/{key}", post(ingest::ingest))
        .route("/v3/config/{key}", get(config::config))
        .route("/v3/sse/{key}", get(stream::stream))
}

/// A key in a path, as far as it can be read.
type Key = Result<Path<String>, PathRejection>;

fn environment(app: &App, key: &Key) -> Result<Arc<Environment>, Refusal> {
    let key = key.as_ref().map_err(|_| NoKey::Unknown);
    let chosen = key.and_then(|Path(key)| keys::chosen(app, SYSTEM, Some(key)));
    chosen.map(|chosen| chosen.environment).map_err(|no_key| no_key.refusal(SYSTEM))
}
