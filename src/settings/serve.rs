//! The settings of the daemon, complete.
//!
//! Must not know where they were written.

use std::fmt;
use std::path::PathBuf;

use super::access::AccessSettings;
use super::agent::AgentSettings;
use super::environment::EnvironmentSettings;
use super::given::Given;
use super::ofrep::OfrepSettings;
use super::sink::SinkSettings;
use super::tracking::TrackingSettings;
use super::values::{LogFormat, LogLevel, Port, Size, Span};
use crate::attribution::Rules;
use crate::error::Error;
use crate::events::AttributionMode;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
const MEBIBYTE: u64 = 1024 * 1024;

/// The settings of the daemon.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServeSettings {
    /// The address that listeners are bound to. Default `127.0.0.1`, which only this machine reaches.
    pub host: String,
    /// The port of the API. Default 8080.
    pub port: Port,
    /// The port of the administration. Default 8088.
    pub admin_port: Port,
    /// Whether other addresses than loopback may be bound without authentication. Default: no.
    pub insecure: bool,
    /// Who may ask, and how.
    pub access: AccessSettings,
    /// The folder of the store. Default `variate-data`.
    pub data_dir: PathBuf,
    /// The environments, at least one.
    pub environments: Vec<EnvironmentSettings>,
    /// The address of datafiles that are got by SDK key, with `%s` in its place. Default: Optimizely's.
    pub datafile_template: Option<String>,
    /// How often addresses are asked for their datafile. Default `60s`.
    pub poll_interval: Span,
    /// Where records go. Default: nowhere; they are kept, and can be read by the administration.
    pub sinks: Vec<SinkSettings>,
    /// What webhooks are signed with that have no secret of their own. Default: nothing.
    pub webhook_secret: Option<String>,
    /// Who attributes events: this engine or the service that is sent them. Default `activated`.
    pub attribution: AttributionMode,
    /// How long events wait for activations that arrive after them. Default `1h`.
    pub late_window: Span,
    /// How much earlier than an activation an event may be and still count for it, for callers whose clocks differ.
    /// Default `0s`.
    pub early_tolerance: Span,
    /// How long after an activation events count for it. Default: without end.
    pub attribution_window: Option<Span>,
    /// The store's limits.
    pub store: StoreSettings,
    /// The limits of requests.
    pub limits: Limits,
    /// How long the daemon may take to stop: for requests under way, then for sinks. Default `20s`.
    pub shutdown_deadline: Span,
    /// What of Optimizely Agent's interface is switched on.
    pub agent: AgentSettings,
    /// How much is logged. Default `info`.
    pub log: LogLevel,
    /// In which form. Default `text`.
    pub log_format: LogFormat,
    /// OFREP's: values of flags, bulk evaluations, streams of changes.
    pub ofrep: OfrepSettings,
    /// Other systems' tracking calls: keys, names.
    pub tracking: TrackingSettings,
}

/// The limits of the daemon's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreSettings {
    /// For how long an activation is remembered after it was last received. Default `180d`.
    pub activation_retention: Span,
    /// For how long records are kept that all sinks have. Default `7d`.
    pub record_retention: Span,
    /// How much room records may take. Default `64GiB`.
    pub record_budget: Size,
    /// How much of the disk is left to others. Default `256MiB`.
    pub disk_reserve: Size,
    /// How many entries may wait for the disk; beyond, they are refused. A large one counts as one more for
    /// each 4 KiB. Default 16384.
    pub queue_entries: usize,
}

/// The limits of the daemon's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How large a body may be. Default `1MiB`.
    pub body: Size,
    /// How long a request may take, with the reading of its body. Default `10s`.
    pub request_timeout: Span,
    /// How long a connection may be idle, or take over the head of a request, or take nothing of what is
    /// sent to it. Default `30s`.
    pub idle_timeout: Span,
    /// How many connections each listener has at once; beyond, they wait. Default 4096.
    pub connections: usize,
}

impl ServeSettings {
    /// What was given, and defaults for the rest.
    #[must_use]
    pub fn new(given: Given) -> Self {
        Self {
            host: given.host.unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: given.port.unwrap_or(Port::Number(8080)),
            admin_port: given.admin_port.unwrap_or(Port::Number(8088)),
            insecure: given.insecure.unwrap_or(false),
            access: given.access,
            data_dir: given.data_dir.unwrap_or_else(|| "variate-data".into()),
            environments: given.environments,
            datafile_template: given.datafile_template,
            poll_interval: given.poll_interval.unwrap_or(Span::from_seconds(60)),
            sinks: given.sinks,
            webhook_secret: given.webhook_secret,
            attribution: given.attribution.unwrap_or_default(),
            late_window: given.late_window.unwrap_or(Span::from_ms(HOUR_MS)),
            early_tolerance: given.early_tolerance.unwrap_or(Span::from_ms(0)),
            attribution_window: given.attribution_window,
            store: StoreSettings {
                activation_retention: given
                    .activation_retention
                    .unwrap_or(Span::from_ms(180 * DAY_MS)),
                record_retention: given.record_retention.unwrap_or(Span::from_ms(7 * DAY_MS)),
                record_budget: given.record_budget.unwrap_or(Size { bytes: 64 * 1024 * MEBIBYTE }),
                disk_reserve: given.disk_reserve.unwrap_or(Size { bytes: 256 * MEBIBYTE }),
                queue_entries: given.queue_entries.unwrap_or(16_384),
            },
            limits: Limits {
                body: given.body_limit.unwrap_or(Size { bytes: MEBIBYTE }),
                request_timeout: given.request_timeout.unwrap_or(Span::from_seconds(10)),
                idle_timeout: given.idle_timeout.unwrap_or(Span::from_seconds(30)),
                connections: given.connections.unwrap_or(4096),
            },
            shutdown_deadline: given.shutdown_deadline.unwrap_or(Span::from_seconds(20)),
            agent: AgentSettings::new(given.agent),
            log: given.log.unwrap_or_default(),
            log_format: given.log_format.unwrap_or_default(),
            ofrep: OfrepSettings::new(given.ofrep),
            tracking: TrackingSettings::new(given.tracking),
        }
    }

    /// Looks at the settings one beside the other; whether they can be kept, shows when it starts.
    ///
    /// # Errors
    ///
    /// If there is no environment, a limit lets nothing through, or who may ask cannot be told.
    pub fn check(&self) -> Result<(), Error> {
        if self.environments.is_empty() {
            return Err(Error::settings(
                "there is no environment: give --datafile or --sdk-key, or [[environment]] in the settings file",
            ));
        }
        if self.data_dir.as_os_str().is_empty() {
            return Err(Error::settings(
                "data_dir is empty: give the folder of the store, or leave it out for variate-data",
            ));
        }
        match (self.port, self.admin_port) {
            (Port::Off, Port::Off) => {
                return Err(Error::settings(
                    "port and admin_port are both off, so that nobody could ask: give one of them",
                ));
            }
            (Port::Number(api), Port::Number(admin)) if api == admin && api != 0 => {
                return Err(Error::settings(format!(
                    "port and admin_port are both {api}: give them two"
                )));
            }
            _ => {}
        }
        self.environments.iter().try_for_each(EnvironmentSettings::check)?;
        super::sink::check(&self.sinks)?;
        self.check_secrets()?;
        let limits = [
            ("request_timeout", self.limits.request_timeout.as_ms() == 0),
            ("idle_timeout", self.limits.idle_timeout.as_ms() == 0),
            ("body_limit", self.limits.body.bytes == 0),
            ("connections", self.limits.connections == 0),
            ("queue_entries", self.store.queue_entries == 0),
            ("stream_keepalive", self.ofrep.stream_keepalive.as_ms() == 0),
        ];
        match limits.iter().find(|(_, is_none)| *is_none) {
            Some((name, _)) => {
                Err(Error::settings(format!("{name} lets nothing through: give more than 0")))
            }
            None => self.access.check().and_then(|()| self.tracking.check()),
        }
    }

    /// An empty secret would switch off what it is for, in silence.
    fn check_secrets(&self) -> Result<(), Error> {
        let of_sinks = self.sinks.iter().map(|sink| ("secret of a sink", &sink.secret));
        let of_environments = self.environments.iter();
        let of_environments = of_environments
            .map(|environment| ("datafile_webhook_secret", &environment.datafile_webhook_secret));
        let secrets = [
            ("webhook_secret", &self.webhook_secret),
            ("datafile_webhook_secret", &self.agent.datafile_webhook_secret),
        ];
        let mut secrets = secrets.into_iter().chain(of_environments).chain(of_sinks);
        match secrets.find(|(_, secret)| secret.as_ref().is_some_and(String::is_empty)) {
            Some((name, _)) => {
                Err(Error::settings(format!("the {name} is empty: give one, or leave it out")))
            }
            None => Ok(()),
        }
    }

    /// The rules by which events are attributed.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            window_ms: self.attribution_window.map(Span::as_ms),
            late_window_ms: self.late_window.as_ms(),
            early_tolerance_ms: self.early_tolerance.as_ms(),
            ..Rules::default()
        }
    }
}

/// As they are printed: no secrets.
impl fmt::Debug for ServeSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_toml())
    }
}
