//! Users' turns: whoever changes a profile has its user's, and what is on its way to the disk is in it.
//!
//! Must not know how profiles are kept.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::{Mutex, MutexGuard};

use crate::decide::Profile;
use crate::store::Receipt;

/// Users share turns, so many; one that waits for the disk holds up few others.
const TURNS: usize = 64;

/// All turns. A user's is always the same.
pub(super) struct Turns {
    turns: [Mutex<OnTheirWay>; TURNS],
    spread: DefaultHashBuilder,
}

/// Profiles that are not stored yet, with the numbers of their savings; `None` for those that are forgotten.
#[derive(Default)]
pub(super) struct OnTheirWay {
    savings: u64,
    profiles: HashMap<Box<str>, (Option<Profile>, u64)>,
}

/// What was sent to the store.
pub(super) struct Sent {
    pub(super) saving: u64,
    pub(super) receipt: Receipt,
}

impl Turns {
    /// A user's turn; others have theirs when it is let go of.
    pub(super) fn of(&self, user_id: &str) -> MutexGuard<'_, OnTheirWay> {
        let [first, others @ ..] = &self.turns;
        let hash = self.spread.hash_one(user_id);
        let place = usize::try_from(hash % TURNS as u64).unwrap_or_default();
        place.checked_sub(1).and_then(|place| others.get(place)).unwrap_or(first).lock()
    }

    /// What is stored, or refused, is the store's from now on, unless something was sent behind it.
    pub(super) fn leave(&self, user_id: &str, saving: u64) {
        let mut turn = self.of(user_id);
        if turn.profiles.get(user_id).is_some_and(|(_, latest)| *latest == saving) {
            turn.profiles.remove(user_id);
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            turns: std::array::from_fn(|_| Mutex::default()),
            spread: DefaultHashBuilder::default(),
        }
    }
}

impl OnTheirWay {
    /// What of a user is on its way: a profile, or that there is none any more.
    pub(super) fn get(&self, user_id: &str) -> Option<&Option<Profile>> {
        self.profiles.get(user_id).map(|(profile, _)| profile)
    }

    /// Notes what was sent, unless the store refused it.
    pub(super) fn note(
        &mut self,
        user_id: &str,
        profile: Option<&Profile>,
        receipt: Receipt,
    ) -> Sent {
        self.savings += 1;
        let saving = self.savings;
        if receipt.refusal().is_none() {
            self.profiles.insert(user_id.into(), (profile.cloned(), saving));
        }
        Sent { saving, receipt }
    }
}
