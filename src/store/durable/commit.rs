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
    wakers: Vec<Option<Waker>>,
    /// The places of those who gave up, for the next ones.
    vacant: Vec<usize>,
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
        wakers.into_iter().flatten().for_each(Waker::wake);
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
            self.place = None;
            return Poll::Ready(outcome);
        }
        let place = *self.place.get_or_insert_with(|| progress.vacant_place());
        let known = progress.wakers.get_mut(place);
        let before = known.and_then(|known| known.replace(waker.clone()));
        drop(progress);
        // What it belongs to may end with it, and wait for this very commit, too.
        drop(before);
        Poll::Pending
    }
}

impl Progress {
    fn vacant_place(&mut self) -> usize {
        self.vacant.pop().unwrap_or_else(|| {
            self.wakers.push(None);
            self.wakers.len().saturating_sub(1)
        })
    }

    fn vacate(&mut self, place: usize) -> Option<Waker> {
        // Once it is settled there are no places any more.
        let waker = self.wakers.get_mut(place)?.take();
        self.vacant.push(place);
        waker
    }
}

/// While the disk stands still, those who give up must not pile up.
impl Drop for Waiter {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let waker = self.commit.progress.lock().vacate(place);
        drop(waker);
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

    /// Of those who gave up nothing is kept, and the others are woken all the same.
    #[test]
    fn who_gives_up_leaves_nothing_behind() {
        let commit = Arc::new(Commit::default());
        let stays: Arc<Count> = Arc::default();
        let mut first = Waiter::new(Arc::clone(&commit));
        assert!(first.poll(&Waker::from(Arc::clone(&stays))).is_pending());
        let gone: Arc<Count> = Arc::default();
        for _ in 0..1000 {
            let mut waiters = [(); 3].map(|()| Waiter::new(Arc::clone(&commit)));
            for waiter in &mut waiters {
                assert!(waiter.poll(&Waker::from(Arc::clone(&gone))).is_pending());
            }
        }
        assert_eq!(Arc::strong_count(&gone), 1, "no waker is kept");
        assert_eq!(commit.progress.lock().wakers.len(), 4, "and no place for one");
        let mut late = Waiter::new(Arc::clone(&commit));
        assert!(late.poll(&Waker::from(Arc::clone(&stays))).is_pending());
        commit.settle(Ok(()));
        let count = |count: &Count| count.0.load(Ordering::Relaxed);
        assert_eq!((count(&stays), count(&gone)), (2, 0));
        assert!(matches!(late.poll(Waker::noop()), Poll::Ready(Ok(()))));
    }

    /// The last of a task may be its waker, and what ends with it may wait for the same commit.
    #[test]
    fn a_waker_may_hold_another_waiter() {
        #[derive(Debug)]
        struct Holds(#[expect(dead_code, reason = "it is dropped with it")] Waiter);
        impl Wake for Holds {
            fn wake(self: Arc<Self>) {}
        }
        let commit = Arc::new(Commit::default());
        let holder = || {
            let mut held = Waiter::new(Arc::clone(&commit));
            assert!(held.poll(Waker::noop()).is_pending());
            Waker::from(Arc::new(Holds(held)))
        };
        let mut waiter = Waiter::new(Arc::clone(&commit));
        assert!(waiter.poll(&holder()).is_pending());
        assert!(waiter.poll(&holder()).is_pending());
        drop(waiter);
        let progress = commit.progress.lock();
        assert!(progress.wakers.iter().all(Option::is_none), "{progress:?}");
    }
}
