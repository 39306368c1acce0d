//! Sticky profiles of one environment, kept in the store.
//!
//! Must not know how decisions use them. Deciding does not wait for the disk: what is on its way there is
//! read from memory, so that a call sees what the one before it saved. How much that can be is bounded by
//! the store's queue, which refuses what is too much; how many profiles there are, by the time for which
//! activations are remembered, which begins anew on each day on which somebody asks.
//!
//! What is read of the disk is one key, where decisions are made: a filter says of most users that there is
//! nothing, and the rest is a block that is most often in memory. Handing that to another thread would cost
//! more, each time, than it takes.

mod turns;

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;

use self::turns::{OnTheirWay, Sent, Turns};
use super::refusal::Refusal;
use crate::client::{ProfileService, ServiceError};
use crate::clock::{Clock, TimeMs};
use crate::decide::Profile;
use crate::error::Error;
use crate::store::{DurableStore, KeptProfile};

const DAY_MS: TimeMs = 24 * 60 * 60 * 1000;
/// Longer user ids have no profile: they would not fit in a key.
const LONGEST_USER_ID: usize = 10_000;

pub(super) struct Profiles {
    store: Arc<DurableStore>,
    clock: Arc<Clock>,
    /// Known when the client is built.
    environment: OnceLock<Box<str>>,
    turns: Turns,
}

impl Profiles {
    pub(super) fn new(store: &Arc<DurableStore>, clock: &Arc<Clock>) -> Self {
        Self {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            environment: OnceLock::new(),
            turns: Turns::default(),
        }
    }

    /// Says whose profiles they are, before anybody asks.
    pub(super) fn belong_to(&self, environment: &str) {
        self.environment.get_or_init(|| environment.into());
    }

    pub(super) fn check_user(user_id: &str) -> Result<(), Refusal> {
        if user_id.len() <= LONGEST_USER_ID {
            return Ok(());
        }
        Err(Refusal::bad_request(format!(
            "userId is longer than {LONGEST_USER_ID} bytes: give a shorter one"
        )))
    }

    /// The profile of a user, if there is one.
    pub(super) fn find(self: &Arc<Self>, user_id: &str) -> Result<Option<Profile>, Error> {
        if let Some(profile) = self.turns.of(user_id).get(user_id) {
            return Ok(profile.clone());
        }
        let Some(kept) = self.store.kept_profile(self.environment(), user_id)? else {
            return Ok(None);
        };
        if self.is_old(&kept) {
            // Where that fails, it is tried again with the next call.
            self.refresh(user_id).unwrap_or_default();
        }
        Ok(Some(kept.profile))
    }

    /// Replaces a profile, and waits until that is stored.
    pub(super) async fn save_durably(
        self: &Arc<Self>,
        user_id: &str,
        profile: &Profile,
    ) -> Result<(), Error> {
        let sent = self.send(&mut self.turns.of(user_id), user_id, profile);
        // Should nobody wait any more, it is still to leave the memory.
        let (this, user_id) = (Arc::clone(self), Box::<str>::from(user_id));
        let stored = tokio::spawn(async move { this.settle(&user_id, sent).await });
        stored.await.map_err(Error::sink)?
    }

    /// Forgets a user's profile, also one that is on its way to the disk, and waits until that is stored;
    /// gives whether there was one. It blocks.
    pub(super) fn forget(self: &Arc<Self>, user_id: &str) -> Result<bool, Error> {
        if user_id.len() > LONGEST_USER_ID {
            return Ok(false);
        }
        let mut turn = self.turns.of(user_id);
        let was_there = match turn.get(user_id) {
            Some(profile) => profile.is_some(),
            None => self.store.kept_profile(self.environment(), user_id)?.is_some(),
        };
        let receipt = self.store.drop_profile(self.environment(), user_id);
        let Sent { saving, receipt } = turn.note(user_id, None, receipt);
        drop(turn);
        let stored = receipt.wait();
        self.turns.leave(user_id, saving);
        stored.map(|()| was_there)
    }

    /// Adds to what a user's profile is by then: a call that saw it earlier takes nothing away.
    fn add(self: &Arc<Self>, user_id: &str, new: &Profile) -> Result<(), ServiceError> {
        if user_id.len() > LONGEST_USER_ID {
            return Err("the user id is too long for a profile".into());
        }
        let runtime = Handle::try_current()?;
        let mut turn = self.turns.of(user_id);
        let mut profile = match turn.get(user_id) {
            Some(profile) => profile.clone(),
            None => {
                let kept = self.store.kept_profile(self.environment(), user_id)?;
                kept.map(|kept| kept.profile)
            }
        }
        .unwrap_or_default();
        profile.add(new);
        let sent = self.send(&mut turn, user_id, &profile);
        drop(turn);
        self.settle_later(&runtime, user_id, sent)
    }

    /// Saves a profile as it is, if nobody has done so meanwhile: it is remembered for longer.
    fn refresh(self: &Arc<Self>, user_id: &str) -> Result<(), ServiceError> {
        let runtime = Handle::try_current()?;
        let mut turn = self.turns.of(user_id);
        if turn.get(user_id).is_some() {
            return Ok(());
        }
        let kept = self.store.kept_profile(self.environment(), user_id)?;
        let Some(kept) = kept.filter(|kept| self.is_old(kept)) else { return Ok(()) };
        let sent = self.send(&mut turn, user_id, &kept.profile);
        drop(turn);
        self.settle_later(&runtime, user_id, sent)
    }

    fn is_old(&self, kept: &KeptProfile) -> bool {
        self.clock.now_ms().saturating_sub(kept.saved_at_ms) > DAY_MS
    }

    /// In the user's turn, so that the latest in memory is the latest in the store.
    fn send(&self, turn: &mut OnTheirWay, user_id: &str, profile: &Profile) -> Sent {
        let receipt = self.store.keep_profile(self.environment(), user_id, profile);
        turn.note(user_id, Some(profile), receipt)
    }

    /// What is stored, or refused, is the store's from now on.
    async fn settle(&self, user_id: &str, sent: Sent) -> Result<(), Error> {
        let stored = sent.receipt.await;
        self.turns.leave(user_id, sent.saving);
        stored
    }

    fn settle_later(
        self: &Arc<Self>,
        runtime: &Handle,
        user_id: &str,
        sent: Sent,
    ) -> Result<(), ServiceError> {
        if let Some(refusal) = sent.receipt.refusal() {
            return Err(refusal.clone().into());
        }
        let (this, user_id) = (Arc::clone(self), Box::<str>::from(user_id));
        runtime.spawn(async move { this.settle(&user_id, sent).await });
        Ok(())
    }

    fn environment(&self) -> &str {
        self.environment.get().map(AsRef::as_ref).unwrap_or_default()
    }
}

/// As the client is given it.
pub(super) struct ProfilesOf(pub(super) Arc<Profiles>);

impl ProfileService for ProfilesOf {
    fn lookup(&self, user_id: &str) -> Result<Option<Profile>, ServiceError> {
        Ok(self.0.find(user_id)?)
    }

    fn save(&self, user_id: &str, profile: &Profile) -> Result<(), ServiceError> {
        self.0.add(user_id, profile)
    }

    fn save_new(&self, user_id: &str, new: &Profile, _: &Profile) -> Result<(), ServiceError> {
        self.0.add(user_id, new)
    }
}

/// No users.
impl fmt::Debug for Profiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Profiles")
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
