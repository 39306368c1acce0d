//! A replay told to people: the call, the answer, and what it counts for, in words.
//!
//! Must not know the client: it reads calls, answers and records.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::Value;

use super::summary::Summary;
use crate::attribution::{ConversionRecord, Record};
use crate::cli::call::{Call, Kind, TrackCall};
use crate::client::ClientStatistics;
use crate::clock::TimeMs;

/// Where answers begin, below the call.
const INDENT: &str = "                       ";

#[derive(Debug, Default)]
pub(super) struct Story {
    summary: Summary,
    day: String,
}

impl Story {
    /// One call and its answer. A malformed line has no call.
    pub(super) fn tell(
        &mut self,
        call: Option<&Call>,
        answer: &Value,
        records: &[Arc<Record>],
        now_ms: TimeMs,
    ) -> String {
        self.summary.count(call, answer, records);
        let Some(call) = call else {
            return format!("malformed {}\n", text_at(answer, "error"));
        };
        let (day, time) = day_and_time(call.time_ms.unwrap_or(now_ms));
        let mut told = String::new();
        if day != self.day {
            told = format!("{}{day}\n", if self.day.is_empty() { "" } else { "\n" });
            self.day = day;
        }
        let user = if call.user_id.is_empty() { "-" } else { &call.user_id };
        told.push_str(&format!("  {time}  {user:<10} {}\n", asked(call)));
        for line in answered(call, answer) {
            told.push_str(&format!("{INDENT}{line}\n"));
        }
        for record in records {
            told.extend(late_credit(record).map(|line| format!("{INDENT}{line}\n")));
        }
        told
    }

    /// What it all came to.
    pub(super) fn ending(&self, statistics: &ClientStatistics) -> String {
        self.summary.tell(statistics)
    }
}

fn day_and_time(time_ms: TimeMs) -> (String, String) {
    match jiff::Timestamp::from_millisecond(time_ms) {
        Ok(time) => (
            time.strftime("%Y-%m-%d, times in UTC").to_string(),
            time.strftime("%H:%M:%S").to_string(),
        ),
        Err(_) => ("a time that no calendar has".to_owned(), format!("{time_ms} ms")),
    }
}

/// The call in words.
fn asked(call: &Call) -> String {
    match &call.kind {
        Kind::Activate { experiment_key, .. } => format!("activate {experiment_key}"),
        Kind::GetVariation { experiment_key } => format!("which variation of {experiment_key}?"),
        Kind::Track(track) => asked_to_track(track),
        Kind::Decide { flag_key, .. } => format!("decide {flag_key}"),
        Kind::DecideAll { .. } => "decide all flags".to_owned(),
        Kind::DecideForKeys { flag_keys, .. } => format!("decide {}", flag_keys.join(", ")),
        Kind::IsFeatureEnabled { flag_key } => format!("is {flag_key} on?"),
        Kind::GetEnabledFeatures => "which flags are on?".to_owned(),
        Kind::GetFeatureVariable { flag_key, variable_key } => {
            format!("which {variable_key} has {flag_key}?")
        }
        Kind::GetAllFeatureVariables { flag_key } => format!("which variables has {flag_key}?"),
        Kind::SetForcedVariation { experiment_key, variation_key: Some(variation) } => {
            format!("force {variation} of {experiment_key}")
        }
        Kind::SetForcedVariation { experiment_key, variation_key: None } => {
            format!("force nothing of {experiment_key} any more")
        }
        Kind::GetForcedVariation { experiment_key } => {
            format!("what is forced of {experiment_key}?")
        }
        Kind::SetForcedDecision { flag_key, rule_key, variation_key } => {
            format!(
                "force the decision {variation_key} for {}",
                flag_and_rule(flag_key, rule_key.as_ref())
            )
        }
        Kind::RemoveForcedDecision { flag_key, rule_key } => {
            format!("force no decision for {} any more", flag_and_rule(flag_key, rule_key.as_ref()))
        }
        Kind::RemoveAllForcedDecisions => "force no decisions any more".to_owned(),
        Kind::SetDatafile { path } => format!("new datafile {path}"),
    }
}

fn asked_to_track(track: &TrackCall) -> String {
    let mut text = format!("track {}", track.event_key);
    let tag = |key: &str| track.tags.as_ref().and_then(|tags| tags.get(key));
    if let Some(cents) = tag("revenue").and_then(Value::as_i64) {
        let sign = if cents < 0 { "-" } else { "" };
        let cents = cents.unsigned_abs();
        let _ = write!(text, ", revenue {sign}{}.{:02}", cents / 100, cents % 100);
    }
    if let Some(value) = tag("value").filter(|value| !value.is_null()) {
        let _ = write!(text, ", value {value}");
    }
    if let Some(count) = track.count {
        let _ = write!(text, ", {count} times");
    }
    if let Some(seconds) = track.duration_seconds {
        let _ = write!(text, ", for {seconds} s");
    }
    if let Some(id) = &track.id {
        let _ = write!(text, ", id {id}");
    }
    text
}

fn flag_and_rule(flag_key: &str, rule_key: Option<&String>) -> String {
    rule_key.map_or_else(|| flag_key.to_owned(), |rule_key| format!("{flag_key}, rule {rule_key}"))
}

/// The answer in words, a line each.
fn answered(call: &Call, answer: &Value) -> Vec<String> {
    match &call.kind {
        Kind::Activate { .. } | Kind::GetVariation { .. } | Kind::GetForcedVariation { .. } => {
            let key = answer.get("variationKey").and_then(Value::as_str);
            vec![key.map_or_else(|| "-> no variation".to_owned(), |key| format!("-> {key}"))]
        }
        Kind::Track(_) => vec![credited(answer)],
        Kind::Decide { flag_key, .. } => decision_lines(flag_key, answer, true),
        Kind::DecideAll { .. } | Kind::DecideForKeys { .. } => {
            let decisions = answer.get("decisions").and_then(Value::as_object);
            let decisions = decisions.into_iter().flatten();
            let lines: Vec<_> = decisions
                .flat_map(|(key, decision)| decision_lines(key, decision, false))
                .collect();
            if lines.is_empty() { vec!["-> no flag".to_owned()] } else { lines }
        }
        Kind::IsFeatureEnabled { .. } => vec![format!("-> {}", on_or_off(answer))],
        Kind::GetEnabledFeatures => {
            let keys = answer.get("flagKeys").and_then(Value::as_array).into_iter().flatten();
            let keys: Vec<&str> = keys.filter_map(Value::as_str).collect();
            vec![format!(
                "-> {}",
                if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
            )]
        }
        Kind::GetFeatureVariable { .. } => {
            vec![format!("-> {}", answer.get("value").unwrap_or(&Value::Null))]
        }
        Kind::GetAllFeatureVariables { .. } => {
            vec![format!("-> {}", answer.get("variables").unwrap_or(&Value::Null))]
        }
        _ if answer.get("ok") == Some(&Value::Bool(true)) => vec!["-> done".to_owned()],
        _ => vec!["-> not done: there is no such thing".to_owned()],
    }
}

fn on_or_off(answer: &Value) -> &'static str {
    if answer.get("enabled") == Some(&Value::Bool(true)) { "on" } else { "off" }
}

fn decision_lines(flag_key: &str, decision: &Value, is_only: bool) -> Vec<String> {
    let text = |name: &str| decision.get(name).and_then(Value::as_str);
    let mut line = if is_only { "-> ".to_owned() } else { format!("-> {flag_key}: ") };
    line.push_str(on_or_off(decision));
    if let Some(variation) = text("variationKey") {
        let _ = write!(line, ", variation {variation}");
    }
    if let Some(rule) = text("ruleKey") {
        let _ = write!(line, " (by {rule})");
    }
    let variables = decision
        .get("variables")
        .and_then(Value::as_object)
        .filter(|variables| !variables.is_empty());
    if let Some(variables) = variables.filter(|_| is_only) {
        let variables: Vec<_> =
            variables.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let _ = write!(line, "; {}", variables.join(", "));
    }
    let reasons = decision.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let reasons = reasons.filter_map(Value::as_str).map(|reason| format!("   because {reason}"));
    std::iter::once(line).chain(reasons).collect()
}

fn credited(answer: &Value) -> String {
    let experiments = answer.get("experiments").and_then(Value::as_array).into_iter().flatten();
    let credits: Vec<_> = experiments
        .map(|shown| {
            format!("{} = {}", text_at(shown, "experimentKey"), text_at(shown, "variationKey"))
        })
        .collect();
    if !credits.is_empty() {
        return format!("-> counts for {}", credits.join(", "));
    }
    let reason = text_at(answer, "reason");
    format!("-> counts for nothing: {reason} ({})", words_for(&reason))
}

/// What a reason means, for who sees it for the first time.
fn words_for(reason: &str) -> &'static str {
    match reason {
        "unknown-event" => "the datafile has no such event",
        "duplicate" => "an event with this id was counted before",
        "not-tied" => "no experiment uses this event",
        "not-running" => "no experiment that uses this event is running",
        "no-activation" => "the user was shown no experiment that uses this event",
        "before-activation" => "it happened before the user was shown an experiment",
        "outside-window" => "it happened too long after the user was shown an experiment",
        _ => "no reason given",
    }
}

fn late_credit(record: &Record) -> Option<String> {
    let Record::Conversion(ConversionRecord { late: true, event, credits, .. }) = record else {
        return None;
    };
    let key = event.envelope.datafile.event(event.event).map_or("an event", |event| event.key());
    let credits: Vec<_> = credits
        .iter()
        .map(|credit| {
            let shown = &credit.experiment;
            let verb = match (credit.withdrawn, credit.replaces) {
                (true, _) => "no longer counts for",
                (false, true) => "now counts for",
                (false, false) => "counts, late, for",
            };
            format!("{verb} {} = {}", shown.experiment_key, shown.variation_key)
        })
        .collect();
    Some(format!("   and {key} of before {}", credits.join(", ")))
}

fn text_at(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
