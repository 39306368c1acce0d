//! `GET /v1/notifications/event-stream`: decisions, events and new datafiles, as they come.
//!
//! Must not know how they are handed out. `filter` names the types that are wanted, several with commas or
//! given several times; `raw` asks for one object a line, without the form of event streams.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::chosen::Chosen;
use crate::server::answer::switched_off;
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::feed::{Form, Kind, Kinds};
use crate::server::guard::Stay;
use crate::server::refusal::Refusal;

const SWITCHED_OFF: &str = "Notification stream not enabled";
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// Proxies are not to gather what is sent.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) async fn stream(
    State(app): State<Arc<App>>,
    Chosen(environment): Chosen,
    stay: Stay,
    asked: Asked,
) -> Result<Response, Refusal> {
    let Some(feed) = &environment.feed else {
        return Ok(switched_off(&app, SWITCHED_OFF, "agent.notifications"));
    };
    let is_raw = asked.all("raw").next().is_some();
    let form = if is_raw { Form::Lines } else { Form::Events };
    let body = feed.listen(kinds(&asked), form).ok_or_else(|| {
        let text = "too many listen to this environment: close some streams";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text)
    })?;
    let mut response = Response::new(stay.bound(&app, &environment, body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(CACHE_CONTROL, NO_CACHE);
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// Without a filter all of them; of a filter those that there are.
fn kinds(asked: &Asked) -> Kinds {
    let mut filters = asked.all("filter").peekable();
    if filters.peek().is_none() {
        return Kinds::ALL;
    }
    filters.flat_map(|filter| filter.split(',')).fold(Kinds::default(), |kinds, name| match name {
        "decision" => kinds.with(Kind::Decision),
        "track" => kinds.with(Kind::Track),
        "project_config_update" => kinds.with(Kind::ConfigUpdate),
        _ => kinds,
    })
}
