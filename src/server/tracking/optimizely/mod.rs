//! `POST /v1/events`: the event API of Optimizely, as its SDKs send to it.
//!
//! Must not know the attribution rule, nor what is in a body but whose it is.

mod attributes;
mod members;
mod reading;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::post;
use serde_json::{Map, Value};

use self::reading::Reading;
use super::keys::{self, NoKey};
use super::reading::id;
use super::record::record;
use crate::server::app::App;
use crate::server::asked::json_text;
use crate::server::client_json;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;

const SDK_KEY: HeaderName = HeaderName::from_static("x-optimizely-sdk-key");
const SYSTEM: TrackingSystem = TrackingSystem::Optimizely;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/events", post(events))
        .route("/optimizely/{sdk_key}/v1/events", post(events_of_key))
}

async fn events(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let key = headers.get(SDK_KEY).and_then(|key| key.to_str().ok());
    take(&app, key, request).await
}

async fn events_of_key(
    State(app): State<Arc<App>>,
    Path(sdk_key): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    take(&app, Some(&sdk_key), request).await
}

async fn take(app: &App, key: Option<&str>, request: Request) -> Result<StatusCode, Refusal> {
    let by_key = keys::chosen(app, SYSTEM, key);
    if let Err(no_key @ NoKey::Unknown) = by_key {
        return Err(no_key.refusal(SYSTEM));
    }
    let body = json_text(request, app).await?;
    let body: Value = client_json::read(&body).map_err(|error| Refusal::no_json(&error))?;
    let body = body
        .as_object()
        .ok_or_else(|| Refusal::bad_request("the body is no object: send {\"visitors\": [...]}"))?;
    let environment = match by_key {
        Ok(chosen) => chosen.environment,
        Err(no_key) => of_project(app, body).ok_or_else(|| no_key.refusal(SYSTEM))?,
    };
    let payload = {
        let settings = app.in_force.now();
        let datafile = environment.client.datafile();
        Reading::new(datafile.as_deref(), &settings.tracking.events).payload(body)
    };
    record(app, &environment, SYSTEM, payload).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The only environment of an account's project. That is no proof, and counts where none is needed: neither of
/// all who ask, nor for the environment, whose SDK key may be one with a token.
fn of_project(app: &App, body: &Map<String, Value>) -> Option<Arc<Environment>> {
    let settings = app.in_force.now();
    if settings.access.has_authentication() || settings.tracking.keys_of(SYSTEM).next().is_some() {
        return None;
    }
    let (account, project) = (id(body, "account_id")?, id(body, "project_id")?);
    let mut all = app.environments.iter().filter(|environment| {
        environment.client.datafile().is_some_and(|datafile| {
            datafile.account_id() == account && datafile.project_id() == project
        })
    });
    let found = all.next()?;
    (all.next().is_none() && !found.asks_for_token()).then(|| Arc::clone(found))
}
