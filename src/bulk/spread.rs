//! Many users, on one thread or on several.
//!
//! Must not know how anybody is decided.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use parking_lot::Mutex;

use super::crowd::{Outcome, PreparedExperiment};
use crate::datafile::{Datafile, RuleIndex};
use crate::decide::{self, ExperimentDecision, Given, How, Silent, User};
use crate::threads::on_threads;

/// So many users are decided between two reports; a piece of work that threads take in turn.
const PIECE_OF_USERS: usize = 16 * 1024;

/// How many threads share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threads {
    /// The caller's own only.
    One,
    /// As many as the machine runs at once.
    #[default]
    All,
    /// So many.
    Exactly(NonZero<usize>),
}

impl Threads {
    /// The number of threads.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::All => thread::available_parallelism().map_or(1, NonZero::get),
            Self::Exactly(count) => count.get(),
        }
    }
}

/// Decides a prepared experiment for each user id, in order; [`PreparedExperiment::decision`] reads the
/// outcomes.
///
/// `progress` is told how many users are done; calls come from any of the threads, and may overtake
/// each other.
#[must_use]
pub fn bucket_all<I: AsRef<str> + Sync>(
    experiment: &PreparedExperiment<'_>,
    user_ids: &[I],
    threads: Threads,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::default(); user_ids.len()];
    bucket_into(experiment, (user_ids, &mut outcomes), threads, progress);
    outcomes
}

/// [`bucket_all`] into outcomes that are there already, for who has more users than memory.
pub fn bucket_into<I: AsRef<str> + Sync>(
    experiment: &PreparedExperiment<'_>,
    (user_ids, outcomes): (&[I], &mut [Outcome]),
    threads: Threads,
    progress: &(dyn Fn(usize) + Sync),
) {
    let decide = |ids: &[I], outcomes: &mut [_]| experiment.outcomes_into(ids, outcomes);
    spread((user_ids, outcomes), threads, progress, decide);
}

/// Decides an experiment for each user, in order, with each one's own attributes.
///
/// `progress` is told how many users are done, as by [`bucket_all`].
#[must_use]
pub fn bucket_each(
    datafile: &Datafile,
    index: RuleIndex,
    users: &[User<'_>],
    threads: Threads,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<ExperimentDecision> {
    let undecided = ExperimentDecision { variation: None, how: How::NoRule };
    let (given, mut decisions) = (Given::default(), vec![undecided; users.len()]);
    spread((users, &mut decisions), threads, progress, |users, decisions| {
        for (user, decision) in users.iter().zip(decisions) {
            *decision = decide::experiment(datafile, index, user, &given, &mut Silent);
        }
    });
    decisions
}

/// Hands out pieces of users, and of the decisions to fill, to whichever thread asks next.
fn spread<U: Sync, D: Send>(
    (users, decisions): (&[U], &mut [D]),
    threads: Threads,
    progress: &(dyn Fn(usize) + Sync),
    decide: impl Fn(&[U], &mut [D]) + Sync,
) {
    let pieces = users.chunks(PIECE_OF_USERS).zip(decisions.chunks_mut(PIECE_OF_USERS));
    let workers = threads.count().min(pieces.len());
    let (pieces, done) = (Mutex::new(pieces), AtomicUsize::new(0));
    let work = || {
        loop {
            let Some((users, decisions)) = pieces.lock().next() else { break };
            decide(users, decisions);
            progress(done.fetch_add(users.len(), Ordering::Relaxed) + users.len());
        }
    };
    on_threads(workers, work);
}
