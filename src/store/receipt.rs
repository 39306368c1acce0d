//! The receipt of an entry: when, and whether, it is stored.
//!
//! Must not know which store gave it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::error::Error;

/// Tells when an entry is stored, or that it was refused.
///
/// Dropping it is allowed: the entry is stored all the same. [`Receipt::wait`] blocks, `.await` does
/// not, and needs no runtime of any kind. The receipts of the memory store are ready from the start.
#[derive(Debug)]
pub struct Receipt(State);

#[derive(Debug)]
enum State {
    Settled(Option<Error>),
    Waits(Arc<Commit>),
}

impl Receipt {
    /// The receipt of an entry that is stored.
    #[must_use]
    pub const fn stored() -> Self {
        Self(State::Settled(None))
    }

    /// The receipt of an entry that was refused.
    #[must_use]
    pub const fn refused(error: Error) -> Self {
        Self(State::Settled(Some(error)))
    }

    /// The receipt of an entry that is stored when a commit is.
    pub(super) const fn of_commit(commit: Arc<Commit>) -> Self {
        Self(State::Waits(commit))
    }

    /// Why the entry was refused, if that was known when the receipt was given.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Error> {
        match &self.0 {
            State::Settled(refusal) => refusal.as_ref(),
            State::Waits(_) => None,
        }
    }

    /// Blocks until the entry is stored.
    ///
    /// # Errors
    ///
    /// If the store refused it: then nothing of it is kept.
    pub fn wait(self) -> Result<(), Error> {
        match self.0 {
            State::Settled(refusal) => refusal.map_or(Ok(()), Err),
            State::Waits(commit) => commit.wait(),
        }
    }
}

impl Future for Receipt {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Settled(refusal) => Poll::Ready(refusal.take().map_or(Ok(()), Err)),
            State::Waits(commit) => commit.poll(context.waker()),
        }
    }
}

/// Entries that are stored together or not at all, and those who wait for it.
#[derive(Debug, Default)]
pub(super) struct Commit {
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

    fn wait(&self) -> Result<(), Error> {
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

    fn poll(&self, waker: &Waker) -> Poll<Result<(), Error>> {
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
