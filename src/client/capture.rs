//! From a decision or a tracked event to what the store takes: attributes filtered, ids and times set.
//!
//! Must not know how a decision was made.

use std::sync::Arc;

use super::listener::{ActivationNotice, ConversionNotice, TrackNotice};
use super::user::UserContext;
use crate::attribution::{
    Attributes, Envelope, Event, EventOutcome, GivenAttributes, ImpressionOutcome,
    ImpressionSource, NewImpression,
};
use crate::clock::TimeMs;
use crate::datafile::Datafile;
use crate::store::Recorded;

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
            origin: self.origin,
            user_id: self.id().into(),
            time_ms: stamp.time_ms.or(self.time_ms),
            datafile: Arc::clone(datafile),
        }
    }

    /// An impression that names nothing yet; the rest is for the caller to fill in.
    pub(super) fn new_impression<'i>(
        &'i self,
        datafile: &'i Arc<Datafile>,
        stamp: Stamp<'i>,
        source: ImpressionSource,
    ) -> NewImpression<'i> {
        NewImpression {
            id: stamp.id.filter(|id| !id.is_empty()),
            origin: self.origin,
            user_id: self.id(),
            time_ms: stamp.time_ms.or(self.time_ms),
            datafile,
            flag: None,
            rule: None,
            variation: None,
            source,
            is_enabled: false,
            is_forced: false,
            attributes: GivenAttributes::Callers(self.attributes()),
            prediction_id: None,
        }
    }

    /// The attributes that go out with an event.
    pub(super) fn recorded_attributes(&self, datafile: &Datafile) -> Attributes {
        GivenAttributes::Callers(self.attributes()).to_recorded(datafile)
    }

    pub(super) fn record_impression(
        &self,
        impression: &NewImpression<'_>,
    ) -> Recorded<ImpressionOutcome> {
        let inner = self.inner;
        let activated = if inner.listeners.is_empty() { None } else { impression.shows() };
        let recorded = inner.store.record_impression(&inner.environment, &inner.rules, impression);
        let recorded = inner.durability.settled(recorded);
        let outcome = &recorded.outcome;
        if recorded.receipt.refusal().is_some() {
            return recorded;
        }
        if let Some(shown) = activated
            && !outcome.duplicate
        {
            let notice = ActivationNotice {
                user_id: self.id(),
                experiment_key: &shown.experiment_key,
                variation_key: &shown.variation_key,
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
        let told = (!inner.listeners.is_empty()).then(|| event.clone());
        let recorded = inner.store.record_event(&inner.environment, &inner.rules, event);
        let recorded = inner.durability.settled(recorded);
        if let Some(event) = told
            && recorded.receipt.refusal().is_none()
            && !recorded.outcome.duplicate
        {
            self.tell_track(event_key, &event);
        }
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

    fn tell_track(&self, event_key: &str, event: &Event) {
        let datafile = &event.envelope.datafile;
        let notice = TrackNotice {
            user_id: self.id(),
            attributes: self.attributes(),
            recorded_attributes: event.attributes.as_deref().unwrap_or_default(),
            event_key,
            event_id: datafile.event(event.event).map(|event| event.id()).unwrap_or_default(),
            tags: event.tags.as_ref(),
            revenue_cents: event.revenue_cents,
            value: event.value,
        };
        self.inner.listeners.tell(|listener| listener.track(&notice));
    }
}
