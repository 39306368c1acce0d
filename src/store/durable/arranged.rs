//! What was arranged for users on the disk: overrides, and the profiles of sticky bucketing, each kind in a
//! keyspace of its own.
//!
//! Must not know datafiles, nor how decisions use any of it. A key is the environment, a byte that no text
//! has, and the user; an override's goes on with that byte and the experiment. What is too long for a key is
//! refused.

use super::engine::{Space, Write};
use super::entry::Entry;
use super::keys::beginning;
use super::queue::Queued;
use super::unreadable::Unreadable;
use super::wire::arranged::{
    StoredOverride, StoredProfile, kept_override, kept_profile, stored_override, stored_profile,
};
use super::wire::{packed, unpacked};
use super::{DurableStore, Inner};
use crate::clock::TimeMs;
use crate::decide::Profile;
use crate::error::Error;
use crate::store::{Override, Receipt};

const BETWEEN: u8 = 0xff;
/// The engine takes keys of up to 64 KiB.
const LONGEST_KEY: usize = 60_000;

/// A profile that is kept, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptProfile {
    /// The profile.
    pub profile: Profile,
    /// When it was saved.
    pub saved_at_ms: TimeMs,
}

impl DurableStore {
    /// Keeps an override in the place of the one before. It is stored when the receipt says so.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does, too")]
    pub fn keep_override(&self, environment: &str, kept: &Override) -> Receipt {
        self.inner.know_environment(environment);
        let key = key(&[environment, &kept.user_id, &kept.experiment_key]);
        let value = packed(&stored_override(kept));
        self.inner.arrange(Space::Overrides, key, Some(value))
    }

    /// Takes an override away.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does, too")]
    pub fn drop_override(&self, environment: &str, user_id: &str, experiment_key: &str) -> Receipt {
        let key = key(&[environment, user_id, experiment_key]);
        self.inner.arrange(Space::Overrides, key, None)
    }

    /// All overrides of an environment, those that are over included, in the order of their users.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn kept_overrides(&self, environment: &str) -> Result<Vec<Override>, Error> {
        let keys = beginning(&prefix(&[environment]));
        let pairs = self.inner.engine.all(Space::Overrides, keys)?;
        let kept = |(_, value): &(Vec<u8>, Vec<u8>)| {
            unpacked_override(value).map_err(|why| self.inner.unreadable("an override", &why))
        };
        pairs.iter().map(kept).collect()
    }

    /// Keeps the profile of a user in the place of the one before. It is stored when the receipt says so,
    /// and read from then on.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does, too")]
    pub fn keep_profile(&self, environment: &str, user_id: &str, profile: &Profile) -> Receipt {
        self.inner.know_environment(environment);
        let saved_at_ms = self.inner.clock.now_ms();
        let kept = KeptProfile { profile: profile.clone(), saved_at_ms };
        let value = packed(&stored_profile(&kept));
        self.inner.arrange(Space::Profiles, key(&[environment, user_id]), Some(value))
    }

    /// Takes the profile of a user away, also one that is on its way to the disk.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does, too")]
    pub fn drop_profile(&self, environment: &str, user_id: &str) -> Receipt {
        self.inner.arrange(Space::Profiles, key(&[environment, user_id]), None)
    }

    /// The profile of a user, as far as it is stored.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn kept_profile(
        &self,
        environment: &str,
        user_id: &str,
    ) -> Result<Option<KeptProfile>, Error> {
        let key = key(&[environment, user_id]);
        if key.len() > LONGEST_KEY {
            return Ok(None);
        }
        let value = self.inner.engine.get(Space::Profiles, &key)?;
        let kept = value.map(|value| unpacked_profile(&value)).transpose();
        kept.map_err(|why| self.inner.unreadable("a profile", &why))
    }

    /// Takes away what was arranged for a user; gives whether there was anything.
    pub(super) fn forget_arranged(&self, environment: &str, user_id: &str) -> Result<bool, Error> {
        let writes = self.inner.arranged_for(environment, user_id)?;
        let gone = |(space, key): (Space, Vec<u8>)| Write { space, key: key.into(), value: None };
        let writes: Vec<Write> = writes.into_iter().map(gone).collect();
        if writes.is_empty() {
            return Ok(false);
        }
        self.inner.put_writes(writes)?.0.wait()?;
        Ok(true)
    }
}

impl Inner {
    /// Where the things are that were arranged for a user.
    pub(super) fn arranged_for(
        &self,
        environment: &str,
        user_id: &str,
    ) -> Result<Vec<(Space, Vec<u8>)>, Error> {
        let profile = key(&[environment, user_id]);
        if profile.len() > LONGEST_KEY {
            return Ok(Vec::new());
        }
        let overrides = beginning(&prefix(&[environment, user_id]));
        let overrides = self.engine.all(Space::Overrides, overrides)?.into_iter();
        let overrides = overrides.map(|(key, _)| (Space::Overrides, key));
        let is_there = self.engine.get(Space::Profiles, &profile)?.is_some();
        let profile = is_there.then_some((Space::Profiles, profile));
        Ok(overrides.chain(profile).collect())
    }

    fn arrange(
        &self,
        space: Space,
        key: Vec<u8>,
        value: Option<Result<Vec<u8>, Unreadable>>,
    ) -> Receipt {
        let arranged = || {
            if key.len() > LONGEST_KEY {
                let why =
                    "a user id or an experiment key is too long for a key: give a shorter one";
                return Err(Error::store_refuses(self.engine.folder(), why));
            }
            let value = value.transpose();
            let value = value.map_err(|why| self.unreadable("what was arranged", &why))?;
            self.put_writes(vec![Write { space, key: key.into(), value }])
        };
        match arranged() {
            Ok((commit, _)) => Receipt::of_commit(commit),
            Err(refusal) => Receipt::refused(refusal),
        }
    }

    /// Gives it a number, which is stored with what comes next: so it is one that the store has seen.
    fn know_environment(&self, environment: &str) {
        self.names.environments.number_of(&environment.into());
    }

    fn put_writes(&self, writes: Vec<Write>) -> Result<Queued, Error> {
        self.queue.place()?.put(|_, _| Entry { writes, ..Entry::default() })
    }
}

pub(super) fn unpacked_override(value: &[u8]) -> Result<Override, Unreadable> {
    Ok(kept_override(&unpacked::<StoredOverride<'_>>(value)?))
}

pub(super) fn unpacked_profile(value: &[u8]) -> Result<KeptProfile, Unreadable> {
    Ok(kept_profile(&unpacked::<StoredProfile<'_>>(value)?))
}

/// When a profile was saved.
pub(super) fn saved_at_ms(value: &[u8]) -> Result<TimeMs, Unreadable> {
    Ok(unpacked::<StoredProfile<'_>>(value)?.saved_at_ms())
}

fn key(parts: &[&str]) -> Vec<u8> {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    parts.join(&BETWEEN)
}

/// What all keys begin with that go on behind these parts.
fn prefix(parts: &[&str]) -> Vec<u8> {
    let mut prefix = key(parts);
    prefix.push(BETWEEN);
    prefix
}
