//! `GET /v3/sse/{key}`: tells clients the configuration when it changes, and now and then that it is there.
//!
//! Must not know flags. Each message has three lines and no comments: clients in Go take no others, and ask
//! for a kind of answer that there is not. None of them asks for the configuration again after a break, so
//! that a stream begins with it for who comes back. For who has just asked for it there is none: clients in
//! Go forget what they are to report while they take one in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::{Key, config, environment};
use crate::server::answer::By;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::ofrep::{Gone, Teller, Told, stream as stream_of};
use crate::server::refusal::Refusal;

/// A reader of lines in Go gives up beyond 64 KiB.
pub(super) const LONGEST_LINE: usize = 65_000;
/// What Go says it is, and so do clients in other languages that Go is inside of.
const GO: &str = "Go-http-client";
/// Clients take a stream for broken that was quiet for 28 seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// Who was away comes back within 30 seconds, and may have missed a change within this time.
const JUST_NOW: Duration = Duration::from_secs(60);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A message as clients read it.
pub(super) fn message(id: &str, event: &str, data: &str) -> String {
    format!("id: {id}\nevent: {event}\ndata: {data}\n\n")
}

pub(super) async fn stream(
    State(app): State<Arc<App>>,
    key: Key,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // Before the key is looked at: what is reloaded from then on is seen.
    let reloaded = app.reloaded.subscribe();
    let environment = environment(&app, &key)?;
    let config = config::of(&app, &environment).ok_or_else(Refusal::not_ready)?;
    let place = app.changes.place().ok_or_else(Refusal::too_many_streams)?;
    let told = app.changes.of_environment(&app.environments, environment.name());
    let told = told.ok_or_else(Refusal::not_ready)?;
    let is_new = told.borrow().as_ref().and_then(|told| told.changed);
    let is_new = is_new.is_some_and(|changed| changed.elapsed() < JUST_NOW);
    let seen = match headers.get(LAST_EVENT_ID) {
        Some(id) => id.to_str().unwrap_or_default(),
        None if config.was_fetched_lately() && !is_new => config.id(),
        None => "",
    };
    let seen = seen.to_owned();
    let (teller, stream) = stream_of(place);
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let telling = Telling {
        teller,
        told,
        app: Arc::clone(&app),
        environment: Arc::clone(&environment),
        key,
        reloaded,
        is_go: agent.starts_with(GO),
        seen,
    };
    tokio::spawn(telling.run());

    let mut response = Response::new(Body::new(stream));
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    head.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(By(&environment, config.revision(), response).into_response())
}

/// One stream, as long as it lasts.
struct Telling {
    teller: Teller,
    told: watch::Receiver<Option<Told>>,
    app: Arc<App>,
    environment: Arc<Environment>,
    key: Key,
    reloaded: watch::Receiver<()>,
    is_go: bool,
    /// The id of the configuration that the client has.
    seen: String,
}

impl Telling {
    async fn run(mut self) {
        let mut stopping = self.app.stopping.clone();
        let pause = self.app.settings.ofrep.stream_keepalive.as_duration().min(LONGEST_PAUSE);
        let mut quiet = interval(pause);
        // Not all at once, after a time in which nothing ran.
        quiet.set_missed_tick_behavior(MissedTickBehavior::Delay);
        quiet.reset();
        self.told.mark_unchanged();
        if self.tell().is_err() {
            return;
        }
        loop {
            let told = tokio::select! {
                changed = self.told.changed() => if changed.is_ok() { self.tell() } else { return },
                _ = quiet.tick() => self.keep_alive(),
                changed = self.reloaded.changed() => {
                    if changed.is_err() || !self.may_stay() { return }
                    Ok(())
                }
                () = self.teller.gone() => return,
                _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
            };
            if told.is_err() {
                return;
            }
        }
    }

    /// Whether the key still means this environment.
    fn may_stay(&self) -> bool {
        let meant = environment(&self.app, &self.key);
        meant.is_ok_and(|environment| environment.name() == self.environment.name())
    }

    /// Tells the configuration to who does not have it.
    fn tell(&mut self) -> Result<(), Gone> {
        let config = config::of(&self.app, &self.environment);
        let Some(config) = config.filter(|config| config.id() != self.seen) else {
            return self.keep_alive();
        };
        config.id().clone_into(&mut self.seen);
        if self.is_go && config.message.len() > LONGEST_LINE {
            return self.keep_alive();
        }
        self.teller.tell(config.message.clone())
    }

    fn keep_alive(&self) -> Result<(), Gone> {
        self.teller.tell(Bytes::from(message(&self.seen, "keepalive", "{}")))
    }
}
