//! What one place gives of the settings: the command line, the environment, or the file.
//!
//! Must not know which of them it was, nor the defaults.

use std::fmt;
use std::path::PathBuf;

use super::access::AccessSettings;
use super::agent::GivenAgent;
use super::environment::EnvironmentSettings;
use super::ofrep::GivenOfrep;
use super::sink::SinkSettings;
use super::tracking::GivenTracking;
use super::values::{LogFormat, LogLevel, Port, Size, Span};
use crate::events::AttributionMode;

/// What was given of the settings; each is described at [`ServeSettings`](super::ServeSettings).
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "each is described at ServeSettings")]
pub struct Given {
    pub host: Option<String>,
    pub port: Option<Port>,
    pub admin_port: Option<Port>,
    pub insecure: Option<bool>,
    pub access: AccessSettings,
    pub data_dir: Option<PathBuf>,
    pub environments: Vec<EnvironmentSettings>,
    pub datafile_template: Option<String>,
    pub poll_interval: Option<Span>,
    pub sinks: Vec<SinkSettings>,
    pub webhook_secret: Option<String>,
    pub attribution: Option<AttributionMode>,
    pub late_window: Option<Span>,
    pub early_tolerance: Option<Span>,
    pub attribution_window: Option<Span>,
    pub activation_retention: Option<Span>,
    pub record_retention: Option<Span>,
    pub record_budget: Option<Size>,
    pub disk_reserve: Option<Size>,
    pub queue_entries: Option<usize>,
    pub body_limit: Option<Size>,
    pub request_timeout: Option<Span>,
    pub connections: Option<usize>,
    pub idle_timeout: Option<Span>,
    pub shutdown_deadline: Option<Span>,
    pub agent: GivenAgent,
    pub log: Option<LogLevel>,
    pub log_format: Option<LogFormat>,
    pub ofrep: GivenOfrep,
    pub tracking: GivenTracking,
}

/// A list is taken whole: who gives one environment gives all of them.
pub(super) fn first_given<T>(upper: Vec<T>, lower: Vec<T>) -> Vec<T> {
    if upper.is_empty() { lower } else { upper }
}

impl Given {
    /// Lays these over others: what is given here counts.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        Self {
            host: self.host.or(lower.host),
            port: self.port.or(lower.port),
            admin_port: self.admin_port.or(lower.admin_port),
            insecure: self.insecure.or(lower.insecure),
            access: self.access.over(lower.access),
            data_dir: self.data_dir.or(lower.data_dir),
            environments: first_given(self.environments, lower.environments),
            datafile_template: self.datafile_template.or(lower.datafile_template),
            poll_interval: self.poll_interval.or(lower.poll_interval),
            sinks: first_given(self.sinks, lower.sinks),
            webhook_secret: self.webhook_secret.or(lower.webhook_secret),
            attribution: self.attribution.or(lower.attribution),
            late_window: self.late_window.or(lower.late_window),
            early_tolerance: self.early_tolerance.or(lower.early_tolerance),
            attribution_window: self.attribution_window.or(lower.attribution_window),
            activation_retention: self.activation_retention.or(lower.activation_retention),
            record_retention: self.record_retention.or(lower.record_retention),
            record_budget: self.record_budget.or(lower.record_budget),
            disk_reserve: self.disk_reserve.or(lower.disk_reserve),
            queue_entries: self.queue_entries.or(lower.queue_entries),
            body_limit: self.body_limit.or(lower.body_limit),
            request_timeout: self.request_timeout.or(lower.request_timeout),
            connections: self.connections.or(lower.connections),
            idle_timeout: self.idle_timeout.or(lower.idle_timeout),
            shutdown_deadline: self.shutdown_deadline.or(lower.shutdown_deadline),
            agent: self.agent.over(lower.agent),
            log: self.log.or(lower.log),
            log_format: self.log_format.or(lower.log_format),
            ofrep: self.ofrep.over(lower.ofrep),
            tracking: self.tracking.over(lower.tracking),
        }
    }
}

/// No secrets.
impl fmt::Debug for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Given")
            .field("environments", &self.environments)
            .field("sinks", &self.sinks)
            .finish_non_exhaustive()
    }
}
