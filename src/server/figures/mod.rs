//! What the daemon counts, under names that Prometheus reads. The names are listed at `looked_at`.
//!
//! Must not know requests, nor who looks at the figures. What is counted for each request is registered
//! beforehand, so that counting is an addition.

mod credits;
mod environment;
mod looked_at;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use metrics::with_local_recorder;
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

pub(super) use self::environment::EnvironmentFigures;
pub(super) use self::looked_at::count;
use self::requests::{Endpoint, RequestFigures};
use super::listener::Side;
use super::traffic::{Counted, Traffic};

/// From what is answered out of memory to what nobody waits for any more.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

#[derive(Debug)]
pub(super) struct Figures {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    api: RequestFigures,
    admin: RequestFigures,
    pub(super) traffic: Arc<Traffic>,
}

impl Figures {
    pub(super) fn new() -> Self {
        let durations = Matcher::Suffix("_seconds".to_owned());
        // There are buckets, which is all that could be wrong with them.
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(durations, &SECONDS)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = Arc::new(builder.build_recorder());
        let handle = recorder.handle();
        let (api, admin) = with_local_recorder(&*recorder, || {
            requests::describe();
            environment::describe();
            looked_at::describe();
            (RequestFigures::new(Side::Api), RequestFigures::new(Side::Admin))
        });
        Self { recorder, handle, api, admin, traffic: Arc::default() }
    }

    /// Those of an environment.
    pub(super) fn of_environment(&self, name: &str) -> EnvironmentFigures {
        EnvironmentFigures::new(Arc::clone(&self.recorder), Arc::clone(&self.traffic), name)
    }

    /// Parts of a system's tracking calls were of no use, for a reason; of no environment where the key is
    /// nobody's.
    pub(super) fn unused(&self, environment: &str, what: (&'static str, &'static str), times: u64) {
        with_local_recorder(&*self.recorder, || environment::unused(environment, what, times));
    }

    /// What a path is counted as.
    pub(super) fn endpoint(&self, side: Side, path: &str) -> &Endpoint {
        match side {
            Side::Api => self.api.endpoint(path),
            Side::Admin => self.admin.endpoint(path),
        }
    }

    /// A request was answered.
    pub(super) fn answered(&self, endpoint: &Endpoint, status: StatusCode, took: Duration) {
        if endpoint.side == Side::Api {
            self.traffic.count(Counted::Requests, 1);
            if status.is_server_error() {
                self.traffic.count(Counted::Failed, 1);
            }
        }
        endpoint.answered(status, took);
    }

    /// Counts what is asked of others when somebody looks, by the same names and in the same page.
    pub(super) fn with(&self, count: impl FnOnce()) -> String {
        with_local_recorder(&*self.recorder, count);
        self.handle.render()
    }

    /// Lets go of what was only kept for the next look.
    pub(super) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}
