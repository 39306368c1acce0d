//! A case: one engine, called in one way, at one work.
//!
//! Must not know any engine, and not how it is measured.

use std::hint::black_box;

use crate::work::{Audience, Person};

/// Answers for a batch of people, one by one, and counts those who got the treatment.
pub(crate) type Batch = Box<dyn Fn(&[Person]) -> usize + Send + Sync>;
/// Waits until other threads have done their part of a batch.
pub(crate) type Finish = Box<dyn Fn() + Send + Sync>;
/// Undoes what a batch left behind, outside of what is measured.
pub(crate) type Restore = Box<dyn Fn(&[Person]) + Send + Sync>;

/// What is done for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Work {
    /// A decision, and nothing else.
    Decision,
    /// A decision and what the engine does to have the exposure reported.
    Exposure,
}

/// How the engine comes by its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Configuration {
    /// Anew in each call, so that it may be replaced at any time.
    Loaded,
    /// Held by the caller for a batch.
    Held,
}

/// One engine, called in one way, at one work.
pub(crate) struct Case {
    pub(crate) engine: &'static str,
    pub(crate) call: &'static str,
    pub(crate) audience: Audience,
    pub(crate) work: Work,
    pub(crate) configuration: Configuration,
    pub(crate) batch: Batch,
    pub(crate) finish: Option<Finish>,
    pub(crate) restore: Option<Restore>,
}

impl Case {
    /// Whether this is a peer, and not ours.
    pub(crate) fn is_peer(&self) -> bool {
        self.engine != crate::engines::OURS
    }

    /// Answers for people and leaves everything as it was.
    pub(crate) fn run(&self, people: &[Person]) -> usize {
        let treated = (self.batch)(people);
        self.tidy(people);
        treated
    }

    /// What comes after a batch.
    pub(crate) fn tidy(&self, people: &[Person]) {
        if let Some(finish) = &self.finish {
            finish();
        }
        if let Some(restore) = &self.restore {
            restore(people);
        }
    }
}

/// Asks for each person of a batch; the same loop for all engines. Neither what is asked nor what is
/// answered is known to the optimizer.
#[inline(always)]
pub(crate) fn count(people: &[Person], mut is_treated: impl FnMut(&Person) -> bool) -> usize {
    let mut treated = 0;
    for person in people {
        treated += usize::from(black_box(is_treated(black_box(person))));
    }
    treated
}
