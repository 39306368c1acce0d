//! Records as they stand on the disk: what says how long one is of use, then the record.
//!
//! Must not know rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::common::{
    StoredAbout, StoredAttribute, StoredId, about, entry_id, recorded_attributes, stored_about,
    stored_attributes, stored_id,
};
use super::{packed, unpacked};
use crate::attribution::{
    Attributes, ConversionRecord, Credit, ImpressionRecord, ImpressionSource, Record, TrackedEvent,
};
use crate::clock::TimeMs;
use crate::store::durable::names::Names;
use crate::store::durable::unreadable::Unreadable;

/// For how long a record is of use. It can be read where the rest cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store::durable) struct Use {
    pub(in crate::store::durable) received_at_ms: TimeMs,
    /// Until then, activations that arrive late can claim the event that it is about.
    pub(in crate::store::durable) claimable_until_ms: Option<TimeMs>,
}

/// Packs a record.
pub(in crate::store::durable) fn packed_record(
    record: &Record,
    claimable_until_ms: Option<TimeMs>,
    names: &Names,
) -> Result<Vec<u8>, Unreadable> {
    let of_use = Use { received_at_ms: record.about().received_at_ms, claimable_until_ms };
    let stored = match record {
        Record::Impression(record) => StoredRecord::Impression(stored_impression(record, names)),
        Record::Conversion(record) => StoredRecord::Conversion(stored_conversion(record, names)?),
    };
    packed(&(of_use, stored))
}

/// Unpacks for how long a record is of use, and nothing else of it.
pub(in crate::store::durable) fn unpacked_use(bytes: &[u8]) -> Result<Use, Unreadable> {
    unpacked(bytes)
}

/// Unpacks a record.
pub(in crate::store::durable) fn unpacked_record(
    bytes: &[u8],
    names: &Names,
) -> Result<Record, Unreadable> {
    let (_, stored): (Use, StoredRecord<'_>) = unpacked(bytes)?;
    Ok(match stored {
        StoredRecord::Impression(stored) => Record::Impression(impression(&stored, names)?),
        StoredRecord::Conversion(stored) => Record::Conversion(conversion(&stored, names)?),
    })
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredRecord<'a> {
    #[serde(borrow)]
    Impression(StoredImpression<'a>),
    #[serde(borrow)]
    Conversion(StoredConversion<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredImpression<'a> {
    #[serde(borrow)]
    about: StoredAbout<'a>,
    flag_key: Option<&'a str>,
    shown: Option<u32>,
    is_activation: bool,
    source: u8,
    is_enabled: bool,
    is_forced: bool,
    first: bool,
    #[serde(borrow)]
    attributes: Vec<StoredAttribute<'a>>,
    prediction_id: Option<&'a str>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredConversion<'a> {
    #[serde(borrow)]
    id: StoredId<'a>,
    #[serde(borrow)]
    event: StoredEvent<'a>,
    credits: Vec<StoredCredit>,
    late: bool,
    #[serde(borrow)]
    inherited_attributes: Option<Vec<StoredAttribute<'a>>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredEvent<'a> {
    #[serde(borrow)]
    about: StoredAbout<'a>,
    key: &'a str,
    entity_id: &'a str,
    #[serde(borrow)]
    attributes: Option<Vec<StoredAttribute<'a>>>,
    /// As JSON text: their form is the caller's.
    tags: Option<String>,
    revenue_cents: Option<i64>,
    value: Option<f64>,
    count: Option<u64>,
    duration_seconds: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredCredit {
    id: [u8; 16],
    shown: u32,
    activated_at_ms: TimeMs,
    replaces: bool,
    redated: bool,
    withdrawn: bool,
}

fn stored_impression<'a>(record: &'a ImpressionRecord, names: &Names) -> StoredImpression<'a> {
    StoredImpression {
        about: stored_about(&record.about, names),
        flag_key: record.flag_key.as_deref(),
        shown: record.shown.as_ref().map(|shown| names.shown.number_of(shown)),
        is_activation: record.is_activation,
        source: record.source.number(),
        is_enabled: record.is_enabled,
        is_forced: record.is_forced,
        first: record.first,
        attributes: stored_attributes(&record.attributes, names),
        prediction_id: record.prediction_id.as_deref(),
    }
}

fn impression(
    stored: &StoredImpression<'_>,
    names: &Names,
) -> Result<ImpressionRecord, Unreadable> {
    let unknown = || Unreadable::new(format!("source {}", stored.source));
    Ok(ImpressionRecord {
        about: about(&stored.about, names)?,
        flag_key: stored.flag_key.map(Into::into),
        shown: stored.shown.map(|number| names.shown.named(number)).transpose()?,
        is_activation: stored.is_activation,
        source: ImpressionSource::numbered(stored.source).ok_or_else(unknown)?,
        is_enabled: stored.is_enabled,
        is_forced: stored.is_forced,
        first: stored.first,
        attributes: recorded_attributes(&stored.attributes, names)?,
        prediction_id: stored.prediction_id.map(Into::into),
    })
}

fn stored_conversion<'a>(
    record: &'a ConversionRecord,
    names: &Names,
) -> Result<StoredConversion<'a>, Unreadable> {
    let event = &*record.event;
    let some = |attributes: &'a Attributes| stored_attributes(attributes, names);
    let tags = event.tags.as_ref().map(serde_json::to_string).transpose();
    let credit = |credit: &Credit| StoredCredit {
        id: credit.id.into_bytes(),
        shown: names.shown.number_of(&credit.experiment),
        activated_at_ms: credit.activated_at_ms,
        replaces: credit.replaces,
        redated: credit.redated,
        withdrawn: credit.withdrawn,
    };
    Ok(StoredConversion {
        id: stored_id(&record.id),
        event: StoredEvent {
            about: stored_about(&event.about, names),
            key: &event.key,
            entity_id: &event.entity_id,
            attributes: event.attributes.as_ref().map(some),
            tags: tags.map_err(|error| Unreadable::new(error.to_string()))?,
            revenue_cents: event.revenue_cents,
            value: event.value,
            count: event.count,
            duration_seconds: event.duration_seconds,
        },
        credits: record.credits.iter().map(credit).collect(),
        late: record.late,
        inherited_attributes: record.inherited_attributes.as_ref().map(some),
    })
}

fn conversion(
    stored: &StoredConversion<'_>,
    names: &Names,
) -> Result<ConversionRecord, Unreadable> {
    let event = &stored.event;
    let some = |attributes: &Option<Vec<StoredAttribute<'_>>>| {
        attributes.as_ref().map(|stored| recorded_attributes(stored, names)).transpose()
    };
    let tags = event.tags.as_deref().map(serde_json::from_str).transpose();
    let credit = |stored: &StoredCredit| {
        Ok(Credit {
            id: Uuid::from_bytes(stored.id),
            experiment: names.shown.named(stored.shown)?,
            activated_at_ms: stored.activated_at_ms,
            replaces: stored.replaces,
            redated: stored.redated,
            withdrawn: stored.withdrawn,
        })
    };
    Ok(ConversionRecord {
        id: entry_id(&stored.id),
        event: Arc::new(TrackedEvent {
            about: about(&event.about, names)?,
            key: event.key.into(),
            entity_id: event.entity_id.into(),
            attributes: some(&event.attributes)?,
            tags: tags.map_err(|error| Unreadable::new(error.to_string()))?,
            revenue_cents: event.revenue_cents,
            value: event.value,
            count: event.count,
            duration_seconds: event.duration_seconds,
        }),
        credits: stored.credits.iter().map(credit).collect::<Result<_, Unreadable>>()?,
        late: stored.late,
        inherited_attributes: some(&stored.inherited_attributes)?,
    })
}
