//! What `variate bucket` is given.
//!
//! Must not know what is done with them.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::FindingsArguments;
use super::parsers::{datafile_parser, parse_attribute, parse_threads, shared_attributes};
use crate::bulk::Threads;
use crate::cli::users::UsersFormat;
use crate::targeting::Attribute;

#[derive(Debug, Args)]
pub(in crate::cli) struct BucketArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(in crate::cli) datafile: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) subject: BucketSubject,

    /// The users: a file with a user a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) users: PathBuf,

    /// How the users are written; without it, the name tells: .csv or .txt, .ndjson or .jsonl
    #[arg(long, value_enum)]
    pub(in crate::cli) input_format: Option<UsersFormat>,

    /// The column or member that holds the user id; without it, a column user_id, userId or id, or the
    /// member userId
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) id_field: Option<String>,

    /// How the variations are written; without it, as the users are
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<UsersFormat>,

    /// Write here instead of to standard output. The file is replaced
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// One attribute of all users; may be given often; a user's own in the file wins. The value is read
    /// as JSON if it is JSON (34, true, "34"), else it is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(in crate::cli) attribute: Vec<(String, Value)>,

    /// How many threads assign; without it, as many as the machine runs at once
    #[arg(long, value_name = "N", value_parser = parse_threads, allow_hyphen_values = true)]
    pub(in crate::cli) threads: Option<usize>,

    #[command(flatten)]
    pub(in crate::cli) findings: FindingsArguments,
}

impl BucketArguments {
    /// The attributes that all users have.
    pub(in crate::cli) fn shared_attributes(&self) -> Vec<Attribute<'_>> {
        shared_attributes(&self.attribute)
    }

    /// The number of threads that assign.
    pub(in crate::cli) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| Threads::All.count())
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct BucketSubject {
    /// Assign this experiment
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) experiment: Option<String>,

    /// Assign all experiments
    #[arg(long)]
    pub(in crate::cli) all: bool,
}
