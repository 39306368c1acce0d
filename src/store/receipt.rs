//! The receipt of an entry: when, and whether, it is stored.
//!
//! Must not know which store gave it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::Error;

/// Tells when an entry is stored, or that it was refused.
///
/// Dropping it is allowed: the entry is stored all the same. [`Receipt::wait`] blocks, `.await` does
/// not. The receipts of the memory store are ready from the start.
#[derive(Debug)]
pub struct Receipt {
    refusal: Option<Error>,
}

impl Receipt {
    /// The receipt of an entry that is stored.
    #[must_use]
    pub const fn stored() -> Self {
        Self { refusal: None }
    }

    /// The receipt of an entry that was refused.
    #[must_use]
    pub const fn refused(error: Error) -> Self {
        Self { refusal: Some(error) }
    }

    /// Why the entry was refused, if that is known already.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Error> {
        self.refusal.as_ref()
    }

    /// Blocks until the entry is stored.
    ///
    /// # Errors
    ///
    /// If the store refused it: then nothing of it is kept.
    pub fn wait(self) -> Result<(), Error> {
        self.refusal.map_or(Ok(()), Err)
    }
}

impl Future for Receipt {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.refusal.take().map_or(Ok(()), Err))
    }
}
