//! Times by the clock of who sends, put right by when it was sent; and what that must not put out of order.
//!
//! Must not know what a message says. How much later a request came than it says that it was sent is its way, or how
//! wrong the sender's clock is, and nobody can tell which; of each request of one sender it is another. So what is
//! done is corrected as Segment specifies it, and what was shown is dated at the earliest that it may have been: else
//! a request that took long, with what was shown, would come after a quick one with what was done then. Within one
//! request it is certain which was first, and stays so.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::clock::TimeMs;
use crate::server::tracking::payload::Payload;

/// A request that comes so late may have been on its way, or may have been sent again as it was: its clock is as good
/// as ours. So long segment-analytics-python 2.4.0 waits for an answer (`timeout = 15`); @segment/analytics-node 3.1.0
/// gives up after 10 s, analytics-kotlin 1.24.1 after 20 s without a byte, and the crate `segment` 0.2.6 never. What
/// takes longer is taken for a clock that is behind.
const ON_ITS_WAY_MS: RangeInclusive<TimeMs> = 0..=15_000;
/// So much longer than another one a request may take of a sender whose clock is wrong.
const UNEVEN_MS: TimeMs = 1_000;

/// When something was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) time_ms: TimeMs,
    /// How much later the request came than the sender's clock says that it was sent, if it says so.
    late_ms: TimeMs,
}

impl Moment {
    /// By a clock that is ours, as far as anybody knows.
    pub(super) const fn as_told(time_ms: TimeMs) -> Self {
        Self { time_ms, late_ms: 0 }
    }

    /// The sender's clock may be wrong, and what it says of two times is right: how long before it was sent
    /// something happened.
    pub(super) const fn corrected(
        told_ms: TimeMs,
        sent_ms: TimeMs,
        received_at_ms: TimeMs,
    ) -> Self {
        let time_ms = received_at_ms.saturating_sub(sent_ms.saturating_sub(told_ms));
        Self { time_ms, late_ms: received_at_ms.saturating_sub(sent_ms) }
    }

    /// The same of what was shown: at the earliest.
    pub(super) fn shown_at_ms(self) -> TimeMs {
        let earlier_ms =
            if ON_ITS_WAY_MS.contains(&self.late_ms) { self.late_ms } else { UNEVEN_MS };
        self.time_ms.saturating_sub(earlier_ms)
    }
}

/// What was shown in the same request is dated after what somebody did before it, too. What was done stays where it
/// is: another sender may have told of something shown right before it.
pub(in crate::server::tracking) fn keep_order(payload: &mut Payload) {
    let Payload { exposures, merges, events, .. } = payload;
    let mut leads = BTreeMap::new();
    for merge in merges.iter() {
        let (from, into) = (end(&mut leads, &merge.from_id), end(&mut leads, &merge.into_id));
        if from != into {
            leads.insert(from, into);
        }
    }
    let mut done: BTreeMap<&str, Vec<TimeMs>> = BTreeMap::new();
    for event in events.iter() {
        if let Some(time_ms) = event.mark.time_ms {
            done.entry(end(&mut leads, &event.person.id)).or_default().push(time_ms);
        }
    }
    for of_person in done.values_mut() {
        of_person.sort_unstable();
    }
    for exposure in exposures {
        let (Some(was_ms), Some(dated_ms)) = (exposure.was_ms, &mut exposure.mark.time_ms) else {
            continue;
        };
        let Some(of_person) = done.get(end(&mut leads, &exposure.person.id)) else { continue };
        let earlier = of_person.partition_point(|time_ms| *time_ms < was_ms);
        if let Some(last_ms) = earlier.checked_sub(1).and_then(|last| of_person.get(last)) {
            *dated_ms = last_ms.saturating_add(1).max(*dated_ms);
        }
    }
}

/// The id that somebody is known by when all merges are done. Ways are made shorter as they are gone.
fn end<'a>(leads: &mut BTreeMap<&'a str, &'a str>, mut id: &'a str) -> &'a str {
    while let Some(&next) = leads.get(id) {
        if let Some(&after) = leads.get(next) {
            leads.insert(id, after);
        }
        id = next;
    }
    id
}

#[cfg(test)]
mod tests {
    //! When what was shown counts from, and what stays before it.

    use std::sync::Arc;

    use super::{Moment, keep_order};
    use crate::server::tracking::payload::{
        Mark, NewEvent, NewExposure, NewMerge, Payload, Person,
    };

    const RECEIVED_MS: i64 = 1_000_000;

    /// What was shown 100 ms before it was sent, so long before its receipt by the sender's clock.
    #[track_caller]
    fn check(late_ms: i64, expect_before_receipt_ms: i64) {
        let sent_ms = RECEIVED_MS - late_ms;
        let moment = Moment::corrected(sent_ms - 100, sent_ms, RECEIVED_MS);
        assert_eq!(moment.time_ms, RECEIVED_MS - 100);
        assert_eq!(RECEIVED_MS - moment.shown_at_ms(), expect_before_receipt_ms, "{late_ms} late");
    }

    #[test]
    fn what_was_shown_counts_from_the_earliest() {
        check(0, 100);
        check(1, 101);
        check(12_000, 12_100);
        check(15_000, 15_100);
        check(15_001, 1_100);
        check(86_400_000, 1_100);
        check(-1, 1_100);
        check(-86_400_000, 1_100);
        assert_eq!(Moment::as_told(7).shown_at_ms(), 7);
    }

    /// What `anna` was shown then is dated a second early, unless that is before what was done before it.
    #[track_caller]
    fn check_order(was_ms: i64, done: &[(&str, i64)], expect: i64) {
        let of = |id: &str| Arc::new(Person { id: id.to_owned(), ..Person::default() });
        let mark = |time_ms| Mark { id: None, time_ms: Some(time_ms) };
        let exposure = NewExposure {
            person: of("anna"),
            mark: mark(was_ms - 1_000),
            was_ms: Some(was_ms),
            ..NewExposure::default()
        };
        let event = |(id, time_ms): &(&str, i64)| NewEvent {
            person: of(id),
            mark: mark(*time_ms),
            ..NewEvent::default()
        };
        // In a circle, which has an end all the same.
        let merge = |(from, into): (&str, &str)| NewMerge {
            from_id: from.to_owned(),
            into_id: into.to_owned(),
            id: None,
        };
        let merges = [("visitor", "device"), ("device", "anna"), ("anna", "visitor")];
        let mut payload = Payload {
            exposures: vec![exposure],
            merges: merges.map(merge).into(),
            events: done.iter().map(event).collect(),
            ..Payload::default()
        };
        keep_order(&mut payload);
        assert_eq!(payload.exposures[0].mark.time_ms, Some(expect), "{was_ms} {done:?}");
        let dated = payload.events.iter().map(|event| event.mark.time_ms);
        assert!(dated.eq(done.iter().map(|(_, time_ms)| Some(*time_ms))), "{done:?}");
    }

    #[test]
    fn what_was_done_before_something_was_shown_stays_before_it() {
        check_order(5_000, &[], 4_000);
        check_order(5_000, &[("anna", 5_000)], 4_000);
        check_order(5_000, &[("anna", 4_999)], 5_000);
        check_order(5_000, &[("anna", 4_000)], 4_001);
        check_order(5_000, &[("anna", 3_999)], 4_000);
        check_order(5_000, &[("anna", 1_000)], 4_000);
        check_order(5_000, &[("ben", 4_999)], 4_000);
        check_order(5_000, &[("visitor", 4_500)], 4_501);
        check_order(5_000, &[("device", 4_500)], 4_501);
        check_order(5_000, &[("anna", 4_800), ("visitor", 4_500), ("anna", 9_000)], 4_801);
    }
}
