//! The attributes of a user's activations over time, so that an event without any inherits them.
//!
//! Must not know events or rules.

use smallvec::SmallVec;

use super::attributes::{Attributes, GivenAttributes};
use crate::clock::TimeMs;
use crate::datafile::Datafile;

/// How many changes of attributes are remembered per user; the oldest are forgotten first.
const LONGEST_HISTORY: usize = 8;

/// The attributes of a user's activations over time: one span for each run of equal attributes.
///
/// Bounded: of a user whose attributes changed more often, the earliest spans are forgotten, and
/// events from then inherit nothing. When an activation arrives so late that it falls inside a span
/// of others, the span is split at its ends, since the times between are not kept.
#[derive(Debug, Clone, Default)]
pub(super) struct AttributeHistory {
    /// In the order of `from_ms`; spans do not overlap.
    spans: SmallVec<[AttributeSpan; 1]>,
}

/// Times between which a user was activated with the same attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeSpan {
    /// The first of these times.
    pub from_ms: TimeMs,
    /// The last of them.
    pub through_ms: TimeMs,
    /// The attributes.
    pub attributes: Attributes,
}

impl AttributeHistory {
    /// From spans in the order of time.
    pub(super) fn from_spans(spans: impl IntoIterator<Item = AttributeSpan>) -> Self {
        Self { spans: spans.into_iter().collect() }
    }

    pub(super) fn spans(&self) -> &[AttributeSpan] {
        &self.spans
    }

    /// The attributes of the latest activation at or before a time.
    pub(super) fn latest_at(&self, time_ms: TimeMs) -> Option<&Attributes> {
        let after = self.spans.partition_point(|span| span.from_ms <= time_ms);
        self.spans.get(after.checked_sub(1)?).map(|span| &span.attributes)
    }

    /// Notes an activation with the attributes of the latest span, not before that begins; gives them.
    /// `None` where it is another one: then nothing has changed.
    #[inline]
    pub(super) fn note_latest(
        &mut self,
        time_ms: TimeMs,
        (attributes, datafile): (GivenAttributes<'_>, &Datafile),
    ) -> Option<&Attributes> {
        let latest = self.spans.last_mut().filter(|span| span.from_ms <= time_ms)?;
        if !attributes.are_kept_as(&latest.attributes, datafile) {
            return None;
        }
        latest.through_ms = latest.through_ms.max(time_ms);
        Some(&latest.attributes)
    }

    /// The attributes of a person with two histories; at the same time, those of this one count. Of the
    /// times within a span only the first and the last one are known.
    pub(super) fn joined(&self, other: &Self) -> Self {
        if other.spans.is_empty() {
            return self.clone();
        }
        let spans = other.spans.iter().chain(&self.spans);
        let mut points: Vec<_> = spans
            .flat_map(|span| [span.from_ms, span.through_ms].map(|at_ms| (at_ms, &span.attributes)))
            .collect();
        // Of several at the same time, the last one is the last one still.
        points.sort_by_key(|(at_ms, _)| *at_ms);
        let mut joined = Self::default();
        for (place, (at_ms, attributes)) in points.iter().enumerate() {
            if points.get(place + 1).is_some_and(|(next_ms, _)| next_ms == at_ms) {
                continue;
            }
            match joined.spans.last_mut() {
                Some(latest) if latest.attributes == **attributes => latest.through_ms = *at_ms,
                _ => joined.spans.push(AttributeSpan {
                    from_ms: *at_ms,
                    through_ms: *at_ms,
                    attributes: Attributes::clone(attributes),
                }),
            }
        }
        joined.forget_oldest();
        joined
    }

    /// Notes an activation; of two at the same time, the one that arrives last counts.
    pub(super) fn note(
        &mut self,
        time_ms: TimeMs,
        (attributes, datafile): (GivenAttributes<'_>, &Datafile),
    ) {
        let after = self.spans.partition_point(|span| span.from_ms <= time_ms);
        let mut rest = None;
        let point = || AttributeSpan {
            from_ms: time_ms,
            through_ms: time_ms,
            attributes: attributes.to_recorded(datafile),
        };
        if let Some(span) = after.checked_sub(1).and_then(|before| self.spans.get_mut(before)) {
            if attributes.are_kept_as(&span.attributes, datafile) {
                span.through_ms = span.through_ms.max(time_ms);
                return;
            }
            if span.from_ms == time_ms && span.through_ms == time_ms {
                *span = point();
                return;
            }
            if span.through_ms > time_ms {
                rest = Some(AttributeSpan { from_ms: span.through_ms, ..span.clone() });
                span.through_ms = span.from_ms;
            }
        }
        self.spans.insert_many(after, std::iter::once(point()).chain(rest));
        self.forget_oldest();
    }

    fn forget_oldest(&mut self) {
        let excess = self.spans.len().saturating_sub(LONGEST_HISTORY);
        self.spans.drain(..excess);
    }
}
