//! `POST /api/v1/tracker/event/`: OnboardFlow's events.
//!
//! Must not know the attribution rule. What its answer calls an event's `id` is the beginning of the id under
//! which it is recorded, as a whole number.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::carried::Places;
use super::keys::first_chosen;
use super::messages::members;
use super::payload::{Mark, NewEvent, Payload};
use super::reading::{content_id, id, take_revenue, text};
use super::record::record;
use super::refused;
use super::times::{WholeSecond, unix_ms};
use super::unused::{Reason, Unused};
use super::wanted::Wanted;
use crate::clock::system_time_ms;
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::client_json;
use crate::server::refusal::{Heard, Refusal};
use crate::server::unpacked::unpacked;
use crate::settings::{OnboardflowEvent, TrackingSettings, TrackingSystem};

const SYSTEM: TrackingSystem = TrackingSystem::Onboardflow;
const EVENTS: [&str; 3] = ["PAGE_VIEW", "CLICK", "CUSTOM"];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/api/v1/tracker/event/", post(event))
}

async fn event(State(app): State<Arc<App>>, request: Request) -> Response {
    match take(&app, request).await {
        Ok(data) => Json(&json!({"success": true, "data": data})).into_response(),
        Err(refusal) => refused(refusal, |text| json!({"success": false, "error": text})),
    }
}

/// An event as it is told in the answer.
async fn take(app: &App, request: Request) -> Result<Value, Refusal> {
    if !takes_json(request.headers()) {
        let text = "the answer is JSON: send Accept: application/json, or none";
        return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, text));
    }
    let places = Places::of(&request);
    let body = unpacked(request, app.settings.limits.body.bytes).await?;
    let read = client_json::read::<Value>(&body);
    // The site's key is in every page, so that it counts only where there is no other.
    let site = read.as_ref().ok().and_then(|body| text(body.as_object()?, "s")).map(str::to_owned);
    let keys = places.authorization().or(site);
    let chosen = first_chosen(app, SYSTEM, &keys.into_iter().collect::<Vec<_>>())
        .map_err(|no_key| no_key.unauthorized(SYSTEM))?;
    let body = read.map_err(|error| Refusal::no_json(&error))?;
    let Value::Object(body) = body else {
        return Err(Refusal::bad_request(
            "the body is no object: send {\"s\": ..., \"event\": ...}",
        ));
    };
    let datafile = chosen.environment.client.datafile();
    let wanted = Wanted(datafile.as_deref());
    let (payload, data) = read_event(body, &app.in_force.now().tracking, wanted)?;
    record(app, &chosen.environment, SYSTEM, payload).await?;
    Ok(data)
}

fn takes_json(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter().peekable();
    accepted.peek().is_none()
        || accepted.filter_map(|kinds| kinds.to_str().ok()).flat_map(|kinds| kinds.split(',')).any(
            |kind| {
                let kind = kind.split(';').next().unwrap_or_default().trim();
                ["", "*/*", "application/*", "application/json"]
                    .contains(&&*kind.to_ascii_lowercase())
            },
        )
}

/// The only event of a request, and the same as it is told in the answer.
fn read_event(
    mut body: Map<String, Value>,
    settings: &TrackingSettings,
    wanted: Wanted<'_>,
) -> Result<(Payload, Value), Refusal> {
    let missing = |name: &str| Refusal::bad_request(format!("there is no {name}: send it as text"));
    let needed = |name: &str| text(&body, name).map(str::to_owned).ok_or_else(|| missing(name));
    let (site, kind, value) = (needed("s")?, needed("event")?, needed("value")?);
    if !EVENTS.contains(&kind.as_str()) {
        return Err(Refusal::bad_request("the event is unknown: send PAGE_VIEW, CLICK or CUSTOM"));
    }
    let told_user = body.get("site_user").cloned().unwrap_or_default();
    let told_meta = body.get("meta").cloned().unwrap_or_else(|| json!({}));
    let is_known_by_content = settings.known_by_content.contains(&SYSTEM);
    let content_id = is_known_by_content.then(|| content_id(&body));
    let mut payload = Payload::default();
    let mut user = members(&mut body, "site_user", &mut payload);
    let user_id = id(&user, "id")
        .ok_or_else(|| missing("site_user.id").heard(Heard::As(Reason::NoUser.as_str())))?;
    let attributes = members(&mut user, "custom_properties", &mut payload);
    let mut tags = members(&mut body, "meta", &mut payload);
    let revenue_cents = take_revenue(&mut tags, &mut payload);
    let date = date(&body, &mut payload);
    let time_ms = date.and_then(|date| unix_ms(date, WholeSecond::End));
    let now_ms = system_time_ms();
    // What has no time is never known by what it says: the same may be done again.
    let recorded_id = content_id.filter(|_| time_ms.is_some()).unwrap_or_else(Uuid::new_v4);
    let data = json!({
        "event_date": date.and_then(|date| unix_ms(date, WholeSecond::Begin)).unwrap_or(now_ms),
        "event_provider": "JSTRACKER",
        "event_value": value,
        "id": number(recorded_id),
        "site_hash": site,
        "event_type": kind,
        "event_meta": told_meta,
        "site_user": told_user,
        "created": now_ms,
        "updated": now_ms,
    });
    let person = wanted.person(user_id, &attributes, &mut payload.unused);
    let name = match settings.onboardflow_event {
        OnboardflowEvent::Value => value,
        OnboardflowEvent::Event => kind,
        OnboardflowEvent::Both => format!("{kind}:{value}"),
    };
    payload.events.push(NewEvent {
        person,
        mark: Mark { id: Some(recorded_id.to_string()), time_ms },
        name,
        tags,
        revenue_cents,
        ..NewEvent::default()
    });
    Ok((payload, data))
}

/// The date of an event, if it can be read.
fn date<'b>(body: &'b Map<String, Value>, payload: &mut Payload) -> Option<&'b Value> {
    let date = body.get("event_date").filter(|date| !date.is_null())?;
    if unix_ms(date, WholeSecond::Begin).is_some() {
        return Some(date);
    }
    payload.unused.push(Unused::plain(Reason::BadTime, "an event_date"));
    None
}

/// The first 13 of an id's 32 digits; larger numbers are not exact in JavaScript.
const fn number(id: Uuid) -> u128 {
    id.as_u128() >> 76
}
