//! Users' rows as they stand on the disk.
//!
//! Must not know keys.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::common::{
    StoredAttribute, StoredId, entry_id, recorded_attributes, stored_attributes, stored_id,
};
use super::{packed, unpacked};
use crate::attribution::{Activation, AttributeSpan, PendingEvent, TrackedEvent, UserRow};
use crate::clock::TimeMs;
use crate::store::durable::names::Names;
use crate::store::durable::unreadable::Unreadable;

/// What a pending event is to the store: the sequence number of its record, and the event itself while
/// it is at hand.
#[derive(Debug, Clone)]
pub(in crate::store::durable) struct Held {
    pub(in crate::store::durable) sequence: u64,
    pub(in crate::store::durable) event: Option<Arc<TrackedEvent>>,
}

/// Packs a user's row.
pub(in crate::store::durable) fn packed_row(
    row: &UserRow<Held>,
    names: &Names,
) -> Result<Vec<u8>, Unreadable> {
    let activation = |held: &Activation| StoredActivation {
        shown: names.shown.number_of(&held.shown),
        first_ms: held.first_ms,
        last_received_ms: held.last_received_ms,
        is_crossed_over: held.is_crossed_over,
    };
    packed(&StoredRow {
        activations: row.activations().iter().map(activation).collect(),
        pending: row.pending().map(stored_pending).collect(),
        spans: row.attribute_spans().iter().map(|span| stored_span(span, names)).collect(),
    })
}

/// Unpacks a user's row.
pub(in crate::store::durable) fn unpacked_row(
    bytes: &[u8],
    names: &Names,
) -> Result<UserRow<Held>, Unreadable> {
    let stored: StoredRow<'_> = unpacked(bytes)?;
    let activation = |stored: &StoredActivation| {
        Ok(Activation {
            shown: names.shown.named(stored.shown)?,
            first_ms: stored.first_ms,
            last_received_ms: stored.last_received_ms,
            is_crossed_over: stored.is_crossed_over,
        })
    };
    let span = |stored: &StoredSpan<'_>| {
        let attributes = recorded_attributes(&stored.attributes, names)?;
        let (from_ms, through_ms) = (stored.from_ms, stored.through_ms);
        Ok(AttributeSpan { from_ms, through_ms, attributes })
    };
    let activations: Vec<_> =
        stored.activations.iter().map(activation).collect::<Result<_, Unreadable>>()?;
    let spans: Vec<_> = stored.spans.iter().map(span).collect::<Result<_, Unreadable>>()?;
    Ok(UserRow::from_parts(activations, stored.pending.iter().map(pending), spans))
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredRow<'a> {
    activations: Vec<StoredActivation>,
    #[serde(borrow)]
    pending: Vec<StoredPending<'a>>,
    #[serde(borrow)]
    spans: Vec<StoredSpan<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredActivation {
    shown: u32,
    first_ms: TimeMs,
    last_received_ms: TimeMs,
    is_crossed_over: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredPending<'a> {
    #[serde(borrow)]
    id: StoredId<'a>,
    time_ms: TimeMs,
    received_at_ms: TimeMs,
    claimable_until_ms: TimeMs,
    #[serde(borrow)]
    tied: Vec<&'a str>,
    sequence: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredSpan<'a> {
    from_ms: TimeMs,
    through_ms: TimeMs,
    #[serde(borrow)]
    attributes: Vec<StoredAttribute<'a>>,
}

fn stored_span<'a>(span: &'a AttributeSpan, names: &Names) -> StoredSpan<'a> {
    StoredSpan {
        from_ms: span.from_ms,
        through_ms: span.through_ms,
        attributes: stored_attributes(&span.attributes, names),
    }
}

fn stored_pending(pending: &PendingEvent<Held>) -> StoredPending<'_> {
    StoredPending {
        id: stored_id(&pending.id),
        time_ms: pending.time_ms,
        received_at_ms: pending.received_at_ms,
        claimable_until_ms: pending.claimable_until_ms,
        tied: pending.tied.iter().map(|id| &**id).collect(),
        sequence: pending.event.sequence,
    }
}

fn pending(stored: &StoredPending<'_>) -> PendingEvent<Held> {
    PendingEvent {
        id: entry_id(&stored.id),
        time_ms: stored.time_ms,
        received_at_ms: stored.received_at_ms,
        claimable_until_ms: stored.claimable_until_ms,
        tied: stored.tied.iter().map(|id| Arc::from(*id)).collect(),
        event: Held { sequence: stored.sequence, event: None },
    }
}
