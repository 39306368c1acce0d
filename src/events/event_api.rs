//! Event-API bodies: what the official SDKs would post for a record, unbatched.
//!
//! Must not know sinks or HTTP. Impressions are the same in both modes. A conversion in `backend`
//! mode is the SDKs' own; in `activated` mode its snapshot names the credited experiments.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::mode::AttributionMode;
use crate::attribution::{
    About, ConversionRecord, Credit, EntryId, ImpressionRecord, Record, RecordedAttribute,
};
use crate::clock::TimeMs;
use crate::datafile::{Project, Region};
use crate::value::RecordedValue;

/// The namespace of event uuids: UUIDv5 of `urn:variate:event` in the URL namespace.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x10dd_5c2a_0ca7_556b_bd24_797d_2b25_c037);

/// A request to the event API: a POST of JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct EventApiRequest {
    /// Where it goes: the event API of the region of the datafile's project.
    pub url: &'static str,
    /// What is posted.
    pub body: Value,
}

/// The request that tells the event API of one record; `None` where it is not told at all.
///
/// In `backend` mode that is a late record: the results service attributes by itself. In `activated`
/// mode it is a conversion that names no experiment. The event API cannot take anything back or move
/// it in time, so that withdrawn and redated credits are left out; a credit whose variation was
/// corrected is sent once more, with the right one.
#[must_use]
pub fn event_api_request(record: &Record, mode: AttributionMode) -> Option<EventApiRequest> {
    match record {
        Record::Impression(record) => Some(impression_request(record)),
        Record::Conversion(record) => match mode {
            AttributionMode::Activated => activated_request(record),
            AttributionMode::Backend => backend_request(record),
        },
    }
}

fn impression_request(record: &ImpressionRecord) -> EventApiRequest {
    let shown = record.shown.as_deref();
    let campaign_id = shown.map(|shown| &*shown.campaign_id).filter(|id| !id.is_empty());
    let variation_id = shown.map_or(Value::Null, |shown| variation_id(&shown.variation_id));
    let mut metadata = json!({
        "flag_key": record.flag_key.as_deref().unwrap_or_default(),
        "rule_key": shown.map_or("", |shown| &shown.experiment_key),
        "rule_type": record.source.as_str(),
        "variation_key": shown.map_or("", |shown| &shown.variation_key),
        "enabled": record.is_enabled,
    });
    if let (Some(prediction_id), Some(metadata)) = (&record.prediction_id, metadata.as_object_mut())
    {
        metadata.insert("cmab_uuid".into(), prediction_id.as_ref().into());
    }
    let uuid = event_uuid(&record.about.id, "impression", &record.about);
    let snapshot = json!({
        "decisions": [{
            "campaign_id": campaign_id,
            "experiment_id": shown.map_or("", |shown| &shown.experiment_id),
            "variation_id": variation_id,
            "metadata": metadata,
        }],
        "events": [event_fields(campaign_id, "campaign_activated", uuid, record.about.time_ms)],
    });
    request(&record.about, &record.attributes, snapshot, true)
}

fn backend_request(record: &ConversionRecord) -> Option<EventApiRequest> {
    if record.late {
        return None;
    }
    let attributes = record.event.attributes.as_deref().unwrap_or_default();
    let snapshot = json!({"events": [conversion_event(record)]});
    Some(request(&record.event.about, attributes, snapshot, true))
}

fn activated_request(record: &ConversionRecord) -> Option<EventApiRequest> {
    let told = record.credits.iter().filter(|credit| !credit.withdrawn && !credit.redated);
    let decisions: Vec<Value> = told.map(decision).collect();
    if decisions.is_empty() {
        return None;
    }
    let given = record.event.attributes.as_ref().or(record.inherited_attributes.as_ref());
    let attributes = given.map_or(&[][..], |attributes| attributes);
    let snapshot = json!({"decisions": decisions, "events": [conversion_event(record)]});
    Some(request(&record.event.about, attributes, snapshot, false))
}

fn decision(credit: &Credit) -> Value {
    json!({
        "campaign_id": &*credit.experiment.campaign_id,
        "experiment_id": &*credit.experiment.experiment_id,
        "variation_id": variation_id(&credit.experiment.variation_id),
    })
}

fn conversion_event(record: &ConversionRecord) -> Value {
    let event = &record.event;
    let uuid = event_uuid(&record.id, "conversion", &event.about);
    let mut fields = event_fields(Some(&event.entity_id), &event.key, uuid, event.about.time_ms);
    if let Some(revenue_cents) = event.revenue_cents {
        fields.insert("revenue".into(), revenue_cents.into());
    }
    // A value that is no number in JSON is left out, as the SDKs leave it out.
    if let Some(value) = event.value.filter(|value| value.is_finite()) {
        fields.insert("value".into(), value.into());
    }
    if let Some(tags) = &event.tags {
        fields.insert("tags".into(), Value::Object(tags.clone()));
    }
    Value::Object(fields)
}

fn event_fields(
    entity_id: Option<&str>,
    key: &str,
    uuid: Uuid,
    time_ms: TimeMs,
) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("entity_id".into(), entity_id.into());
    fields.insert("key".into(), key.into());
    fields.insert("timestamp".into(), time_ms.into());
    fields.insert("uuid".into(), uuid.to_string().into());
    fields
}

fn request(
    about: &About,
    attributes: &[RecordedAttribute],
    snapshot: Value,
    enrich_decisions: bool,
) -> EventApiRequest {
    let project = &*about.project;
    let body = json!({
        "account_id": &*project.account_id,
        "project_id": &*project.project_id,
        "revision": &*project.revision,
        "client_name": "variate",
        "client_version": env!("CARGO_PKG_VERSION"),
        "anonymize_ip": project.anonymizes_ip,
        "enrich_decisions": enrich_decisions,
        "visitors": [{
            "visitor_id": &*about.user_id,
            "attributes": attribute_values(project, attributes),
            "snapshots": [snapshot],
        }],
    });
    EventApiRequest { url: url(project.region), body }
}

const fn url(region: Region) -> &'static str {
    match region {
        Region::Us => "https://logx.optimizely.com/v1/events",
        Region::Eu => "https://eu.logx.optimizely.com/v1/events",
    }
}

/// The attributes in the caller's order, then what the datafile says of bots.
fn attribute_values(project: &Project, attributes: &[RecordedAttribute]) -> Vec<Value> {
    let attribute = |entity_id: &str, key: &str, value: Value| json!({"entity_id": entity_id, "key": key, "type": "custom", "value": value});
    const BOT_FILTERING: &str = "$opt_bot_filtering";
    let bots = project
        .filters_bots
        .map(|filters_bots| attribute(BOT_FILTERING, BOT_FILTERING, filters_bots.into()));
    attributes
        .iter()
        .map(|given| attribute(&given.entity_id, &given.key, attribute_value(&given.value)))
        .chain(bots)
        .collect()
}

/// An attribute's value as JSON.
pub(super) fn attribute_value(value: &RecordedValue) -> Value {
    match value {
        RecordedValue::String(text) => (**text).into(),
        RecordedValue::Integer(number) => (*number).into(),
        RecordedValue::Double(number) => (*number).into(),
        RecordedValue::Boolean(flag) => (*flag).into(),
    }
}

/// The event API takes numeric ids of variations only; others are null.
fn variation_id(id: &str) -> Value {
    let is_numeric = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_numeric { id.into() } else { Value::Null }
}

/// The uuid of an event: that of the record if the store made it, else one made of all that tells the
/// caller's ids apart, so that it is the same whenever the record is sent, and never that of another.
fn event_uuid(id: &EntryId, kind: &str, about: &About) -> Uuid {
    match id {
        EntryId::Made(uuid) => *uuid,
        EntryId::Given(text) => {
            let About { origin, environment, .. } = about;
            let length = environment.len();
            let name = format!("{kind}:{}:{length}:{environment}:{text}", origin.as_str());
            Uuid::new_v5(&EVENT_NAMESPACE, name.as_bytes())
        }
    }
}
