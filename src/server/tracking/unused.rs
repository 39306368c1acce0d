//! What a request says that is of no use: counted by reason, and a sample of it for people to look at.
//!
//! Must not know users: no id of one is told.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::client::UnknownExposure;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::problems::ProblemKind;
use crate::settings::TrackingSystem;

/// Longer parts of requests are cut where they are told.
const LONGEST_PART: usize = 80;
/// So many different things of one request are told; all others are counted.
const MOST_TOLD: usize = 20;

/// Something that was of no use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unused {
    pub(super) reason: Reason,
    /// What it was, without users.
    pub(super) what: Cow<'static, str>,
}

/// All of a request that was of no use: however much that is, little of it is kept.
#[derive(Debug, Default)]
pub(super) struct AllUnused {
    counts: BTreeMap<Reason, u64>,
    /// The first of each kind, and how often it was.
    told: Vec<(Unused, u64)>,
}

/// Why something is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// The datafile does not know the event.
    UnknownEvent,
    /// The datafile does not know the experiment.
    UnknownExperiment,
    /// The experiment has no such variation.
    UnknownVariation,
    /// Nobody is named who did it.
    NoUser,
    /// What was done is not named.
    NoName,
    /// It is not of the kind that belongs there.
    WrongKind,
    /// It has a time that cannot be read; another one counts.
    BadTime,
    /// The checksum is missing, or not the one of the request.
    WrongChecksum,
    /// It is larger than the system lets it be, or than is read.
    TooLarge,
    /// The settings do not know its key.
    UnknownKey,
    /// There is nothing at its path.
    UnknownPath,
}

impl Reason {
    /// The word for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownEvent => "unknown-event",
            Self::UnknownExperiment => "unknown-experiment",
            Self::UnknownVariation => "unknown-variation",
            Self::NoUser => "no-user",
            Self::NoName => "no-name",
            Self::WrongKind => "wrong-kind",
            Self::BadTime => "bad-time",
            Self::WrongChecksum => "wrong-checksum",
            Self::TooLarge => "too-large",
            Self::UnknownKey => "unknown-key",
            Self::UnknownPath => "unknown-path",
        }
    }

    /// What to do about it.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::UnknownEvent => {
                "add the event to the datafile, or name one in [tracking.events] of the settings"
            }
            Self::UnknownExperiment | Self::UnknownVariation => {
                "look whether client and datafile are of the same project"
            }
            Self::NoUser => "have the client send who it was",
            Self::NoName => "have the client send what it was",
            Self::WrongKind => "look at what the client sends there",
            Self::BadTime => "have the client send its time as its system has it",
            Self::WrongChecksum => "give the client and the [[tracking.key]] the same salt",
            Self::TooLarge => "have the client send less at once, or raise body_limit",
            Self::UnknownKey => "name the key in the settings, as a [[tracking.key]]",
            Self::UnknownPath => "look at the address that the client is given",
        }
    }
}

impl From<UnknownExposure> for Reason {
    fn from(unknown: UnknownExposure) -> Self {
        match unknown {
            UnknownExposure::Experiment => Self::UnknownExperiment,
            UnknownExposure::Variation => Self::UnknownVariation,
        }
    }
}

impl Unused {
    /// Something with a name of the request in it.
    pub(super) fn named(reason: Reason, what: &str, name: &str) -> Self {
        let cut: String = name.chars().take(LONGEST_PART).collect();
        Self { reason, what: format!("{what} {cut:?}").into() }
    }

    pub(super) const fn plain(reason: Reason, what: &'static str) -> Self {
        Self { reason, what: Cow::Borrowed(what) }
    }

    /// Counts it, and keeps it among the problems.
    pub(super) fn note(self, app: &App, environment: &Environment, system: TrackingSystem) {
        AllUnused::from(self).note(app, Some(environment), system);
    }

    fn text(&self, system: TrackingSystem) -> String {
        let Self { reason, what } = self;
        format!("{system}: {what} is of no use ({}): {}", reason.as_str(), reason.remedy())
    }
}

impl AllUnused {
    pub(super) fn push(&mut self, unused: Unused) {
        self.add(unused, 1);
    }

    pub(super) fn extend(&mut self, more: Self) {
        for (reason, times) in more.counts {
            *self.counts.entry(reason).or_default() += times;
        }
        more.told.into_iter().for_each(|(unused, times)| self.tell(unused, times));
    }

    pub(super) fn add(&mut self, unused: Unused, times: u64) {
        *self.counts.entry(unused.reason).or_default() += times;
        self.tell(unused, times);
    }

    fn tell(&mut self, unused: Unused, times: u64) {
        let is_full = self.told.len() >= MOST_TOLD;
        match self.told.iter_mut().find(|(told, _)| *told == unused) {
            Some((_, told)) => *told += times,
            None if is_full => {}
            None => self.told.push((unused, times)),
        }
    }

    /// How much it is.
    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    pub(super) fn first(&self) -> Option<&Unused> {
        self.told.first().map(|(unused, _)| unused)
    }

    /// Counts all of it, and keeps some among the problems. What has no environment is nobody's.
    pub(super) fn note(self, app: &App, environment: Option<&Environment>, system: TrackingSystem) {
        let name = environment.map_or("", Environment::name);
        for (reason, times) in &self.counts {
            app.figures.unused(name, (system.as_str(), reason.as_str()), *times);
        }
        let about = if name.is_empty() { system.as_str() } else { name };
        for (unused, times) in &self.told {
            app.problems.note_times(ProblemKind::Tracking, about, &unused.text(system), *times);
        }
    }
}

impl From<Unused> for AllUnused {
    fn from(unused: Unused) -> Self {
        let mut all = Self::default();
        all.push(unused);
        all
    }
}

#[cfg(test)]
mod tests {
    //! What is kept of much that is of no use.

    use super::{AllUnused, MOST_TOLD, Reason, Unused};

    #[test]
    fn all_is_counted_and_some_is_told() {
        let mut all = AllUnused::default();
        for place in 0..70_000 {
            all.push(Unused::plain(Reason::NoUser, "what nobody did"));
            all.push(Unused::named(Reason::UnknownEvent, "the event", &place.to_string()));
        }
        let mut sum = AllUnused::from(Unused::plain(Reason::NoUser, "what nobody did"));
        sum.extend(all);
        assert_eq!(sum.count(), 140_001);
        assert_eq!(sum.told.len(), MOST_TOLD);
        assert_eq!(sum.told.first().map(|(_, times)| *times), Some(70_001));
        assert_eq!(sum.counts.get(&Reason::UnknownEvent), Some(&70_000));
    }
}
