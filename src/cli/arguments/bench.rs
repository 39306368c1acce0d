//! What `variate bench` is given.
//!
//! Must not know what is done with them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::parsers::{
    datafile_parser, parse_attribute, parse_duration_ms, parse_threads, shared_attributes,
};
use super::{FindingsArguments, Format};
use crate::bulk::Threads;
use crate::targeting::Attribute;

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchArguments {
    /// The datafile; without it, a small shop that is built in
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(in crate::cli) datafile: Option<PathBuf>,

    /// Measure on this experiment; without it, on the first that runs
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) experiment: Option<String>,

    /// Measure on this flag; without it, on the first
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) flag: Option<String>,

    /// One attribute of all users; may be given often. The value is read as JSON if it is JSON, else it
    /// is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(in crate::cli) attribute: Vec<(String, Value)>,

    /// On how many threads; may be given often. Without it on 1, 2, 4 and so on, and on all
    #[arg(long, value_name = "N", value_parser = parse_threads, allow_hyphen_values = true)]
    pub(in crate::cli) threads: Vec<usize>,

    /// How long each measurement takes: a number and a unit (ms, s, m), 1d at most
    #[arg(long, value_name = "SPAN", default_value = "300ms", value_parser = parse_duration_ms, allow_hyphen_values = true)]
    pub(in crate::cli) duration: i64,

    /// How the figures are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,

    #[command(flatten)]
    pub(in crate::cli) findings: FindingsArguments,
}

impl BenchArguments {
    /// The attributes that all users have.
    pub(in crate::cli) fn attributes(&self) -> Vec<Attribute<'_>> {
        shared_attributes(&self.attribute)
    }

    /// How long each measurement takes.
    pub(in crate::cli) fn duration(&self) -> Duration {
        Duration::from_millis(self.duration.unsigned_abs())
    }

    /// The numbers of threads to measure on.
    pub(in crate::cli) fn thread_counts(&self) -> Vec<usize> {
        if !self.threads.is_empty() {
            return self.threads.clone();
        }
        let all = Threads::All.count();
        let doubled = std::iter::successors(Some(1), |count: &usize| count.checked_mul(2));
        doubled.take_while(|count| *count < all).chain([all]).collect()
    }
}
