//! Which environment a system's key means.
//!
//! Must not know where requests carry their keys. A key that the settings name lets in who sends it, as a
//! token with the scope `track` would, and for tracking alone.

use std::sync::Arc;

use axum::http::StatusCode;
use subtle::ConstantTimeEq as _;

use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::{TrackingKey, TrackingSystem};
use crate::source::SdkKey;

/// An environment, and the settings of the key that chose it, if there are any.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) environment: Arc<Environment>,
    pub(super) key: Option<TrackingKey>,
}

impl Chosen {
    /// What checksums are made with, where the key has it.
    pub(super) fn salt(&self) -> Option<&str> {
        self.key.as_ref()?.salt.as_deref().filter(|salt| !salt.is_empty())
    }
}

/// Why a key chooses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    Missing,
    Unknown,
}

/// The environment that a key means. Where the settings name no key of the system, and nobody has to prove who
/// they are: the one of this SDK key, else the only one there is, where only this machine reaches it.
pub(super) fn chosen(
    app: &App,
    system: TrackingSystem,
    key: Option<&str>,
) -> Result<Chosen, NoKey> {
    let key = key.filter(|key| !key.is_empty());
    let settings = app.in_force.now();
    let mut named = settings.tracking.keys_of(system).peekable();
    if named.peek().is_some() {
        let key = key.ok_or(NoKey::Missing)?;
        let found = named.fold(None, |found, one| {
            // All of them are compared, so that the time it takes tells nothing.
            let is_this = bool::from(one.key.as_bytes().ct_eq(key.as_bytes()));
            if is_this { Some(one) } else { found }
        });
        let found = found.ok_or(NoKey::Unknown)?;
        let mut all = app.environments.iter();
        let environment = all.find(|environment| environment.name() == found.environment);
        let environment = Arc::clone(environment.ok_or(NoKey::Unknown)?);
        return Ok(Chosen { environment, key: Some(found.clone()) });
    }
    if settings.access.has_authentication() {
        return Err(key.map_or(NoKey::Missing, |_| NoKey::Unknown));
    }
    let by_sdk_key = key
        .and_then(|key| key.parse::<SdkKey>().ok())
        .and_then(|key| app.environments.of_key(&key));
    let found = by_sdk_key.or_else(|| app.environments.only());
    let environment = found.ok_or_else(|| key.map_or(NoKey::Missing, |_| NoKey::Unknown))?;
    Ok(Chosen { environment: Arc::clone(environment), key: None })
}

/// The environment that the first known of these keys means.
pub(super) fn first_chosen(
    app: &App,
    system: TrackingSystem,
    keys: &[String],
) -> Result<Chosen, NoKey> {
    let mut no_key = None;
    for key in keys {
        match chosen(app, system, Some(key)) {
            Ok(chosen) => return Ok(chosen),
            Err(why) => no_key = Some(why),
        }
    }
    no_key.map_or_else(|| chosen(app, system, None), Err)
}

impl NoKey {
    /// What to do about it, for who reads answers.
    pub(super) fn text(self, system: TrackingSystem) -> String {
        let what = match self {
            Self::Missing => "there is no key",
            Self::Unknown => "the key is unknown",
        };
        format!("{what}: name it in the settings, as a [[tracking.key]] of {system}")
    }

    /// For systems that know one status for both.
    pub(super) fn unauthorized(self, system: TrackingSystem) -> Refusal {
        Refusal::new(StatusCode::UNAUTHORIZED, self.text(system))
    }

    /// As this engine says it, for systems that do not care.
    pub(super) fn refusal(self, system: TrackingSystem) -> Refusal {
        let status = match self {
            Self::Missing => StatusCode::UNAUTHORIZED,
            Self::Unknown => StatusCode::FORBIDDEN,
        };
        Refusal::new(status, self.text(system))
    }
}
