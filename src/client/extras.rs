//! What a client has besides a datafile, as one word: most have nothing of it, and learn that at once.
//!
//! Must not know what is done with any of it.

use std::sync::atomic::{AtomicU8, Ordering};

/// Which extras a client has; they only ever become more.
#[derive(Debug, Default)]
pub(super) struct Extras {
    bits: AtomicU8,
}

/// One extra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Extra {
    /// Listeners are told of decisions.
    Listeners = 1,
    /// Users may have profiles.
    Profiles = 2,
    /// A forced variation was set for some user.
    ForcedVariations = 4,
}

impl Extras {
    pub(super) fn add(&self, extra: Extra) {
        self.bits.fetch_or(extra as u8, Ordering::Release);
    }

    /// Whether there is none.
    #[inline]
    pub(super) fn are_none(&self) -> bool {
        self.bits() == 0
    }

    /// Whether something may have been arranged for a user.
    #[inline]
    pub(super) fn arrange(&self) -> bool {
        self.bits() & (Extra::Profiles as u8 | Extra::ForcedVariations as u8) != 0
    }

    #[inline]
    fn bits(&self) -> u8 {
        self.bits.load(Ordering::Acquire)
    }
}
