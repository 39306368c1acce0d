//! The receipt of an entry: when, and whether, it is stored.
//!
//! Must not know which store gave it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

#[cfg(feature = "durable")]
use super::durable::{Commit, Waiter};
use crate::error::Error;

/// Tells when an entry is stored, or that it was refused.
///
/// Dropping it is allowed: the entry is stored all the same. [`Receipt::wait`] blocks, `.await` does
/// not, and needs no runtime of any kind; however often it is asked, it says the same. The receipts of the
/// memory store are ready from the start.
#[derive(Debug)]
pub struct Receipt(State);

#[derive(Debug)]
enum State {
    Settled(Option<Error>),
    #[cfg(feature = "durable")]
    Waits(Waiter),
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
    #[cfg(feature = "durable")]
    pub(super) const fn of_commit(commit: std::sync::Arc<Commit>) -> Self {
        Self(State::Waits(Waiter::new(commit)))
    }

    /// Why the entry was refused, if that was known when the receipt was given.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Error> {
        match &self.0 {
            State::Settled(refusal) => refusal.as_ref(),
            #[cfg(feature = "durable")]
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
            #[cfg(feature = "durable")]
            State::Waits(waiter) => waiter.wait(),
        }
    }
}

impl Future for Receipt {
    type Output = Result<(), Error>;

    #[cfg_attr(
        not(feature = "durable"),
        expect(unused_variables, reason = "without a store on disk nothing is ever waited for")
    )]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Settled(refusal) => Poll::Ready(refusal.clone().map_or(Ok(()), Err)),
            #[cfg(feature = "durable")]
            State::Waits(waiter) => waiter.poll(context.waker()),
        }
    }
}
