//! A replay as people read it: the call, the answer, and what was recorded, in words.
//!
//! Must not know how answers come about.

use std::sync::Arc;

use serde_json::Value;

use super::answer::{Answer, DecisionAnswer, TrackedAnswer};
use super::call::{Ask, Call, TrackedEvent};
use super::words::{counted, day, listed, money, name, time_of_day, time_seen_from, value};
use crate::attribution::{ConversionRecord, Credit, ImpressionRecord, Record};
use crate::clock::TimeMs;

const TIME_WIDTH: usize = 12;
const USER_WIDTH: usize = 11;
const CALL_WIDTH: usize = 36;
/// Where the call begins: what was recorded is written below it.
const DETAIL_INDENT: &str = "                             ";

/// Writes calls one after the other, and each day once.
#[derive(Debug, Default)]
pub(super) struct Story {
    day: String,
}

/// A call that was answered, with all that came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'t> {
    pub(super) call: &'t Call<'t>,
    pub(super) received_at_ms: TimeMs,
    pub(super) answer: &'t Answer,
    pub(super) records: &'t [Arc<Record>],
}

impl Story {
    /// The lines for a call: what was asked and answered, then what was recorded.
    pub(super) fn tell(&mut self, told: &Told<'_>) -> Vec<String> {
        let time_ms = told.call.time_ms.unwrap_or(told.received_at_ms);
        let mut lines = self.lines_of_new_day(time_ms);
        let time = time_of_day(time_ms);
        let user = name(told.call.user_id);
        let user = if matches!(told.call.ask, Ask::SetDatafile { .. }) { "-" } else { &user };
        let (call, answer) = (call_words(told.call), answer_words(told.answer));
        lines.push(format!(
            "  {time:TIME_WIDTH$}  {user:USER_WIDTH$}  {call:CALL_WIDTH$}  -> {answer}"
        ));
        let with = call_details(told.call);
        let with = (!with.is_empty()).then(|| format!("  with {}", listed(with)));
        let is_late = time_ms < told.received_at_ms && told.call.ask.may_record();
        let late = is_late.then(|| {
            format!("  arrived late, at {}", time_seen_from(told.received_at_ms, time_ms))
        });
        let uncounted = uncounted_revenue(told.call).map(|line| format!("  {line}"));
        let answered = answer_details(told.answer);
        let recorded = record_details(told.records, time_ms);
        let details = with.into_iter().chain(uncounted).chain(late).chain(answered).chain(recorded);
        lines.extend(details.map(|line| format!("{DETAIL_INDENT}{line}")));
        lines
    }

    fn lines_of_new_day(&mut self, time_ms: TimeMs) -> Vec<String> {
        let day = day(time_ms);
        if day == self.day {
            return Vec::new();
        }
        let space = if self.day.is_empty() { None } else { Some(String::new()) };
        self.day = day;
        space.into_iter().chain([format!("{} (UTC)", self.day)]).collect()
    }
}

fn call_words(call: &Call<'_>) -> String {
    let about = match &call.ask {
        Ask::Activate { experiment_key, .. }
        | Ask::GetVariation { experiment_key }
        | Ask::GetForcedVariation { experiment_key }
        | Ask::SetForcedVariation { experiment_key, .. } => name(experiment_key),
        Ask::Track(event) => name(event.event_key),
        Ask::Decide { flag_key, .. }
        | Ask::IsFeatureEnabled { flag_key }
        | Ask::GetAllFeatureVariables { flag_key }
        | Ask::SetForcedDecision { flag_key, .. }
        | Ask::RemoveForcedDecision { flag_key, .. } => name(flag_key),
        Ask::DecideForKeys { flag_keys, .. } => listed(flag_keys.iter().map(|key| name(key))),
        Ask::GetFeatureVariable { flag_key, variable_key } => {
            format!("{} {}", name(flag_key), name(variable_key))
        }
        Ask::SetDatafile { path } => name(path),
        Ask::DecideAll { .. } | Ask::GetEnabledFeatures | Ask::RemoveAllForcedDecisions => {
            return call.name.to_owned();
        }
    };
    format!("{} {about}", call.name)
}

/// What went with the call.
fn call_details(call: &Call<'_>) -> Vec<String> {
    let named = |what: &str, key: &Option<&str>| key.map(|key| format!("{what} {}", name(key)));
    let details = match &call.ask {
        Ask::Activate { id, .. } => [named("id", id), None],
        Ask::Track(event) => return track_details(event),
        Ask::SetForcedVariation { variation_key: None, .. } => {
            [Some("no variation".to_owned()), None]
        }
        Ask::SetForcedVariation { variation_key, .. } => [named("variation", variation_key), None],
        Ask::SetForcedDecision { rule_key, variation_key, .. } => {
            [named("rule", rule_key), named("variation", &Some(variation_key))]
        }
        Ask::RemoveForcedDecision { rule_key, .. } => [named("rule", rule_key), None],
        _ => [None, None],
    };
    details.into_iter().flatten().collect()
}

fn track_details(event: &TrackedEvent<'_>) -> Vec<String> {
    let tag = |key: &str| event.tags.and_then(|tags| tags.get(key));
    let revenue = tag("revenue").and_then(Value::as_i64);
    let details = [
        revenue.map(|cents| format!("revenue {}", money(cents.into()))),
        tag("value").map(|measured| format!("value {}", value(measured))),
        event.count.map(|count| format!("count {count}")),
        event.duration_seconds.map(|seconds| format!("duration {seconds} s")),
        event.id.map(|id| format!("id {}", name(id))),
    ];
    details.into_iter().flatten().collect()
}

/// Revenue that is given in a form that counts for nothing.
fn uncounted_revenue(call: &Call<'_>) -> Option<String> {
    let Ask::Track(TrackedEvent { tags: Some(tags), .. }) = &call.ask else { return None };
    let revenue = tags.get("revenue").filter(|tag| !tag.is_null() && tag.as_i64().is_none())?;
    Some(format!("revenue {} is no whole number of cents: not counted", value(revenue)))
}

fn answer_words(answer: &Answer) -> String {
    match answer {
        Answer::Variation { variation_key: Some(key), .. } => name(key),
        Answer::Variation { variation_key: None, .. } => "no variation".to_owned(),
        Answer::Tracked(tracked) => tracked_words(tracked),
        Answer::Decision(decision) => decision_words(decision),
        Answer::Decisions { decisions } => counted(decisions.0.len() as u64, "decision"),
        Answer::Enabled { enabled } => on_or_off(*enabled).to_owned(),
        Answer::FlagKeys { flag_keys } if flag_keys.is_empty() => "none".to_owned(),
        Answer::FlagKeys { flag_keys } => listed(flag_keys.iter().map(|key| name(key))),
        Answer::Value { value: Some(found) } => value(found),
        Answer::Value { value: None } => "no value".to_owned(),
        Answer::Variables { variables: Some(variables) } => {
            counted(variables.0.len() as u64, "variable")
        }
        Answer::Variables { variables: None } => "no such flag".to_owned(),
        Answer::Done { ok: true } => "done".to_owned(),
        Answer::Done { ok: false } => "not done".to_owned(),
        Answer::Error { error } => format!("error: {error}"),
    }
}

fn tracked_words(tracked: &TrackedAnswer) -> String {
    let Some(reason) = tracked.reason else { return "credited".to_owned() };
    let because = match reason {
        "unknown-event" => "the datafile has no such event",
        "duplicate" => "this id was seen before",
        "not-tied" => "no experiment measures this event",
        "not-running" => "no experiment that measures it is running",
        "no-activation" => "the user was in no experiment that measures it",
        "before-activation" => "it happened before the user was in the experiment",
        "outside-window" => "it happened too long after the activation",
        _ => return format!("not credited ({reason})"),
    };
    format!("not credited: {because} ({reason})")
}

/// A decision in one line.
pub(super) fn decision_words(decision: &DecisionAnswer) -> String {
    if decision.is_error {
        let reasons = decision.reasons.iter().flatten();
        let reasons = listed(reasons.map(|reason| without_controls(reason.trim_end_matches('.'))));
        return format!("off (error: {reasons})");
    }
    let variation = decision.variation_key.as_deref().map(|key| format!("variation {}", name(key)));
    let rule = decision.rule_key.as_deref().map(|key| format!("rule {}", name(key)));
    let by = listed(variation.into_iter().chain(rule));
    let by = if by.is_empty() { "nothing decided".to_owned() } else { by };
    format!("{} ({by})", on_or_off(decision.enabled))
}

fn on_or_off(is_enabled: bool) -> &'static str {
    if is_enabled { "on" } else { "off" }
}

fn answer_details(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::Decision(decision) => {
            let variables = variables_line(&decision.variables.0);
            variables.into_iter().chain(lines_of_reasons(decision)).collect()
        }
        Answer::Decisions { decisions } => {
            let line = |(key, decision): &(String, DecisionAnswer)| {
                format!("  {}: {}", name(key), decision_words(decision))
            };
            decisions.0.iter().map(line).collect()
        }
        Answer::Variables { variables: Some(variables) } => {
            variables_line(&variables.0).into_iter().collect()
        }
        Answer::Variation { is_repeat: true, .. } => {
            vec!["+ not recorded: this id was seen before".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// Why a decision is as it is. Errors have said so in their own line.
pub(super) fn lines_of_reasons(decision: &DecisionAnswer) -> impl Iterator<Item = String> {
    let reasons = decision.reasons.iter().flatten().filter(|_| !decision.is_error);
    reasons.map(|reason| format!("  why: {}", without_controls(reason)))
}

fn variables_line(variables: &[(String, Option<Value>)]) -> Option<String> {
    let one = |(key, found): &(String, Option<Value>)| {
        format!("{} = {}", name(key), found.as_ref().map_or_else(|| "null".to_owned(), value))
    };
    (!variables.is_empty()).then(|| format!("  with {}", listed(variables.iter().map(one))))
}

/// Reasons quote what the datafile says: nothing of it is to move a terminal's cursor.
pub(super) fn without_controls(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

fn record_details(records: &[Arc<Record>], time_ms: TimeMs) -> Vec<String> {
    let mut lines = Vec::new();
    let mut others = Vec::new();
    for record in records {
        match &**record {
            Record::Impression(record) => match activation_words(record) {
                Some(words) => lines.push(words),
                None => others.push(other_impression_words(record)),
            },
            Record::Conversion(record) => {
                let credits = record.credits.iter();
                lines.extend(credits.map(|credit| credit_words(record, credit, time_ms)));
            }
        }
    }
    match &*others {
        [] => {}
        [one] => lines.push(format!("+ impression of {one}: no activation")),
        several => {
            lines.push(format!("+ {} impressions that are no activations", several.len()));
        }
    }
    lines
}

fn activation_words(record: &ImpressionRecord) -> Option<String> {
    let shown = record.shown.as_ref().filter(|_| record.is_activation)?;
    let shown = format!("{} as {}", name(&shown.experiment_key), name(&shown.variation_key));
    let again = if record.first { "" } else { ", again" };
    let forced = if record.is_forced { ", forced" } else { "" };
    Some(format!("+ activated in {shown}{again}{forced}"))
}

fn other_impression_words(record: &ImpressionRecord) -> String {
    match &record.shown {
        Some(shown) if shown.experiment_id.is_empty() => {
            format!("{}, forced for the whole flag", name(&shown.variation_key))
        }
        Some(rule) => format!("the rollout rule {}", name(&rule.experiment_key)),
        None => "the default".to_owned(),
    }
}

fn credit_words(record: &ConversionRecord, credit: &Credit, time_ms: TimeMs) -> String {
    let shown = &credit.experiment;
    let shown = format!("{} as {}", name(&shown.experiment_key), name(&shown.variation_key));
    let activated_at = time_seen_from(credit.activated_at_ms, time_ms);
    if !record.late {
        return format!("+ credit to {shown}, activated at {activated_at}");
    }
    let event = record.event.about.id.with_text(name);
    let what = match (credit.withdrawn, credit.redated, credit.replaces) {
        (true, ..) => "credit withdrawn from",
        (_, true, _) => "credit redated for",
        (.., true) => "credit corrected to",
        _ => "late credit to",
    };
    format!("+ {what} {shown}, activated at {activated_at}, for event {event}")
}
