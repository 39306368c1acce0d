//! The configuration view of a datafile: what the SDKs call OptimizelyConfig.
//!
//! Must not know users or decisions. Lists keep the datafile's order; of entries with one key, the last
//! stands, in the place of the first.

mod audience_text;
mod build;

/// What a datafile configures, for display and for code that lists flags and experiments. The text
/// behind it is [`Datafile::text`](crate::Datafile::text).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The datafile's revision, as written.
    pub revision: String,
    /// The SDK key that it was made for; empty where it names none.
    pub sdk_key: String,
    /// The environment that it was made for; empty where it names none.
    pub environment_key: String,
    /// The attributes that it declares.
    pub attributes: Vec<ConfigAttribute>,
    /// Its audiences: typed ones, then the others, without the filler that stands in for typed ones.
    pub audiences: Vec<ConfigAudience>,
    /// Its events.
    pub events: Vec<ConfigEvent>,
    /// Its experiments by key, in groups or not, without rollout rules and holdouts.
    pub experiments: Vec<ConfigExperiment>,
    /// Its flags by key.
    pub features: Vec<ConfigFeature>,
}

/// An experiment or a rule of a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigExperiment {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// Its audience conditions in words, such as `"us" AND ("female" OR "adult")`; empty where it has
    /// none. Audiences that the datafile does not have show as their ids. A plain list of audience ids
    /// is not shown, as in the SDKs.
    pub audiences: String,
    /// Its variations by key; of a feature rollout, also the one that everyone else gets.
    pub variations: Vec<ConfigVariation>,
}

/// A variation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigVariation {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// Whether the flag is on for users with it.
    pub is_feature_enabled: bool,
    /// The variables of its flag, with the variation's values if it switches the flag on, else with
    /// the defaults. Empty where no flag uses the experiment.
    pub variables: Vec<ConfigVariable>,
}

/// A variable of a flag and a value for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigVariable {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// The datafile's word for its type.
    pub kind: String,
    /// The value as the datafile's text.
    pub value: String,
}

/// A flag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFeature {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// Its variables by key, with their defaults.
    pub variables: Vec<ConfigVariable>,
    /// Its experiments, in the order in which they are asked.
    pub experiment_rules: Vec<ConfigExperiment>,
    /// The rules of its rollout, in order; the last one is for everyone else.
    pub delivery_rules: Vec<ConfigExperiment>,
}

/// An audience.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigAudience {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its conditions: JSON text, as written.
    pub conditions: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigEvent {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// The ids of the experiments that are tied to it, as written.
    pub experiment_ids: Vec<String>,
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigAttribute {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
}

impl Config {
    /// The experiment with a key.
    #[must_use]
    pub fn experiment(&self, key: &str) -> Option<&ConfigExperiment> {
        self.experiments.iter().find(|experiment| experiment.key == key)
    }

    /// The flag with a key.
    #[must_use]
    pub fn feature(&self, key: &str) -> Option<&ConfigFeature> {
        self.features.iter().find(|feature| feature.key == key)
    }
}
