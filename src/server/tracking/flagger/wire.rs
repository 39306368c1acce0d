//! The configuration as Flagger's clients read it.
//!
//! Must not know how it comes about. Lists are there also where they are empty: not every client does without.

use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigAnswer<'a> {
    /// Goes into the hash that samples.
    pub(super) hash_key: &'a str,
    pub(super) sdk_config: SdkConfigAnswer,
    pub(super) flags: Vec<FlagAnswer<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) struct SdkConfigAnswer {
    /// In seconds.
    pub(super) sdk_ingestion_interval: u32,
    pub(super) sdk_ingestion_max_calls: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FlagAnswer<'a> {
    pub(super) codename: &'a str,
    /// Goes into the hash that samples, and comes back with exposures.
    pub(super) hashkey: &'a str,
    pub(super) kill_switch_engaged: bool,
    pub(super) variations: Vec<VariationAnswer<'a>>,
    pub(super) subpopulations: Vec<SubpopulationAnswer>,
    pub(super) whitelist: Vec<WhitelistAnswer<'a>>,
    pub(super) blacklist: [(); 0],
}

#[derive(Debug, Serialize)]
pub(super) struct VariationAnswer<'a> {
    pub(super) codename: &'a str,
    pub(super) probability: f64,
    pub(super) payload: Map<String, Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubpopulationAnswer {
    pub(super) entity_type: &'static str,
    /// From 0 to 1.
    pub(super) sampling_percentage: f64,
    /// All of them have to be met.
    pub(super) filters: Vec<FilterAnswer>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilterAnswer {
    pub(super) attribute_name: String,
    pub(super) operator: &'static str,
    pub(super) r#type: &'static str,
    pub(super) value: Value,
}

#[derive(Debug, Serialize)]
pub(super) struct WhitelistAnswer<'a> {
    pub(super) r#type: &'static str,
    pub(super) id: &'a str,
    pub(super) variation: &'a str,
}
