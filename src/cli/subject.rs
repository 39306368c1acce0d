//! The flag or experiment that was asked for: refused, with a hint, where the datafile does not have it.
//!
//! Must not know what is done with it.

use super::failure::Failure;
use super::words::{listed, name, quoted};
use crate::datafile::Datafile;
use crate::settings::nearest;

/// The SDKs have an answer for unknown keys, but who types one wants to know.
pub(super) fn refuse_unknown_key(
    datafile: &Datafile,
    (flag, experiment): (Option<&str>, Option<&str>),
) -> Result<(), Failure> {
    let is_flag = |key: &str| datafile.flag_by_key(key).is_some();
    let is_experiment = |key: &str| datafile.experiment_by_key(key).is_some();
    let message = match (flag, experiment) {
        (Some(key), _) if is_flag(key) => return Ok(()),
        (_, Some(key)) if is_experiment(key) => return Ok(()),
        (Some(key), _) if is_experiment(key) => {
            in_place_of("a flag", ("an experiment", "--experiment"), key)
        }
        (_, Some(key)) if is_flag(key) => in_place_of("an experiment", ("a flag", "--flag"), key),
        (Some(key), _) => {
            let keys: Vec<_> = datafile.flags().iter().map(|flag| flag.key()).collect();
            unknown("flag", key, &keys)
        }
        (_, Some(key)) => {
            let keys: Vec<_> = datafile.experiments().map(|rule| rule.key()).collect();
            unknown("experiment", key, &keys)
        }
        (None, None) => return Ok(()),
    };
    Err(Failure::unknown_key(message))
}

/// The key is there, but of something else, for which there is another option.
fn in_place_of(wanted: &str, (found, option): (&str, &str), key: &str) -> String {
    let (quoted_key, key) = (quoted(key), name(key));
    format!("the datafile knows {quoted_key} as {found}, not as {wanted}: use {option} {key}")
}

fn unknown(wanted: &str, key: &str, keys: &[&str]) -> String {
    let remedy = match nearest(key, keys.iter().copied()) {
        Some(key) => format!("did you mean {}?", quoted(key)),
        None if keys.is_empty() => "it has none".to_owned(),
        None => format!("it has {}", listed(keys.iter().map(|key| name(key)))),
    };
    format!("the datafile has no {wanted} {}: {remedy}", quoted(key))
}
