//! How a client is put together.
//!
//! Must not know what a client does.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::extras::{Extra, Extras};
use super::forced::ForcedVariationsByUser;
use super::listener::{Listener, Listeners};
use super::options::DecideOptions;
use super::overrides::OverridesByUser;
use super::predictor::Predictor;
use super::profile::ProfileService;
use super::store_choice::StoreChoice;
use super::swaps::Swaps;
use super::{Client, Inner, Services, source};
use crate::attribution::Rules;
use crate::clock::Clock;
use crate::datafile::Datafile;
use crate::error::Error;
use crate::events::{BatchNotice, Delivery, DeliverySettings, Sink};
use crate::source::{Prepared, Source};
use crate::store::{MemoryLimits, MemoryStore, Receipt, Recorded};

/// Whether calls that record wait until what they record is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// They return at once; the receipt says when it is stored.
    #[default]
    Receipt,
    /// They return when it is stored, or refused: the receipt is ready then.
    Wait,
}

impl Durability {
    /// What was recorded, with the receipt that calls give.
    #[inline]
    pub(super) fn settled<T>(self, recorded: Recorded<T>) -> Recorded<T> {
        if self == Self::Receipt {
            return recorded;
        }
        let Recorded { outcome, receipt } = recorded;
        let receipt = receipt.wait().map_or_else(Receipt::refused, |()| Receipt::stored());
        Recorded { outcome, receipt }
    }
}

/// Puts a [`Client`] together; every part has a default.
#[derive(Default)]
#[must_use]
pub struct ClientBuilder {
    datafile: Option<Arc<Datafile>>,
    source: Option<Source>,
    environment: Option<Box<str>>,
    clock: Option<Arc<Clock>>,
    store: Option<StoreChoice>,
    durability: Durability,
    rules: Rules,
    options: DecideOptions,
    services: Services,
    listeners: Listeners,
    sinks: Vec<Box<dyn Sink>>,
    last_drain: Option<Duration>,
}

impl ClientBuilder {
    /// The first datafile. Without one the client answers as SDKs do that are not ready yet, until
    /// [`Client::swap`] gives it one.
    pub fn datafile(mut self, datafile: impl Into<Arc<Datafile>>) -> Self {
        self.datafile = Some(datafile.into());
        self
    }

    /// Where datafiles come from. What can be had at once, as a file, is in force from the start, then the
    /// last good datafile that the store has of this source, then the one given as
    /// [`datafile`](Self::datafile); the source goes on from there on a thread of its own.
    ///
    /// ```
    /// # fn main() -> Result<(), variate::Error> {
    /// use std::time::Duration;
    /// use variate::Client;
    /// use variate::source::{Readiness, Source};
    ///
    /// let client = Client::builder().source(Source::file("datafiles/shop.json")).build()?;
    /// client.wait_until_ready(Duration::from_secs(5))?;
    ///
    /// let status = client.source_status();
    /// assert_eq!(status.map(|status| status.readiness), Some(Readiness::Fresh));
    /// # Ok(())
    /// # }
    /// ```
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The name of the environment, which separates ledgers in one store. Default: the environment key of
    /// the datafile that the client begins with, else its SDK key, else the SDK key or file name of the
    /// source, else `default`. Give it a name where a source may be broken when the client begins, so that
    /// it is the same then.
    pub fn environment(mut self, name: &str) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// The clock of activations and events. Default: the system's, never going backwards.
    ///
    /// It is used by the store that the client opens itself, and for the age of records that wait.
    pub fn clock(mut self, clock: Arc<Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Where activations and events are kept: the folder of a store on disk, or a store that is open
    /// already. Default: in memory, bounded by [`MemoryLimits`].
    ///
    /// A folder needs the feature `durable`. A store on disk, opened here, is set up as by default; open it
    /// yourself to set it up otherwise. The folder is made if it is not there; other things in it are left alone,
    /// for it may be the only one that a service may write to: see that it is the one you mean.
    ///
    /// Clients may share a store, each with an environment of its own, but only one of them may have
    /// sinks. A memory store that keeps records (as it does by default) and that nobody reads refuses
    /// entries once it is full: give it `waiting_records: 0` where there are no sinks.
    pub fn store(mut self, store: impl Into<StoreChoice>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Whether calls that record wait until what they record is stored. Default: they do not.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The settings of the attribution rule.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Options of every decide call.
    pub fn decide_options(mut self, options: DecideOptions) -> Self {
        self.options = options;
        self
    }

    /// Where sticky profiles are kept. Default: nowhere, users are bucketed anew each time.
    pub fn profile_service(mut self, service: impl ProfileService + 'static) -> Self {
        self.services.profiles = Some(Box::new(service));
        self
    }

    /// What answers for contextual bandits. Default: nothing does.
    pub fn predictor(mut self, predictor: impl Predictor + 'static) -> Self {
        self.services.predictor = Some(Box::new(predictor));
        self
    }

    /// Adds a listener.
    pub fn listener(mut self, listener: impl Listener + 'static) -> Self {
        self.listeners.add(Arc::new(listener));
        self
    }

    /// Adds a sink, which gets every impression and conversion from a thread of its own.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// How long dropping the client waits for its sinks to take what waits. Default: 5 seconds.
    pub fn last_drain(mut self, patience: Duration) -> Self {
        self.last_drain = Some(patience);
        self
    }

    /// Puts the client together.
    ///
    /// # Errors
    ///
    /// If a setting of the source cannot be used, the store on disk cannot be opened, a sink cannot go on from where it was, the threads that
    /// deliver cannot be started, the store given keeps no records for them, or another client delivers
    /// from it.
    pub fn build(self) -> Result<Client, Error> {
        let has_sinks = !self.sinks.is_empty();
        let clock = self.clock.unwrap_or_else(|| Arc::new(Clock::system()));
        let prepared = self.source.map(|source| source::prepare(source, &clock)).transpose()?;
        let settings = delivery_settings(&clock, self.last_drain, &self.listeners);
        let store = match self.store {
            Some(choice) => choice.open(Arc::clone(&clock))?,
            None => {
                let mut limits = MemoryLimits::default();
                if !has_sinks {
                    limits.waiting_records = 0;
                }
                Arc::new(MemoryStore::new(Arc::clone(&clock), limits))
            }
        };
        let delivery = if has_sinks {
            Some(Delivery::start_with(store.clone(), self.sinks, settings)?)
        } else {
            None
        };
        let supplied = prepared.as_ref().and_then(Prepared::datafile);
        let environment = self.environment.unwrap_or_else(|| {
            let datafile = supplied.as_ref().or(self.datafile.as_ref());
            default_environment(datafile, prepared.as_ref().and_then(Prepared::environment))
        });
        let first = match &prepared {
            Some(prepared) => source::begin(prepared, self.datafile, &*store, &environment),
            None => self.datafile,
        };
        let extras = Extras::default();
        if !self.listeners.is_empty() {
            extras.add(Extra::Listeners);
        }
        if self.services.profiles.is_some() {
            extras.add(Extra::Profiles);
        }
        let inner = Arc::new(Inner {
            current: ArcSwapOption::new(first),
            swaps: Swaps::default(),
            extras,
            environment,
            store,
            durability: self.durability,
            rules: self.rules,
            options: self.options,
            services: self.services,
            listeners: self.listeners,
            forced_variations: ForcedVariationsByUser::default(),
            overrides: OverridesByUser::default(),
            clock,
            delivery,
        });
        let supply = prepared.map(|prepared| source::start(prepared, &inner)).transpose()?;
        Ok(Client { supply: supply.map(Arc::new), inner })
    }
}

fn delivery_settings(
    clock: &Arc<Clock>,
    last_drain: Option<Duration>,
    listeners: &Listeners,
) -> DeliverySettings {
    let mut settings = DeliverySettings { clock: Arc::clone(clock), ..DeliverySettings::default() };
    settings.last_drain = last_drain.unwrap_or(settings.last_drain);
    if !listeners.is_empty() {
        let listeners = listeners.clone();
        let tell = move |notice: &BatchNotice<'_>| listeners.tell(|one| one.batch(notice));
        settings.on_batch = Some(Arc::new(tell));
    }
    settings
}

fn default_environment(datafile: Option<&Arc<Datafile>>, source: Option<&str>) -> Box<str> {
    datafile
        .and_then(|datafile| datafile.environment_key().or_else(|| datafile.sdk_key()))
        .filter(|name| !name.is_empty())
        .or(source)
        .unwrap_or("default")
        .into()
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
