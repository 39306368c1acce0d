//! Requests by endpoint and outcome, and how long they took.
//!
//! Must not know what was asked. Endpoints are a fixed list, so that no path makes a new series.

use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};

use crate::server::listener::Side;

const REQUESTS: &str = "variate_requests_total";
const DURATION: &str = "variate_request_duration_seconds";
/// Paths of the API, or what they begin with, and the endpoint that they are.
const OF_API: &[(&str, &str)] = &[
    ("/v1/decide", "decide"),
    ("/v1/activate", "activate"),
    ("/v1/track", "track"),
    ("/v1/config", "config"),
    ("/v1/datafile", "datafile"),
    ("/ofrep/v1/evaluate/flags", "ofrep-bulk"),
    ("/ofrep/v1/evaluate/flags/", "ofrep-single"),
    ("/ofrep/v1/track/", "ofrep-track"),
    ("/ofrep/v1/events", "ofrep-events"),
    ("/v1/lookup", "lookup"),
    ("/v1/notifications/event-stream", "notifications"),
    ("/v1/override", "override"),
    ("/v1/save", "save"),
    ("/v1/send-odp-event", "send-odp-event"),
    ("/batch", "batch"),
    ("/v1/batch", "batch"),
    ("/webhooks/optimizely", "datafile-webhook"),
    ("/datafiles/", "datafiles"),
    ("/v1/events", "optimizely-events"),
    ("/optimizely/", "optimizely-events"),
    ("/v3/config/", "flagger-config"),
    ("/v3/ingest/", "flagger-ingest"),
    ("/v3/sse/", "flagger-sse"),
    ("/segment/", "segment"),
    ("/track", "thrivestack"),
    ("/api/track", "thrivestack"),
    ("/identify", "thrivestack"),
    ("/api/identify", "thrivestack"),
    ("/group", "thrivestack"),
    ("/api/group", "thrivestack"),
    ("/page", "thrivestack"),
    ("/api/page", "thrivestack"),
    ("/api/v1/tracker/event/", "onboardflow"),
    ("/i", "countly"),
    ("/i/sdk", "countly"),
    ("/i/bulk", "countly-bulk"),
    ("/o/sdk", "countly-remote"),
    ("/openapi.json", "openapi"),
    ("/oauth/token", "oauth"),
    ("/health", "health"),
    ("/ready", "ready"),
];
/// Those of the administration.
const OF_ADMIN: &[(&str, &str)] = &[
    ("/", "page"),
    ("/decide", "decide"),
    ("/config", "settings"),
    ("/environments/", "environments"),
    ("/events", "events"),
    ("/events/dead", "dead-letters"),
    ("/events/dead/", "dead-letters"),
    ("/events/export", "export"),
    ("/events/forget", "forget"),
    ("/events/stats", "stats"),
    ("/events/tail", "tail"),
    ("/events/verify", "verify"),
    ("/info", "info"),
    ("/metrics", "metrics"),
    ("/overrides", "overrides"),
    ("/openapi.json", "openapi"),
    ("/problems", "problems"),
    ("/settings", "settings"),
    ("/oauth/token", "oauth"),
    ("/health", "health"),
    ("/ready", "ready"),
];
const OTHER: &str = "other";
const STATUSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

#[derive(Debug)]
pub(super) struct RequestFigures {
    endpoints: Vec<Endpoint>,
    other: Endpoint,
}

/// What requests are counted as.
#[derive(Debug)]
pub(in crate::server) struct Endpoint {
    pub(super) side: Side,
    /// As it is counted: a path, or what paths begin with.
    pub(in crate::server) path: &'static str,
    answered: [Counter; STATUSES.len()],
    took: Histogram,
}

pub(super) fn describe() {
    describe_counter!(REQUESTS, "Requests answered, by listener, endpoint and kind of status");
    describe_histogram!(DURATION, Unit::Seconds, "How long requests took, with their bodies");
}

impl RequestFigures {
    pub(super) fn new(side: Side) -> Self {
        let endpoints = match side {
            Side::Api => OF_API,
            Side::Admin => OF_ADMIN,
        };
        let endpoint =
            |(path, name): &(&'static str, &'static str)| Endpoint::new(side, path, name);
        Self {
            endpoints: endpoints.iter().map(endpoint).collect(),
            other: Endpoint::new(side, "", OTHER),
        }
    }

    pub(super) fn endpoint(&self, path: &str) -> &Endpoint {
        let is_this = |endpoint: &&Endpoint| {
            let is_prefix = endpoint.path.len() > 1 && endpoint.path.ends_with('/');
            path == endpoint.path || (is_prefix && path.starts_with(endpoint.path))
        };
        self.endpoints.iter().find(is_this).unwrap_or(&self.other)
    }
}

impl Endpoint {
    fn new(side: Side, path: &'static str, name: &'static str) -> Self {
        let listener = match side {
            Side::Api => "api",
            Side::Admin => "admin",
        };
        let answered = STATUSES.map(|status| {
            counter!(REQUESTS, "listener" => listener, "endpoint" => name, "status" => status)
        });
        let took = histogram!(DURATION, "listener" => listener, "endpoint" => name);
        Self { side, path, answered, took }
    }

    pub(super) fn answered(&self, status: StatusCode, took: Duration) {
        let kind = usize::from(status.as_u16() / 100).saturating_sub(2);
        if let Some(counter) = self.answered.get(kind) {
            counter.increment(1);
        }
        self.took.record(took.as_secs_f64());
    }
}
