//! `GET /ofrep/v1/events`: tells clients that keep flags when to ask for them again.
//!
//! Must not know flags. Server-sent events: their id is the datafile's, so that who comes back is told of
//! what it missed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::EVENTS;
use super::asking::chosen;
use super::changes::Told;
use super::fault::Fault;
use super::stream::{Gone, Teller, stream};
use super::wire::{EndpointAnswer, EventStreamAnswer, RefetchMessage};
use crate::server::answer::By;
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::environment::Environment;
use crate::server::guard::{Caller, Stay};
use crate::server::refusal::Refusal;
use crate::settings::OfrepSettings;

/// The key of the environment, since browsers send no headers with streams.
const SDK_KEY: &str = "sdkKey";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-cache");
/// Proxies are not to wait for more.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const KEEPALIVE: Bytes = Bytes::from_static(b":\n\n");
/// Who opens a stream has asked for flags before that. A change within this time may have come in between.
const JUST_NOW: Duration = Duration::from_secs(30);

pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    stay: Stay,
    query: Result<Asked, Refusal>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let environment =
        chosen(&app, &caller, &headers, query?.first(SDK_KEY)).map_err(Fault::no_environment)?;
    let place = app.changes.place().ok_or_else(Refusal::too_many_streams)?;
    let told = app.changes.of_environment(&app.environments, environment.name());
    let told = told.ok_or_else(Refusal::unknown_key)?;
    let (teller, stream) = stream(place);
    let seen = headers.get(LAST_EVENT_ID).map(|id| id.as_bytes().to_vec());
    let keepalive = app.settings.ofrep.stream_keepalive.as_duration();
    let telling = Telling { teller, told, keepalive };
    tokio::spawn(telling.run(seen, app.stopping.clone()));

    let mut response = Response::new(stay.bound(&app, &environment, stream));
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, EVENT_STREAM);
    head.insert(CACHE_CONTROL, NOT_KEPT);
    head.insert(BUFFERING, HeaderValue::from_static("no"));
    let datafile = environment.client.datafile();
    let revision = datafile.as_ref().map_or("", |datafile| datafile.revision());
    Ok(By(&environment, revision, response).into_response())
}

/// Where clients find the stream of an environment, unless there is none for anybody. Clients that follow it send no
/// header along: an environment that only a secret tells from others has none that they could follow.
pub(super) fn streams_of(
    environment: &Environment,
    is_only: bool,
    settings: &OfrepSettings,
) -> Option<[EventStreamAnswer; 1]> {
    if settings.streams == 0 {
        return None;
    }
    let request_uri = match environment.open_key() {
        Some(key) => format!("{EVENTS}?{SDK_KEY}={}", encoded(&key)),
        None if is_only => EVENTS.to_owned(),
        None => return None,
    };
    let delay_ms = settings.inactivity_delay.as_ms().unsigned_abs();
    Some([EventStreamAnswer {
        r#type: "sse",
        endpoint: EndpointAnswer { request_uri },
        inactivity_delay_sec: (delay_ms / 1000).max(1),
    }])
}

/// A key in a query.
fn encoded(key: &str) -> String {
    key.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' | b'.' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

/// One stream, as long as it lasts.
struct Telling {
    teller: Teller,
    told: watch::Receiver<Option<Told>>,
    keepalive: Duration,
}

impl Telling {
    async fn run(mut self, seen: Option<Vec<u8>>, mut stopping: watch::Receiver<bool>) {
        if self.begin(seen.as_deref()).is_err() {
            return;
        }
        let mut quiet = interval(self.keepalive);
        // Not all at once, after a time in which nothing ran.
        quiet.set_missed_tick_behavior(MissedTickBehavior::Delay);
        quiet.reset();
        loop {
            let told = tokio::select! {
                changed = self.told.changed() => match changed {
                    Ok(()) => self.tell_latest(),
                    Err(_) => return,
                },
                _ = quiet.tick() => self.teller.tell(KEEPALIVE),
                () = self.teller.gone() => return,
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
            };
            if told.is_err() {
                return;
            }
        }
    }

    /// Says what who comes back has missed; to others, only where it is.
    fn begin(&mut self, seen: Option<&[u8]>) -> Result<(), Gone> {
        let told = self.told.borrow_and_update().clone();
        let Some(told) = told else { return self.teller.tell(KEEPALIVE) };
        let has_missed = match seen {
            Some(seen) => seen != told.id().as_bytes(),
            None => told.changed.is_some_and(|changed| changed.elapsed() < JUST_NOW),
        };
        let frame = if has_missed { told.frame() } else { format!(":\nid: {}\n\n", told.id()) };
        self.teller.tell(frame)
    }

    fn tell_latest(&mut self) -> Result<(), Gone> {
        let told = self.told.borrow_and_update().clone();
        told.map_or(Ok(()), |told| self.teller.tell(told.frame()))
    }
}

impl Told {
    fn etag(&self) -> &str {
        self.etag.to_str().unwrap_or_default()
    }

    fn id(&self) -> &str {
        self.etag().trim_matches('"')
    }

    fn frame(&self) -> String {
        let message = RefetchMessage {
            r#type: "refetchEvaluation",
            etag: self.etag(),
            last_modified: self.since_seconds,
        };
        let message = serde_json::to_string(&message).unwrap_or_default();
        format!("id: {}\nevent: message\ndata: {message}\n\n", self.id())
    }
}
