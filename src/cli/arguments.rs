//! The command line: what can be given, and the help that teaches it.
//!
//! Must not know what commands do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Map, Value};

use super::members::kind_of;
use super::nearest::nearest;
use super::span::parse_span_ms;
use crate::client::DecideOptions;
use crate::events::AttributionMode;

#[derive(Debug, Parser)]
#[command(
    name = "variate",
    version,
    about = "Decides experiments and flags of Optimizely datafiles, and credits events only to what was activated",
    after_help = "Exit codes: 0 done, 1 a malformed line or an unknown key, 2 wrong usage, 3 datafile refused.",
    after_long_help = "\
Examples:
  Replay a file of calls and read what happened:
    variate replay --datafile datafiles/shop.json --calls datafiles/shop.calls.jsonl --format text
  Ask why a user gets what they get:
    variate decide --datafile datafiles/shop.json --flag search --user mia --explain

Exit codes: 0 done, 1 a malformed line or an unknown key, 2 wrong usage, 3 datafile refused."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Answer a file of calls, in order: one JSON object a line in, one answer a line out
    #[command(after_long_help = REPLAY_LESSON)]
    Replay(ReplayArguments),
    /// Decide a flag, all flags or an experiment for one user, and explain it; nothing is recorded
    #[command(after_long_help = DECIDE_LESSON)]
    Decide(DecideArguments),
}

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE")]
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
    #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = parse_span_ms)]
    pub(super) late_window: i64,

    /// How answers are written
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(super) format: Format,

    /// Do not tell what is wrong with parts of the datafile
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct DecideArguments {
    /// The datafile: the JSON project configuration that Optimizely serves
    #[arg(long, value_name = "FILE")]
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

    /// An option of the SDKs' decide calls, such as EXCLUDE_VARIABLES; may be given often
    #[arg(long, value_name = "OPTION", value_parser = parse_option)]
    pub(super) option: Vec<DecideOptions>,

    /// Show each step of the decision: conditions with the values seen, bucket and range, overrides
    #[arg(long)]
    pub(super) explain: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,

    /// Do not tell what is wrong with parts of the datafile
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
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((key.to_owned(), value))
}

const REPLAY_LESSON: &str = r#"Calls (each also has a "userId", and may have "attributes", "segments", "time" in ms since 1970):
  activate, getVariation                      "experimentKey"  [activate: "id"]
  track                                       "eventKey"  ["id", "eventTags", "count", "duration"]
  decide                                      "flagKey"  ["options"]
  decideAll                                   ["options"]
  decideForKeys                               "flagKeys"  ["options"]
  isFeatureEnabled, getAllFeatureVariables    "flagKey"
  getFeatureVariable                          "flagKey", "variableKey"
  getEnabledFeatures
  setForcedVariation                          "experimentKey", "variationKey" (null: take it back)
  getForcedVariation                          "experimentKey"
  setForcedDecision                           "flagKey", "variationKey"  ["ruleKey"]
  removeForcedDecision                        "flagKey"  ["ruleKey"]
  removeAllForcedDecisions
  setDatafile                                 "path"  (no user)

A time says when the call happened. The clock of receipt follows the times and never goes back: a
call with an earlier time than one before it is a late arrival. Calls without a time happen now;
if they record nothing, they leave the clock alone.

A malformed line is answered with {"error": "..."}, and the replay goes on.

Examples:
  Answer a file of calls:
    variate replay --datafile shop.json --calls calls.jsonl
  Read what happened, with credits in words and a summary:
    variate replay --datafile shop.json --calls calls.jsonl --format text
  See what today's SDKs would send:
    variate replay --datafile shop.json --calls calls.jsonl --events events.jsonl \
      --attribution backend
  Ask from a pipe:
    echo '{"call":"decide","flagKey":"search","userId":"mia"}' |
      variate replay --datafile shop.json --calls -

Exit codes: 0 done, 1 a line was malformed, 2 wrong usage or a file that cannot be read or written,
3 the datafile was refused or cannot be read. A reader that closes the pipe early is no fault."#;

const DECIDE_LESSON: &str = r#"Examples:
  Decide a flag:
    variate decide --datafile shop.json --flag search --user mia \
      --attribute country=DE --attribute age=27
  See why, step by step:
    variate decide --datafile shop.json --flag search --user mia --explain
  All flags that are on, for a program:
    variate decide --datafile shop.json --all --user mia --option ENABLED_FLAGS_ONLY --format json
  An experiment, with attributes from JSON:
    variate decide --datafile shop.json --experiment checkout_button --user mia \
      --attributes '{"country": "SE"}'

Exit codes: 0 done, 1 the datafile has no such flag or experiment, 2 wrong usage, 3 the datafile was refused or cannot be read."#;
