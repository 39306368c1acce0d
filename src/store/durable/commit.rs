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
    outcome: Option<Result<(), Arc<Error>>>,
    wakers: Vec<Waker>,
}

impl Commit {
    /// Says what became of it, once.
    pub(super) fn settle(&self, outcome: Result<(), Arc<Error>>) {
        let mut progress = self.progress.lock();
        progress.outcome = Some(outcome);
        let wakers = std::mem::take(&mut progress.wakers);
        drop(progress);
        self.settled.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(in crate::store) fn wait(&self) -> Result<(), Error> {
        let mut progress = self.progress.lock();
        self.settled.wait_while(&mut progress, |progress| progress.outcome.is_none());
        progress.outcome.clone().unwrap_or(Ok(())).map_err(Error::not_stored)
    }

    /// Waits at most so long; `None` where nothing is settled by then.
    pub(super) fn wait_for(&self, timeout: Duration) -> Option<Result<(), Error>> {
        let mut progress = self.progress.lock();
        let is_open = |progress: &mut Progress| progress.outcome.is_none();
        self.settled.wait_while_for(&mut progress, is_open, timeout);
        Some(progress.outcome.clone()?.map_err(Error::not_stored))
    }

    pub(in crate::store) fn poll(&self, waker: &Waker) -> Poll<Result<(), Error>> {
        let mut progress = self.progress.lock();
        match progress.outcome.clone() {
            Some(outcome) => Poll::Ready(outcome.map_err(Error::not_stored)),
            None => {
                if !progress.wakers.iter().any(|known| known.will_wake(waker)) {
                    progress.wakers.push(waker.clone());
                }
                Poll::Pending
            }
        }
    }
}
