//! What `variate decide` is given.
//!
//! Must not know what is done with them.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::parsers::{datafile_parser, parse_attribute, parse_attributes, parse_option};
use super::{FindingsArguments, Format};
use crate::client::DecideOptions;

#[derive(Debug, Args)]
pub(in crate::cli) struct DecideArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(in crate::cli) datafile: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) subject: Subject,

    /// The user id; any text
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) user: String,

    /// The user's attributes, as a JSON object
    #[arg(long, value_name = "JSON", value_parser = parse_attributes)]
    pub(in crate::cli) attributes: Option<Map<String, Value>>,

    /// One attribute; may be given often and wins over --attributes. The value is read as JSON if it
    /// is JSON (34, true, "34"), else it is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(in crate::cli) attribute: Vec<(String, Value)>,

    /// A segment that the user is in; may be given often. Without it, segments were never fetched
    #[arg(long, value_name = "SEGMENT")]
    pub(in crate::cli) segment: Vec<String>,

    /// An option of the SDKs' decide calls, such as EXCLUDE_VARIABLES; may be given often. Not for
    /// --experiment
    #[arg(long, value_name = "OPTION", value_parser = parse_option, conflicts_with = "experiment")]
    pub(in crate::cli) option: Vec<DecideOptions>,

    /// Show each step of the decision: conditions with the values seen, bucket and range, overrides
    #[arg(long)]
    pub(in crate::cli) explain: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,

    #[command(flatten)]
    pub(in crate::cli) findings: FindingsArguments,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Subject {
    /// Decide this flag
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) flag: Option<String>,

    /// Decide this experiment, as activate and getVariation do: without holdouts
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) experiment: Option<String>,

    /// Decide all flags
    #[arg(long)]
    pub(in crate::cli) all: bool,
}
