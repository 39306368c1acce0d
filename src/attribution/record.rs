//! Records: what waits for the sinks.
//!
//! Must not know sinks or their forms.

use std::sync::Arc;

use super::attributes::Attributes;
use super::credit::{Credit, late_record_id};
use super::entry::{Event, Impression};
use super::entry_id::EntryId;
use super::row::PendingEvent;
use crate::clock::TimeMs;

/// What waits for the sinks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Record {
    /// An impression.
    Impression(ImpressionRecord),
    /// An event with its credits, or further credits of one.
    Conversion(ConversionRecord),
}

/// The record of an impression.
#[derive(Debug, Clone)]
pub struct ImpressionRecord {
    /// Its id, which never changes.
    pub id: EntryId,
    /// The environment that it belongs to.
    pub environment: Arc<str>,
    /// When it happened.
    pub time_ms: TimeMs,
    /// When it was received.
    pub received_at_ms: TimeMs,
    /// See [`ImpressionOutcome::first`](super::ImpressionOutcome::first).
    pub first: bool,
    /// The impression itself; the id in its envelope has moved here.
    pub impression: Impression,
}

/// The record of an event with its credits, or of further credits of one (`late`).
#[derive(Debug, Clone)]
pub struct ConversionRecord {
    /// Its id, which never changes: the event's, or of a late record one derived from its credit.
    pub id: EntryId,
    /// The event's id.
    pub event_id: EntryId,
    /// The environment that it belongs to.
    pub environment: Arc<str>,
    /// When the event happened.
    pub time_ms: TimeMs,
    /// When the event was received.
    pub received_at_ms: TimeMs,
    /// The event itself; the id in its envelope has moved here.
    pub event: Arc<Event>,
    /// What it counts for: nothing, in the record of an event that is not credited.
    pub credits: Vec<Credit>,
    /// Whether these are further credits (or corrections) of an event that has a record already.
    pub late: bool,
    /// Where the caller gave the event no attributes at all: those of the user's latest activation at
    /// or before the event's time.
    pub inherited_attributes: Option<Attributes>,
}

impl ConversionRecord {
    /// The record of a credit that a later received activation gives, corrects or withdraws.
    #[must_use]
    pub fn late<E>(
        environment: Arc<str>,
        pending: &PendingEvent<E>,
        event: Arc<Event>,
        credit: Credit,
        inherited_attributes: Option<Attributes>,
    ) -> Self {
        Self {
            id: EntryId::Made(late_record_id(&credit)),
            event_id: pending.id.clone(),
            environment,
            time_ms: pending.time_ms,
            received_at_ms: pending.received_at_ms,
            event,
            credits: vec![credit],
            late: true,
            inherited_attributes,
        }
    }
}
