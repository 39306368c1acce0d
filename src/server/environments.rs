//! All environments of a daemon: how they are opened, and which one a key chooses.
//!
//! Must not know what is asked of them.

use std::sync::Arc;

use super::environment::{Environment, Fit, Wiring};
use super::figures::Figures;
use super::guard::Caller;
use super::problems::Problems;
use super::profiles::{Profiles, ProfilesOf};
use super::refusal::Refusal;
use crate::client::Client;
use crate::clock::Clock;
use crate::error::Error;
use crate::settings::{DatafilePlace, EnvironmentSettings, Reach, ServeSettings};
use crate::source::{SdkKey, Source};
use crate::store::DurableStore;

#[derive(Debug)]
pub(super) struct Environments {
    all: Vec<Arc<Environment>>,
    /// Whether the only one is meant where no key is given.
    may_be_left_out: bool,
}

impl Environments {
    /// Opens all of them over one store.
    pub(super) fn open(opening: &Opening<'_>, may_be_left_out: bool) -> Result<Self, Error> {
        let settings = opening.settings;
        let mut all: Vec<Arc<Environment>> = Vec::new();
        for own in &settings.environments {
            let source =
                own.source(settings.poll_interval, settings.datafile_template.as_deref())?;
            let (client, wiring) = opening.client(own, &source)?;
            let name = client.environment();
            if all.iter().any(|other| other.name() == name) {
                return Err(Error::settings(format!(
                    "two environments are called {name:?}, and would share a ledger: give one of them another name, as --datafile NAME=PATH or as its name in the settings file"
                )));
            }
            let figures = opening.figures.of_environment(name);
            let own = own.with_datafile_webhook_secret(&settings.agent);
            let environment = Environment::new(client, &own, figures, wiring);
            if settings.agent.overrides {
                environment.restore_overrides(opening.store)?;
            }
            all.push(Arc::new(environment));
        }
        let may_be_left_out = may_be_left_out && all.len() == 1;
        Ok(Self { all, may_be_left_out })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Environment>> {
        self.all.iter()
    }

    /// The environment that a key in a header chooses, if it is for who asks.
    pub(super) fn chosen(
        &self,
        key: Option<&[u8]>,
        caller: &Caller,
    ) -> Result<&Arc<Environment>, Refusal> {
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            return self.without_key(caller).ok_or_else(|| {
                Refusal::bad_request("missing required X-Optimizely-SDK-Key header")
            });
        };
        let key = std::str::from_utf8(key).ok().and_then(|key| key.parse::<SdkKey>().ok());
        let key = key.ok_or_else(|| Refusal::bad_request("sdkKey failed validation"))?;
        self.by_key(&key, caller)
    }

    /// The environment that a key chooses: the first of those that it suits best.
    pub(super) fn of_key(&self, key: &SdkKey) -> Option<&Arc<Environment>> {
        let fitting = self.all.iter().filter(|environment| environment.fit(key) == Fit::Yes);
        fitting.min_by_key(|environment| environment.whose(key))
    }

    /// The environment of a key, if it is for who asks.
    pub(super) fn by_key(
        &self,
        key: &SdkKey,
        caller: &Caller,
    ) -> Result<&Arc<Environment>, Refusal> {
        let found = self.of_key(key).ok_or_else(Refusal::unknown_key)?;
        if caller.reaches(found) { Ok(found) } else { Err(Refusal::other_environment()) }
    }

    /// The environment whose datafile an SDK asks for by its key. The token of an authenticated one is in a header
    /// of its own; who has proved already for whom they ask needs none.
    pub(super) fn by_key_and_token(
        &self,
        key: &str,
        token: Option<&str>,
        caller: &Caller,
    ) -> Result<&Arc<Environment>, Refusal> {
        let with_token = token.and_then(|token| format!("{key}:{token}").parse().ok());
        let plain: SdkKey = key.parse().map_err(|_| Refusal::unknown_key())?;
        if plain.token().is_some() {
            return Err(Refusal::unknown_key());
        }
        if caller.is_known() {
            let mut all = self.all.iter();
            let is_asked_for = |one: &&Arc<Environment>| one.fit(&plain) == Fit::WrongToken;
            if let Some(found) = all.find(|one| is_asked_for(one) && caller.reaches(one)) {
                return Ok(found);
            }
        }
        self.by_key(&with_token.unwrap_or(plain), caller)
    }

    /// The only one there is, where only this machine reaches it.
    pub(super) fn only(&self) -> Option<&Arc<Environment>> {
        self.all.first().filter(|_| self.may_be_left_out)
    }

    /// The only one there is, for who asks on a machine's own address; the only one that who is known is for.
    fn without_key(&self, caller: &Caller) -> Option<&Arc<Environment>> {
        let mut reached = self.all.iter().filter(|environment| caller.reaches(environment));
        let only = reached.next().filter(|_| reached.next().is_none())?;
        (self.may_be_left_out || caller.is_known()).then_some(only)
    }

    /// Looks whether the environments that tokens and tracking keys name are there.
    pub(super) fn check_named(&self, settings: &ServeSettings) -> Result<(), Error> {
        let is_there = |name: &String| self.all.iter().any(|one| one.name() == name);
        let none_there = |what: &str, name: &str| {
            let there: Vec<_> = self.all.iter().map(|one| one.name()).collect();
            Error::settings(format!(
                "{what} is for the environment {name:?}, which is not there: name one of {}",
                there.join(", ")
            ))
        };
        for key in &settings.tracking.keys {
            if !is_there(&key.environment) {
                let what = format!("a tracking key of {}", key.system);
                return Err(none_there(&what, &key.environment));
            }
        }
        let access = &settings.access;
        for token in &access.tokens {
            let Reach::Of(names) = &token.reach else { continue };
            if let Some(name) = names.iter().find(|name| !is_there(name)) {
                return Err(none_there(&format!("the token {:?}", token.name), name));
            }
        }
        Ok(())
    }
}

/// What all environments are opened with.
pub(super) struct Opening<'s> {
    pub(super) settings: &'s ServeSettings,
    pub(super) store: &'s Arc<DurableStore>,
    pub(super) clock: &'s Arc<Clock>,
    pub(super) figures: &'s Figures,
    pub(super) problems: &'s Arc<Problems>,
}

impl Opening<'_> {
    fn client(
        &self,
        own: &EnvironmentSettings,
        source: &Source,
    ) -> Result<(Client, Wiring), Error> {
        // An address does not say its name; a store from before may know it by another than its last part.
        let is_address =
            own.sdk_key.is_none() && matches!(own.datafile, Some(DatafilePlace::Url(_)));
        let before =
            if own.name.is_none() && is_address { self.name_from_before(source)? } else { None };
        let (client, wiring) =
            self.client_named(own.name.as_deref().or(before.as_deref()), source)?;
        if client.datafile().is_some() || !matches!(own.datafile, Some(DatafilePlace::File(_))) {
            return Ok((client, wiring));
        }
        let problem = client.source_status().and_then(|status| status.last_problem);
        drop(client);
        // A file that says its name cannot be read: the store may know it from before.
        let name = if own.name.is_none() { self.name_from_before(source)? } else { None };
        if let Some(name) = name {
            return self.client_named(Some(&name), source);
        }
        let problem = problem.map(|problem| problem.text).unwrap_or_default();
        Err(Error::settings(format!("environment {} has no datafile: {problem}", own.shown())))
    }

    fn client_named(&self, name: Option<&str>, source: &Source) -> Result<(Client, Wiring), Error> {
        let agent = &self.settings.agent;
        let wiring = Wiring {
            profiles: agent.profiles.then(|| Arc::new(Profiles::new(self.store, self.clock))),
            feed: agent.notifications.then(Arc::default),
            patience: self.settings.limits.request_timeout.as_duration() / 2,
            problems: Arc::clone(self.problems),
        };
        let mut builder = Client::builder()
            .store(Arc::clone(self.store))
            .clock(Arc::clone(self.clock))
            .rules(self.settings.rules())
            .source(source.clone());
        if let Some(profiles) = &wiring.profiles {
            builder = builder.profile_service(ProfilesOf(Arc::clone(profiles)));
        }
        if let Some(feed) = &wiring.feed {
            builder = builder.listener(Arc::clone(feed));
        }
        let client = match name {
            Some(name) => builder.environment(name),
            None => builder,
        }
        .build()?;
        Ok((client, wiring))
    }

    /// What the environment was called that had its last good datafile from this source; the latest of several, since a
    /// file may say another name than before.
    fn name_from_before(&self, source: &Source) -> Result<Option<Box<str>>, Error> {
        let fingerprint = source.fingerprint()?;
        let kept = self.store.kept_datafiles()?.into_iter();
        let of_this = kept.filter(|(_, kept)| kept.source == fingerprint);
        Ok(of_this.max_by_key(|(_, kept)| kept.fetched_at_ms).map(|(name, _)| name))
    }
}
