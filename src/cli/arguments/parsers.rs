//! Values of arguments, read from text; what cannot be read is refused with the remedy.
//!
//! Must not know which arguments there are.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::error::ErrorKind;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::cli::members::kind_of;
use crate::client::DecideOptions;
use crate::clock::{TimeMs, system_time_ms};
use crate::error::Error;
use crate::settings::nearest;
use crate::settings::parse_span_ms;
use crate::targeting::Attribute;

/// Nearly everybody who writes `-` means standard input; `./-` is a file.
pub(super) fn datafile_parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path == Path::new("-") {
            return Err("only `variate check` reads a datafile from standard input: give a file");
        }
        Ok(path)
    })
}

/// Reads what holds a secret: an error of its own, since clap's repeats what was given.
#[derive(Debug, Clone)]
struct SecretParser<T>(PhantomData<fn() -> T>);

pub(super) fn secret_parser<T>() -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    SecretParser(PhantomData)
}

impl<T> TypedValueParser for SecretParser<T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        value.to_string_lossy().parse().map_err(|error| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            let text = format!("the value of '{name}' cannot be used: {error}");
            clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
    }
}

pub(super) fn parse_whole(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "this is no whole number from 0: write digits only, such as 100000")
}

const OPTION_NAMES: &[&str] = &[
    "DISABLE_DECISION_EVENT",
    "ENABLED_FLAGS_ONLY",
    "IGNORE_USER_PROFILE_SERVICE",
    "INCLUDE_REASONS",
    "EXCLUDE_VARIABLES",
];

pub(super) fn parse_option(text: &str) -> Result<DecideOptions, String> {
    DecideOptions::parse(text).ok_or_else(|| match nearest(text, OPTION_NAMES.iter().copied()) {
        Some(name) => format!("there is no such option: did you mean {name}?"),
        None => format!("there is no such option: use one of {}", OPTION_NAMES.join(", ")),
    })
}

pub(super) fn parse_attributes(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        Ok(other) => {
            Err(format!("this is {}, not an object: write {{\"key\": value}}", kind_of(&other)))
        }
        Err(error) => Err(format!("not valid JSON ({error}): write {{\"key\": value}}")),
    }
}

pub(super) fn parse_attribute(text: &str) -> Result<(String, Value), String> {
    let (key, value) =
        text.split_once('=').ok_or("there is no `=`: write key=value, such as country=SE")?;
    if key.is_empty() {
        return Err("there is no key before `=`: write key=value, such as country=SE".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((key.to_owned(), value))
}

/// No store is older.
const MOST_DAYS_AGO: i64 = 36_525;

/// A time: a date or a date and time (in UTC, if it does not say otherwise), milliseconds since 1970, or
/// a span before now.
pub(super) fn parse_time(text: &str) -> Result<TimeMs, String> {
    if let Ok(time_ms) = text.parse() {
        return Ok(time_ms);
    }
    if let Ok(span_ms) = parse_span_ms(text, MOST_DAYS_AGO) {
        return Ok(system_time_ms().saturating_sub(span_ms));
    }
    let in_utc = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|time| time.timestamp());
    let time = text.parse::<Timestamp>().or_else(|_| text.parse::<DateTime>().and_then(in_utc));
    time.map(Timestamp::as_millisecond).map_err(|_| {
        "write a date (2026-03-02), a time (2026-03-02T09:30:00Z), milliseconds since 1970, or how long ago (30m, 2h, 7d)".to_owned()
    })
}

/// More threads than any machine has are a slip of the finger.
const MOST_THREADS: usize = 1024;

/// Events that wait longer than this are nobody's late arrivals.
const MOST_DAYS_OF_A_LATE_WINDOW: i64 = 366;

pub(super) fn parse_late_window_ms(text: &str) -> Result<i64, String> {
    parse_span_ms(text, MOST_DAYS_OF_A_LATE_WINDOW)
}

/// Nobody waits longer for a delivery.
pub(super) fn parse_patience_ms(text: &str) -> Result<i64, String> {
    parse_span_ms(text, MOST_DAYS_OF_A_LATE_WINDOW)
}

pub(super) fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=MOST_THREADS) => Ok(count),
        _ => Err(format!("write a whole number of threads from 1 to {MOST_THREADS}")),
    }
}

/// Nobody waits longer for one measurement.
const MOST_DAYS_OF_A_MEASUREMENT: i64 = 1;

pub(super) fn parse_duration_ms(text: &str) -> Result<i64, String> {
    match parse_span_ms(text, MOST_DAYS_OF_A_MEASUREMENT) {
        Ok(0) => Err("nothing can be measured in no time: give 1ms or more".to_owned()),
        read => read,
    }
}

pub(super) fn shared_attributes(given: &[(String, Value)]) -> Vec<Attribute<'_>> {
    given.iter().map(|(key, value)| Attribute::new(key, value)).collect()
}
