//! Changes of datafiles, as streams tell them.
//!
//! Must not know requests. Who is slow misses what was in between: only the latest counts.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::named;
use crate::clock::Stopwatch;
use crate::server::app::App;
use crate::server::datafiles::published;
use crate::server::environments::Environments;

const EVERY: Duration = Duration::from_millis(250);

/// What streams tell, and how many there may be.
#[derive(Debug)]
pub(in crate::server) struct Changes {
    /// One for each environment, in their order.
    told: Vec<watch::Sender<Option<Told>>>,
    places: Arc<Semaphore>,
}

/// A datafile as streams tell of it.
#[derive(Debug, Clone)]
pub(in crate::server) struct Told {
    pub(super) etag: HeaderValue,
    pub(super) since_seconds: u64,
    /// Since it replaced another one, if it did.
    pub(in crate::server) changed: Option<Stopwatch>,
}

impl Changes {
    pub(in crate::server) fn of(environments: &Environments, most_streams: usize) -> Self {
        let told = environments.iter().map(|_| watch::Sender::new(None)).collect();
        let most_streams = most_streams.min(Semaphore::MAX_PERMITS);
        let changes = Self { told, places: Arc::new(Semaphore::new(most_streams)) };
        changes.look(environments);
        changes
    }

    /// What is told of an environment, by its name.
    pub(in crate::server) fn of_environment(
        &self,
        environments: &Environments,
        name: &str,
    ) -> Option<watch::Receiver<Option<Told>>> {
        let mut named = environments.iter().zip(&self.told);
        named.find(|(environment, _)| environment.name() == name).map(|(_, told)| told.subscribe())
    }

    /// A place for a stream, if one is free.
    pub(in crate::server) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    fn look(&self, environments: &Environments) {
        for (environment, told) in environments.iter().zip(&self.told) {
            let Some(published) = published(environment) else { continue };
            told.send_if_modified(|told| {
                if told.as_ref().is_some_and(|told| told.etag == published.etag) {
                    return false;
                }
                let changed = told.is_some().then(Stopwatch::start);
                let (etag, since_seconds) = (published.etag.clone(), published.since_seconds);
                *told = Some(Told { etag, since_seconds, changed });
                true
            });
        }
    }
}

/// Looks for changes until it is to stop.
pub(in crate::server) async fn watch(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut are_names_known = app.settings.ofrep.flags.is_empty();
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                app.changes.look(&app.environments);
                are_names_known = are_names_known || named::looked_at(&app);
            }
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
        }
    }
}
