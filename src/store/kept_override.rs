//! An override as it is kept for the next start: a variation that somebody arranged for one user.
//!
//! Must not know datafiles: whether experiment and variation are there is found out when they are used.

use std::fmt;

use crate::clock::TimeMs;

/// A variation of an experiment that somebody arranged for one user, whatever would be decided otherwise.
#[derive(Clone, PartialEq, Eq)]
pub struct Override {
    /// The user.
    pub user_id: Box<str>,
    /// The key of the experiment.
    pub experiment_key: Box<str>,
    /// The key of the variation.
    pub variation_key: Box<str>,
    /// Who arranged it.
    pub owner: Option<Box<str>>,
    /// What it is for.
    pub reason: Option<Box<str>>,
    /// When it was arranged.
    pub set_at_ms: TimeMs,
    /// From when on it does not count any more; `None`: until it is taken back.
    pub expires_at_ms: Option<TimeMs>,
}

impl Override {
    /// Whether it counts at a time.
    #[must_use]
    pub fn counts_at(&self, now_ms: TimeMs) -> bool {
        self.expires_at_ms.is_none_or(|expires_at_ms| now_ms < expires_at_ms)
    }

    /// Whether it is the one for a user and an experiment.
    #[must_use]
    pub fn is_for(&self, user_id: &str, experiment_key: &str) -> bool {
        *self.user_id == *user_id && *self.experiment_key == *experiment_key
    }
}

/// Without the user, and without what was written about it.
impl fmt::Debug for Override {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Override")
            .field("experiment_key", &self.experiment_key)
            .field("variation_key", &self.variation_key)
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}
