//! One line of a file of calls: what it asks for, or what is wrong with it.
//!
//! Must not know who answers.

use serde_json::{Map, Value};

use crate::client::DecideOptions;
use crate::clock::TimeMs;

/// A call and what goes with every call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) kind: Kind,
    /// Empty for `setDatafile`, which has no user.
    pub(super) user_id: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) segments: Option<Vec<String>>,
    pub(super) time_ms: Option<TimeMs>,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Kind {
    Activate { experiment_key: String, id: Option<String> },
    GetVariation { experiment_key: String },
    Track(TrackCall),
    Decide { flag_key: String, options: DecideOptions },
    DecideAll { options: DecideOptions },
    DecideForKeys { flag_keys: Vec<String>, options: DecideOptions },
    IsFeatureEnabled { flag_key: String },
    GetEnabledFeatures,
    GetFeatureVariable { flag_key: String, variable_key: String },
    GetAllFeatureVariables { flag_key: String },
    SetForcedVariation { experiment_key: String, variation_key: Option<String> },
    GetForcedVariation { experiment_key: String },
    SetForcedDecision { flag_key: String, rule_key: Option<String>, variation_key: String },
    RemoveForcedDecision { flag_key: String, rule_key: Option<String> },
    RemoveAllForcedDecisions,
    SetDatafile { path: String },
}

/// The arguments of `track`.
#[derive(Debug)]
pub(super) struct TrackCall {
    pub(super) event_key: String,
    pub(super) id: Option<String>,
    pub(super) tags: Option<Map<String, Value>>,
    pub(super) count: Option<u64>,
    pub(super) duration_seconds: Option<f64>,
}

const CALLS: [&str; 16] = [
    "activate",
    "getVariation",
    "track",
    "decide",
    "decideAll",
    "decideForKeys",
    "isFeatureEnabled",
    "getEnabledFeatures",
    "getFeatureVariable",
    "getAllFeatureVariables",
    "setForcedVariation",
    "getForcedVariation",
    "setForcedDecision",
    "removeForcedDecision",
    "removeAllForcedDecisions",
    "setDatafile",
];

impl Call {
    /// Reads a line; the error says what is wrong and what would be right.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        let line = std::str::from_utf8(line).map_err(|error| {
            format!("not UTF-8 from byte {} on: save the file as UTF-8", error.valid_up_to() + 1)
        })?;
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
        let Value::Object(object) = value else {
            return Err(format!(
                "{} where an object should be: write one call such as {{\"call\":\"activate\", ...}}",
                name_of(&value)
            ));
        };
        let arguments = Arguments(object);
        let kind = arguments.kind()?;
        let user_id = match kind {
            Kind::SetDatafile { .. } => String::new(),
            _ => arguments.text("userId")?,
        };
        Ok(Self {
            kind,
            user_id,
            attributes: arguments.object("attributes")?.unwrap_or_default(),
            segments: arguments.optional_texts("segments")?,
            time_ms: arguments.whole_number("time", "milliseconds since the epoch")?,
        })
    }
}

/// The members of a call's object.
struct Arguments(Map<String, Value>);

impl Arguments {
    fn kind(&self) -> Result<Kind, String> {
        let call = self.text("call")?;
        Ok(match call.as_str() {
            "activate" => Kind::Activate {
                experiment_key: self.text("experimentKey")?,
                id: self.optional_text("id")?,
            },
            "getVariation" => Kind::GetVariation { experiment_key: self.text("experimentKey")? },
            "track" => Kind::Track(self.track()?),
            "decide" => Kind::Decide { flag_key: self.text("flagKey")?, options: self.options()? },
            "decideAll" => Kind::DecideAll { options: self.options()? },
            "decideForKeys" => {
                Kind::DecideForKeys { flag_keys: self.texts("flagKeys")?, options: self.options()? }
            }
            "isFeatureEnabled" => Kind::IsFeatureEnabled { flag_key: self.text("flagKey")? },
            "getEnabledFeatures" => Kind::GetEnabledFeatures,
            "getFeatureVariable" => Kind::GetFeatureVariable {
                flag_key: self.text("flagKey")?,
                variable_key: self.text("variableKey")?,
            },
            "getAllFeatureVariables" => {
                Kind::GetAllFeatureVariables { flag_key: self.text("flagKey")? }
            }
            "setForcedVariation" => Kind::SetForcedVariation {
                experiment_key: self.text("experimentKey")?,
                variation_key: self.optional_text("variationKey")?,
            },
            "getForcedVariation" => {
                Kind::GetForcedVariation { experiment_key: self.text("experimentKey")? }
            }
            "setForcedDecision" => Kind::SetForcedDecision {
                flag_key: self.text("flagKey")?,
                rule_key: self.optional_text("ruleKey")?,
                variation_key: self.text("variationKey")?,
            },
            "removeForcedDecision" => Kind::RemoveForcedDecision {
                flag_key: self.text("flagKey")?,
                rule_key: self.optional_text("ruleKey")?,
            },
            "removeAllForcedDecisions" => Kind::RemoveAllForcedDecisions,
            "setDatafile" => Kind::SetDatafile { path: self.text("path")? },
            unknown => return Err(unknown_call(unknown)),
        })
    }

    fn track(&self) -> Result<TrackCall, String> {
        let count = self.whole_number("count", "how often it happened")?;
        let count = count.map(|count| {
            u64::try_from(count).map_err(|_| "\"count\" is negative: give 0 or more".to_owned())
        });
        Ok(TrackCall {
            event_key: self.text("eventKey")?,
            id: self.optional_text("id")?,
            tags: self.object("eventTags")?,
            count: count.transpose()?,
            duration_seconds: self.number("duration")?,
        })
    }

    /// What was given under a name; null counts as nothing.
    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<String, String> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(wrong_type(name, "a string", other)),
            None => Err(format!("\"{name}\" is missing: give it as a string")),
        }
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>, String> {
        self.given(name).map(|_| self.text(name)).transpose()
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        self.optional_texts(name)?
            .ok_or_else(|| format!("\"{name}\" is missing: give it as an array of strings"))
    }

    fn optional_texts(&self, name: &str) -> Result<Option<Vec<String>>, String> {
        let Some(given) = self.given(name) else { return Ok(None) };
        let texts = given.as_array().and_then(|items| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.map(Some).ok_or_else(|| wrong_type(name, "an array of strings", given))
    }

    fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, String> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object.clone())),
            Some(other) => Err(wrong_type(name, "an object", other)),
        }
    }

    fn number(&self, name: &str) -> Result<Option<f64>, String> {
        let Some(given) = self.given(name) else { return Ok(None) };
        given.as_f64().map(Some).ok_or_else(|| wrong_type(name, "a number", given))
    }

    /// A whole number; 5.0 is one.
    fn whole_number(&self, name: &str, meaning: &str) -> Result<Option<i64>, String> {
        let Some(given) = self.given(name) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        let whole =
            |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        let number = given.as_i64().or_else(|| given.as_f64().and_then(whole));
        number
            .map(Some)
            .ok_or_else(|| wrong_type(name, &format!("a whole number ({meaning})"), given))
    }

    /// Options that are not known have no effect, as in the SDKs.
    fn options(&self) -> Result<DecideOptions, String> {
        let names = self.optional_texts("options")?.unwrap_or_default();
        let known = names.iter().filter_map(|name| DecideOptions::parse(name));
        Ok(known.fold(DecideOptions::NONE, |all, option| all | option))
    }
}

fn wrong_type(name: &str, wanted: &str, found: &Value) -> String {
    format!("\"{name}\" is {}: give {wanted}", name_of(found))
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn unknown_call(call: &str) -> String {
    let same = |known: &&&str| known.eq_ignore_ascii_case(call) || shared_start(known, call) >= 5;
    match CALLS.iter().find(same) {
        Some(near) => format!("there is no call {call:?}: did you mean {near:?}?"),
        None => format!("there is no call {call:?}: use one of {}", CALLS.join(", ")),
    }
}

fn shared_start(one: &str, other: &str) -> usize {
    one.bytes()
        .zip(other.bytes())
        .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
        .count()
}
