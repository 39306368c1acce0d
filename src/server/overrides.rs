//! The overrides of an environment: kept in the store before they count, and restored at the start.
//!
//! Must not know who asks for them, nor how they are decided with.

use super::environment::Environment;
use super::refusal::Refusal;
use crate::error::Error;
use crate::store::{DurableStore, Override};

/// How many an environment may have at once.
const MOST: usize = 10_000;

impl Environment {
    /// Lets those count that the store has from before.
    pub(super) fn restore_overrides(&self, store: &DurableStore) -> Result<(), Error> {
        for kept in store.kept_overrides(self.name())? {
            self.client.set_override(kept);
        }
        self.drop_expired_overrides(store);
        Ok(())
    }

    /// Stores an override, and lets it count; gives the one before it.
    pub(super) async fn set_override(
        &self,
        store: &DurableStore,
        wanted: Override,
    ) -> Result<Option<Override>, Refusal> {
        let _turn = self.override_turn.lock().await;
        self.drop_expired_overrides(store);
        let is_new = self.client.get_override(&wanted.user_id, &wanted.experiment_key).is_none();
        if is_new && self.client.override_count() >= MOST {
            return Err(Refusal::too_many(format!(
                "there are {MOST} overrides already: take some back"
            )));
        }
        let kept = store.keep_override(self.name(), &wanted).await;
        kept.map_err(|refusal| self.not_stored(&refusal))?;
        Ok(self.client.set_override(wanted))
    }

    /// Takes an override back, here and in the store; gives it.
    pub(super) async fn remove_override(
        &self,
        store: &DurableStore,
        user_id: &str,
        experiment_key: &str,
    ) -> Result<Option<Override>, Refusal> {
        let _turn = self.override_turn.lock().await;
        self.drop_expired_overrides(store);
        if self.client.get_override(user_id, experiment_key).is_some() {
            let gone = store.drop_override(self.name(), user_id, experiment_key).await;
            gone.map_err(|refusal| self.not_stored(&refusal))?;
        }
        Ok(self.client.remove_override(user_id, experiment_key))
    }

    /// Should the store not take it, they are over after the next start as well.
    fn drop_expired_overrides(&self, store: &DurableStore) {
        for gone in self.client.drop_expired_overrides() {
            drop(store.drop_override(self.name(), &gone.user_id, &gone.experiment_key));
        }
    }
}
