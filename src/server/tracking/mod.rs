//! Tracking calls of other systems: each form becomes exposures and events, and the rest is as everywhere.
//!
//! Must not know the attribution rule. One file a system: it reads a request into a `payload`, and puts what
//! became of it into that system's own answer. `keys` says which environment is meant, `names` what names
//! mean in it, `record` hands everything to the store, and `unused` counts what was of no use. A client is
//! never told to send again what will be of no use the next time either.

mod countly;
mod keys;
mod names;
mod optimizely;
mod payload;
mod reading;
mod record;
mod unused;

use std::sync::Arc;

use axum::Router;

use super::app::App;
use crate::attribution::Origin;
use crate::settings::TrackingSystem;

/// The paths of all systems.
pub(super) fn routes() -> Router<Arc<App>> {
    optimizely::routes().merge(countly::routes())
}

const fn origin(system: TrackingSystem) -> Origin {
    match system {
        TrackingSystem::Optimizely => Origin::Optimizely,
        TrackingSystem::Flagger => Origin::Flagger,
        TrackingSystem::Thrivestack => Origin::Thrivestack,
        TrackingSystem::Segment => Origin::Segment,
        TrackingSystem::Countly => Origin::Countly,
        TrackingSystem::Onboardflow => Origin::Onboardflow,
    }
}
