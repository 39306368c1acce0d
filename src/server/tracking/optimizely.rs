//! `POST /v1/events`: the event API of Optimizely, as its SDKs send to it.
//!
//! Must not know the attribution rule. Decisions that are reported are exposures, with the id and the time of the event beside
//! them that reports them; all other events are events.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::post;
use serde_json::{Map, Value};

use super::keys::{self, NoKey};
use super::payload::{Mark, NewEvent, NewExposure, Payload, Person};
use super::reading::{id, object, objects, text};
use super::record::record;
use super::unused::{Reason, Unused};
use crate::datafile::Datafile;
use crate::server::app::App;
use crate::server::asked::json_text;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;

const SDK_KEY: HeaderName = HeaderName::from_static("x-optimizely-sdk-key");
/// The key of the event that reports decisions.
const ACTIVATED: &str = "campaign_activated";
const BOT_FILTERING: &str = "$opt_bot_filtering";
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
    let body: Value = serde_json::from_slice(&body)
        .map_err(|error| Refusal::bad_request(format!("the body is no JSON: {error}")))?;
    let body = body
        .as_object()
        .ok_or_else(|| Refusal::bad_request("the body is no object: send {\"visitors\": [...]}"))?;
    let environment = match by_key {
        Ok(chosen) => chosen.environment,
        Err(no_key) => of_project(app, body).ok_or_else(|| no_key.refusal(SYSTEM))?,
    };
    let payload = read(body, environment.client.datafile().as_deref());
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

fn read(body: &Map<String, Value>, datafile: Option<&Datafile>) -> Payload {
    let mut payload = Payload::default();
    for visitor in listed(body, "visitors", &mut payload) {
        let person = Person {
            id: id(visitor, "visitor_id").unwrap_or_default(),
            attributes: attributes(visitor, datafile, &mut payload),
        };
        for snapshot in listed(visitor, "snapshots", &mut payload) {
            let events = listed(snapshot, "events", &mut payload);
            // Decisions beside other events say what the sender would credit, which is no exposure.
            let is_report = events.iter().any(|event| text(event, "key") == Some(ACTIVATED));
            for decision in listed(snapshot, "decisions", &mut payload) {
                if is_report {
                    payload.exposures.push(exposure(decision, &events, &person));
                }
            }
            let tracked = events.iter().filter(|event| text(event, "key") != Some(ACTIVATED));
            payload.events.extend(tracked.map(|event| tracked_event(event, &person)));
        }
    }
    payload
}

/// The objects of a list; what else is in it is of no use.
fn listed<'a>(
    object: &'a Map<String, Value>,
    key: &'static str,
    payload: &mut Payload,
) -> Vec<&'a Map<String, Value>> {
    let (objects, is_mixed) = objects(object, key);
    if is_mixed {
        payload.unused.push(Unused::named(Reason::WrongKind, "what is no object in", key));
    }
    objects
}

/// By their keys; where only the id is said, by the key that the datafile has for it.
fn attributes(
    visitor: &Map<String, Value>,
    datafile: Option<&Datafile>,
    payload: &mut Payload,
) -> Map<String, Value> {
    let mut listed = listed(visitor, "attributes", payload);
    // The last one is not the user's: SDKs put it there, as the datafile says.
    let of_project = datafile.and_then(Datafile::bot_filtering).map(Value::Bool);
    let is_of_project = |last: &&Map<String, Value>| {
        text(last, "key") == Some(BOT_FILTERING) && last.get("value") == of_project.as_ref()
    };
    if of_project.is_some() && listed.last().is_some_and(is_of_project) {
        listed.pop();
    }
    let named = listed.iter().filter_map(|attribute| {
        let by_id = || {
            let id = id(attribute, "entity_id")?;
            let declared = datafile?.attributes().iter().find(|declared| declared.id() == id)?;
            Some(declared.key().to_owned())
        };
        let key = text(attribute, "key").map(str::to_owned).or_else(by_id)?;
        Some((key, attribute.get("value")?.clone()))
    });
    named.collect()
}

/// A decision that names no experiment is one of a flag that no rule of it made.
fn exposure(
    decision: &Map<String, Value>,
    events: &[&Map<String, Value>],
    person: &Person,
) -> NewExposure {
    let metadata = object(decision, "metadata");
    let flag_key = text(&metadata, "flag_key").map(str::to_owned);
    let campaign = id(decision, "campaign_id");
    let is_its_own =
        |event: &&&Map<String, Value>| campaign.is_some() && id(event, "entity_id") == campaign;
    let reported = events.iter().find(is_its_own).or_else(|| events.first());
    let mark = reported.map(|event| mark(event)).unwrap_or_default();
    let experiment = id(decision, "experiment_id");
    let variation = match &experiment {
        Some(_) => id(decision, "variation_id"),
        None => text(&metadata, "variation_key").map(str::to_owned),
    };
    let decided = experiment.as_ref().or(flag_key.as_ref()).map_or("", String::as_str);
    NewExposure {
        person: person.clone(),
        // One event may report several decisions.
        mark: Mark { id: mark.id.map(|id| format!("{id}/{decided}")), ..mark },
        variation: variation.unwrap_or_default(),
        experiment: experiment.unwrap_or_default(),
        flag_key,
        ..NewExposure::default()
    }
}

fn tracked_event(event: &Map<String, Value>, person: &Person) -> NewEvent {
    let mut tags = object(event, "tags");
    for key in ["revenue", "value"] {
        if let Some(value) = event.get(key) {
            tags.insert(key.to_owned(), value.clone());
        }
    }
    let name = text(event, "key").map(str::to_owned).or_else(|| id(event, "entity_id"));
    NewEvent {
        person: person.clone(),
        mark: mark(event),
        name: name.unwrap_or_default(),
        tags,
        ..NewEvent::default()
    }
}

fn mark(event: &Map<String, Value>) -> Mark {
    Mark {
        id: text(event, "uuid").map(str::to_owned),
        time_ms: event.get("timestamp").and_then(Value::as_i64),
    }
}
