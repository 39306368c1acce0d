//! Overrides: variations that somebody arranged for users by key, with who, why and until when.
//!
//! Must not know deciding, nor where they are kept for the next start. Whether experiment and variation are
//! there is found out in each call, so that an override outlives a swap of the datafile.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::RwLock;

use super::extras::Extra;
use super::user::UserContext;
use super::{Client, Inner};
use crate::clock::TimeMs;
use crate::datafile::{Datafile, Rule, Variation};
use crate::decide::ForcedVariations;
use crate::store::Override;

/// The overrides of all users, those that are over included until somebody drops them.
#[derive(Debug, Default)]
pub(super) struct OverridesByUser {
    users: RwLock<HashMap<Box<str>, Vec<Override>>>,
}

impl Client {
    /// Arranges a variation for a user, in the place of an earlier one for the same experiment, which is
    /// given back if it still counted. It is kept in memory, and wins over forced variations and over
    /// everything but the experiment's status; while datafile and keys do not fit, it is as if it were not
    /// there.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn set_override(&self, wanted: Override) -> Option<Override> {
        let now_ms = self.inner.clock.now_ms();
        let before = self.inner.overrides.set(wanted);
        self.inner.extras.add(Extra::ForcedVariations);
        before.filter(|before| before.counts_at(now_ms))
    }

    /// Takes an override back; gives it, if it still counted.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn remove_override(&self, user_id: &str, experiment_key: &str) -> Option<Override> {
        let now_ms = self.inner.clock.now_ms();
        let before = self.inner.overrides.remove(user_id, experiment_key);
        before.filter(|before| before.counts_at(now_ms))
    }

    /// The override of a user for an experiment, if it counts.
    #[must_use]
    pub fn get_override(&self, user_id: &str, experiment_key: &str) -> Option<Override> {
        let overrides = self.inner.overrides.of(user_id, self.inner.clock.now_ms());
        overrides.into_iter().find(|one| one.is_for(user_id, experiment_key))
    }

    /// How many overrides there are, those that are over included until they are dropped.
    #[must_use]
    pub fn override_count(&self) -> usize {
        self.inner.overrides.users.read().values().map(Vec::len).sum()
    }

    /// All overrides that count, by user and experiment.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        let now_ms = self.inner.clock.now_ms();
        let mut all = self.inner.overrides.all();
        all.retain(|one| one.counts_at(now_ms));
        all.sort_unstable_by(|one, other| {
            let users = one.user_id.cmp(&other.user_id);
            users.then_with(|| one.experiment_key.cmp(&other.experiment_key))
        });
        all
    }

    /// Drops the overrides that are over, and gives them.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn drop_expired_overrides(&self) -> Vec<Override> {
        self.inner.overrides.drop_expired(self.inner.clock.now_ms())
    }
}

impl UserContext<'_> {
    /// The overrides of this user that count.
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        self.inner.overrides.of(self.id(), self.inner.clock.now_ms())
    }
}

impl Inner {
    /// The forced variations of a user, with the overrides over them that fit the datafile.
    pub(super) fn forced_for(
        &self,
        user_id: &str,
        datafile: &Datafile,
    ) -> Option<Arc<ForcedVariations>> {
        let mut forced = self.forced_variations.of(user_id);
        if self.overrides.has(user_id) {
            for one in self.overrides.of(user_id, self.clock.now_ms()) {
                if let Some((rule, variation)) = found(datafile, &one) {
                    let forced = Arc::make_mut(forced.get_or_insert_default());
                    forced.set(rule.id(), variation.id());
                }
            }
        }
        forced
    }
}

fn found<'d>(datafile: &'d Datafile, one: &Override) -> Option<(&'d Rule, &'d Variation)> {
    let rule = datafile.experiment_by_key(&one.experiment_key)?;
    Some((rule, rule.variation_by_key(&one.variation_key)?))
}

impl OverridesByUser {
    fn has(&self, user_id: &str) -> bool {
        self.users.read().contains_key(user_id)
    }

    fn of(&self, user_id: &str, now_ms: TimeMs) -> Vec<Override> {
        let users = self.users.read();
        let overrides = users.get(user_id).into_iter().flatten();
        overrides.filter(|one| one.counts_at(now_ms)).cloned().collect()
    }

    fn all(&self) -> Vec<Override> {
        self.users.read().values().flatten().cloned().collect()
    }

    fn set(&self, wanted: Override) -> Option<Override> {
        let mut users = self.users.write();
        let overrides = users.entry(wanted.user_id.clone()).or_default();
        let place = overrides.iter().position(|one| *one.experiment_key == *wanted.experiment_key);
        let before = place.map(|place| overrides.swap_remove(place));
        overrides.push(wanted);
        before
    }

    fn remove(&self, user_id: &str, experiment_key: &str) -> Option<Override> {
        let mut users = self.users.write();
        let overrides = users.get_mut(user_id)?;
        let place = overrides.iter().position(|one| *one.experiment_key == *experiment_key)?;
        let before = overrides.swap_remove(place);
        if overrides.is_empty() {
            users.remove(user_id);
        }
        Some(before)
    }

    pub(super) fn forget(&self, user_id: &str) {
        self.users.write().remove(user_id);
    }

    fn drop_expired(&self, now_ms: TimeMs) -> Vec<Override> {
        let mut expired = Vec::new();
        self.users.write().retain(|_, overrides| {
            expired.extend(overrides.extract_if(.., |one| !one.counts_at(now_ms)));
            !overrides.is_empty()
        });
        expired
    }
}
