//! From a decision or a tracked event to what the store takes: attributes filtered, ids and times set.
//!
//! Must not know how a decision was made.

use std::sync::Arc;

use super::listener::{ActivationNotice, ConversionNotice};
use super::user::UserContext;
use crate::attribution::{
    Attributes, Envelope, Event, EventOutcome, Impression, ImpressionOutcome, Origin,
    RecordedAttribute,
};
use crate::clock::TimeMs;
use crate::datafile::Datafile;
use crate::store::Recorded;
use crate::targeting::Attribute;

/// The start of the keys of reserved attributes, which are sent though no datafile declares them.
const RESERVED: &str = "$opt_";

/// The caller's id and time of one activation or event.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stamp<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) time_ms: Option<TimeMs>,
}

impl UserContext<'_> {
    pub(super) fn envelope(&self, datafile: &Arc<Datafile>, stamp: Stamp<'_>) -> Envelope {
        Envelope {
            id: stamp.id.filter(|id| !id.is_empty()).map(Into::into),
            origin: Origin::Library,
            user_id: self.id().into(),
            time_ms: stamp.time_ms.or(self.time_ms),
            datafile: Arc::clone(datafile),
        }
    }

    /// The attributes that go out with an event: usable values of declared and reserved keys, in the
    /// caller's order.
    pub(super) fn recorded_attributes(&self, datafile: &Datafile) -> Attributes {
        if self.attributes().is_empty() {
            return Attributes::default();
        }
        self.attributes().iter().filter_map(|attribute| recorded(datafile, attribute)).collect()
    }

    pub(super) fn record_impression(&self, impression: Impression) -> Recorded<ImpressionOutcome> {
        let inner = self.inner;
        let activated = if inner.listeners.is_empty() {
            None
        } else {
            let keys = impression.activates();
            keys.map(|(rule, variation)| (Arc::clone(&rule.key), Arc::clone(&variation.key)))
        };
        let recorded = inner.store.record_impression(&inner.environment, &inner.rules, impression);
        let outcome = &recorded.outcome;
        if recorded.receipt.refusal().is_some() {
            return recorded;
        }
        if let Some((experiment_key, variation_key)) = activated
            && !outcome.duplicate
        {
            let notice = ActivationNotice {
                user_id: self.id(),
                experiment_key: &experiment_key,
                variation_key: &variation_key,
                time_ms: outcome.time_ms,
                first: outcome.first,
            };
            inner.listeners.tell(|listener| listener.activation(&notice));
        }
        if !outcome.late_credits.is_empty() {
            let notice = ConversionNotice {
                user_id: self.id(),
                event_key: None,
                credits: &outcome.late_credits,
                late: true,
            };
            inner.listeners.tell(|listener| listener.conversion(&notice));
        }
        recorded
    }

    pub(super) fn record_event(&self, event_key: &str, event: Event) -> Recorded<EventOutcome> {
        let inner = self.inner;
        let recorded = inner.store.record_event(&inner.environment, &inner.rules, event);
        let credits = &recorded.outcome.credits;
        if !credits.is_empty() && recorded.receipt.refusal().is_none() {
            let notice = ConversionNotice {
                user_id: self.id(),
                event_key: Some(event_key),
                credits,
                late: false,
            };
            inner.listeners.tell(|listener| listener.conversion(&notice));
        }
        recorded
    }
}

fn recorded(datafile: &Datafile, attribute: &Attribute<'_>) -> Option<RecordedAttribute> {
    let (entity_id, key) = match datafile.attribute_by_key(attribute.key()) {
        Some(declared) => (Arc::clone(&declared.id), Arc::clone(&declared.key)),
        None if attribute.key().starts_with(RESERVED) => {
            let key: Arc<str> = attribute.key().into();
            (Arc::clone(&key), key)
        }
        None => return None,
    };
    Some(RecordedAttribute { entity_id, key, value: attribute.value.to_recorded()? })
}
