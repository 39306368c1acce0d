//! Records as JSON, schema version 1: what file sinks write and webhooks get.
//!
//! Must not know sinks. A record is one object. A field that is absent was not given; readers ignore
//! fields that they do not know. Times are integers, in milliseconds since the epoch. All ids and keys
//! are text, as in the datafile.
//!
//! Fields of every record:
//!
//! | field | what it is |
//! | --- | --- |
//! | `v` | the number 1: the version of this schema |
//! | `type` | `impression` or `conversion` |
//! | `id` | text, which never changes: a record that comes twice has the same one |
//! | `time`, `receivedAt` | when it happened, and when it was received |
//! | `environment` | the environment that it belongs to |
//! | `revision` | the revision of the datafile in force when it was accepted |
//! | `origin` | the entrance that it came through, as `library` |
//! | `userId` | whom it is about |
//! | `attributes` | object: the attributes as they are sent, by key; values are text, numbers, true or false; absent where there are none |
//!
//! Fields of an impression:
//!
//! | field | what it is |
//! | --- | --- |
//! | `flagKey` | the flag that was decided; absent for a call on an experiment |
//! | `ruleKey` | the experiment, rollout rule or holdout that decided; absent where none did |
//! | `ruleType` | `experiment`, `feature-test`, `rollout` or `holdout` |
//! | `enabled` | whether the flag was on for the user |
//! | `forced` | whether someone chose the variation |
//! | `first` | whether it is the user's first received activation of the experiment or holdout |
//! | `experimentId`, `experimentKey` | the experiment or holdout that it activates; absent where it is no activation |
//! | `variationId`, `variationKey` | the variation that was shown; absent where none was |
//!
//! Fields of a conversion:
//!
//! | field | what it is |
//! | --- | --- |
//! | `eventId` | the event's id: of a late record another than `id` |
//! | `eventKey` | the event's key |
//! | `credits` | list of what it counts for, may be empty |
//! | `late` | whether these are further credits, or corrections, of an event that has a record already |
//! | `attributesInherited` | true where the caller gave no attributes, and these are those of the user's latest activation at or before the event; else absent |
//! | `revenue` | integer, in cents |
//! | `value` | number |
//! | `count` | integer: how often it happened, where one event stands for several |
//! | `duration` | number, in seconds |
//! | `tags` | object: the caller's tags, verbatim |
//!
//! Fields of a credit, which readers fold by `id`, the latest record standing; whom records may reach in
//! another order, as where one was a dead letter, lets that of the smallest `activatedAt` stand, and at
//! equal times that of the smaller `variationId`:
//!
//! | field | what it is |
//! | --- | --- |
//! | `id` | a UUID, computable from environment, event and experiment |
//! | `experimentId`, `experimentKey` | the experiment or holdout |
//! | `variationId`, `variationKey` | the variation that was shown first |
//! | `activatedAt` | the time of the first activation |
//! | `replaces` | whether it takes the place of an earlier credit of the same id |
//! | `withdrawn` | whether that earlier credit no longer counts; then this one does not either |

use serde::Serialize;
use serde_json::{Map, Value};

use super::event_api::attribute_value;
use crate::attribution::{
    Attributes, ConversionRecord, Credit, ImpressionRecord, Record, RecordedAttribute,
};
use crate::clock::TimeMs;

const SCHEMA_VERSION: u8 = 1;

/// A record as one line of JSON, without the line's end. The module's page describes the fields.
#[must_use]
pub fn record_json(record: &Record) -> String {
    let text = match record {
        Record::Impression(record) => serde_json::to_string(&WireImpression::new(record)),
        Record::Conversion(record) => serde_json::to_string(&WireConversion::new(record)),
    };
    // Keys are text and numbers are checked, so that there is nothing that JSON cannot say.
    text.unwrap_or_default()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireImpression<'a> {
    v: u8,
    r#type: &'static str,
    id: String,
    time: TimeMs,
    received_at: TimeMs,
    environment: &'a str,
    revision: &'a str,
    origin: &'static str,
    user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_key: Option<&'a str>,
    rule_type: &'static str,
    enabled: bool,
    forced: bool,
    first: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variation_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
}

impl<'a> WireImpression<'a> {
    fn new(record: &'a ImpressionRecord) -> Self {
        let about = &record.about;
        let shown = record.shown.as_deref();
        let rule = shown.filter(|shown| !shown.experiment_id.is_empty());
        let activated = shown.filter(|_| record.is_activation);
        Self {
            v: SCHEMA_VERSION,
            r#type: "impression",
            id: about.id.to_string(),
            time: about.time_ms,
            received_at: about.received_at_ms,
            environment: &about.environment,
            revision: &about.project.revision,
            origin: about.origin.as_str(),
            user_id: &about.user_id,
            flag_key: record.flag_key.as_deref(),
            rule_key: rule.map(|rule| &*rule.experiment_key),
            rule_type: record.source.as_str(),
            enabled: record.is_enabled,
            forced: record.is_forced,
            first: record.first,
            experiment_id: activated.map(|shown| &*shown.experiment_id),
            experiment_key: activated.map(|shown| &*shown.experiment_key),
            variation_id: shown.map(|shown| &*shown.variation_id),
            variation_key: shown.map(|shown| &*shown.variation_key),
            attributes: attribute_values(&record.attributes),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireConversion<'a> {
    v: u8,
    r#type: &'static str,
    id: String,
    event_id: String,
    time: TimeMs,
    received_at: TimeMs,
    environment: &'a str,
    revision: &'a str,
    origin: &'static str,
    user_id: &'a str,
    event_key: &'a str,
    credits: Vec<WireCredit<'a>>,
    late: bool,
    #[serde(skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes_inherited: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revenue: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a Map<String, Value>>,
}

impl<'a> WireConversion<'a> {
    fn new(record: &'a ConversionRecord) -> Self {
        let event = &*record.event;
        let about = &event.about;
        let (attributes, is_inherited) = attributes_of(record);
        Self {
            v: SCHEMA_VERSION,
            r#type: "conversion",
            id: record.id.to_string(),
            event_id: about.id.to_string(),
            time: about.time_ms,
            received_at: about.received_at_ms,
            environment: &about.environment,
            revision: &about.project.revision,
            origin: about.origin.as_str(),
            user_id: &about.user_id,
            event_key: &event.key,
            credits: record.credits.iter().map(WireCredit::new).collect(),
            late: record.late,
            attributes: attributes.map(|given| attribute_values(given)).unwrap_or_default(),
            attributes_inherited: is_inherited.then_some(true),
            revenue: event.revenue_cents,
            value: event.value.filter(|value| value.is_finite()),
            count: event.count,
            duration: event.duration_seconds.filter(|seconds| seconds.is_finite()),
            tags: event.tags.as_ref(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireCredit<'a> {
    id: String,
    experiment_id: &'a str,
    experiment_key: &'a str,
    variation_id: &'a str,
    variation_key: &'a str,
    activated_at: TimeMs,
    replaces: bool,
    withdrawn: bool,
}

impl<'a> WireCredit<'a> {
    fn new(credit: &'a Credit) -> Self {
        Self {
            id: credit.id.to_string(),
            experiment_id: &credit.experiment.experiment_id,
            experiment_key: &credit.experiment.experiment_key,
            variation_id: &credit.experiment.variation_id,
            variation_key: &credit.experiment.variation_key,
            activated_at: credit.activated_at_ms,
            replaces: credit.replaces,
            withdrawn: credit.withdrawn,
        }
    }
}

/// The caller's attributes; where it gave none at all, the inherited ones, and whether they are.
fn attributes_of(record: &ConversionRecord) -> (Option<&Attributes>, bool) {
    match (&record.event.attributes, &record.inherited_attributes) {
        (Some(given), _) => (Some(given), false),
        (None, inherited) => {
            (inherited.as_ref(), inherited.as_ref().is_some_and(|kept| !kept.is_empty()))
        }
    }
}

fn attribute_values(attributes: &[RecordedAttribute]) -> Map<String, Value> {
    attributes.iter().map(|given| (given.key.to_string(), attribute_value(&given.value))).collect()
}
