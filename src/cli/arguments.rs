//! The command line: what can be given, and the help that teaches it.
//!
//! Must not know what commands do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Map, Value};

use super::lessons::{
    BENCH_LESSON, BUCKET_LESSON, CHECK_LESSON, DECIDE_LESSON, DIFF_LESSON, EXIT_CODES,
    FIRST_LESSON, REPLAY_LESSON,
};
use super::members::kind_of;
use super::nearest::nearest;
use super::read_call::attribute_value;
use super::span::parse_span_ms;
use super::users::UsersFormat;
use crate::bulk::Threads;
use crate::client::DecideOptions;
use crate::datafile::Severity;
use crate::events::AttributionMode;
use crate::targeting::Attribute;

#[derive(Debug, Parser)]
#[command(
    name = "variate",
    version,
    about = "Decides experiments and flags of Optimizely datafiles, and credits events only to what was activated",
    after_help = EXIT_CODES,
    after_long_help = format!("{FIRST_LESSON}\n\n{EXIT_CODES}")
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Answer a file of calls, in order: one JSON object a line in, one answer a line out
    #[command(after_long_help = format!("{REPLAY_LESSON}\n\n{EXIT_CODES}"))]
    Replay(ReplayArguments),
    /// Decide a flag, all flags or an experiment for one user, and explain it; nothing is recorded
    #[command(after_long_help = format!("{DECIDE_LESSON}\n\n{EXIT_CODES}"))]
    Decide(DecideArguments),
    /// Find what is wrong with datafiles, and what can hardly be meant
    #[command(after_long_help = format!("{CHECK_LESSON}\n\n{EXIT_CODES}"))]
    Check(CheckArguments),
    /// Compare two datafiles: what is different, in words, and whose variation changes
    #[command(after_long_help = format!("{DIFF_LESSON}\n\n{EXIT_CODES}"))]
    Diff(DiffArguments),
    /// Assign a file of users: CSV or NDJSON in and out, in order, on all threads; nothing is recorded
    #[command(after_long_help = format!("{BUCKET_LESSON}\n\n{EXIT_CODES}"))]
    Bucket(BucketArguments),
    /// Measure what bucketing, decisions and activations cost on this machine, on your datafile
    #[command(after_long_help = format!("{BENCH_LESSON}\n\n{EXIT_CODES}"))]
    Bench(BenchArguments),
}

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(super) datafile: PathBuf,

    /// The calls: a file with one JSON object a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) calls: PathBuf,

    /// Write here, for each call, one line: the JSON array of requests that it would send to the event
    /// API, each {"url", "body"}; `[]` where it would send none. The file is replaced
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,

    /// Who attributes the conversions in --events
    #[arg(long, value_enum, default_value_t = Attribution::Activated)]
    pub(super) attribution: Attribution,

    /// Keep a user profile in memory: a variation that a user was bucketed into stays the user's
    #[arg(long)]
    pub(super) sticky: bool,

    /// How long an event waits for an activation that arrives later but happened earlier: a number and
    /// a unit (ms, s, m, h, d)
    #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = parse_span_ms, allow_hyphen_values = true)]
    pub(super) late_window: i64,

    /// How answers are written
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) findings: FindingsArguments,
}

#[derive(Debug, Args)]
pub(super) struct DecideArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(super) datafile: PathBuf,

    #[command(flatten)]
    pub(super) subject: Subject,

    /// The user id; any text
    #[arg(long, value_name = "ID")]
    pub(super) user: String,

    /// The user's attributes, as a JSON object
    #[arg(long, value_name = "JSON", value_parser = parse_attributes)]
    pub(super) attributes: Option<Map<String, Value>>,

    /// One attribute; may be given often and wins over --attributes. The value is read as JSON if it
    /// is JSON (34, true, "34"), else it is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(super) attribute: Vec<(String, Value)>,

    /// A segment that the user is in; may be given often. Without it, segments were never fetched
    #[arg(long, value_name = "SEGMENT")]
    pub(super) segment: Vec<String>,

    /// An option of the SDKs' decide calls, such as EXCLUDE_VARIABLES; may be given often. Not for
    /// --experiment
    #[arg(long, value_name = "OPTION", value_parser = parse_option, conflicts_with = "experiment")]
    pub(super) option: Vec<DecideOptions>,

    /// Show each step of the decision: conditions with the values seen, bucket and range, overrides
    #[arg(long)]
    pub(super) explain: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) findings: FindingsArguments,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// The datafiles; `-` is standard input
    #[arg(value_name = "DATAFILE", required = true)]
    pub(super) datafiles: Vec<PathBuf>,

    /// How findings are written
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(super) format: CheckFormat,

    /// The least severity that gives exit code 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Warning)]
    pub(super) fail_on: FailOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// Words, for people
    Text,
    /// One JSON object, for programs
    Json,
    /// SARIF 2.1.0, for code review
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Anything found
    Note,
    /// What works, but hardly as it is meant, and errors
    Warning,
    /// What is left out, or cannot work
    Error,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Note => Self::Note,
            FailOn::Warning => Self::Warning,
            FailOn::Error => Self::Error,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The datafile as it is
    #[arg(value_name = "OLD", value_parser = datafile_parser())]
    pub(super) old: PathBuf,

    /// The datafile as it will be
    #[arg(value_name = "NEW", value_parser = datafile_parser())]
    pub(super) new: PathBuf,

    /// Decide for so many made-up users; 0 compares the datafiles only
    #[arg(long, value_name = "N", default_value = "100000", value_parser = parse_whole, allow_hyphen_values = true)]
    pub(super) sample: u64,

    /// Make up other users: their ids are user-SEED-0, user-SEED-1 and so on
    #[arg(long, value_name = "SEED", default_value = "1", value_parser = parse_whole, allow_hyphen_values = true)]
    pub(super) seed: u64,

    /// One attribute of all made-up users; may be given often. The value is read as JSON if it is JSON
    /// (34, true, "34"), else it is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(super) attribute: Vec<(String, Value)>,

    /// A segment that all made-up users are in; may be given often. Without it, segments were never
    /// fetched
    #[arg(long, value_name = "SEGMENT")]
    pub(super) segment: Vec<String>,

    /// Decide for the users of this file instead, with the attributes that it gives them: CSV or NDJSON;
    /// `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sample", "seed", "attribute", "segment"])]
    pub(super) users: Option<PathBuf>,

    /// How the file of users is written; by default the name's extension tells it
    #[arg(long, value_enum, value_name = "FORMAT", requires = "users")]
    pub(super) input_format: Option<UsersFormat>,

    /// Decide on so many threads; by default on all that the machine has
    #[arg(long, value_name = "N", value_parser = parse_thread_count, allow_hyphen_values = true)]
    pub(super) threads: Option<usize>,

    /// Exit with 1 if anything is different
    #[arg(long)]
    pub(super) exit_code: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// Do not tell how many findings the datafiles have
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Subject {
    /// Decide this flag
    #[arg(long, value_name = "KEY")]
    pub(super) flag: Option<String>,

    /// Decide this experiment, as activate and getVariation do: without holdouts
    #[arg(long, value_name = "KEY")]
    pub(super) experiment: Option<String>,

    /// Decide all flags
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct BucketArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(super) datafile: PathBuf,

    #[command(flatten)]
    pub(super) subject: BucketSubject,

    /// The users: a file with a user a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) users: PathBuf,

    /// How the users are written; without it, the name tells: .csv or .txt, .ndjson or .jsonl
    #[arg(long, value_enum)]
    pub(super) input_format: Option<UsersFormat>,

    /// How the variations are written; without it, as the users are
    #[arg(long, value_enum)]
    pub(super) format: Option<UsersFormat>,

    /// Write here instead of to standard output. The file is replaced
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// One attribute of all users; may be given often; a user's own in the file wins. The value is read
    /// as JSON if it is JSON (34, true, "34"), else it is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(super) attribute: Vec<(String, Value)>,

    /// How many threads assign; without it, as many as the machine runs at once
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(super) threads: Option<usize>,

    #[command(flatten)]
    pub(super) findings: FindingsArguments,
}

impl BucketArguments {
    /// The attributes that all users have.
    pub(super) fn shared_attributes(&self) -> Vec<Attribute<'_>> {
        shared_attributes(&self.attribute)
    }

    /// The number of threads that assign.
    pub(super) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| Threads::All.count())
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct BucketSubject {
    /// Assign this experiment
    #[arg(long, value_name = "KEY")]
    pub(super) experiment: Option<String>,

    /// Assign all experiments
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct BenchArguments {
    /// The datafile; without it, a small shop that is built in
    #[arg(long, value_name = "FILE", value_parser = datafile_parser())]
    pub(super) datafile: Option<PathBuf>,

    /// Measure on this experiment; without it, on the first that runs
    #[arg(long, value_name = "KEY")]
    pub(super) experiment: Option<String>,

    /// Measure on this flag; without it, on the first
    #[arg(long, value_name = "KEY")]
    pub(super) flag: Option<String>,

    /// One attribute of all users; may be given often. The value is read as JSON if it is JSON, else it
    /// is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_attribute)]
    pub(super) attribute: Vec<(String, Value)>,

    /// On how many threads; may be given often. Without it on 1, 2, 4 and so on, and on all
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(super) threads: Vec<usize>,

    /// How long each measurement takes: a number and a unit (ms, s, m)
    #[arg(long, value_name = "SPAN", default_value = "300ms", value_parser = parse_duration_ms, allow_hyphen_values = true)]
    pub(super) duration: i64,

    /// How the figures are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    #[command(flatten)]
    pub(super) findings: FindingsArguments,
}

impl BenchArguments {
    /// The attributes that all users have.
    pub(super) fn attributes(&self) -> Vec<Attribute<'_>> {
        shared_attributes(&self.attribute)
    }

    /// How long each measurement takes.
    pub(super) fn duration(&self) -> Duration {
        Duration::from_millis(self.duration.unsigned_abs())
    }

    /// The numbers of threads to measure on.
    pub(super) fn thread_counts(&self) -> Vec<usize> {
        if !self.threads.is_empty() {
            return self.threads.clone();
        }
        let all = Threads::All.count();
        let doubled = std::iter::successors(Some(1), |count: &usize| count.checked_mul(2));
        doubled.take_while(|count| *count < all).chain([all]).collect()
    }
}

fn shared_attributes(given: &[(String, Value)]) -> Vec<Attribute<'_>> {
    given.iter().map(|(key, value)| Attribute::new(key, attribute_value(value))).collect()
}

/// How much is told of what is wrong with a datafile; by default, how many findings and the first.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct FindingsArguments {
    /// Tell all that is wrong with parts of the datafile, one finding a line on standard error
    #[arg(long)]
    pub(super) findings: bool,

    /// Do not tell what is wrong with parts of the datafile
    #[arg(long, short, conflicts_with = "findings")]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object per answer, for programs
    Json,
    /// Words, for people
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Attribution {
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

/// Nearly everybody who writes `-` means standard input; `./-` is a file.
fn datafile_parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path == Path::new("-") {
            return Err("only --calls of replay can be standard input: give a file");
        }
        Ok(path)
    })
}

fn parse_whole(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "this is no whole number from 0: write digits only, such as 100000")
}

/// More threads than any machine has are a slip of the finger.
const MOST_DIFF_THREADS: usize = 1024;

fn parse_thread_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST_DIFF_THREADS) => Ok(count),
        _ => Err(format!("write a whole number of threads from 1 to {MOST_DIFF_THREADS}")),
    }
}

const OPTION_NAMES: &[&str] = &[
    "DISABLE_DECISION_EVENT",
    "ENABLED_FLAGS_ONLY",
    "IGNORE_USER_PROFILE_SERVICE",
    "INCLUDE_REASONS",
    "EXCLUDE_VARIABLES",
];

fn parse_option(text: &str) -> Result<DecideOptions, String> {
    DecideOptions::parse(text).ok_or_else(|| match nearest(text, OPTION_NAMES.iter().copied()) {
        Some(name) => format!("there is no such option: did you mean {name}?"),
        None => format!("there is no such option: use one of {}", OPTION_NAMES.join(", ")),
    })
}

fn parse_attributes(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        Ok(other) => {
            Err(format!("this is {}, not an object: write {{\"key\": value}}", kind_of(&other)))
        }
        Err(error) => Err(format!("not valid JSON ({error}): write {{\"key\": value}}")),
    }
}

fn parse_attribute(text: &str) -> Result<(String, Value), String> {
    let (key, value) =
        text.split_once('=').ok_or("there is no `=`: write key=value, such as country=SE")?;
    if key.is_empty() {
        return Err("there is no key before `=`: write key=value, such as country=SE".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((key.to_owned(), value))
}

/// More threads than any machine has are a slip of the finger.
const MOST_THREADS: usize = 1024;

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST_THREADS) => Ok(count),
        _ => Err(format!("write a whole number of threads from 1 to {MOST_THREADS}")),
    }
}

fn parse_duration_ms(text: &str) -> Result<i64, String> {
    match parse_span_ms(text) {
        Ok(0) => Err("nothing can be measured in no time: give 1ms or more".to_owned()),
        read => read,
    }
}
