//! What a user is shown, as it is remembered beyond the datafile: shared, so that remembering costs
//! nothing but the sharing.
//!
//! Must not know users.

use std::sync::Arc;

use super::model::{Rule, Variation};

/// What a user was shown: an experiment or holdout, and the variation of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    /// The experiment's or holdout's id.
    pub experiment_id: Arc<str>,
    /// Its key.
    pub experiment_key: Arc<str>,
    /// Its campaign id in events.
    pub campaign_id: Arc<str>,
    /// The variation's id.
    pub variation_id: Arc<str>,
    /// The variation's key.
    pub variation_key: Arc<str>,
}

impl Shown {
    /// What a datafile calls them. For a variation of the rule itself, the rule has one made already.
    #[must_use]
    pub fn new(rule: &Rule, variation: &Variation) -> Self {
        Self {
            experiment_id: rule.id.clone(),
            experiment_key: rule.key.clone(),
            campaign_id: rule.campaign_id.clone(),
            variation_id: variation.id.clone(),
            variation_key: variation.key.clone(),
        }
    }

    /// A variation that no experiment or holdout showed: someone forced it for the whole flag.
    #[must_use]
    pub fn unattributed(variation: &Variation) -> Self {
        let none = Arc::<str>::default();
        Self {
            experiment_id: none.clone(),
            experiment_key: none.clone(),
            campaign_id: none,
            variation_id: variation.id.clone(),
            variation_key: variation.key.clone(),
        }
    }
}
