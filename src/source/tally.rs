//! What happened to a source so far, as its status tells it.
//!
//! Must not know how it is asked, nor what is done with datafiles.

use super::status::{HeldBack, Readiness, SourceProblem, SourceStatus};
use super::supplied::Supplied;
use crate::clock::{Stopwatch, TimeMs};

/// How old the latest success may be for a source that cannot become stale.
pub(super) const NEVER_STALE: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Tally {
    /// Without what depends on the time of asking.
    status: SourceStatus,
    stale_after_ms: u64,
    success: Option<Success>,
}

/// The latest success, by the time of day and by a watch that nobody sets.
#[derive(Debug, Clone, Copy)]
struct Success {
    at_ms: TimeMs,
    age_ms: u64,
    since: Stopwatch,
}

impl Tally {
    pub(super) fn new(source: &str, stale_after_ms: u64) -> Self {
        let status = SourceStatus {
            source: source.into(),
            readiness: Readiness::NeverLoaded,
            revision: None,
            came_from: None,
            fetched_at_ms: None,
            finding_count: 0,
            last_attempt_ms: None,
            last_success_ms: None,
            last_change_ms: None,
            next_attempt_ms: None,
            checked_ago_ms: None,
            held_back: None,
            consecutive_failures: 0,
            last_problem: None,
            keep_problem: None,
            watch_problem: None,
            attempts: 0,
            failures: 0,
            changes: 0,
        };
        Self { status, stale_after_ms, success: None }
    }

    pub(super) const fn note_attempt(&mut self, now_ms: TimeMs) {
        self.status.attempts += 1;
        self.status.last_attempt_ms = Some(now_ms);
        self.status.next_attempt_ms = None;
    }

    pub(super) const fn note_next_attempt(&mut self, at_ms: TimeMs) {
        self.status.next_attempt_ms = Some(at_ms);
    }

    pub(super) fn note_success(&mut self, now_ms: TimeMs) {
        self.status.consecutive_failures = 0;
        self.note_earlier_success(now_ms, now_ms);
    }

    /// A success that was, perhaps before this process began.
    pub(super) fn note_earlier_success(&mut self, at_ms: TimeMs, now_ms: TimeMs) {
        let age_ms = u64::try_from(now_ms.saturating_sub(at_ms)).unwrap_or_default();
        self.success = Some(Success { at_ms, age_ms, since: Stopwatch::start() });
    }

    pub(super) fn note_failure(&mut self, now_ms: TimeMs, text: String) {
        self.status.failures += 1;
        self.status.consecutive_failures += 1;
        self.status.last_problem = Some(problem(now_ms, text));
    }

    pub(super) fn note_keep_problem(&mut self, now_ms: TimeMs, text: Option<String>) {
        self.status.keep_problem = text.map(|text| problem(now_ms, text));
    }

    pub(super) fn note_watch_problem(&mut self, now_ms: TimeMs, text: Option<String>) {
        let is_known = match (&self.status.watch_problem, &text) {
            (Some(known), Some(text)) => *known.text == **text,
            (None, None) => true,
            _ => false,
        };
        if !is_known {
            self.status.watch_problem = text.map(|text| problem(now_ms, text));
        }
    }

    pub(super) fn note_change(&mut self, now_ms: TimeMs) {
        self.status.changes += 1;
        self.status.last_change_ms = Some(now_ms);
    }

    pub(super) fn note_in_force(&mut self, supplied: &Supplied) {
        self.status.revision = Some(supplied.datafile.revision().into());
        self.status.came_from = Some(supplied.came_from);
        self.status.fetched_at_ms = Some(supplied.fetched_at_ms);
        self.status.finding_count = supplied.finding_count;
    }

    pub(super) fn note_held_back(&mut self, held_back: Option<&Supplied>) {
        self.status.held_back = held_back.map(|supplied| HeldBack {
            revision: supplied.datafile.revision().into(),
            since_ms: supplied.fetched_at_ms,
        });
    }

    pub(super) fn status(&self, now_ms: TimeMs) -> SourceStatus {
        let checked_ago_ms = self.success.map(|success| success.ago_ms(now_ms));
        let is_fresh = self.stale_after_ms == NEVER_STALE
            || checked_ago_ms.is_some_and(|ago_ms| ago_ms <= self.stale_after_ms);
        let readiness = match (&self.status.revision, is_fresh) {
            (None, _) => Readiness::NeverLoaded,
            (Some(_), true) => Readiness::Fresh,
            (Some(_), false) => Readiness::Stale,
        };
        let last_success_ms = self.success.map(|success| success.at_ms);
        SourceStatus { readiness, checked_ago_ms, last_success_ms, ..self.status.clone() }
    }
}

impl Success {
    /// The time of day sees what a machine slept through, and the watch what the time of day was set back.
    fn ago_ms(&self, now_ms: TimeMs) -> u64 {
        let by_day = u64::try_from(now_ms.saturating_sub(self.at_ms)).unwrap_or_default();
        let by_watch = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        by_day.max(self.age_ms.saturating_add(by_watch))
    }
}

fn problem(at_ms: TimeMs, text: String) -> SourceProblem {
    SourceProblem { at_ms, text: text.into() }
}
