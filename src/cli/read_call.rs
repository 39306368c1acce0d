//! From a line to a call, or to words on what is wrong with the line.
//!
//! Must not know how calls are answered.

use serde_json::{Map, Value};

use super::call::{Ask, CALL_NAMES, Call, TrackedEvent};
use super::members::{Fault, Members, kind_of};
use super::words::quoted;
use crate::client::DecideOptions;
use crate::settings::nearest;
use crate::targeting::Attribute;

/// Reads the JSON of a line.
pub(super) fn read_line(line: &[u8]) -> Result<Value, Fault> {
    let text = std::str::from_utf8(line).map_err(|error| {
        format!("not UTF-8 text from byte {} on: save the calls as UTF-8", error.valid_up_to() + 1)
    })?;
    serde_json::from_str(text).map_err(|error| {
        let column = error.column();
        let place = format!(" at line {} column {column}", error.line());
        let what = error.to_string().replace(&place, "");
        format!("not valid JSON at column {column} ({what}): write one JSON object on the line")
    })
}

/// Reads a call from the JSON of its line.
pub(super) fn read_call(value: &Value) -> Result<Call<'_>, Fault> {
    let object = value.as_object().ok_or_else(|| {
        format!("{}, not an object: write {{\"call\": \"...\", ...}}", kind_of(value))
    })?;
    let members = Members(object);
    let name = known_name(members.text("call")?)?;
    Ok(Call {
        name,
        user_id: if name == "setDatafile" { "" } else { members.text("userId")? },
        attributes: members.optional_object("attributes")?.map(attributes).unwrap_or_default(),
        segments: members.optional_texts("segments")?,
        time_ms: members.optional_time_ms("time")?,
        ask: read_ask(name, members)?,
    })
}

fn known_name(given: &str) -> Result<&'static str, Fault> {
    if let Some(name) = CALL_NAMES.iter().find(|name| **name == given) {
        return Ok(name);
    }
    let remedy = match nearest(given, CALL_NAMES.iter().copied()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("use one of {}", CALL_NAMES.join(", ")),
    };
    Err(format!("unknown call {}: {remedy}", quoted(given)))
}

fn read_ask<'l>(name: &str, members: Members<'l>) -> Result<Ask<'l>, Fault> {
    let experiment_key = || members.text("experimentKey");
    let flag_key = || members.text("flagKey");
    let options =
        || members.optional_texts("options").map(|names| united(&names.unwrap_or_default()));
    Ok(match name {
        "activate" => {
            Ask::Activate { experiment_key: experiment_key()?, id: members.optional_text("id")? }
        }
        "getVariation" => Ask::GetVariation { experiment_key: experiment_key()? },
        "track" => Ask::Track(read_track(members)?),
        "decide" => Ask::Decide { flag_key: flag_key()?, options: options()? },
        "decideAll" => Ask::DecideAll { options: options()? },
        "decideForKeys" => {
            Ask::DecideForKeys { flag_keys: members.texts("flagKeys")?, options: options()? }
        }
        "isFeatureEnabled" => Ask::IsFeatureEnabled { flag_key: flag_key()? },
        "getEnabledFeatures" => Ask::GetEnabledFeatures,
        "getFeatureVariable" => Ask::GetFeatureVariable {
            flag_key: flag_key()?,
            variable_key: members.text("variableKey")?,
        },
        "getAllFeatureVariables" => Ask::GetAllFeatureVariables { flag_key: flag_key()? },
        _ => return read_arrangement(name, members),
    })
}

/// The calls that change what later calls see.
fn read_arrangement<'l>(name: &str, members: Members<'l>) -> Result<Ask<'l>, Fault> {
    let experiment_key = || members.text("experimentKey");
    let flag_key = || members.text("flagKey");
    let rule_key = || members.optional_text("ruleKey");
    Ok(match name {
        "setForcedVariation" => Ask::SetForcedVariation {
            experiment_key: experiment_key()?,
            // Left out it is more likely misspelt than meant to take back what was forced.
            variation_key: members.text_or_null("variationKey")?,
        },
        "getForcedVariation" => Ask::GetForcedVariation { experiment_key: experiment_key()? },
        "setForcedDecision" => Ask::SetForcedDecision {
            flag_key: flag_key()?,
            rule_key: rule_key()?,
            variation_key: members.text("variationKey")?,
        },
        "removeForcedDecision" => {
            Ask::RemoveForcedDecision { flag_key: flag_key()?, rule_key: rule_key()? }
        }
        "removeAllForcedDecisions" => Ask::RemoveAllForcedDecisions,
        _ => Ask::SetDatafile { path: members.text("path")? },
    })
}

fn read_track<'l>(members: Members<'l>) -> Result<TrackedEvent<'l>, Fault> {
    Ok(TrackedEvent {
        event_key: members.text("eventKey")?,
        id: members.optional_text("id")?,
        tags: members.optional_object("eventTags")?,
        count: members.optional_count("count")?,
        duration_seconds: members.optional_seconds("duration")?,
    })
}

/// Options that no SDK knows are without effect, as there.
fn united(names: &[&str]) -> DecideOptions {
    let options = names.iter().filter_map(|name| DecideOptions::parse(name));
    options.fold(DecideOptions::NONE, |all, one| all | one)
}

/// The attributes of a JSON object.
pub(super) fn attributes(object: &Map<String, Value>) -> Vec<Attribute<'_>> {
    object.iter().map(|(key, value)| Attribute::new(key, value)).collect()
}
