//! `GET /metrics`: the figures, in the text form of Prometheus.
//!
//! Must not know requests. What others count is asked for when somebody looks. Times are in seconds.
//!
//! | name | what |
//! | --- | --- |
//! | `variate_requests_total`, `variate_request_duration_seconds` | by `listener`, `endpoint`, and `status` |
//! | `variate_decisions_total` | by `environment` and `source` |
//! | `variate_activations_total`, `_events_total`, `_conversions_total` | by `environment` |
//! | `variate_credits_total`, `variate_not_credited_total` | by `environment`, and `experiment` or `reason` |
//! | `variate_not_recorded_total` | by `environment`, and `call`: `refused` or `answered` |
//! | `variate_datafile_state` | 1 for the `state` that it is in; `_age_seconds`, `_changes_total`, `_held_back` |
//! | `variate_source_attempts_total`, `_failures_total`, `_last_success_timestamp_seconds` | by `environment` |
//! | `variate_sink_waiting_records`, `_oldest_waiting_age`, `_delivered_total`, `_failures_total`, `_dead_letters` | by `sink` |
//! | `variate_store_taking` | 1 where the store takes what comes |
//! | `variate_store_users`, `_activations`, `_pending_events`, `_ids`, `_waiting_records`, `_dead_letters` | what it holds |
//! | `variate_store_forgotten_total` | by `what`: users, activations, events, ids |
//! | `variate_store_refused_total`, `_duplicates_total`, `_crossovers_total`, `_clamped_times_total`, `_unknown_user_events_total`, `_dropped_dead_letters_total` | since the start |

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use metrics::{SharedString, counter, gauge};

use crate::error::Error;
use crate::events::SinkStatistics;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::source::Readiness;
use crate::store::{Statistics, Store as _};

const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    // The store is read for some of it.
    let page = tokio::task::spawn_blocking(move || app.figures.with(|| count(&app))).await;
    let page = page.map_err(|error| Refusal::unreadable(&Error::sink(error)))?;
    let mut response = Response::new(Body::from(page));
    response.headers_mut().insert(CONTENT_TYPE, PROMETHEUS);
    Ok(response)
}

fn count(app: &App) {
    gauge!("variate_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
    gauge!("variate_uptime_seconds").set(app.started.elapsed().as_secs_f64());
    app.environments.iter().for_each(|environment| count_environment(environment));
    app.delivery.statistics().into_iter().for_each(count_sink);
    gauge!("variate_store_taking").set(f64::from(u8::from(app.store.refusal().is_none())));
    count_store(&app.store.statistics());
}

fn count_environment(environment: &Environment) {
    let Some(status) = environment.look() else { return };
    let name = SharedString::from(environment.name().to_owned());
    for state in [Readiness::NeverLoaded, Readiness::Stale, Readiness::Fresh] {
        let is_this = f64::from(u8::from(status.readiness == state));
        let state = state.as_str();
        gauge!("variate_datafile_state", "environment" => name.clone(), "state" => state)
            .set(is_this);
    }
    if let Some(ago_ms) = status.checked_ago_ms {
        let age = Duration::from_millis(ago_ms).as_secs_f64();
        gauge!("variate_datafile_age_seconds", "environment" => name.clone()).set(age);
    }
    if let Some(at_ms) = status.last_success_ms {
        #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
        let at = at_ms as f64 / 1000.0;
        gauge!("variate_source_last_success_timestamp_seconds", "environment" => name.clone())
            .set(at);
    }
    let is_held_back = f64::from(u8::from(status.held_back.is_some()));
    gauge!("variate_datafile_held_back", "environment" => name.clone()).set(is_held_back);
    let totals = [
        ("variate_datafile_changes_total", status.changes),
        ("variate_source_attempts_total", status.attempts),
        ("variate_source_failures_total", status.failures),
    ];
    for (total, count) in totals {
        counter!(total, "environment" => name.clone()).absolute(count);
    }
}

fn count_sink(sink: SinkStatistics) {
    let name = SharedString::from(sink.name);
    let oldest = sink.oldest_waiting.unwrap_or_default().as_secs_f64();
    gauge!("variate_sink_oldest_waiting_age", "sink" => name.clone()).set(oldest);
    gauge!("variate_sink_waiting_records", "sink" => name.clone()).set(float(sink.waiting));
    gauge!("variate_sink_dead_letters", "sink" => name.clone()).set(float(sink.dead_letters));
    counter!("variate_sink_delivered_total", "sink" => name.clone()).absolute(sink.delivered);
    counter!("variate_sink_failures_total", "sink" => name).absolute(sink.failures);
}

fn count_store(store: &Statistics) {
    let held = [
        ("variate_store_users", store.users),
        ("variate_store_activations", store.activations),
        ("variate_store_pending_events", store.pending_events),
        ("variate_store_ids", store.ids),
        ("variate_store_waiting_records", store.waiting_records),
        ("variate_store_dead_letters", store.dead_letters),
    ];
    for (name, count) in held {
        gauge!(name).set(float(count));
    }
    let forgotten = [
        ("users", store.forgotten_users),
        ("activations", store.forgotten_activations),
        ("events", store.forgotten_events),
        ("ids", store.forgotten_ids),
    ];
    for (what, count) in forgotten {
        counter!("variate_store_forgotten_total", "what" => what).absolute(count);
    }
    let totals = [
        ("variate_store_refused_total", store.refused_records),
        ("variate_store_duplicates_total", store.duplicates),
        ("variate_store_crossovers_total", store.crossovers),
        ("variate_store_clamped_times_total", store.clamped_times),
        ("variate_store_unknown_user_events_total", store.unknown_user_events),
        ("variate_store_dropped_dead_letters_total", store.dropped_dead_letters),
    ];
    for (name, count) in totals {
        counter!(name).absolute(count);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
