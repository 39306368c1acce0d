//! Frames of the notification stream, as Optimizely Agent's are: the members of each object have the names
//! that they have in its program.
//!
//! Must not know readers.

use serde::ser::{SerializeMap as _, Serializer};
use serde::{Serialize, Serialize as Written};
use serde_json::{Map, Value};

use crate::attribution::RecordedAttribute;
use crate::client::{DecisionKind, DecisionNotice, TrackNotice};
use crate::server::agent::{ReasonsAnswer, VariablesAnswer};
use crate::targeting::Attribute;
use crate::value::{AttributeValue, RecordedValue};

#[derive(Debug, Written)]
#[serde(rename_all = "PascalCase")]
struct DecisionFrame<'a> {
    r#type: &'static str,
    user_context: UserFrame<'a>,
    decision_info: DecisionInfo<'a>,
}

#[derive(Debug, Written)]
#[serde(untagged)]
enum DecisionInfo<'a> {
    Flag(FlagInfo<'a>),
    Experiment(ExperimentInfo<'a>),
}

/// In the order of the names, as that program writes what has no fixed members.
#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
struct FlagInfo<'a> {
    decision_event_dispatched: bool,
    enabled: bool,
    experiment_id: &'a str,
    flag_key: &'a str,
    reasons: ReasonsAnswer<'a>,
    rule_key: &'a str,
    variables: Option<VariablesAnswer<'a>>,
    variation_id: &'a str,
    variation_key: &'a str,
}

#[derive(Debug, Written)]
#[serde(rename_all = "camelCase")]
struct ExperimentInfo<'a> {
    experiment_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variation_key: Option<&'a str>,
}

#[derive(Debug, Written)]
#[serde(rename_all = "PascalCase")]
struct UserFrame<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    attributes: AttributesFrame<'a>,
    /// None are ever fetched here.
    qualified_segments: Option<&'static [&'static str]>,
}

#[derive(Debug, Written)]
#[serde(rename_all = "PascalCase")]
struct TrackFrame<'a> {
    event_key: &'a str,
    user_context: UserFrame<'a>,
    event_tags: Option<&'a Map<String, Value>>,
    conversion_event: ConversionFrame<'a>,
}

#[derive(Debug, Written)]
struct ConversionFrame<'a> {
    entity_id: &'a str,
    key: &'a str,
    #[serde(rename = "Attributes")]
    attributes: Vec<VisitorAttribute<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revenue: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
}

#[derive(Debug, Written)]
struct VisitorAttribute<'a> {
    value: Value,
    key: &'a str,
    r#type: &'static str,
    entity_id: &'a str,
}

#[derive(Debug, Written)]
#[serde(rename_all = "PascalCase")]
struct ConfigFrame<'a> {
    r#type: &'static str,
    revision: &'a str,
}

/// `None` for calls that no request makes, and those on experiments that there are not.
pub(in crate::server) fn decision_frame(notice: &DecisionNotice<'_>) -> Option<String> {
    DecisionFrame::of(notice).map(|frame| json(&frame))
}

pub(in crate::server) fn track_frame(notice: &TrackNotice<'_>) -> String {
    json(&TrackFrame::of(notice))
}

pub(in crate::server) fn config_frame(revision: &str) -> String {
    json(&ConfigFrame { r#type: "project_config_update", revision })
}

/// Nothing in a frame can fail to be written: all keys are text.
fn json(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

impl<'a> DecisionFrame<'a> {
    fn of(notice: &DecisionNotice<'a>) -> Option<Self> {
        let (r#type, decision_info) = match notice.kind {
            DecisionKind::AbTest => ("ab-test", ExperimentInfo::of(notice)?),
            DecisionKind::FeatureTest => ("feature-test", ExperimentInfo::of(notice)?),
            DecisionKind::Flag => ("flag", FlagInfo::of(notice)),
            _ => return None,
        };
        let user_context = UserFrame::of(notice.user_id, notice.attributes);
        Some(Self { r#type, user_context, decision_info })
    }
}

impl<'a> ExperimentInfo<'a> {
    fn of(notice: &DecisionNotice<'a>) -> Option<DecisionInfo<'a>> {
        let experiment_key = notice.rule_key?;
        let info = Self { experiment_key, variation_key: notice.variation_key };
        Some(DecisionInfo::Experiment(info))
    }
}

impl<'a> FlagInfo<'a> {
    fn of(notice: &DecisionNotice<'a>) -> DecisionInfo<'a> {
        DecisionInfo::Flag(Self {
            decision_event_dispatched: notice.is_dispatched,
            enabled: notice.is_enabled,
            experiment_id: notice.rule_id.unwrap_or_default(),
            flag_key: notice.flag_key.unwrap_or_default(),
            reasons: ReasonsAnswer::new(notice.variables, notice.reasons),
            rule_key: notice.rule_key.unwrap_or_default(),
            variables: notice.variables.map(VariablesAnswer::of_all),
            variation_id: notice.variation_id.unwrap_or_default(),
            variation_key: notice.variation_key.unwrap_or_default(),
        })
    }
}

impl<'a> UserFrame<'a> {
    const fn of(id: &'a str, attributes: &'a [Attribute<'a>]) -> Self {
        Self { id, attributes: AttributesFrame(attributes), qualified_segments: None }
    }
}

impl<'a> TrackFrame<'a> {
    fn of(notice: &TrackNotice<'a>) -> Self {
        Self {
            event_key: notice.event_key,
            user_context: UserFrame::of(notice.user_id, notice.attributes),
            event_tags: notice.tags,
            conversion_event: ConversionFrame {
                entity_id: notice.event_id,
                key: notice.event_key,
                attributes: notice.recorded_attributes.iter().map(VisitorAttribute::of).collect(),
                tags: notice.tags,
                revenue: notice.revenue_cents,
                value: notice.value,
            },
        }
    }
}

impl<'a> VisitorAttribute<'a> {
    fn of(recorded: &'a RecordedAttribute) -> Self {
        let value = match &recorded.value {
            RecordedValue::String(text) => Value::from(&**text),
            RecordedValue::Integer(number) => Value::from(*number),
            RecordedValue::Double(number) => Value::from(*number),
            RecordedValue::Boolean(flag) => Value::from(*flag),
        };
        let RecordedAttribute { entity_id, key, .. } = recorded;
        Self { value, key, r#type: "custom", entity_id }
    }
}

/// Attributes as an object. Of lists and objects only that they are there is known here.
#[derive(Debug)]
struct AttributesFrame<'a>(&'a [Attribute<'a>]);

impl Serialize for AttributesFrame<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for attribute in self.0 {
            let key = attribute.key();
            match attribute.value {
                AttributeValue::String(text) => map.serialize_entry(key, text)?,
                AttributeValue::Integer(number) => map.serialize_entry(key, &number)?,
                AttributeValue::Double(number) => map.serialize_entry(key, &number)?,
                AttributeValue::Boolean(flag) => map.serialize_entry(key, &flag)?,
                AttributeValue::Null | AttributeValue::Other => map.serialize_entry(key, &())?,
            }
        }
        map.end()
    }
}
