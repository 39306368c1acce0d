//! The arguments of `serve`: all settings, each of which may also stand in the environment or the file.
//!
//! Must not know defaults: they are those of the settings.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::access::AccessArguments;
use super::agent::AgentArguments;
use super::ofrep::OfrepArguments;
use super::parsers::secret_parser;
use super::tracking::TrackingArguments;
use crate::events::{AttributionMode, SinkTarget};
use crate::settings::{
    EnvironmentSettings, Given, LogFormat, LogLevel, NamedDatafile, NamedSdkKey, Port,
    SinkSettings, Size, Span,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArguments {
    /// A file or address with a datafile: an environment of this name, else of the datafile's
    #[arg(
        long,
        value_name = "[NAME=]PATH|URL",
        env = "VARIATE_DATAFILE",
        value_delimiter = ';',
        value_parser = secret_parser::<NamedDatafile>(),
        hide_env_values = true
    )]
    datafile: Vec<NamedDatafile>,

    /// An SDK key whose datafile Optimizely serves, with its token if it is authenticated: an environment
    #[arg(
        long,
        value_name = "[NAME=]KEY[:TOKEN]",
        env = "VARIATE_SDK_KEY",
        value_delimiter = ';',
        value_parser = secret_parser::<NamedSdkKey>(),
        hide_env_values = true
    )]
    sdk_key: Vec<NamedSdkKey>,

    /// A settings file; variate.toml where that is there
    #[arg(long, value_name = "FILE", env = "VARIATE_CONFIG")]
    pub(in crate::cli) config: Option<PathBuf>,

    /// Print the settings as they are in force, as a settings file without secrets, and end
    #[arg(long)]
    pub(in crate::cli) print_config: bool,

    #[command(flatten, next_help_heading = "Listening")]
    listening: ListeningArguments,

    #[command(flatten, next_help_heading = "Who may ask")]
    access: AccessArguments,

    #[command(flatten, next_help_heading = "Datafiles")]
    datafiles: DatafilesArguments,

    #[command(flatten, next_help_heading = "Records")]
    records: RecordsArguments,

    #[command(flatten, next_help_heading = "The store")]
    store: StoreArguments,

    #[command(flatten, next_help_heading = "OFREP")]
    ofrep: OfrepArguments,
    #[command(flatten, next_help_heading = "Optimizely Agent's interface")]
    agent: AgentArguments,

    #[command(flatten, next_help_heading = "Tracking calls of other systems")]
    tracking: TrackingArguments,

    #[command(flatten, next_help_heading = "The log")]
    log: LogArguments,
}

#[derive(Debug, Args)]
struct ListeningArguments {
    /// The address to listen on; 127.0.0.1 is reached by this machine only [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", env = "VARIATE_HOST")]
    host: Option<String>,

    /// The port of the API: 0 for any free one, or off [default: 8080]
    #[arg(long, value_name = "PORT", env = "VARIATE_PORT")]
    port: Option<Port>,

    /// The port of the administration: 0 for any free one, or off [default: 8088]
    #[arg(long, value_name = "PORT", env = "VARIATE_ADMIN_PORT")]
    admin_port: Option<Port>,

    /// Listen also where other machines reach it, without asking anybody who they are
    #[arg(
        long,
        value_name = "true|false",
        env = "VARIATE_INSECURE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    insecure: Option<bool>,

    /// How large a body may be [default: 1MiB]
    #[arg(long, value_name = "SIZE", env = "VARIATE_BODY_LIMIT")]
    body_limit: Option<Size>,

    /// How long a request may take [default: 10s]
    #[arg(long, value_name = "SPAN", env = "VARIATE_REQUEST_TIMEOUT")]
    request_timeout: Option<Span>,

    /// How long a connection may be idle, or slow with a head or in taking an answer [default: 30s]
    #[arg(long, value_name = "SPAN", env = "VARIATE_IDLE_TIMEOUT")]
    idle_timeout: Option<Span>,

    /// How many connections each port has at once; others wait [default: 4096]
    #[arg(long, value_name = "COUNT", env = "VARIATE_CONNECTIONS")]
    connections: Option<usize>,

    /// How long it may take to stop: for requests under way, then for sinks [default: 20s]
    #[arg(long, value_name = "SPAN", env = "VARIATE_SHUTDOWN_DEADLINE")]
    shutdown_deadline: Option<Span>,
}

#[derive(Debug, Args)]
struct DatafilesArguments {
    /// How often addresses are asked for their datafile [default: 60s]
    #[arg(long, value_name = "SPAN", env = "VARIATE_POLL_INTERVAL")]
    poll_interval: Option<Span>,

    /// The address of datafiles by SDK key, with %s in its place [default: Optimizely's]
    #[arg(long, value_name = "URL", env = "VARIATE_DATAFILE_TEMPLATE", hide_env_values = true)]
    datafile_template: Option<String>,
}

#[derive(Debug, Args)]
struct RecordsArguments {
    /// Where records go: file:PATH, stdout, webhook:URL, optimizely or optimizely:URL; may be repeated
    #[arg(
        long,
        value_name = "KIND[:TARGET]",
        env = "VARIATE_SINK",
        value_delimiter = ';',
        value_parser = secret_parser::<SinkTarget>(),
        hide_env_values = true
    )]
    sink: Vec<SinkTarget>,

    /// What webhooks are signed with
    #[arg(long, value_name = "SECRET", env = "VARIATE_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,

    /// Who attributes events: activated (this engine) or backend (who is sent them) [default: activated]
    #[arg(long, value_name = "MODE", env = "VARIATE_ATTRIBUTION")]
    attribution: Option<AttributionMode>,

    /// How long events wait for activations that arrive after them [default: 1h]
    #[arg(long, value_name = "SPAN", env = "VARIATE_LATE_WINDOW")]
    late_window: Option<Span>,

    /// How much earlier than an activation an event may be and still count for it [default: 0s]
    #[arg(long, value_name = "SPAN", env = "VARIATE_EARLY_TOLERANCE")]
    early_tolerance: Option<Span>,

    /// How long after an activation events count for it [default: without end]
    #[arg(long, value_name = "SPAN", env = "VARIATE_ATTRIBUTION_WINDOW")]
    attribution_window: Option<Span>,
}

#[derive(Debug, Args)]
struct StoreArguments {
    /// The folder of the store, which is made if it is not there [default: variate-data]
    #[arg(long, value_name = "DIR", env = "VARIATE_DATA_DIR")]
    data_dir: Option<PathBuf>,

    /// For how long activations are remembered after they were last received [default: 180d]
    #[arg(long, value_name = "SPAN", env = "VARIATE_ACTIVATION_RETENTION")]
    activation_retention: Option<Span>,

    /// For how long records are kept that all sinks have [default: 7d]
    #[arg(long, value_name = "SPAN", env = "VARIATE_RECORD_RETENTION")]
    record_retention: Option<Span>,

    /// How much room records may take [default: 64GiB]
    #[arg(long, value_name = "SIZE", env = "VARIATE_RECORD_BUDGET")]
    record_budget: Option<Size>,

    /// How much of the disk is left to others [default: 256MiB]
    #[arg(long, value_name = "SIZE", env = "VARIATE_DISK_RESERVE")]
    disk_reserve: Option<Size>,

    /// How many entries may wait for the disk, a large one as one more for each 4 KiB; others are refused
    /// [default: 16384]
    #[arg(long, value_name = "COUNT", env = "VARIATE_QUEUE_ENTRIES")]
    queue_entries: Option<usize>,
}

#[derive(Debug, Args)]
struct LogArguments {
    /// How much is logged on standard error: error, warn, info or debug [default: info]
    #[arg(long, value_name = "LEVEL", env = "VARIATE_LOG")]
    log: Option<LogLevel>,

    /// In which form: text or json [default: text]
    #[arg(long, value_name = "FORMAT", env = "VARIATE_LOG_FORMAT")]
    log_format: Option<LogFormat>,
}

impl ServeArguments {
    /// What the command line and the environment give.
    pub(in crate::cli) fn given(&self) -> Given {
        let Self { listening, access, datafiles, records, store, log, .. } = self;
        let by_datafile = self.datafile.iter().cloned().map(EnvironmentSettings::of_datafile);
        let by_sdk_key = self.sdk_key.iter().cloned().map(EnvironmentSettings::of_sdk_key);
        Given {
            host: listening.host.clone(),
            port: listening.port,
            admin_port: listening.admin_port,
            insecure: listening.insecure,
            access: access.given(),
            data_dir: store.data_dir.clone(),
            environments: by_datafile.chain(by_sdk_key).collect(),
            datafile_template: datafiles.datafile_template.clone(),
            poll_interval: datafiles.poll_interval,
            sinks: records.sink.iter().cloned().map(SinkSettings::new).collect(),
            webhook_secret: records.webhook_secret.clone(),
            attribution: records.attribution,
            late_window: records.late_window,
            early_tolerance: records.early_tolerance,
            attribution_window: records.attribution_window,
            activation_retention: store.activation_retention,
            record_retention: store.record_retention,
            record_budget: store.record_budget,
            disk_reserve: store.disk_reserve,
            queue_entries: store.queue_entries,
            body_limit: listening.body_limit,
            request_timeout: listening.request_timeout,
            idle_timeout: listening.idle_timeout,
            connections: listening.connections,
            shutdown_deadline: listening.shutdown_deadline,
            agent: self.agent.given(),
            log: log.log,
            log_format: log.log_format,
            ofrep: self.ofrep.given(),
            tracking: self.tracking.given(),
        }
    }
}
