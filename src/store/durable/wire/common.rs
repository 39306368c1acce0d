//! What rows and records have in common on the disk.
//!
//! Must not know either.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::attribution::{About, Attributes, EntryId, Origin, RecordedAttribute};
use crate::clock::TimeMs;
use crate::store::durable::names::Names;
use crate::store::durable::unreadable::Unreadable;
use crate::value::RecordedValue;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredAttribute<'a> {
    pub(super) name: u32,
    #[serde(borrow)]
    pub(super) value: StoredValue<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredValue<'a> {
    String(&'a str),
    Integer(i64),
    Double(f64),
    Boolean(bool),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum StoredId<'a> {
    Given(&'a str),
    Made([u8; 16]),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredAbout<'a> {
    #[serde(borrow)]
    pub(super) id: StoredId<'a>,
    pub(super) environment: u32,
    pub(super) origin: u8,
    pub(super) user_id: &'a str,
    pub(super) time_ms: TimeMs,
    pub(super) project: u32,
}

pub(super) fn stored_id(id: &EntryId) -> StoredId<'_> {
    match id {
        EntryId::Given(text) => StoredId::Given(text),
        EntryId::Made(uuid) => StoredId::Made(uuid.into_bytes()),
    }
}

pub(super) fn entry_id(stored: &StoredId<'_>) -> EntryId {
    match stored {
        StoredId::Given(text) => EntryId::Given((*text).into()),
        StoredId::Made(bytes) => EntryId::Made(Uuid::from_bytes(*bytes)),
    }
}

pub(super) fn stored_attributes<'a>(
    attributes: &'a Attributes,
    names: &Names,
) -> Vec<StoredAttribute<'a>> {
    let stored = |attribute: &'a RecordedAttribute| StoredAttribute {
        name: names.attributes.number_of_attribute(&attribute.entity_id, &attribute.key),
        value: match &attribute.value {
            RecordedValue::String(text) => StoredValue::String(text),
            RecordedValue::Integer(number) => StoredValue::Integer(*number),
            RecordedValue::Double(number) => StoredValue::Double(*number),
            RecordedValue::Boolean(is_true) => StoredValue::Boolean(*is_true),
        },
    };
    attributes.iter().map(stored).collect()
}

pub(super) fn recorded_attributes(
    stored: &[StoredAttribute<'_>],
    names: &Names,
) -> Result<Attributes, Unreadable> {
    let recorded = |stored: &StoredAttribute<'_>| {
        let (entity_id, key) = names.attributes.named(stored.name)?;
        let value = match stored.value {
            StoredValue::String(text) => RecordedValue::String(text.into()),
            StoredValue::Integer(number) => RecordedValue::Integer(number),
            StoredValue::Double(number) => RecordedValue::Double(number),
            StoredValue::Boolean(is_true) => RecordedValue::Boolean(is_true),
        };
        Ok(RecordedAttribute { entity_id, key, value })
    };
    stored.iter().map(recorded).collect()
}

pub(super) fn stored_about<'a>(about: &'a About, names: &Names) -> StoredAbout<'a> {
    StoredAbout {
        id: stored_id(&about.id),
        environment: names.environments.number_of(&about.environment),
        origin: about.origin.number(),
        user_id: &about.user_id,
        time_ms: about.time_ms,
        project: names.projects.number_of(&about.project),
    }
}

/// When it was received stands elsewhere.
pub(super) fn about(
    stored: &StoredAbout<'_>,
    received_at_ms: TimeMs,
    names: &Names,
) -> Result<About, Unreadable> {
    let unknown = || Unreadable::new(format!("origin {}", stored.origin));
    Ok(About {
        id: entry_id(&stored.id),
        environment: names.environments.named(stored.environment)?,
        origin: Origin::numbered(stored.origin).ok_or_else(unknown)?,
        user_id: stored.user_id.into(),
        time_ms: stored.time_ms,
        received_at_ms,
        project: names.projects.named(stored.project)?,
    })
}
