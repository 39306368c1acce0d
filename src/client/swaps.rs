//! Swaps of the datafile: one after the other, each told of, and a bell for who waits for the first.
//!
//! Must not know what is told, nor to whom.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, ReentrantMutex};

use crate::datafile::Datafile;

#[derive(Debug, Default)]
pub(super) struct Swaps {
    /// Held over the telling, so that swaps are told of in their order. Its thread may come again: who is
    /// told may swap.
    turn: ReentrantMutex<Mutex<Untold>>,
    /// Held for a moment only, whatever listeners do.
    bell: Mutex<()>,
    /// Rung after each swap.
    swapped: Condvar,
}

#[derive(Debug, Default)]
struct Untold {
    datafiles: VecDeque<Arc<Datafile>>,
    is_being_told: bool,
}

impl Swaps {
    /// Swaps, and tells of it; a swap that is made while its own thread tells is told of after that.
    pub(super) fn swap(
        &self,
        datafile: Arc<Datafile>,
        put_in_force: impl FnOnce(Arc<Datafile>),
        tell: impl Fn(&Datafile),
    ) {
        let turn = self.turn.lock();
        put_in_force(Arc::clone(&datafile));
        // Who looked and found none is asleep by now, or looks again.
        drop(self.bell.lock());
        self.swapped.notify_all();
        let mut untold = turn.lock();
        untold.datafiles.push_back(datafile);
        if untold.is_being_told {
            return;
        }
        untold.is_being_told = true;
        while let Some(next) = untold.datafiles.pop_front() {
            drop(untold);
            tell(&next);
            untold = turn.lock();
        }
        untold.is_being_told = false;
    }

    /// Waits until a swap made it true; at once if it is.
    pub(super) fn wait_until(&self, is_so: impl Fn() -> bool, patience: Duration) -> bool {
        if is_so() {
            return true;
        }
        let mut bell = self.bell.lock();
        self.swapped.wait_while_for(&mut bell, |()| !is_so(), patience);
        drop(bell);
        is_so()
    }
}
