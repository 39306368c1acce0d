//! What `variate diff` is given.
//!
//! Must not know what is done with them.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::Format;
use super::parsers::{datafile_parser, parse_attribute, parse_threads, parse_whole};
use crate::cli::users::UsersFormat;

#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArguments {
    /// The datafile as it is
    #[arg(value_name = "OLD", value_parser = datafile_parser())]
    pub(in crate::cli) old: PathBuf,

    /// The datafile as it will be
    #[arg(value_name = "NEW", value_parser = datafile_parser())]
    pub(in crate::cli) new: PathBuf,

    /// Decide for so many made-up users; 0 compares the datafiles only
    #[arg(long, value_name = "N", default_value = "100000", value_parser = parse_whole, allow_hyphen_values = true)]
    pub(in crate::cli) sample: u64,

    /// Make up other users: their ids are user-SEED-0, user-SEED-1 and so on
    #[arg(long, value_name = "SEED", default_value = "1", value_parser = parse_whole, allow_hyphen_values = true)]
    pub(in crate::cli) seed: u64,

    /// One attribute of all made-up users; may be given often. The value is read as JSON if it is JSON
    /// (34, true, "34"), else it is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(in crate::cli) attribute: Vec<(String, Value)>,

    /// A segment that all made-up users are in; may be given often. Without it, segments were never
    /// fetched
    #[arg(long, value_name = "SEGMENT")]
    pub(in crate::cli) segment: Vec<String>,

    /// Decide for the users of this file instead, with the attributes that it gives them: CSV or NDJSON;
    /// `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sample", "seed", "attribute", "segment"])]
    pub(in crate::cli) users: Option<PathBuf>,

    /// How the file of users is written; by default the name's extension tells it
    #[arg(long, value_enum, value_name = "FORMAT", requires = "users")]
    pub(in crate::cli) input_format: Option<UsersFormat>,

    /// The column or member that holds the user id; by default a column user_id, userId or id, or the
    /// member userId
    #[arg(long, value_name = "NAME", requires = "users")]
    pub(in crate::cli) id_field: Option<String>,

    /// Decide on so many threads; by default on all that the machine has
    #[arg(long, value_name = "N", value_parser = parse_threads, allow_hyphen_values = true)]
    pub(in crate::cli) threads: Option<usize>,

    /// Exit with 1 if anything is different
    #[arg(long)]
    pub(in crate::cli) exit_code: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,

    /// Do not tell how many findings the datafiles have
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
}
