//! `POST /v1/events`: the event API of Optimizely, as its SDKs send to it.
//!
//! Must not know the attribution rule. Decisions that are reported are exposures, with the id and the time of the event beside
//! them that reports them; all other events are events.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::keys::{self, NoKey};
use super::payload::{Mark, NewEvent, NewExposure, Payload, Person};
use super::reading::{id, object, objects, text};
use super::record::record;
use super::unused::{AllUnused, Reason, Unused};
use super::wanted::Wanted;
use crate::clock::TimeMs;
use crate::datafile::Datafile;
use crate::server::app::App;
use crate::server::asked::json_text;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;
use crate::value::parse_double;

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
        let visitor_id = id(visitor, "visitor_id").unwrap_or_default();
        let attributes = attributes(visitor, datafile, &mut payload);
        let person = Wanted(datafile).person(visitor_id, &attributes, &mut payload.unused);
        for snapshot in listed(visitor, "snapshots", &mut payload) {
            let events = listed(snapshot, "events", &mut payload);
            for _ in events.iter().filter(|event| has_bad_time(event)) {
                payload.unused.push(Unused::plain(Reason::BadTime, "a timestamp"));
            }
            // Decisions beside other events say what the sender would credit, which is no exposure.
            let is_report = |event: &Map<String, Value>| text(event, "key") == Some(ACTIVATED);
            let decisions = listed(snapshot, "decisions", &mut payload);
            if events.iter().any(|event| is_report(event)) {
                let reports = Reports::of(&events);
                let exposed = decisions.into_iter().map(|one| reports.exposure(one, &person));
                payload.exposures.extend(exposed);
            }
            for event in events.into_iter().filter(|event| !is_report(event)) {
                let event = tracked_event(event, &person, &mut payload.unused);
                payload.events.push(event);
            }
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

/// The events that report decisions, by what they are about.
struct Reports {
    by_campaign: HashMap<String, Mark>,
    first: Mark,
}

impl Reports {
    fn of(events: &[&Map<String, Value>]) -> Self {
        let mut by_campaign = HashMap::new();
        let mut first = None;
        for event in events {
            let mark = mark(event);
            first.get_or_insert_with(|| mark.clone());
            if let Some(campaign) = id(event, "entity_id") {
                by_campaign.entry(campaign).or_insert(mark);
            }
        }
        Self { by_campaign, first: first.unwrap_or_default() }
    }

    /// A decision that names no experiment is one of a flag that no rule of it made.
    fn exposure(&self, decision: &Map<String, Value>, person: &Arc<Person>) -> NewExposure {
        let metadata = object(decision, "metadata");
        let flag_key = text(&metadata, "flag_key").map(str::to_owned);
        let its_own = id(decision, "campaign_id").and_then(|id| self.by_campaign.get(&id));
        let mark = its_own.unwrap_or(&self.first);
        let experiment = id(decision, "experiment_id");
        let variation = match &experiment {
            Some(_) => id(decision, "variation_id"),
            None => text(&metadata, "variation_key").map(str::to_owned),
        };
        let decided = experiment.as_ref().or(flag_key.as_ref()).map_or("", String::as_str);
        NewExposure {
            person: Arc::clone(person),
            mark: Mark {
                // One event may report several decisions.
                id: mark.id.as_ref().map(|id| format!("{id}/{decided}")),
                time_ms: mark.time_ms,
            },
            variation: variation.unwrap_or_default(),
            experiment: experiment.unwrap_or_default(),
            flag_key,
            ..NewExposure::default()
        }
    }
}

fn tracked_event(
    event: &Map<String, Value>,
    person: &Arc<Person>,
    unused: &mut AllUnused,
) -> NewEvent {
    let given = |key: &str| event.get(key).filter(|value| !value.is_null());
    if given("tags").is_some_and(|tags| !tags.is_object()) {
        unused.push(Unused::named(Reason::WrongKind, "what is no object in", "tags"));
    }
    let mut tags = object(event, "tags");
    for key in ["revenue", "value"] {
        if let Some(value) = given(key) {
            tags.insert(key.to_owned(), value.clone());
        }
    }
    let is_wrong = |key: &str, is_right: fn(&Value) -> bool| {
        tags.get(key).is_some_and(|value| !value.is_null() && !is_right(value))
    };
    if is_wrong("revenue", |cents| cents.as_i64().is_some()) {
        unused.push(Unused::plain(Reason::WrongKind, "a revenue that is no whole number of cents"));
    }
    if is_wrong("value", is_number) {
        unused.push(Unused::plain(Reason::WrongKind, "a value that is no number"));
    }
    let name = text(event, "key").map(str::to_owned).or_else(|| id(event, "entity_id"));
    NewEvent {
        person: Arc::clone(person),
        mark: mark(event),
        name: name.unwrap_or_default(),
        tags,
        ..NewEvent::default()
    }
}

fn is_number(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(f64::is_finite),
        Value::String(text) => parse_double(text).is_some(),
        _ => false,
    }
}

fn mark(event: &Map<String, Value>) -> Mark {
    let time_ms = event.get("timestamp").and_then(whole_ms);
    Mark { id: text(event, "uuid").map(str::to_owned), time_ms }
}

/// One that cannot be read is as none.
fn has_bad_time(event: &Map<String, Value>) -> bool {
    event.get("timestamp").is_some_and(|time| !time.is_null() && whole_ms(time).is_none())
}

/// Milliseconds, within what calendars know.
fn whole_ms(time: &Value) -> Option<TimeMs> {
    time.as_i64().filter(|ms| Timestamp::from_millisecond(*ms).is_ok())
}
