//! The arguments of `serve` for other systems' tracking calls.
//!
//! Must not know defaults: they are those of the settings.

use clap::Args;

use super::parsers::secret_parser;
use crate::settings::{GivenTracking, MappedEvent, OnboardflowEvent, TrackingKey};

#[derive(Debug, Args)]
pub(super) struct TrackingArguments {
    /// A key that clients of a system send (optimizely, flagger, thrivestack, segment, countly, onboardflow), and its environment; may be repeated
    #[arg(
        long,
        value_name = "SYSTEM:KEY=ENVIRONMENT",
        env = "VARIATE_TRACKING_KEY",
        value_delimiter = ';',
        value_parser = secret_parser::<TrackingKey>(),
        hide_env_values = true
    )]
    tracking_key: Vec<TrackingKey>,

    /// Which event key a system's event name stands for; may be repeated [default: the name, or its words in small letters with _ between]
    #[arg(
        long,
        value_name = "NAME=EVENT_KEY",
        env = "VARIATE_TRACKING_EVENT",
        value_delimiter = ';'
    )]
    tracking_event: Vec<MappedEvent>,

    /// What of OnboardFlow's events is the name: value, event or event:value [default: value]
    #[arg(long, value_name = "PART", env = "VARIATE_TRACKING_ONBOARDFLOW_EVENT")]
    tracking_onboardflow_event: Option<OnboardflowEvent>,
}

impl TrackingArguments {
    pub(super) fn given(&self) -> GivenTracking {
        let events = self.tracking_event.iter().cloned();
        GivenTracking {
            keys: self.tracking_key.clone(),
            events: events.map(|MappedEvent { name, event_key }| (name, event_key)).collect(),
            onboardflow_event: self.tracking_onboardflow_event,
            ..GivenTracking::default()
        }
    }
}
