//! The settings of other systems' tracking calls: whose keys mean which environment, what names mean.
//!
//! Must not know the forms of these systems.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::attribution::Origin;
use crate::error::Error;

/// The settings of other systems' tracking calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TrackingSettings {
    /// The keys that clients of these systems send. Where a system has none, and nobody has to prove who they
    /// are, a client's key may be an environment's SDK key, or anything where there is only one environment
    /// on an address that only this machine reaches.
    pub keys: Vec<TrackingKey>,
    /// Which event key a foreign event name stands for. A name without a line is an event key itself, or
    /// becomes one in small letters with `_` between its words.
    pub events: BTreeMap<String, String>,
    /// What is put before the user ids of a system. Default: nothing, all systems mean the same users.
    pub user_prefixes: BTreeMap<TrackingSystem, String>,
    /// What of OnboardFlow's events is the event's name. Default `value`.
    pub onboardflow_event: OnboardflowEvent,
    /// Of which of ThriveStack, Segment and OnboardFlow a message without an id, but with a time, is known by
    /// all that it says: the same again is a repeat. Default: none, since two may be meant.
    pub known_by_content: Vec<TrackingSystem>,
}

/// What one place gives of them.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each is described at TrackingSettings")]
pub struct GivenTracking {
    pub keys: Vec<TrackingKey>,
    pub events: BTreeMap<String, String>,
    pub user_prefixes: BTreeMap<TrackingSystem, String>,
    pub onboardflow_event: Option<OnboardflowEvent>,
    pub known_by_content: Vec<TrackingSystem>,
}

/// A key that a client sends, and which environment it means.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrackingKey {
    /// Whose clients send it.
    pub system: TrackingSystem,
    /// The key itself.
    pub key: String,
    /// The environment.
    pub environment: String,
    /// What Countly's clients make checksums with. Default: nothing, checksums are not looked at.
    pub salt: Option<String>,
}

/// A system whose clients are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TrackingSystem {
    /// Optimizely's event API.
    Optimizely,
    /// Flagger.
    Flagger,
    /// ThriveStack.
    Thrivestack,
    /// Segment.
    Segment,
    /// Countly.
    Countly,
    /// OnboardFlow.
    Onboardflow,
}

/// What of OnboardFlow's events is the event's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnboardflowEvent {
    /// Its `value`: an address, an element, or for `CUSTOM` the name itself.
    #[default]
    Value,
    /// Its `event`: `PAGE_VIEW`, `CLICK` or `CUSTOM`.
    Event,
    /// Both, as `event:value`.
    Both,
}

/// `FOREIGN=KEY`, as on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedEvent {
    /// The foreign name.
    pub name: String,
    /// The event key.
    pub event_key: String,
}

impl TrackingSettings {
    pub(super) fn new(given: GivenTracking) -> Self {
        let GivenTracking { keys, events, user_prefixes, onboardflow_event, known_by_content } =
            given;
        let onboardflow_event = onboardflow_event.unwrap_or_default();
        Self { keys, events, user_prefixes, onboardflow_event, known_by_content }
    }

    /// The keys of a system.
    pub fn keys_of(&self, system: TrackingSystem) -> impl Iterator<Item = &TrackingKey> {
        self.keys.iter().filter(move |key| key.system == system)
    }

    /// Looks whether each key means one environment.
    pub(super) fn check(&self) -> Result<(), Error> {
        const WITHOUT_IDS: [TrackingSystem; 3] =
            [TrackingSystem::Thrivestack, TrackingSystem::Segment, TrackingSystem::Onboardflow];
        if let Some(system) = self.known_by_content.iter().find(|one| !WITHOUT_IDS.contains(one)) {
            return Err(Error::settings(format!(
                "known_by_content names {system}, whose clients send ids: name thrivestack, segment or onboardflow"
            )));
        }
        for (place, key) in self.keys.iter().enumerate() {
            let before = self.keys.iter().take(place);
            let is_same =
                |other: &TrackingKey| (other.system, &other.key) == (key.system, &key.key);
            if before.filter(|other| is_same(other)).count() > 0 {
                return Err(Error::settings(format!(
                    "two tracking keys of {} are the same: give each system each key once",
                    key.system
                )));
            }
            if key.key.is_empty() {
                return Err(Error::settings(format!(
                    "a tracking key of {} is empty: write what its clients send",
                    key.system
                )));
            }
            if key.salt.is_some() && key.system != TrackingSystem::Countly {
                return Err(Error::settings(format!(
                    "a tracking key of {} has a salt: only those of countly may",
                    key.system
                )));
            }
        }
        Ok(())
    }
}

impl GivenTracking {
    pub(super) fn over(self, lower: Self) -> Self {
        let laid = |mut upper: BTreeMap<String, String>, lower: BTreeMap<_, _>| {
            lower.into_iter().for_each(|(key, value)| {
                upper.entry(key).or_insert(value);
            });
            upper
        };
        let mut user_prefixes = lower.user_prefixes;
        user_prefixes.extend(self.user_prefixes);
        Self {
            keys: super::given::first_given(self.keys, lower.keys),
            events: laid(self.events, lower.events),
            user_prefixes,
            onboardflow_event: self.onboardflow_event.or(lower.onboardflow_event),
            known_by_content: super::given::first_given(
                self.known_by_content,
                lower.known_by_content,
            ),
        }
    }
}

impl TrackingKey {
    /// A key without a salt.
    #[must_use]
    pub fn new(system: TrackingSystem, key: &str, environment: &str) -> Self {
        Self { system, key: key.to_owned(), environment: environment.to_owned(), salt: None }
    }
}

impl TrackingSystem {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Optimizely,
        Self::Flagger,
        Self::Thrivestack,
        Self::Segment,
        Self::Countly,
        Self::Onboardflow,
    ];

    /// Where what its clients send comes from, in records.
    #[must_use]
    pub const fn origin(self) -> Origin {
        match self {
            Self::Optimizely => Origin::Optimizely,
            Self::Flagger => Origin::Flagger,
            Self::Thrivestack => Origin::Thrivestack,
            Self::Segment => Origin::Segment,
            Self::Countly => Origin::Countly,
            Self::Onboardflow => Origin::Onboardflow,
        }
    }

    /// The word for it, in settings as in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.origin().as_str()
    }
}

impl OnboardflowEvent {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Event => "event",
            Self::Both => "event:value",
        }
    }
}

impl FromStr for TrackingSystem {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|system| system.as_str() == text);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::as_str).join(", ");
            Error::setting_value("tracking system", text, format!("write one of {words}"))
        })
    }
}

impl FromStr for OnboardflowEvent {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found =
            [Self::Value, Self::Event, Self::Both].into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| {
            Error::setting_value("OnboardFlow's event", text, "write value, event or event:value")
        })
    }
}

/// `SYSTEM:KEY=ENVIRONMENT`. Names of environments have no `=`, keys may.
impl FromStr for TrackingKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once(':').and_then(|(system, rest)| {
            let (key, environment) = rest.rsplit_once('=')?;
            let system = system.parse().ok()?;
            Some(Self::new(system, key, environment))
        });
        // Any part of what is no tracking key may be the key.
        parts.filter(|key| !key.key.is_empty() && !key.environment.is_empty()).ok_or_else(|| {
            let systems = TrackingSystem::ALL.map(TrackingSystem::as_str).join(", ");
            Error::settings(format!(
                "a tracking key is none: write SYSTEM:KEY=ENVIRONMENT, the system being one of {systems}"
            ))
        })
    }
}

impl FromStr for MappedEvent {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.rsplit_once('=').filter(|(name, key)| !name.is_empty() && !key.is_empty());
        let (name, event_key) = parts
            .ok_or_else(|| Error::setting_value("event name", text, "write NAME=EVENT_KEY"))?;
        Ok(Self { name: name.to_owned(), event_key: event_key.to_owned() })
    }
}

impl fmt::Display for TrackingSystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Without the key and the salt, which may be secrets.
impl fmt::Debug for TrackingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TrackingKey")
            .field("system", &self.system)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
