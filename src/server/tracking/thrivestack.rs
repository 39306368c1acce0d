//! `POST /track` and its kin: ThriveStack's API, one message or a list of them.
//!
//! Must not know the attribution rule. `/v1/track`, as it once was called, is Optimizely Agent's. Clients send
//! once and do not look, so that a part which is of no use is counted, and all of it is a fault only where no
//! part is of use.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use uuid::Uuid;

use super::carried::Places;
use super::keys::first_chosen;
use super::messages::{Around, Kind, keep_order};
use super::payload::Payload;
use super::record::record;
use super::refused;
use super::unused::{Reason, Unused};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::client_json;
use crate::server::refusal::{Heard, Refusal};
use crate::server::unpacked::unpacked;
use crate::settings::TrackingSystem;

const SYSTEM: TrackingSystem = TrackingSystem::Thrivestack;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/track", post(track))
        .route("/api/track", post(track))
        .route("/identify", post(identify))
        .route("/api/identify", post(identify))
        .route("/group", post(group))
        .route("/api/group", post(group))
        .route("/page", post(page))
        .route("/api/page", post(page))
}

async fn track(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, Kind::Track, request).await
}

async fn identify(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, Kind::Identify, request).await
}

async fn group(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, Kind::Group, request).await
}

async fn page(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, Kind::Page, request).await
}

async fn answer(app: &App, kind: Kind, request: Request) -> Response {
    let response_id = Uuid::new_v4().to_string();
    match take(app, kind, request).await {
        Ok(event_id) => {
            let message = match kind {
                Kind::Track => "Event(s) tracked successfully",
                _ => "Received successfully",
            };
            let mut answer =
                json!({"success": true, "message": message, "response_id": response_id});
            if let (Some(event_id), Some(answer)) = (event_id, answer.as_object_mut()) {
                answer.insert("eventId".to_owned(), event_id.into());
            }
            Json(&answer).into_response()
        }
        Err(refusal) => refused(
            refusal,
            |text| json!({"success": false, "message": text, "response_id": response_id}),
        ),
    }
}

/// Gives the id of the first event that there is.
async fn take(app: &App, kind: Kind, request: Request) -> Result<Option<String>, Refusal> {
    let places = Places::of(&request);
    let body = unpacked(request, app.settings.limits.body.bytes).await?;
    let body: Value = client_json::read(&body).map_err(|error| Refusal::no_json(&error))?;
    let messages = match body {
        Value::Array(messages) => messages,
        message @ Value::Object(_) => vec![message],
        _ => {
            return Err(Refusal::bad_request(
                "the body is no object: send an event or a list of them",
            ));
        }
    };
    let chosen =
        first_chosen(app, SYSTEM, &places.keys(messages.first().and_then(Value::as_object)))
            .map_err(|no_key| no_key.unauthorized(SYSTEM))?;
    let environment = chosen.environment;
    let payload = {
        let settings = app.in_force.now();
        let datafile = environment.client.datafile();
        let around = Around::new(SYSTEM, &settings.tracking, datafile.as_deref());
        read(kind, messages, &around)
    };
    let event_id = payload.events.first().and_then(|event| event.mark.id.clone());
    let fault = payload.fault();
    record(app, &environment, SYSTEM, payload).await?;
    fault.map_or(Ok(event_id), Err)
}

fn read(kind: Kind, messages: Vec<Value>, around: &Around<'_>) -> Payload {
    let mut payload = Payload::default();
    for message in messages {
        match message {
            Value::Object(message) => around.read(kind, message, &mut payload),
            _ => {
                payload.unused.push(Unused::plain(Reason::WrongKind, "what is no object in a list"))
            }
        }
    }
    keep_order(&mut payload);
    for event in &mut payload.events {
        // It is told in the answer.
        event.mark.id.get_or_insert_with(|| format!("evt_{}", Uuid::new_v4().simple()));
    }
    payload
}

impl Payload {
    /// Why a request is a fault of who sent it: all that it says is of no use, whatever datafile there is.
    fn fault(&self) -> Option<Refusal> {
        if !self.is_empty() {
            return None;
        }
        let Unused { reason, what } = self.unused.first()?;
        let text = format!("{what} is of no use: {}", reason.remedy());
        // It is counted with all that is of no use.
        Some(Refusal::new(StatusCode::BAD_REQUEST, text).heard(Heard::Already))
    }
}
