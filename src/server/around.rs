//! What all requests have in common: an id, a time limit, a line in the log.
//!
//! Must not know what is answered.

use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use uuid::Uuid;

use super::app::App;
use super::arriving::watched;
use super::batch;
use super::deadline::Deadline;
use super::direct::Call;
use super::listener::Side;
use super::refusal::{Meant, Refusal};
use super::timers::KeptTimer;
use super::tracking;
use crate::clock::Stopwatch;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids of callers are replaced.
const LONGEST_REQUEST_ID: usize = 128;

/// What all requests of a connection are answered with.
pub(super) struct Answering {
    pub(super) app: Arc<App>,
    pub(super) side: Side,
    pub(super) router: TowerToHyperService<Router>,
    /// For how long a request may take.
    pub(super) for_all_of_it: KeptTimer,
    /// For what it waits for on its way.
    pub(super) for_the_disk: KeptTimer,
}

/// Answers a request.
pub(super) async fn answer(
    answering: Arc<Answering>,
    request: Request<Incoming>,
) -> Response<Body> {
    let Answering { app, side, router, for_all_of_it, for_the_disk } = &*answering;
    let watch = Stopwatch::start();
    let request_id = request_id(&request);
    let method = request.method().clone();
    let endpoint = app.figures.endpoint(*side, request.uri().path());
    let system = tracking::system_of(request.uri().path()).filter(|_| *side == Side::Api);
    let limit = app.settings.limits.request_timeout.as_duration();
    let (head, body) = request.into_parts();
    let (body, arrived) = watched(body);
    let request = Request::from_parts(head, body);
    let deadline = Deadline { watch, limit, timer: for_the_disk.clone() };
    let answered = pin!(deadline.during(async {
        if let Some(call) = Call::of(app, *side, &request) {
            return call.answer(app, request).await;
        }
        let mut request = request.map(Body::new);
        batch::prepare(*side, router, &mut request);
        let Ok(response) = router.call(request).await;
        response
    }));
    let mut response = match for_all_of_it.until(watch.after(limit), answered).await {
        Some(response) => response,
        None if arrived.is_whole() => Refusal::not_done_in_time().into_response(),
        None => Refusal::too_slow().into_response(),
    };
    response.headers_mut().insert(REQUEST_ID, request_id);
    let (status, took) = (response.status(), watch.elapsed());
    app.figures.answered(endpoint, status, took);
    if let Some(system) = system {
        tracking::note_refused(app, system, &response);
    }
    // A path may name a user, or hold a key.
    let endpoint = endpoint.path;
    let is_meant =
        status == StatusCode::SERVICE_UNAVAILABLE || response.extensions().get::<Meant>().is_some();
    if status.is_server_error() && !is_meant {
        tracing::error!(%method, endpoint, status = status.as_u16(), "a request failed");
    } else {
        let elapsed_us = took.as_micros();
        tracing::debug!(%method, endpoint, status = status.as_u16(), elapsed_us, "answered");
    }
    response
}

/// The caller's, where it is fit to be sent back, else a new one.
pub(super) fn request_id<B>(request: &Request<B>) -> HeaderValue {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .filter(|given| (1..=LONGEST_REQUEST_ID).contains(&given.len()) && given.to_str().is_ok());
    given.cloned().unwrap_or_else(|| {
        let made = Uuid::new_v4();
        let text = made.hyphenated();
        HeaderValue::from_str(text.encode_lower(&mut Uuid::encode_buffer()))
            .unwrap_or(HeaderValue::from_static("none"))
    })
}
