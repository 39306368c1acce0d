//! What `variate replay` is given.
//!
//! Must not know what is done with them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parsers::{datafile_parser, parse_late_window_ms};
use super::{FindingsArguments, Format};
use crate::events::AttributionMode;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReplayArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(in crate::cli) datafile: PathBuf,

    /// The calls: a file with one JSON object a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) calls: PathBuf,

    /// Write here, for each call, one line: the JSON array of requests that it would send to the event
    /// API, each {"url", "body"}; `[]` where it would send none. The file is replaced
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) events: Option<PathBuf>,

    /// Remember in the store in this folder, and go on from what it holds; the folder is made if it is
    /// not there. Without it, everything is forgotten at the end
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) store: Option<PathBuf>,

    /// Who attributes the conversions in --events
    #[arg(long, value_enum, default_value_t = Attribution::Activated)]
    pub(in crate::cli) attribution: Attribution,

    /// Keep a user profile in memory: a variation that a user was bucketed into stays the user's
    #[arg(long)]
    pub(in crate::cli) sticky: bool,

    /// How long an event waits for an activation that arrives later but happened earlier: a number and
    /// a unit (ms, s, m, h, d), 366d at most
    #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = parse_late_window_ms, allow_hyphen_values = true)]
    pub(in crate::cli) late_window: i64,

    /// How answers are written
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(in crate::cli) format: Format,

    #[command(flatten)]
    pub(in crate::cli) findings: FindingsArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Attribution {
    /// This engine: a conversion is sent if it is credited, and names what it is credited to
    Activated,
    /// The results service, as today's SDKs do: every known event is sent, without decisions
    Backend,
}

impl From<Attribution> for AttributionMode {
    fn from(attribution: Attribution) -> Self {
        match attribution {
            Attribution::Activated => Self::Activated,
            Attribution::Backend => Self::Backend,
        }
    }
}
