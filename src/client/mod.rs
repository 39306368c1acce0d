//! The client: decides, activates and tracks for users, on a datafile that may be swapped at any time.
//!
//! Must not know HTTP servers or the command line. It brings together what the floors below keep
//! apart: the snapshot of the datafile (loaded exactly once per call), the user's profile and forced
//! variations, predictions, the store, listeners.

mod builder;
mod capture;
mod chosen;
mod config;
mod decide;
mod experiments;
mod exposure;
mod extras;
mod features;
mod forced;
mod listener;
mod merge;
mod options;
mod overrides;
mod predictor;
mod profile;
mod session;
mod snapshot;
mod source;
mod store_choice;
mod swaps;
mod track;
mod unsettled;
mod user;
mod variables;

pub use builder::{ClientBuilder, Durability};
pub use chosen::{Activate, Activated, Chosen};
pub use config::{
    Config, ConfigAttribute, ConfigAudience, ConfigEvent, ConfigExperiment, ConfigFeature,
    ConfigVariable, ConfigVariation,
};
pub use decide::Decision;
pub use experiments::Experiment;
pub use exposure::{Exposed, Exposure, UnknownExposure};
pub use listener::{
    ActivationNotice, ConversionNotice, DecisionKind, DecisionNotice, Listener, TrackNotice,
};
pub use merge::{Merge, Merged};
pub use options::DecideOptions;
pub use predictor::{PredictedVariation, PredictionRequest, Predictor};
pub use profile::{MemoryProfileService, ProfileService, ServiceError};
pub use snapshot::Snapshot;
pub use store_choice::StoreChoice;
pub use track::{Track, Tracked};
#[cfg(feature = "server")]
pub(crate) use unsettled::Unsettled;
pub use user::UserContext;
pub use variables::Variables;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::attribution::Rules;
use crate::clock::{Clock, Stopwatch};
use crate::datafile::Datafile;
use crate::error::Error;
use crate::events::{Delivery, SinkStatistics};
use crate::source::Supply;
use crate::store::{DeadLetter, Statistics, Store};
use extras::Extras;
use forced::ForcedVariationsByUser;
use listener::Listeners;
use overrides::OverridesByUser;
use snapshot::InForce;
use swaps::Swaps;

/// Decides, activates and tracks for users of one environment.
///
/// Cheap to clone; all clones are one client. All calls may run on many threads at once, and while
/// [`Client::swap`] gives it a new datafile: each call sees exactly one.
///
/// Dropping the last clone of a client with sinks waits for what they have not got yet, up to 5 seconds
/// while a sink fails, and one more for one that is stuck: call [`Client::drain`] before, and where blocking
/// is allowed. That of a client with a source breaks off what the source is asked, and waits for no answer.
/// Then a store that the client opened itself is closed, whatever its sinks do.
#[derive(Debug, Clone)]
pub struct Client {
    /// Ends first, so that its thread is never the last that holds the rest: when the last clone is gone,
    /// the store is.
    supply: Option<Arc<Supply>>,
    inner: Arc<Inner>,
}

struct Inner {
    current: ArcSwapOption<Datafile>,
    swaps: Swaps,
    extras: Extras,
    environment: Box<str>,
    store: Arc<dyn Store>,
    durability: Durability,
    rules: Rules,
    options: DecideOptions,
    services: Services,
    listeners: Listeners,
    forced_variations: ForcedVariationsByUser,
    overrides: OverridesByUser,
    clock: Arc<Clock>,
    delivery: Option<Delivery>,
}

/// The caller's own services, and how often they failed.
#[derive(Default)]
struct Services {
    profiles: Option<Box<dyn ProfileService>>,
    predictor: Option<Box<dyn Predictor>>,
    failures: AtomicU64,
}

/// What a client counts.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ClientStatistics {
    /// What the store holds and had to forget.
    pub store: Statistics,
    /// What became of the records, per sink.
    pub sinks: Vec<SinkStatistics>,
    /// How often a profile service or predictor failed or panicked.
    pub service_failures: u64,
    /// How often a listener panicked.
    pub listener_panics: u64,
}

impl Client {
    /// Puts a client together.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client for a datafile, with every default. What is wrong with the datafile is not told here: see
    /// [`Datafile::compile`].
    ///
    /// # Errors
    ///
    /// If the datafile is refused; see [`Datafile::compile`].
    pub fn from_datafile(text: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::builder().datafile(Datafile::compile(text)?.datafile).build()
    }

    /// A handle for one user. Set it up with `with`, then call it as often as you like.
    #[inline]
    #[must_use]
    pub fn user<'a>(&'a self, user_id: &'a str) -> UserContext<'a> {
        UserContext::new(&self.inner, None, user_id)
    }

    /// The datafile in force, held until it is dropped: for those who decide often.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(&self.inner, self.datafile())
    }

    /// Puts a datafile in force, from the next call on. Calls in flight finish with the one they have.
    ///
    /// Where the client has a source, the next change of what that gives replaces it.
    ///
    /// It returns when listeners have heard of it. Called from a listener that hears of a datafile, it returns
    /// at once, and listeners hear of it when all have heard of that one.
    pub fn swap(&self, datafile: impl Into<Arc<Datafile>>) {
        self.inner.swap(datafile.into());
    }

    /// The datafile in force.
    #[must_use]
    pub fn datafile(&self) -> Option<Arc<Datafile>> {
        self.inner.in_force().datafile().map(Arc::clone)
    }

    /// The configuration view of the datafile in force: what the SDKs call OptimizelyConfig.
    #[must_use]
    pub fn config(&self) -> Option<Config> {
        self.inner.in_force().datafile().map(|datafile| Config::new(datafile))
    }

    /// The name of the environment.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.inner.environment
    }

    /// Forgets a user: activations, events that wait for late activations, forced variations, overrides.
    /// Tells whether the store held anything.
    ///
    /// # Errors
    ///
    /// If the store cannot do it now: then only what is in the client's memory is forgotten.
    pub fn forget(&self, user_id: &str) -> Result<bool, Error> {
        self.inner.forced_variations.forget(user_id);
        self.inner.overrides.forget(user_id);
        self.inner.store.forget(&self.inner.environment, user_id)
    }

    /// Waits until all that was recorded before the call is stored.
    ///
    /// # Errors
    ///
    /// If what waits is refused, the store refuses everything at the time, or that takes longer than `patience`: then
    /// it still waits for the disk. What was refused before the call is told by its receipts, and not again.
    pub fn flush(&self, patience: Duration) -> Result<(), Error> {
        self.inner.store.flush(patience)
    }

    /// Waits until every sink has every record that was accepted before the call, or it is a dead letter; and
    /// every dead letter that was to be delivered again.
    ///
    /// # Errors
    ///
    /// If that takes longer than `patience`, or [`Client::flush`] fails: what is stored stays queued.
    pub fn drain(&self, patience: Duration) -> Result<(), Error> {
        let watch = Stopwatch::start();
        // Sinks are given what is stored.
        let flushed = self.inner.store.flush(patience);
        let left = patience.saturating_sub(watch.elapsed());
        let drained = self.inner.delivery.as_ref().map_or(Ok(()), |delivery| delivery.drain(left));
        flushed.and(drained)
    }

    /// Dead letters with numbers after this one, in order, at most `limit`, and fewer where they are large:
    /// records that a sink did not take and will not be given again, unless somebody asks for it. They are
    /// those of the whole store, other environments' included.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.inner.store.dead_letters(after, limit)
    }

    /// Asks for dead letters to be delivered again, now if this client has their sinks; gives how many there
    /// were. What fails again is dead anew, under another number. [`Client::drain`] waits for them.
    ///
    /// # Errors
    ///
    /// If the store cannot keep it.
    pub fn retry_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        match &self.inner.delivery {
            Some(delivery) => delivery.retry_dead_letters(numbers),
            None => self.inner.store.retry_dead_letters(numbers),
        }
    }

    /// Drops dead letters for good; gives how many there were.
    ///
    /// # Errors
    ///
    /// If the store cannot keep it.
    pub fn drop_dead_letters(&self, numbers: &[u64]) -> Result<u64, Error> {
        self.inner.store.drop_dead_letters(numbers)
    }

    /// What the client counts.
    #[must_use]
    pub fn statistics(&self) -> ClientStatistics {
        ClientStatistics {
            store: self.inner.store.statistics(),
            sinks: self.inner.delivery.as_ref().map(Delivery::statistics).unwrap_or_default(),
            service_failures: self.inner.services.failures.load(Ordering::Relaxed),
            listener_panics: self.inner.listeners.panics(),
        }
    }
}

impl Inner {
    /// The datafile of one call: each call takes it exactly once.
    #[inline]
    fn in_force(&self) -> InForce<'static> {
        InForce::Loaded(self.current.load())
    }

    fn swap(&self, datafile: Arc<Datafile>) {
        let put_in_force = |datafile| self.current.store(Some(datafile));
        self.swaps.swap(datafile, put_in_force, |datafile| {
            self.listeners.tell(|listener| listener.datafile_update(datafile.revision()));
        });
    }
}

/// Sinks are given what is stored, so that what still waits for the disk comes first.
impl Drop for Inner {
    fn drop(&mut self) {
        let Some(delivery) = &mut self.delivery else { return };
        let watch = Stopwatch::start();
        let patience = delivery.last_drain();
        // Of what is not stored the receipts tell.
        self.store.flush(patience).unwrap_or_default();
        delivery.set_last_drain(patience.saturating_sub(watch.elapsed()));
    }
}

/// One line: neither the datafile nor the ledger, which holds other users.
impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let in_force = self.in_force();
        let revision = in_force.datafile().map(|datafile| datafile.revision());
        formatter
            .debug_struct("Client")
            .field("environment", &self.environment)
            .field("revision", &revision)
            .finish_non_exhaustive()
    }
}
