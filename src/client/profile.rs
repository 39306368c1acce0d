//! Sticky profiles: the variation that a user was bucketed into stays the user's.
//!
//! Must not know how decisions use them.

use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::decide::Profile;

/// What a user's own service or function may fail with.
pub type ServiceError = Box<dyn std::error::Error + Send + Sync>;

/// Keeps sticky profiles. A call looks up once and saves at most once.
///
/// A failure or panic of it is counted and otherwise ignored, as in the SDKs: the user is decided for
/// as one without a profile.
pub trait ProfileService: Send + Sync {
    /// The profile of a user, if there is one.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from answering.
    fn lookup(&self, user_id: &str) -> Result<Option<Profile>, ServiceError>;

    /// Saves the profile of a user: all earlier entries and what is new.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from saving.
    fn save(&self, user_id: &str, profile: &Profile) -> Result<(), ServiceError>;

    /// Saves what a call found out: the entries that are new, and the whole profile with them, as the call
    /// saw it. Calls for the same user at the same time see the same profile, so that a service that keeps
    /// what is new beside what it has by then loses nothing. Default: saves the whole profile.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from saving.
    fn save_new(&self, user_id: &str, new: &Profile, whole: &Profile) -> Result<(), ServiceError> {
        let _ = new;
        self.save(user_id, whole)
    }
}

impl<S: ProfileService + ?Sized> ProfileService for Arc<S> {
    fn lookup(&self, user_id: &str) -> Result<Option<Profile>, ServiceError> {
        (**self).lookup(user_id)
    }

    fn save(&self, user_id: &str, profile: &Profile) -> Result<(), ServiceError> {
        (**self).save(user_id, profile)
    }

    fn save_new(&self, user_id: &str, new: &Profile, whole: &Profile) -> Result<(), ServiceError> {
        (**self).save_new(user_id, new, whole)
    }
}

/// Keeps sticky profiles in memory, without a bound.
#[derive(Debug, Default)]
pub struct MemoryProfileService {
    profiles: Mutex<HashMap<Box<str>, Profile>>,
}

impl ProfileService for MemoryProfileService {
    fn lookup(&self, user_id: &str) -> Result<Option<Profile>, ServiceError> {
        Ok(self.profiles.lock().get(user_id).cloned())
    }

    fn save(&self, user_id: &str, profile: &Profile) -> Result<(), ServiceError> {
        self.profiles.lock().insert(user_id.into(), profile.clone());
        Ok(())
    }

    fn save_new(&self, user_id: &str, new: &Profile, _: &Profile) -> Result<(), ServiceError> {
        self.profiles.lock().entry(user_id.into()).or_default().add(new);
        Ok(())
    }
}
