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

/// A request that comes so late may have been on its way, since its sender gives it up no sooner, or may have been
/// sent again as it was; its clock is as good as ours.
const ON_ITS_WAY_MS: RangeInclusive<TimeMs> = 0..=10_000;
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

/// What somebody did before something was shown in the same request is dated before it, too.
pub(in crate::server::tracking) fn keep_order(payload: &mut Payload) {
    let mut shown: BTreeMap<&str, Vec<(TimeMs, TimeMs)>> = BTreeMap::new();
    for exposure in &payload.exposures {
        if let (Some(was_ms), Some(dated_ms)) = (exposure.was_ms, exposure.mark.time_ms) {
            shown.entry(&exposure.person.id).or_default().push((was_ms, dated_ms));
        }
    }
    // When each was, and how early it and all later ones are dated.
    for of_person in shown.values_mut() {
        of_person.sort_unstable();
        let mut earliest_ms = TimeMs::MAX;
        for (_, dated_ms) in of_person.iter_mut().rev() {
            earliest_ms = earliest_ms.min(*dated_ms);
            *dated_ms = earliest_ms;
        }
    }
    for event in &mut payload.events {
        let (Some(of_person), Some(time_ms)) =
            (shown.get(&*event.person.id), &mut event.mark.time_ms)
        else {
            continue;
        };
        let later = of_person.partition_point(|(was_ms, _)| was_ms <= time_ms);
        if let Some((_, dated_ms)) = of_person.get(later) {
            *time_ms = dated_ms.saturating_sub(1).min(*time_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    //! When what was shown counts from, and what stays before it.

    use std::sync::Arc;

    use super::{Moment, keep_order};
    use crate::server::tracking::payload::{Mark, NewEvent, NewExposure, Payload, Person};

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
        check(10_000, 10_100);
        check(10_001, 1_100);
        check(86_400_000, 1_100);
        check(-1, 1_100);
        check(-86_400_000, 1_100);
        assert_eq!(Moment::as_told(7).shown_at_ms(), 7);
    }

    /// Of what `anna` was shown at these times, a second early, and did then: when that is dated.
    #[track_caller]
    fn check_order(shown: &[i64], done: (&str, i64), expect: i64) {
        let of = |id: &str| Arc::new(Person { id: id.to_owned(), ..Person::default() });
        let mark = |time_ms| Mark { id: None, time_ms: Some(time_ms) };
        let exposure = |was_ms: &i64| NewExposure {
            person: of("anna"),
            mark: mark(was_ms - 1_000),
            was_ms: Some(*was_ms),
            ..NewExposure::default()
        };
        let event = NewEvent { person: of(done.0), mark: mark(done.1), ..NewEvent::default() };
        let exposures = shown.iter().map(exposure).collect();
        let mut payload = Payload { exposures, events: vec![event], ..Payload::default() };
        keep_order(&mut payload);
        assert_eq!(payload.events[0].mark.time_ms, Some(expect), "{shown:?} {done:?}");
    }

    #[test]
    fn what_was_done_before_something_was_shown_stays_before_it() {
        check_order(&[], ("anna", 5_000), 5_000);
        check_order(&[5_000], ("anna", 5_000), 5_000);
        check_order(&[5_000], ("anna", 4_999), 3_999);
        check_order(&[5_000], ("anna", 3_999), 3_999);
        check_order(&[5_000], ("anna", 1_000), 1_000);
        check_order(&[5_000], ("ben", 4_999), 4_999);
        check_order(&[9_000, 5_000], ("anna", 4_500), 3_999);
        check_order(&[9_000, 5_000], ("anna", 5_500), 5_500);
        check_order(&[9_000, 5_000], ("anna", 8_500), 7_999);
    }
}
