//! What of a datafile cannot be said to Flagger's clients.
//!
//! Must not know how the rest is said.

use std::collections::BTreeMap;

/// What cannot be said of some flags, and what is done instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    Audience,
    Group,
    Prediction,
    Behind,
    Holdout,
    NamedOff,
    Disabled,
}

/// What cannot be said, and of which flags.
pub(super) type Findings<'d> = BTreeMap<Finding, Vec<&'d str>>;

impl Finding {
    /// In words that stand before the names of flags.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Audience => "no filters say an audience, so that nobody in it gets",
            Self::Group => {
                "it cannot keep the experiments of a group apart, so that only who is whitelisted gets"
            }
            Self::Prediction => "a prediction chooses, so that only who is whitelisted gets",
            Self::Behind => {
                "it knows one experiment or delivery, so that those behind it are left out of"
            }
            Self::Holdout => "it knows no holdouts, so that who is held out gets all the same",
            Self::NamedOff => {
                "it calls showing nothing off, so that the variation off goes by its id in"
            }
            Self::Disabled => {
                "it calls all variations on: ask by getVariation, not by isEnabled, for"
            }
        }
    }
}
