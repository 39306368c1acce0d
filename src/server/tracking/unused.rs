//! What a request says that is of no use: counted by reason, and a sample of it for people to look at.
//!
//! Must not know users: no id of one is told.

use std::borrow::Cow;

use crate::client::UnknownExposure;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::problems::ProblemKind;
use crate::settings::TrackingSystem;

/// Longer parts of requests are cut where they are told.
const LONGEST_PART: usize = 80;

/// Something that was of no use.
#[derive(Debug)]
pub(super) struct Unused {
    pub(super) reason: Reason,
    /// What it was, without users.
    pub(super) what: Cow<'static, str>,
}

/// Why something is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl Reason {
    /// The word for it.
    const fn as_str(self) -> &'static str {
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
    pub(super) fn note(&self, app: &App, environment: &Environment, system: TrackingSystem) {
        environment.figures.unused(system.as_str(), self.reason.as_str());
        let Self { reason, what } = self;
        let (word, remedy) = (reason.as_str(), reason.remedy());
        let text = format!("{system}: {what} is of no use ({word}): {remedy}");
        app.problems.note(ProblemKind::Tracking, environment.name(), &text);
    }
}
