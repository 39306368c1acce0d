//! What was arranged for users, as it stands on the disk: overrides and profiles.
//!
//! Must not know keys.

use serde::{Deserialize, Serialize};

use crate::clock::TimeMs;
use crate::decide::Profile;
use crate::store::Override;
use crate::store::durable::KeptProfile;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredOverride<'a> {
    user_id: &'a str,
    experiment_key: &'a str,
    variation_key: &'a str,
    owner: Option<&'a str>,
    reason: Option<&'a str>,
    set_at_ms: TimeMs,
    expires_at_ms: Option<TimeMs>,
}

pub(in crate::store::durable) fn stored_override(kept: &Override) -> StoredOverride<'_> {
    StoredOverride {
        user_id: &kept.user_id,
        experiment_key: &kept.experiment_key,
        variation_key: &kept.variation_key,
        owner: kept.owner.as_deref(),
        reason: kept.reason.as_deref(),
        set_at_ms: kept.set_at_ms,
        expires_at_ms: kept.expires_at_ms,
    }
}

pub(in crate::store::durable) fn kept_override(stored: &StoredOverride<'_>) -> Override {
    Override {
        user_id: stored.user_id.into(),
        experiment_key: stored.experiment_key.into(),
        variation_key: stored.variation_key.into(),
        owner: stored.owner.map(Into::into),
        reason: stored.reason.map(Into::into),
        set_at_ms: stored.set_at_ms,
        expires_at_ms: stored.expires_at_ms,
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredProfile<'a> {
    saved_at_ms: TimeMs,
    /// Experiment ids and variation ids.
    #[serde(borrow)]
    variations: Vec<(&'a str, &'a str)>,
}

impl StoredProfile<'_> {
    pub(in crate::store::durable) const fn saved_at_ms(&self) -> TimeMs {
        self.saved_at_ms
    }
}

/// In the order of the experiments' ids, so that the same profile has the same bytes.
pub(in crate::store::durable) fn stored_profile(kept: &KeptProfile) -> StoredProfile<'_> {
    let mut variations: Vec<_> = kept.profile.iter().collect();
    variations.sort_unstable();
    StoredProfile { saved_at_ms: kept.saved_at_ms, variations }
}

pub(in crate::store::durable) fn kept_profile(stored: &StoredProfile<'_>) -> KeptProfile {
    let mut profile = Profile::default();
    for (experiment_id, variation_id) in &stored.variations {
        profile.set(experiment_id, variation_id);
    }
    KeptProfile { profile, saved_at_ms: stored.saved_at_ms }
}
