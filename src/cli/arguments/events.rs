//! What `variate events` is given.
//!
//! Must not know what is done with them.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::parsers::{parse_patience_ms, parse_time, parse_whole};
use super::{Attribution, Format};
use crate::cli::lessons::{
    DEAD_LESSON, DELIVER_LESSON, EXIT_CODES, EXPORT_LESSON, FORGET_LESSON, STATS_LESSON,
    TAIL_LESSON, VERIFY_LESSON,
};
use crate::clock::TimeMs;

#[derive(Debug, Args)]
pub(in crate::cli) struct EventsArguments {
    #[command(subcommand)]
    pub(in crate::cli) command: EventsCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EventsCommand {
    /// Say what the store holds, how far each sink is, and what waits
    #[command(after_long_help = format!("{STATS_LESSON}\n\n{EXIT_CODES}"))]
    Stats(StatsArguments),
    /// Show the latest records
    #[command(after_long_help = format!("{TAIL_LESSON}\n\n{EXIT_CODES}"))]
    Tail(TailArguments),
    /// Write the records that are kept, one JSON object a line, delivered ones too
    #[command(after_long_help = format!("{EXPORT_LESSON}\n\n{EXIT_CODES}"))]
    Export(ExportArguments),
    /// Look at what could not be delivered, send it again or drop it
    #[command(after_long_help = format!("{DEAD_LESSON}\n\n{EXIT_CODES}"))]
    Dead {
        #[command(subcommand)]
        command: DeadCommand,
    },
    /// Deliver what waits, and dead letters that were asked for, to sinks
    #[command(after_long_help = format!("{DELIVER_LESSON}\n\n{EXIT_CODES}"))]
    Deliver(DeliverArguments),
    /// Forget a user: activations, and events that wait for late ones
    #[command(after_long_help = format!("{FORGET_LESSON}\n\n{EXIT_CODES}"))]
    Forget(ForgetArguments),
    /// Look at everything that the store keeps, and say what is missing or damaged
    #[command(after_long_help = format!("{VERIFY_LESSON}\n\n{EXIT_CODES}"))]
    Verify(VerifyArguments),
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DeadCommand {
    /// List dead letters: what did not reach which sink, and why
    #[command(after_long_help = format!("{DEAD_LESSON}\n\n{EXIT_CODES}"))]
    List(DeadListArguments),
    /// Ask for dead letters to be delivered again
    #[command(after_long_help = format!("{DEAD_LESSON}\n\n{EXIT_CODES}"))]
    Retry(DeadChoiceArguments),
    /// Drop dead letters for good
    #[command(after_long_help = format!("{DEAD_LESSON}\n\n{EXIT_CODES}"))]
    Drop(DeadChoiceArguments),
}

/// Where the store is: in a folder, or open in a daemon.
#[derive(Debug, Args)]
#[command(group = store_or_daemon())]
pub(in crate::cli) struct PlaceArguments {
    /// The folder of the store, which no process may have open
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) daemon: DaemonArguments,
}

/// The daemon that has the store open.
#[derive(Debug, Args)]
pub(in crate::cli) struct DaemonArguments {
    /// Ask the daemon that has the store open, at the address of its administration; it answers as JSON
    #[arg(long, value_name = "URL", conflicts_with = "store")]
    pub(in crate::cli) admin: Option<String>,

    /// What proves to the daemon who asks
    #[arg(long, value_name = "TOKEN", env = "VARIATE_ADMIN_TOKEN", hide_env_values = true)]
    pub(in crate::cli) token: Option<String>,
}

/// The store, wherever it is, and how is answered.
#[derive(Debug, Args)]
#[command(group = store_or_daemon())]
pub(in crate::cli) struct HeldArguments {
    /// The folder of the store, which no process may have open
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) daemon: DaemonArguments,

    /// How answers are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
}

/// One of them is given: where neither is, both are named.
fn store_or_daemon() -> ArgGroup {
    ArgGroup::new("place").args(["store", "admin"]).required(true)
}

impl PlaceArguments {
    /// The folder; it is given where no daemon is.
    pub(in crate::cli) fn folder(&self) -> &Path {
        self.store.as_deref().unwrap_or_else(|| Path::new(""))
    }
}

impl HeldArguments {
    /// The folder; it is given where no daemon is.
    pub(in crate::cli) fn folder(&self) -> &Path {
        self.store.as_deref().unwrap_or_else(|| Path::new(""))
    }
}

/// The store, and how is answered.
#[derive(Debug, Args)]
pub(in crate::cli) struct StoreArguments {
    /// The folder of the store, which no process may have open
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) store: PathBuf,

    /// How answers are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
}

/// Which records or dead letters are meant; all of it must hold.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which ones")]
pub(in crate::cli) struct FilterArguments {
    /// Only those of this environment
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) environment: Option<String>,

    /// Only those about this user
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) user: Option<String>,

    /// Only records of this type
    #[arg(long, value_enum)]
    pub(in crate::cli) r#type: Option<RecordType>,

    /// Only conversions of the event with this key
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) event: Option<String>,

    /// Only impressions of the experiment with this key or id, and conversions that are credited to it
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) experiment: Option<String>,

    /// Only what was received (of dead letters: died) at this time or later: a date, a time such as
    /// 2026-03-02T09:30:00Z, ms since 1970, or how long ago (2h)
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(in crate::cli) since: Option<TimeMs>,

    /// Only what was received (died) before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(in crate::cli) until: Option<TimeMs>,

    /// Only what this sink does not have yet; of dead letters, those that it did not take
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) sink: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RecordType {
    /// What users were shown
    Impression,
    /// What users did, with its credits
    Conversion,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct StatsArguments {
    #[command(flatten)]
    pub(in crate::cli) held: HeldArguments,

    #[command(flatten)]
    pub(in crate::cli) filter: FilterArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TailArguments {
    #[command(flatten)]
    pub(in crate::cli) held: HeldArguments,

    /// How many records to show
    #[arg(long, short = 'n', value_name = "N", default_value = "10", value_parser = parse_whole, allow_hyphen_values = true)]
    pub(in crate::cli) limit: u64,

    /// Not possible: see below
    #[arg(long, short, hide = true)]
    pub(in crate::cli) follow: bool,

    #[command(flatten)]
    pub(in crate::cli) filter: FilterArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArguments,

    /// Write here instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    pub(in crate::cli) force: bool,

    /// Write this many records at most, the oldest first
    #[arg(long, value_name = "N", value_parser = parse_whole, allow_hyphen_values = true)]
    pub(in crate::cli) limit: Option<u64>,

    #[command(flatten)]
    pub(in crate::cli) filter: FilterArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DeadListArguments {
    #[command(flatten)]
    pub(in crate::cli) held: HeldArguments,

    /// List this many at most, the oldest first
    #[arg(long, value_name = "N", value_parser = parse_whole, allow_hyphen_values = true)]
    pub(in crate::cli) limit: Option<u64>,

    #[command(flatten)]
    pub(in crate::cli) filter: FilterArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DeadChoiceArguments {
    /// The numbers of dead letters, as `list` shows them
    #[arg(value_name = "NUMBER", value_parser = parse_whole)]
    pub(in crate::cli) numbers: Vec<u64>,

    #[command(flatten)]
    pub(in crate::cli) held: HeldArguments,

    /// All of them
    #[arg(long, conflicts_with = "numbers")]
    pub(in crate::cli) all: bool,

    #[command(flatten)]
    pub(in crate::cli) filter: FilterArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DeliverArguments {
    #[command(flatten)]
    pub(in crate::cli) store: StoreArguments,

    /// Deliver to this: file:PATH, stdout, webhook:URL, optimizely or optimizely:URL; to several by saying
    /// it again
    #[arg(long = "sink", value_name = "KIND[:TARGET]", required = true)]
    pub(in crate::cli) sinks: Vec<String>,

    /// Do not keep records for this sink, which is not delivered to, beyond their time of retention; by its
    /// name, as `stats` shows it
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) leave_out: Vec<String>,

    /// Who attributes the conversions
    #[arg(long, value_enum, default_value_t = Attribution::Activated)]
    pub(in crate::cli) attribution: Attribution,

    /// What webhooks are signed with
    #[arg(long, value_name = "SECRET", env = "VARIATE_WEBHOOK_SECRET", hide_env_values = true)]
    pub(in crate::cli) webhook_secret: Option<String>,

    /// Stop after this time; what was not delivered stays: a number and a unit (ms, s, m, h, d), 366d at
    /// most
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_patience_ms, allow_hyphen_values = true)]
    pub(in crate::cli) timeout: i64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ForgetArguments {
    /// The user's id
    #[arg(value_name = "USER")]
    pub(in crate::cli) user: String,

    /// The environment to forget the user in
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) environment: String,

    #[command(flatten)]
    pub(in crate::cli) held: HeldArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArguments {
    #[command(flatten)]
    pub(in crate::cli) held: HeldArguments,
}
