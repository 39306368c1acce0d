//! OpenFeature's remote evaluation protocol (OFREP 0.3), as its clients need it.
//!
//! Must not know other interfaces. A flag has one value here: `value` says which of a decision's parts it
//! is, `reason` why it has it, and `anonymous` whether it can be told without a user. Who looks after many
//! flags at once asks `bulk`, and `events` tells when to ask again. `track` is an extension: the protocol
//! has no way yet to say what a user did.

mod anonymous;
mod asking;
mod bulk;
mod changes;
mod context;
mod events;
mod fault;
mod flag;
mod named;
mod reason;
mod single;
mod stream;
mod track;
mod value;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(super) use self::changes::{Changes, Told, watch};
pub(super) use self::stream::{Gone, Teller, stream};
pub(super) use self::value::value as flag_value;
use super::app::App;

/// Where the stream of changes is.
const EVENTS: &str = "/ofrep/v1/events";

/// Keys may have slashes: not every client encodes them.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/ofrep/v1/evaluate/flags", post(bulk::evaluate))
        .route("/ofrep/v1/evaluate/flags/{*key}", post(single::evaluate))
        .route("/ofrep/v1/track/{*key}", post(track::track))
        .route(EVENTS, get(events::events))
}
