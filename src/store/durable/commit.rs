//! What became of a commit, for those who wait for it.
//!
//! Must not know what is in it.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::Error;

/// Entries that are stored together or not at all, and those who wait for it.
#[derive(Debug, Default)]
pub(in crate::store) struct Commit {
    progress: Mutex<Progress>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    outcome: Option<Result<(), Error>>,
    /// Of each waiter one, at its place.
    wakers: Vec<Waker>,
}

/// One who waits for a commit without blocking.
#[derive(Debug)]
pub(in crate::store) struct Waiter {
    commit: Arc<Commit>,
    /// Where its waker is: there can be many, and nobody looks through those of others.
    place: Option<usize>,
}

impl Commit {
    /// Says what became of it, once.
    pub(super) fn settle(&self, outcome: Result<(), Error>) {
        let mut progress = self.progress.lock();
        progress.outcome = Some(outcome);
        let wakers = std::mem::take(&mut progress.wakers);
        drop(progress);
        self.settled.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn wait(&self) -> Result<(), Error> {
        let mut progress = self.progress.lock();
        self.settled.wait_while(&mut progress, |progress| progress.outcome.is_none());
        progress.outcome.clone().unwrap_or(Ok(()))
    }

    /// Waits at most so long; `None` where nothing is settled by then.
    pub(super) fn wait_for(&self, timeout: Duration) -> Option<Result<(), Error>> {
        let mut progress = self.progress.lock();
        let is_open = |progress: &mut Progress| progress.outcome.is_none();
        self.settled.wait_while_for(&mut progress, is_open, timeout);
        progress.outcome.clone()
    }
}

impl Waiter {
    pub(in crate::store) const fn new(commit: Arc<Commit>) -> Self {
        Self { commit, place: None }
    }

    pub(in crate::store) fn wait(&self) -> Result<(), Error> {
        self.commit.wait()
    }

    pub(in crate::store) fn poll(&mut self, waker: &Waker) -> Poll<Result<(), Error>> {
        let mut progress = self.commit.progress.lock();
        if let Some(outcome) = progress.outcome.clone() {
            return Poll::Ready(outcome);
        }
        match self.place.and_then(|place| progress.wakers.get_mut(place)) {
            Some(known) => known.clone_from(waker),
            None => {
                self.place = Some(progress.wakers.len());
                progress.wakers.push(waker.clone());
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    //! Many who wait for one commit.

    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Poll, Wake, Waker};
    use std::time::Duration;

    use super::{Commit, Waiter};
    use crate::clock::Stopwatch;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each is polled twice and woken once, by the waker that it gave last.
    #[test]
    fn each_of_many_waiters_is_woken_once() {
        const WAITERS: usize = 40_000;
        let commit = Arc::new(Commit::default());
        let mut waiters: Vec<_> = (0..WAITERS).map(|_| Waiter::new(Arc::clone(&commit))).collect();
        let counts: Vec<[Arc<Count>; 2]> = (0..WAITERS).map(|_| Default::default()).collect();
        let started = Stopwatch::start();
        for round in 0..2 {
            for (waiter, counts) in waiters.iter_mut().zip(&counts) {
                let waker = Waker::from(Arc::clone(&counts[round]));
                assert!(waiter.poll(&waker).is_pending());
            }
        }
        let took = started.elapsed();
        assert!(took < Duration::from_secs(2), "who waits must not look at the others: {took:?}");
        commit.settle(Ok(()));
        for (mut waiter, counts) in waiters.into_iter().zip(counts) {
            assert_eq!(counts.map(|count| count.0.load(Ordering::Relaxed)), [0, 1]);
            assert!(matches!(waiter.poll(Waker::noop()), Poll::Ready(Ok(()))));
        }
    }
}
