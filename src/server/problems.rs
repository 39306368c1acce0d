//! What went wrong lately: sources, sinks, the store, listeners. The latest of it, for people.
//!
//! Must not know who looks at it. What goes on going wrong is one problem with a count, so that it does not
//! push out the others.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::refusal::error_chain;
use crate::clock::{TimeMs, system_time_ms};
use crate::error::Error;

/// Older ones are let go.
const MOST_PROBLEMS: usize = 50;
/// What others send may be wrong in as many ways as they like, and must not push out the rest.
const MOST_FROM_OUTSIDE: usize = 20;
/// Longer texts are cut.
const LONGEST_TEXT: usize = 1000;
/// What has not gone wrong for so long is news when it does again.
const EPISODE_MS: TimeMs = 60_000;

/// The latest problems.
#[derive(Debug, Default)]
pub(super) struct Problems {
    latest: Mutex<VecDeque<Problem>>,
}

/// Something that went wrong, once or again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) kind: ProblemKind,
    /// The environment or sink; empty where there is only one.
    pub(super) about: Box<str>,
    /// What, and what to do about it; without secrets.
    pub(super) text: Box<str>,
    pub(super) first_at_ms: TimeMs,
    pub(super) last_at_ms: TimeMs,
    pub(super) count: u64,
}

/// What it was that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProblemKind {
    Source,
    Sink,
    Store,
    Tracking,
    /// What is asked for, or how, looks like a slip.
    Request,
    /// Connections are not accepted.
    Listener,
    /// Keys that tokens are signed with.
    Keys,
    /// Settings that have no effect, or that somebody misses.
    Settings,
}

impl ProblemKind {
    const fn comes_from_outside(self) -> bool {
        matches!(self, Self::Tracking | Self::Request)
    }

    /// Whether its texts say how much there is of something, which changes all the time.
    const fn tells_figures(self) -> bool {
        matches!(self, Self::Store)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Store => "store",
            Self::Tracking => "tracking",
            Self::Request => "request",
            Self::Listener => "listener",
            Self::Keys => "keys",
            Self::Settings => "settings",
        }
    }
}

impl Problems {
    pub(super) fn note(&self, kind: ProblemKind, about: &str, text: &str) {
        self.note_times(kind, about, text, 1);
    }

    /// The same of what may go wrong many times a second; gives whether it is news, which is logged.
    pub(super) fn note_often(&self, kind: ProblemKind, about: &str, text: &str) -> bool {
        self.note_at(system_time_ms(), (kind, about), text, 1)
    }

    /// What was to be recorded is not stored. The cause may name folders, which is for who runs the daemon.
    pub(super) fn note_not_stored(&self, cause: &Error) {
        let reason = error_chain(cause.why_not_stored());
        if self.note_often(ProblemKind::Store, "", &reason) {
            tracing::warn!(reason, "a request was not recorded");
        }
    }

    /// What went wrong several times at once.
    pub(super) fn note_times(&self, kind: ProblemKind, about: &str, text: &str, times: u64) {
        self.note_at(system_time_ms(), (kind, about), text, times);
    }

    /// The latest first.
    pub(super) fn latest(&self) -> Vec<Problem> {
        self.latest.lock().iter().rev().cloned().collect()
    }

    /// Gives whether it did not go wrong lately.
    fn note_at(
        &self,
        now_ms: TimeMs,
        (kind, about): (ProblemKind, &str),
        text: &str,
        times: u64,
    ) -> bool {
        let text: String = text.chars().take(LONGEST_TEXT).collect();
        let is_same = |other: &Problem| {
            let is_same_text =
                if kind.tells_figures() { same_but_for_figures } else { <str as PartialEq>::eq };
            (other.kind, &*other.about) == (kind, about) && is_same_text(&other.text, &text)
        };
        let mut latest = self.latest.lock();
        let before = latest.iter().position(is_same).and_then(|place| latest.remove(place));
        let is_over = |before: &Problem| now_ms.saturating_sub(before.last_at_ms) > EPISODE_MS;
        let is_news = before.as_ref().is_none_or(is_over);
        let is_of_kind = |other: &Problem| other.kind == kind;
        if kind.comes_from_outside()
            && latest.iter().filter(|other| is_of_kind(other)).count() >= MOST_FROM_OUTSIDE
        {
            let oldest = latest.iter().position(is_of_kind);
            oldest.and_then(|oldest| latest.remove(oldest));
        }
        if latest.len() >= MOST_PROBLEMS {
            latest.pop_front();
        }
        let problem = match before {
            Some(before) => Problem {
                text: text.into(),
                last_at_ms: now_ms,
                count: before.count.saturating_add(times),
                ..before
            },
            None => Problem {
                kind,
                about: about.into(),
                text: text.into(),
                first_at_ms: now_ms,
                last_at_ms: now_ms,
                count: times,
            },
        };
        latest.push_back(problem);
        is_news
    }
}

fn same_but_for_figures(one: &str, other: &str) -> bool {
    let words =
        |text| str::split(text, |sign: char| sign.is_ascii_digit()).filter(|part| !part.is_empty());
    words(one).eq(words(other))
}

#[cfg(test)]
mod tests {
    //! What is kept.

    use super::{MOST_PROBLEMS, ProblemKind, Problems};

    #[test]
    fn the_latest_come_first_and_repeats_are_counted() {
        let problems = Problems::default();
        problems.note_at(1, (ProblemKind::Source, "a"), "down", 1);
        problems.note_at(2, (ProblemKind::Sink, "b"), "down", 1);
        problems.note_at(3, (ProblemKind::Source, "a"), "down", 4);
        let latest: Vec<_> = problems
            .latest()
            .iter()
            .map(|one| (one.kind.as_str(), one.first_at_ms, one.last_at_ms, one.count))
            .collect();
        assert_eq!(latest, [("source", 1, 3, 5), ("sink", 2, 2, 1)]);
    }

    #[test]
    fn what_others_send_pushes_out_nothing_else() {
        let problems = Problems::default();
        problems.note_at(0, (ProblemKind::Sink, "b"), "down", 1);
        for number in 1..1000 {
            problems.note_at(number, (ProblemKind::Tracking, "a"), &format!("{number}"), 1);
        }
        let latest = problems.latest();
        assert_eq!(latest.last().map(|one| one.kind.as_str()), Some("sink"));
        assert_eq!(latest.first().map(|one| &*one.text), Some("999"));
        assert_eq!(latest.len(), 21);
    }

    #[test]
    fn what_goes_on_going_wrong_is_news_once_an_episode() {
        let problems = Problems::default();
        let news = [0, 1, 60_000, 119_999, 180_000]
            .map(|now_ms| problems.note_at(now_ms, (ProblemKind::Store, ""), "full", 1));
        assert_eq!(news, [true, false, false, false, true]);
        assert!(problems.note_at(180_001, (ProblemKind::Store, ""), "broken", 1), "another one");
    }

    #[test]
    fn how_full_a_disk_is_makes_no_other_problem() {
        let problems = Problems::default();
        for free in 0..100 {
            let text = format!("its disk has {free} MiB left, and 256 MiB are kept");
            problems.note_at(free, (ProblemKind::Store, ""), &text, 1);
        }
        let latest = problems.latest();
        assert_eq!((latest.len(), latest[0].count), (1, 100));
        assert!(latest[0].text.contains("99 MiB left"), "{}", latest[0].text);
    }

    #[test]
    fn there_is_a_most() {
        let problems = Problems::default();
        for number in 0..1000 {
            problems.note_at(number, (ProblemKind::Sink, "b"), &format!("{number}"), 1);
        }
        problems.note_at(1000, (ProblemKind::Sink, "b"), &"x".repeat(100_000), 1);
        let latest = problems.latest();
        assert_eq!(latest.len(), MOST_PROBLEMS);
        assert!(latest.iter().all(|one| one.text.len() <= 1000));
    }
}
