//! The settings of tracking calls, as TOML.
//!
//! Must not know defaults, nor how its errors are worded.

use std::collections::BTreeMap;

use super::{Read, value};
use crate::settings::tracking::{GivenTracking, OnboardflowEvent, TrackingKey, TrackingSystem};

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireTracking {
    onboardflow_event: Option<Read<OnboardflowEvent>>,
    #[serde(default)]
    known_by_content: Vec<Read<TrackingSystem>>,
    #[serde(default)]
    events: BTreeMap<String, String>,
    #[serde(default)]
    user_prefixes: WirePrefixes,
    #[serde(default)]
    key: Vec<WireKey>,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePrefixes {
    optimizely: Option<String>,
    flagger: Option<String>,
    thrivestack: Option<String>,
    segment: Option<String>,
    countly: Option<String>,
    onboardflow: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey {
    system: Read<TrackingSystem>,
    key: String,
    environment: String,
    salt: Option<String>,
}

impl From<WireTracking> for GivenTracking {
    fn from(wire: WireTracking) -> Self {
        Self {
            keys: wire.key.into_iter().map(Into::into).collect(),
            events: wire.events,
            user_prefixes: wire.user_prefixes.into(),
            onboardflow_event: value(wire.onboardflow_event),
            known_by_content: wire.known_by_content.into_iter().map(|Read(one)| one).collect(),
        }
    }
}

impl From<WireKey> for TrackingKey {
    fn from(WireKey { system: Read(system), key, environment, salt }: WireKey) -> Self {
        Self { salt, ..Self::new(system, &key, &environment) }
    }
}

impl From<WirePrefixes> for BTreeMap<TrackingSystem, String> {
    fn from(wire: WirePrefixes) -> Self {
        let all = [
            (TrackingSystem::Optimizely, wire.optimizely),
            (TrackingSystem::Flagger, wire.flagger),
            (TrackingSystem::Thrivestack, wire.thrivestack),
            (TrackingSystem::Segment, wire.segment),
            (TrackingSystem::Countly, wire.countly),
            (TrackingSystem::Onboardflow, wire.onboardflow),
        ];
        all.into_iter().filter_map(|(system, prefix)| Some((system, prefix?))).collect()
    }
}
