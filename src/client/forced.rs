//! Forced variations: set for a user and an experiment, kept in the client's memory.
//!
//! Must not know deciding.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::decide::ForcedVariations;

/// The forced variations of all users: as many as were set and not taken back, without a bound.
#[derive(Debug, Default)]
pub(super) struct ForcedVariationsByUser {
    users: RwLock<HashMap<Box<str>, Arc<ForcedVariations>>>,
}

impl ForcedVariationsByUser {
    pub(super) fn of(&self, user_id: &str) -> Option<Arc<ForcedVariations>> {
        self.users.read().get(user_id).cloned()
    }

    pub(super) fn set(&self, user_id: &str, experiment_id: &str, variation_id: &str) {
        let mut users = self.users.write();
        let forced = users.entry(user_id.into()).or_default();
        Arc::make_mut(forced).set(experiment_id, variation_id);
    }

    pub(super) fn forget(&self, user_id: &str) {
        self.users.write().remove(user_id);
    }

    pub(super) fn remove(&self, user_id: &str, experiment_id: &str) {
        let mut users = self.users.write();
        if let Some(forced) = users.get_mut(user_id) {
            Arc::make_mut(forced).remove(experiment_id);
            if forced.is_empty() {
                users.remove(user_id);
            }
        }
    }
}
