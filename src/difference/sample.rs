//! Users who were made up: as many as wanted, always the same ones.
//!
//! Must not know what is compared.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::comparison::{Comparison, Tally};
use crate::decide::User;
use crate::targeting::Attribute;
use crate::threads::on_threads;

/// A thread takes so many users at a time.
const USERS_AT_A_TIME: u64 = 1024;

/// Made-up users with the ids `user-SEED-0`, `user-SEED-1` and so on, who all have the same attributes
/// and segments.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// How many.
    pub users: u64,
    /// What makes their ids others than those of another sample.
    pub seed: u64,
    /// The attributes of each.
    pub attributes: &'a [Attribute<'a>],
    /// The segments of each; `None` where they were never fetched.
    pub segments: Option<&'a [&'a str]>,
}

impl Sample<'_> {
    /// The id of the user with a number, counted from 0.
    #[must_use]
    pub fn user_id(&self, number: u64) -> String {
        format!("user-{}-{number}", self.seed)
    }

    /// Decides for all of them in both datafiles, on so many threads; `progress` is told now and then,
    /// on any thread, how many more are done.
    #[must_use]
    pub fn tally(
        &self,
        comparison: &Comparison<'_>,
        threads: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Tally {
        let (next, sum) = (AtomicU64::new(0), Mutex::new(Tally::default()));
        let work = || {
            let tally = self.part(comparison, &next, progress);
            sum.lock().merge(tally);
        };
        on_threads(threads, work);
        sum.into_inner()
    }

    fn part(
        &self,
        comparison: &Comparison<'_>,
        next: &AtomicU64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Tally {
        let mut tally = Tally::default();
        let mut id = String::new();
        loop {
            let start = next.fetch_add(USERS_AT_A_TIME, Ordering::Relaxed);
            if start >= self.users {
                return tally;
            }
            let end = self.users.min(start.saturating_add(USERS_AT_A_TIME));
            for number in start..end {
                id.clear();
                // Writing to a string cannot fail.
                let _ = write!(id, "user-{}-{number}", self.seed);
                let user = User::known(&id, self.attributes, self.segments);
                comparison.count(&user, &mut tally);
            }
            progress(end - start);
        }
    }
}
