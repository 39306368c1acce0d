//! What happens in an environment: decisions, activations, events and what they count for.
//!
//! Must not know requests.

use std::fmt;
use std::sync::Arc;

use metrics::{Counter, SharedString, counter, describe_counter, with_local_recorder};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::credits::CreditFigures;
use crate::attribution::{Credit, NotCredited};
use crate::client::Decision;
use crate::decide::Source;
use crate::server::traffic::{Counted, Traffic};
use crate::store::Receipt;

const DECISIONS: &str = "variate_decisions_total";
const ACTIVATIONS: &str = "variate_activations_total";
const EVENTS: &str = "variate_events_total";
const CONVERSIONS: &str = "variate_conversions_total";
const NOT_CREDITED: &str = "variate_not_credited_total";
const UNUSED: &str = "variate_tracking_unused_total";
const NOT_RECORDED: &str = "variate_not_recorded_total";

/// The figures of an environment.
pub(in crate::server) struct EnvironmentFigures {
    recorder: Arc<PrometheusRecorder>,
    traffic: Arc<Traffic>,
    environment: SharedString,
    by_feature_test: Counter,
    by_rollout: Counter,
    by_holdout: Counter,
    by_nothing: Counter,
    failed: Counter,
    activations: Counter,
    events: Counter,
    conversions: Counter,
    credits: CreditFigures,
    refused: Counter,
    left_out: Counter,
}

pub(super) fn describe() {
    describe_counter!(
        DECISIONS,
        "Flags decided, by what decided: feature-test, rollout, holdout, nothing, error"
    );
    describe_counter!(
        ACTIVATIONS,
        "Exposures to experiments and holdouts that were handed to the store"
    );
    describe_counter!(EVENTS, "Events tracked and stored, repeats and unknown ones included");
    describe_counter!(CONVERSIONS, "Events that count for at least one experiment");
    super::credits::describe();
    describe_counter!(NOT_CREDITED, "Events that count for nothing, by reason");
    describe_counter!(
        UNUSED,
        "Parts of other systems' tracking calls that were of no use, and calls that were refused as a whole, by system and reason"
    );
    describe_counter!(
        NOT_RECORDED,
        "What the store did not take, by call: refused (answered 503) or answered (recorded: false)"
    );
}

/// Parts of another system's tracking calls were of no use.
pub(super) fn unused(
    environment: &str,
    (system, reason): (&'static str, &'static str),
    times: u64,
) {
    let environment = SharedString::from(environment.to_owned());
    counter!(UNUSED, "environment" => environment, "system" => system, "reason" => reason)
        .increment(times);
}

impl EnvironmentFigures {
    pub(super) fn new(
        recorder: Arc<PrometheusRecorder>,
        traffic: Arc<Traffic>,
        name: &str,
    ) -> Self {
        let environment = SharedString::from(name.to_owned());
        with_local_recorder(&*recorder, || {
            let own = |name: &'static str| counter!(name, "environment" => environment.clone());
            let decisions = |source: &'static str| counter!(DECISIONS, "environment" => environment.clone(), "source" => source);
            let not_recorded = |call: &'static str| counter!(NOT_RECORDED, "environment" => environment.clone(), "call" => call);
            Self {
                recorder: Arc::clone(&recorder),
                traffic,
                environment: environment.clone(),
                by_feature_test: decisions("feature-test"),
                by_rollout: decisions("rollout"),
                by_holdout: decisions("holdout"),
                by_nothing: decisions("nothing"),
                failed: decisions("error"),
                activations: own(ACTIVATIONS),
                events: own(EVENTS),
                conversions: own(CONVERSIONS),
                credits: CreditFigures::new(environment.clone()),
                refused: not_recorded("refused"),
                left_out: not_recorded("answered"),
            }
        })
    }

    /// A flag was decided, and its impression handed to the store where there is one.
    pub(in crate::server) fn decided(&self, decision: &Decision) {
        let by = match decision.source {
            _ if decision.is_error => &self.failed,
            Some(Source::FeatureTest) => &self.by_feature_test,
            Some(Source::Holdout) => &self.by_holdout,
            Some(_) => &self.by_rollout,
            None => &self.by_nothing,
        };
        by.increment(1);
        self.traffic.count(Counted::Decisions, 1);
        let is_activation = matches!(decision.source, Some(Source::FeatureTest | Source::Holdout));
        for receipt in &decision.receipts {
            if receipt.refusal().is_some() {
                self.left_out.increment(1);
            } else if is_activation {
                self.activations.increment(1);
                self.traffic.count(Counted::Activations, 1);
            }
        }
    }

    /// An experiment was activated, if the store takes it.
    pub(in crate::server) fn activated(&self, receipt: &Receipt) {
        if receipt.refusal().is_none() {
            self.activations.increment(1);
            self.traffic.count(Counted::Activations, 1);
        }
    }

    /// An event was stored.
    pub(in crate::server) fn tracked(&self, credits: &[Credit], reason: Option<NotCredited>) {
        self.events.increment(1);
        self.traffic.count(Counted::Events, 1);
        if !credits.is_empty() {
            self.conversions.increment(1);
            self.traffic.count(Counted::Conversions, 1);
        }
        if credits.is_empty() && reason.is_none() {
            return;
        }
        with_local_recorder(&*self.recorder, || {
            for credit in credits {
                self.credits.count(&credit.experiment.experiment_key);
            }
            if let Some(reason) = reason {
                let environment = self.environment.clone();
                counter!(NOT_CREDITED, "environment" => environment, "reason" => reason.as_str())
                    .increment(1);
            }
        });
    }

    /// Something was to be recorded, and the store refused it.
    pub(in crate::server) fn refused(&self) {
        self.refused.increment(1);
    }
}

impl fmt::Debug for EnvironmentFigures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EnvironmentFigures")
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
