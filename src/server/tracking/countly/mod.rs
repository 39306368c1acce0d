//! Countly: what its SDKs tell at `/i` and `/i/bulk`, and ask at `/o/sdk`.
//!
//! Must not know the attribution rule. An SDK sends the first request of its queue again until it is told of
//! success, and nothing behind it before: what is of no use now will be of none later, and is acknowledged.
//! What may be better later is not: no such key yet, not stored.

mod answer;
mod bulk;
mod checksum;
mod events;
mod listed;
mod numbers;
mod remote;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;

use self::answer::Answer;
use self::events::{Reading, device_id};
use self::request::{Asked, Cut, Params};
use super::keys::{self, Chosen, NoKey};
use super::payload::Payload;
use super::reading::{id, text};
use super::record::record;
use super::unused::{AllUnused, Reason, Unused};
use super::wanted::Wanted;
use crate::clock::system_time_ms;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;

const SYSTEM: TrackingSystem = TrackingSystem::Countly;
const SUCCESS: Answer = Answer::success("Success");

/// Who asks waits for what it is told, and keeps nothing for later; who tells has a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Tells,
    Asks,
}

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/i", get(told).post(told))
        .route("/i/sdk", get(told).post(told))
        .route("/i/bulk", get(told_in_bulk).post(told_in_bulk))
        .route("/o/sdk", get(asked).post(asked))
}

async fn told(State(app): State<Arc<App>>, request: Request) -> Answer {
    answer(&app, Door::Tells, request).await.unwrap_or_else(|refused| refused)
}

async fn asked(State(app): State<Arc<App>>, request: Request) -> Answer {
    answer(&app, Door::Asks, request).await.unwrap_or_else(|refused| refused)
}

async fn told_in_bulk(State(app): State<Arc<App>>, request: Request) -> Answer {
    bulk::take(&app, request).await.unwrap_or_else(|refused| refused)
}

async fn answer(app: &App, door: Door, request: Request) -> Result<Answer, Answer> {
    let asked = Asked::read(app, request).await?;
    let params = asked.params();
    let chosen = chosen(app, id(&params, "app_key").as_deref());
    // What was not looked at may have the key in it.
    let chosen = chosen.map_err(|no_key| match asked.cut {
        Some(cut) => ignored_cut(app, None, cut),
        None => no_key.into(),
    })?;
    let environment = &chosen.environment;
    if let Some(cut) = asked.cut {
        return Ok(ignored_cut(app, Some(environment), cut));
    }
    let params = signed(&chosen, &asked, params).map_err(|what| {
        note(app, environment, Unused::plain(Reason::WrongChecksum, "a request"));
        match door {
            Door::Tells => Answer::success(what),
            Door::Asks => Answer::noted_bad_request(what),
        }
    })?;
    let method = text(&params, "method").unwrap_or_default();
    let is_about_nobody = device_id(&params).is_none();
    if method == remote::SETTINGS {
        if !is_about_nobody {
            take(app, environment, payload(app, environment, &params)).await?;
        }
        return Ok(remote::settings(system_time_ms()));
    }
    if is_about_nobody {
        if door == Door::Asks {
            return Err(Answer::NOBODY);
        }
        note(app, environment, Unused::plain(Reason::NoUser, "what nobody did"));
        return Ok(Answer::ignored("Missing parameter \"device_id\""));
    }
    if let Some(method) = remote::Method::of(&params) {
        return remote::answer(app, environment, &params, (method, door)).await;
    }
    take(app, environment, payload(app, environment, &params)).await?;
    if door == Door::Asks && !remote::is_told(method) {
        return Err(Answer::bad_request("Invalid method"));
    }
    Ok(SUCCESS)
}

/// What a request tells, whatever it asks, and whatever becomes of that.
fn payload(app: &App, environment: &Environment, params: &Params) -> Payload {
    let settings = app.in_force.now();
    let datafile = environment.client.datafile();
    let wanted = Wanted(datafile.as_deref());
    Reading { mapped: &settings.tracking.events, wanted }.payload(params)
}

/// Records what a request says, if it says anything.
async fn take(app: &App, environment: &Arc<Environment>, payload: Payload) -> Result<(), Refusal> {
    if payload.is_empty() {
        payload.unused.note(app, Some(environment), SYSTEM);
        return Ok(());
    }
    record(app, environment, SYSTEM, payload).await
}

/// The environment of a key. Without one it may be a mistake that is mended soon: nothing is acknowledged.
fn chosen(app: &App, key: Option<&str>) -> Result<Chosen, NoKey> {
    key.ok_or(NoKey::Missing).and_then(|key| keys::chosen(app, SYSTEM, Some(key)))
}

/// The parameters that count: all, or those that are signed where the key has a salt.
fn signed(chosen: &Chosen, asked: &Asked, all: Params) -> Result<Params, &'static str> {
    match chosen.salt() {
        Some(salt) => checksum::signed(asked, salt),
        None => Ok(all),
    }
}

/// Counts it, also where nobody knows whose it is.
fn ignored_cut(app: &App, environment: Option<&Environment>, cut: Cut) -> Answer {
    let in_parts = |name| {
        let what = "what came in several parts (multipart/form-data):";
        Unused::named(Reason::WrongKind, what, name)
    };
    let (unused, answer) = match cut {
        Cut::Parts { lost } => (lost.map(in_parts), SUCCESS),
        Cut::TooLarge => {
            (Some(Unused::plain(Reason::TooLarge, "a request")), Answer::ignored("Too large"))
        }
    };
    unused.map(AllUnused::from).unwrap_or_default().note(app, environment, SYSTEM);
    answer
}

fn note(app: &App, environment: &Environment, unused: Unused) {
    unused.note(app, environment, SYSTEM);
}
