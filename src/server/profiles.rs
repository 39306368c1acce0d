//! Sticky profiles of one environment, kept in the store.
//!
//! Must not know how decisions use them. Deciding does not wait for the disk: what is on its way there is
//! read from memory, so that a call sees what the one before it saved. How much that can be is bounded by
//! the store's queue, which refuses what is too much; how many profiles there are, by the time for which
//! activations are remembered, which begins anew on each day on which somebody asks.

use std::fmt;
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::refusal::Refusal;
use crate::client::{ProfileService, ServiceError};
use crate::clock::{Clock, TimeMs};
use crate::decide::Profile;
use crate::error::Error;
use crate::store::{DurableStore, Receipt};

const DAY_MS: TimeMs = 24 * 60 * 60 * 1000;
/// Longer user ids have no profile: they would not fit in a key.
const LONGEST_USER_ID: usize = 10_000;

pub(super) struct Profiles {
    store: Arc<DurableStore>,
    clock: Arc<Clock>,
    /// Known when the client is built.
    environment: OnceLock<Box<str>>,
    on_their_way: Mutex<OnTheirWay>,
}

/// Profiles that are not stored yet, with the numbers of their savings.
#[derive(Default)]
struct OnTheirWay {
    savings: u64,
    profiles: HashMap<Box<str>, (Profile, u64)>,
}

impl Profiles {
    pub(super) fn new(store: &Arc<DurableStore>, clock: &Arc<Clock>) -> Self {
        Self {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            environment: OnceLock::new(),
            on_their_way: Mutex::default(),
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
        if let Some((profile, _)) = self.on_their_way.lock().profiles.get(user_id) {
            return Ok(Some(profile.clone()));
        }
        let Some(kept) = self.store.kept_profile(self.environment(), user_id)? else {
            return Ok(None);
        };
        let age_ms = self.clock.now_ms().saturating_sub(kept.saved_at_ms);
        if age_ms > DAY_MS {
            // Where that fails, it is tried again with the next call.
            self.save_soon(user_id, &kept.profile).unwrap_or_default();
        }
        Ok(Some(kept.profile))
    }

    /// Saves a profile, and waits until it is stored.
    pub(super) async fn save_durably(
        self: &Arc<Self>,
        user_id: &str,
        profile: &Profile,
    ) -> Result<(), Error> {
        let (saving, receipt) = self.send(user_id, profile);
        // Should nobody wait any more, it is still to leave the memory.
        let (this, user_id) = (Arc::clone(self), Box::<str>::from(user_id));
        let stored = tokio::spawn(async move { this.settle(&user_id, saving, receipt).await });
        stored.await.map_err(Error::sink)?
    }

    /// Under the lock, so that the latest in memory is the latest in the store.
    fn send(&self, user_id: &str, profile: &Profile) -> (u64, Receipt) {
        let mut on_their_way = self.on_their_way.lock();
        on_their_way.savings += 1;
        let saving = on_their_way.savings;
        let receipt = self.store.keep_profile(self.environment(), user_id, profile);
        if receipt.refusal().is_none() {
            on_their_way.profiles.insert(user_id.into(), (profile.clone(), saving));
        }
        (saving, receipt)
    }

    /// What is stored, or refused, is the store's from now on.
    async fn settle(&self, user_id: &str, saving: u64, receipt: Receipt) -> Result<(), Error> {
        let stored = receipt.await;
        let mut on_their_way = self.on_their_way.lock();
        if on_their_way.profiles.get(user_id).is_some_and(|(_, latest)| *latest == saving) {
            on_their_way.profiles.remove(user_id);
        }
        stored
    }

    fn save_soon(self: &Arc<Self>, user_id: &str, profile: &Profile) -> Result<(), ServiceError> {
        if user_id.len() > LONGEST_USER_ID {
            return Err("the user id is too long for a profile".into());
        }
        let runtime = Handle::try_current()?;
        let (saving, receipt) = self.send(user_id, profile);
        if let Some(refusal) = receipt.refusal() {
            return Err(refusal.clone().into());
        }
        let (this, user_id) = (Arc::clone(self), Box::<str>::from(user_id));
        runtime.spawn(async move { this.settle(&user_id, saving, receipt).await });
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
        self.0.save_soon(user_id, profile)
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
