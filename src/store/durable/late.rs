//! The events that late credits are about.
//!
//! Must not know where they are read from.

use std::sync::Arc;

use crate::attribution::{Credit, LateCredit, TrackedEvent, UserRow};
use crate::error::Error;

/// Events with their late credits, and the places of pending events that are gone.
pub(super) type LateConversions = (Vec<(Arc<TrackedEvent>, Credit)>, Vec<usize>);

/// Reads each event once, however many credits it has: those of one event come one after the other.
pub(super) fn conversions_of<E>(
    row: &UserRow<E>,
    late: &[LateCredit],
    mut event_of: impl FnMut(&E) -> Result<Option<Arc<TrackedEvent>>, Error>,
) -> Result<LateConversions, Error> {
    let mut conversions = Vec::with_capacity(late.len());
    let mut gone = Vec::new();
    for of_event in late.chunk_by(|one, next| one.pending_place == next.pending_place) {
        let Some(place) = of_event.first().map(|late| late.pending_place) else { continue };
        let Some(pending) = row.pending().nth(place) else { continue };
        match event_of(&pending.event)? {
            Some(event) => conversions
                .extend(of_event.iter().map(|late| (Arc::clone(&event), late.credit.clone()))),
            None => gone.push(place),
        }
    }
    Ok((conversions, gone))
}

#[cfg(test)]
mod tests {
    //! How often an event is read.

    use std::sync::Arc;

    use super::conversions_of;
    use crate::attribution::{
        Activation, Bounds, EntryId, PendingEvent, Rules, UserRow, plan_merge,
    };
    use crate::datafile::Shown;

    /// Three events, each credited by four activations: each is read once, and is gone once.
    #[test]
    fn an_event_is_read_once_however_many_credits_it_has() {
        let names: [Arc<str>; 4] = ["a", "b", "c", "d"].map(Into::into);
        let activation = |name: &Arc<str>| {
            let [experiment_id, experiment_key, campaign_id, variation_id, variation_key] =
                [(); 5].map(|()| Arc::clone(name));
            let shown = Arc::new(Shown {
                experiment_id,
                experiment_key,
                campaign_id,
                variation_id,
                variation_key,
            });
            Activation { shown, first_ms: 1, last_received_ms: 1, is_crossed_over: false }
        };
        let pending = |event: u8| PendingEvent {
            id: EntryId::given_or_new(Some(event.to_string().into())),
            time_ms: 2,
            received_at_ms: 2,
            claimable_until_ms: 9,
            tied: names.clone().into(),
            event,
        };
        let from = UserRow::from_parts(names.iter().map(activation), [], []);
        let into = UserRow::from_parts([], (0..3).map(pending), []);
        let bounds = Bounds { activations: 9, pending_events: 9 };
        let plan = plan_merge(into, from, "shop", &Rules::default(), &bounds);
        assert_eq!(plan.late_credits.len(), 12);
        let mut read = Vec::new();
        let late = conversions_of(&plan.into, &plan.late_credits, |event: &u8| {
            read.push(*event);
            Ok(None)
        });
        assert_eq!(read, [0, 1, 2]);
        assert!(late.is_ok_and(|(found, gone)| found.is_empty() && gone == [0, 1, 2]));
    }
}
