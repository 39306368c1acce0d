//! Tracking calls of other systems: each form becomes exposures and events, and the rest is as everywhere.
//!
//! Must not know the attribution rule. One file a system: it reads a request into a `payload`, and puts what
//! became of it into that system's own answer. `keys` says which environment is meant, `names` what names
//! mean in it, and `times` reads when something was; `record` hands everything to the store, each part by a call of
//! `recording`, `storing` waits for it, `unused` counts what was of no use, and `refused` whole requests. A client is
//! never told to send again what will be of no use the next time either.

mod carried;
mod countly;
mod flagger;
mod keys;
mod messages;
mod names;
mod onboardflow;
mod optimizely;
mod payload;
mod reading;
mod record;
mod recording;
mod refused;
mod segment;
mod storing;
mod thrivestack;
mod times;
mod unused;
mod wanted;

use std::sync::Arc;

use axum::Router;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::answer::Json;
use super::app::App;
use super::refusal::Refusal;

pub(super) use self::flagger::Configs;
pub(super) use self::refused::{note as note_refused, system_of};
pub(super) use self::storing::Room;

/// The paths of all systems.
pub(super) fn routes() -> Router<Arc<App>> {
    optimizely::routes()
        .merge(segment::routes())
        .merge(thrivestack::routes())
        .merge(onboardflow::routes())
        .merge(countly::routes())
        .merge(flagger::routes())
}

/// A refusal in the words of a system.
fn refused(refusal: Refusal, body: impl FnOnce(&str) -> Value) -> Response {
    let why = refusal.why();
    let (status, text, retry_after) = refusal.into_parts();
    let mut response = (status, Json(&body(&text))).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response.extensions_mut().insert(why);
    response
}
