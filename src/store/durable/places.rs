//! How many places of the queue an entry takes: a large one takes several, so that what waits is bounded
//! in bytes too.
//!
//! Must not know the queue. It need not be exact: texts are counted, and what is around them is not. Rows are
//! not counted either: of a user there is one, however many entries say what becomes of it.

use serde_json::Value;

use super::engine::Write;
use super::entry::Entry;
use crate::attribution::{Attributes, Record, TrackedEvent};
use crate::value::RecordedValue;

/// One place is enough for so many bytes.
const PLACE_BYTES: usize = 4096;

/// The places that an entry takes, at least one.
pub(super) fn places(entry: &Entry) -> usize {
    let records = entry.records.iter().map(record_bytes);
    let writes = entry.writes.iter().map(|write| saturated(Write::bytes(write)));
    let bytes = records.chain(writes).fold(0, usize::saturating_add);
    (bytes / PLACE_BYTES).saturating_add(1)
}

fn record_bytes(record: &Record) -> usize {
    match record {
        Record::Impression(impression) => {
            impression.about.user_id.len() + attributes_bytes(&impression.attributes)
        }
        Record::Conversion(conversion) => event_bytes(&conversion.event),
    }
}

fn event_bytes(event: &TrackedEvent) -> usize {
    let attributes = event.attributes.as_ref().map_or(0, attributes_bytes);
    let tags = event.tags.iter().flatten().map(|(key, value)| key.len() + value_bytes(value));
    event.about.user_id.len() + attributes + tags.sum::<usize>()
}

fn attributes_bytes(attributes: &Attributes) -> usize {
    let bytes = |value: &RecordedValue| match value {
        RecordedValue::String(text) => text.len(),
        _ => size_of::<RecordedValue>(),
    };
    attributes.iter().map(|attribute| bytes(&attribute.value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => {
            values.iter().map(|value| size_of::<Value>() + value_bytes(value)).sum()
        }
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + value_bytes(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => size_of::<Value>(),
    }
}

fn saturated(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
