//! `POST /segment/v1/track`, `t`, `batch` and the rest: the HTTP API of Segment, as its clients send to it.
//!
//! Must not know the attribution rule. A client is told 400 for what is no JSON or too large, which it then
//! drops, and 503 for what is not stored, which it sends again with the same ids.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Map, Value, json};

use super::carried::Places;
use super::keys::first_chosen;
use super::messages::{Around, Kind, keep_order};
use super::payload::Payload;
use super::reading::text;
use super::record::record;
use super::unused::{Reason, Unused};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::client_json;
use crate::server::refusal::{Heard, Refusal};
use crate::server::unpacked::unpacked;
use crate::settings::TrackingSystem;

const SYSTEM: TrackingSystem = TrackingSystem::Segment;
const BATCH: &str = "batch";
/// Segment's limits: of a message, of a batch's messages, and for what stands around these.
const MESSAGE_BYTES: usize = 32 * 1024;
const BATCH_BYTES: usize = 500 * 1024;
const AROUND_BYTES: u64 = 32 * 1024;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/segment/v1/{message}", post(message))
}

/// The client in browsers (@segment/analytics-next 1.84.3, by default) sends to the first letter of what it is, that of
/// phones (analytics-kotlin 1.24.1) to `b`; the one before that (analytics-android 4.11.4) sends batches to `import`.
fn whole_word(word: &str) -> &str {
    match word {
        "t" => "track",
        "i" => "identify",
        "p" => "page",
        "s" => "screen",
        "g" => "group",
        "a" => "alias",
        "b" | "import" => BATCH,
        _ => word,
    }
}

async fn message(
    State(app): State<Arc<App>>,
    Path(word): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let word = whole_word(&word);
    let kind = Kind::of(word);
    if kind.is_none() && word != BATCH {
        return Err(Refusal::not_there(
            "there is no such message: send track, identify, page, screen, group, alias or batch",
        ));
    }
    let places = Places::of(&request);
    let (body, is_small) = read(&app, request).await?;
    let chosen = first_chosen(&app, SYSTEM, &places.keys(Some(&body)))
        .map_err(|no_key| no_key.unauthorized(SYSTEM))?;
    let environment = chosen.environment;
    let payload = {
        let settings = app.in_force.now();
        let datafile = environment.client.datafile();
        let around = Around::new(SYSTEM, &settings.tracking, datafile.as_deref());
        match kind {
            Some(_) if !is_small && size(&Value::Object(body.clone())) > MESSAGE_BYTES => {
                return Err(too_large("message", MESSAGE_BYTES));
            }
            Some(kind) => single(kind, body, &around),
            None => batch(body, around, is_small)?,
        }
    };
    record(&app, &environment, SYSTEM, payload).await?;
    Ok(Json(&json!({"success": true})).into_response())
}

/// An object, and whether it is so small that nothing in it is too large. Clients in browsers send it as plain
/// text, so that its kind is not asked for.
async fn read(app: &App, request: Request) -> Result<(Map<String, Value>, bool), Refusal> {
    let most = u64::try_from(BATCH_BYTES).unwrap_or(u64::MAX).saturating_add(AROUND_BYTES);
    let body = unpacked(request, most.min(app.settings.limits.body.bytes)).await;
    let body = body.map_err(|refusal| match refusal.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let (_, text, _) = refusal.into_parts();
            Refusal::bad_request(text).heard(Heard::As(Reason::TooLarge.as_str()))
        }
        _ => refusal,
    })?;
    match client_json::read(&body) {
        Ok(Value::Object(object)) => Ok((object, body.len() <= MESSAGE_BYTES)),
        Ok(_) => {
            Err(Refusal::bad_request("the body is no object: send a message or {\"batch\": [...]}"))
        }
        Err(error) => Err(Refusal::no_json(&error)),
    }
}

fn too_large(what: &str, most_bytes: usize) -> Refusal {
    let text = format!("the {what} is larger than {most_bytes} bytes: send less at once");
    Refusal::bad_request(text).heard(Heard::As(Reason::TooLarge.as_str()))
}

fn single(kind: Kind, message: Map<String, Value>, around: &Around<'_>) -> Payload {
    let mut payload = Payload::default();
    around.read(kind, message, &mut payload);
    payload
}

fn batch(
    mut body: Map<String, Value>,
    around: Around<'_>,
    is_small: bool,
) -> Result<Payload, Refusal> {
    let mut payload = Payload::default();
    let around = around.of_batch(&mut body, &mut payload);
    let messages = match body.remove(BATCH) {
        Some(Value::Array(messages)) => messages,
        _ => {
            payload.unused.push(Unused::plain(Reason::WrongKind, "a batch that is no list"));
            Vec::new()
        }
    };
    let mut bytes = 0_usize;
    for message in messages {
        let message_bytes = if is_small { 0 } else { size(&message) };
        bytes = bytes.saturating_add(message_bytes).saturating_add(1);
        if bytes > BATCH_BYTES {
            return Err(too_large("batch", BATCH_BYTES));
        }
        if message_bytes > MESSAGE_BYTES {
            payload.unused.push(Unused::plain(Reason::TooLarge, "a message"));
            continue;
        }
        one_of_batch(message, &around, &mut payload);
    }
    keep_order(&mut payload);
    Ok(payload)
}

fn one_of_batch(message: Value, around: &Around<'_>, payload: &mut Payload) {
    let Value::Object(message) = message else {
        payload.unused.push(Unused::named(Reason::WrongKind, "what is no object in", BATCH));
        return;
    };
    let word = text(&message, "type").unwrap_or_default();
    match Kind::of(word) {
        Some(kind) => around.read(kind, message, payload),
        None => {
            payload.unused.push(Unused::named(Reason::WrongKind, "a message of the type", word));
        }
    }
}

/// As it would be written without blanks.
fn size(message: &Value) -> usize {
    serde_json::to_vec(message).map_or(usize::MAX, |text| text.len())
}
