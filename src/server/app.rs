//! What all requests share: environments, the store, its delivery, figures.
//!
//! Must not know requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::current::Current;
use super::environments::{Environments, Opening};
use super::figures::Figures;
use super::guard::{Doorkeeper, Guard, Hosts, Tls};
use super::listener::is_loopback;
use super::ofrep::Changes;
use super::problems::{ProblemKind, Problems};
use super::refusal::Refusal;
use super::sinks;
use super::tracking::{Configs, Room};
use crate::clock::{Clock, Stopwatch};
use crate::error::Error;
use crate::events::{
    AttributionMode, BatchNotice, BatchOutcome, Delivery, DeliverySettings, without_its_words,
};
use crate::settings::ServeSettings;
use crate::store::{DurableSettings, DurableStore, Store as _, WhenFull};

/// How many read the store for the administration at once.
const READERS: usize = 4;
const EXPORTS: usize = 4;
/// How many wait for a source at once, which may take as long as its network.
const WAITS: usize = 16;

#[derive(Debug)]
pub(super) struct App {
    /// As it was started; what a reload changes of them is in `in_force`.
    pub(super) settings: ServeSettings,
    pub(super) in_force: Current<ServeSettings>,
    pub(super) guard: Current<Guard>,
    pub(super) tls: Current<Option<Tls>>,
    pub(super) doorkeeper: Doorkeeper,
    /// Told when settings were read again.
    pub(super) reloaded: watch::Sender<()>,
    /// The addresses that are listened on.
    pub(super) bound: Vec<SocketAddr>,
    /// Ends before the store that its clients record in.
    pub(super) environments: Environments,
    pub(super) delivery: Delivery,
    pub(super) store: Arc<DurableStore>,
    pub(super) figures: Figures,
    /// What streams tell of datafiles.
    pub(super) changes: Changes,
    /// What clients of Flagger are told of datafiles.
    pub(super) flagger: Configs,
    /// For what clients of other systems tell, until it is stored.
    pub(super) room: Room,
    pub(super) problems: Arc<Problems>,
    /// For who reads the store for the administration: few at once, so that recording has room.
    pub(super) readers: Arc<Semaphore>,
    /// For who exports all of it, which may take as long as who asks is slow.
    pub(super) exports: Arc<Semaphore>,
    /// For who waits for what a source answers.
    pub(super) waits: Arc<Semaphore>,
    pub(super) started: Stopwatch,
    /// True once the daemon stops: for answers that would never end.
    pub(super) stopping: watch::Receiver<bool>,
}

impl App {
    /// Opens the store, then the environments, then what delivers their records.
    pub(super) fn start(
        settings: ServeSettings,
        bound: Vec<SocketAddr>,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let guard = Guard::new(&settings, Hosts::new(&settings, &bound), None)?;
        let tls = Tls::load(&settings.access)?;
        let clock = Arc::new(Clock::system());
        let durable = durable_settings(&settings);
        let store = DurableStore::open(&settings.data_dir, Arc::clone(&clock), durable)?;
        let store = Arc::new(store);
        let may_be_left_out = is_loopback(&settings.host)?;
        let figures = Figures::new();
        let problems = Arc::new(Problems::default());
        let opening = Opening {
            settings: &settings,
            store: &store,
            clock: &clock,
            figures: &figures,
            problems: &problems,
        };
        let environments = Environments::open(&opening, may_be_left_out)?;
        environments.check_named(&settings)?;
        let modes: Vec<(Box<str>, AttributionMode)> = environments
            .iter()
            .zip(&settings.environments)
            .filter_map(|(environment, own)| Some((environment.name().into(), own.attribution?)))
            .collect();
        let noting = Arc::clone(&problems);
        let on_batch = move |notice: &BatchNotice<'_>| say(notice, &noting);
        let delivery_settings = DeliverySettings {
            clock,
            last_drain: Duration::ZERO,
            on_batch: Some(Arc::new(on_batch)),
        };
        let sinks = sinks::build(&settings, &modes)?;
        let delivery = Delivery::start_with(store.clone(), sinks, delivery_settings)?;
        let changes = Changes::of(&environments, settings.ofrep.streams);
        let room = Room::of_queue(settings.store.queue_entries);
        Ok(Self {
            in_force: Current::new(settings.clone()),
            guard: Current::new(guard),
            tls: Current::new(tls),
            doorkeeper: Doorkeeper::new(),
            reloaded: watch::Sender::new(()),
            settings,
            bound,
            environments,
            delivery,
            store,
            figures,
            changes,
            flagger: Configs::default(),
            room,
            problems,
            readers: Arc::new(Semaphore::new(READERS)),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            waits: Arc::new(Semaphore::new(WAITS)),
            started: Stopwatch::start(),
            stopping,
        })
    }

    /// Notes that somebody asked for what a setting has switched off, or not on.
    pub(super) fn misses(&self, setting: &'static str) {
        let text = format!("somebody asked for what it switches on: set {setting} = true");
        self.problems.note(ProblemKind::Settings, setting, &text);
    }

    /// Notes a key that is of no environment.
    pub(super) fn misses_environment(&self) {
        let text = "somebody gave an SDK key that is of no environment: add it as --sdk-key, or as sdk_key of an [[environment]]";
        self.problems.note(ProblemKind::Settings, "environment", text);
    }

    /// What who changes something in the store is told where it did not take that.
    pub(super) fn not_stored(&self, cause: &Error) -> Refusal {
        self.problems.note_not_stored(cause);
        Refusal::not_stored(cause)
    }

    /// Ends everything in order, within the deadline; the store is closed when this returns.
    pub(super) fn end(self, deadline: Duration) -> Result<(), Error> {
        let Self { environments, delivery, store, .. } = self;
        let watch = Stopwatch::start();
        let left = || deadline.saturating_sub(watch.elapsed());
        // No source is to put anything in force any more.
        drop(environments);
        let flushed = store.flush(left());
        let drained = delivery.shut_down(left());
        if let Err(error) = &drained {
            tracing::warn!(%error, "not everything was delivered");
        }
        drop(store);
        flushed
    }
}

/// What was not delivered is in the log: how often a sink is asked again has its own limits.
fn say(notice: &BatchNotice<'_>, problems: &Problems) {
    let BatchNotice { sink, records, outcome, error, .. } = *notice;
    let error = error.map(without_its_words).unwrap_or_default();
    if outcome != BatchOutcome::Delivered {
        problems.note(ProblemKind::Sink, sink, error);
    }
    match outcome {
        BatchOutcome::Delivered => tracing::debug!(sink, records, "delivered"),
        BatchOutcome::Expired => {
            tracing::error!(
                sink,
                records,
                error,
                "given up: dead letters, which can be sent again"
            );
        }
        BatchOutcome::Warned => tracing::warn!(sink, "{error}"),
        _ => tracing::warn!(sink, records, error, ?outcome, "not delivered"),
    }
}

/// No request waits for room in the queue: who records is told to come again.
fn durable_settings(settings: &ServeSettings) -> DurableSettings {
    let store = &settings.store;
    DurableSettings {
        waiting_entries: store.queue_entries,
        when_full: WhenFull::Refuse,
        activation_retention_ms: store.activation_retention.as_ms(),
        record_retention_ms: store.record_retention.as_ms(),
        budget_bytes: store.record_budget.bytes,
        reserved_bytes: store.disk_reserve.bytes,
        ..DurableSettings::default()
    }
}
