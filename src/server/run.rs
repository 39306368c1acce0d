//! The daemon's life: it starts whole or not at all, and stops in order.
//!
//! Must not know what requests ask for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::app::App;
use super::feed;
use super::listener::{Bound, Side, check_host, serve};
use super::{guard, ofrep, router, ticker};
use crate::clock::Stopwatch;
use crate::error::Error;
use crate::settings::{Port, ServeSettings};

/// What tasks that do not end by themselves are given at the end.
const LAST_TASKS: Duration = Duration::from_millis(200);

/// The addresses that a daemon listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// That of the API, unless it is off.
    pub api: Option<SocketAddr>,
    /// That of the administration, unless it is off.
    pub admin: Option<SocketAddr>,
}

/// A running daemon. Dropping it shuts it down.
///
/// It has threads of its own and must not be started or dropped where blocking is not allowed.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use variate::server::Server;
/// use variate::settings::{EnvironmentSettings, Given, Port, ServeSettings};
///
/// # let folder = tempfile::tempdir()?;
/// let server = Server::start(ServeSettings::new(Given {
///     port: Some(Port::Number(0)),
///     admin_port: Some(Port::Off),
///     data_dir: Some(folder.path().into()),
///     environments: vec![EnvironmentSettings::of_datafile("datafiles/shop.json".parse()?)],
///     ..Given::default()
/// }))?;
/// assert!(server.addresses().api.is_some());
/// server.shut_down(Duration::from_secs(5))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    addresses: Addresses,
    deadline: Duration,
    /// `None` once it is shut down.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    runtime: Runtime,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts a daemon: when it returns, requests are answered.
    ///
    /// # Errors
    ///
    /// If settings cannot be used as they stand or together, an address is taken, the store cannot be
    /// opened or is in use, a sink cannot go on from where it was, or a file has no datafile that can be
    /// used while the store has none of it from before. Then nothing is left running.
    pub fn start(settings: ServeSettings) -> Result<Self, Error> {
        settings.check()?;
        check_host(&settings)?;
        let api = Bound::new(&settings.host, settings.port)?;
        let admin = Bound::new(&settings.host, settings.admin_port)?;
        let address = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.address);
        let addresses = Addresses { api: address(&api), admin: address(&admin) };
        let deadline = settings.shutdown_deadline.as_duration();
        let (stop, stopping) = watch::channel(false);
        let bound = [addresses.api, addresses.admin].into_iter().flatten().collect();
        let app = Arc::new(App::start(settings, bound, stopping.clone())?);
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("variate-server")
            .build()
            .map_err(|error| Error::thread("variate-server", error))?;
        let sides = [(Side::Api, api), (Side::Admin, admin)];
        let mut listeners = Vec::new();
        {
            let _entered = runtime.enter();
            for (side, bound) in sides {
                let Some(bound) = bound else { continue };
                let listener = bound.listener()?;
                let router = router::of(side, &app)?;
                let serving = serve(listener, side, router, Arc::clone(&app));
                listeners.push(runtime.spawn(serving));
            }
            runtime.spawn(ofrep::watch(Arc::clone(&app), stopping.clone()));
            for feed in app.environments.iter().filter_map(|one| one.feed.clone()) {
                runtime.spawn(feed::run(feed, stopping.clone()));
            }
            runtime.spawn(guard::ask_for_keys(Arc::clone(&app), stopping.clone()));
            runtime.spawn(ticker::run(Arc::clone(&app), stopping));
        }
        let is_local = app.bound.iter().all(|address| address.ip().is_loopback());
        if !is_local && app.settings.access.has_authentication() && !app.settings.access.has_tls() {
            tracing::warn!(
                "tokens come in unencrypted: give tls_cert and tls_key, or put a proxy with TLS before this"
            );
        }
        let shown = |address: Option<SocketAddr>| {
            address.map_or_else(|| Port::Off.to_string(), |address| address.to_string())
        };
        tracing::info!(api = shown(addresses.api), admin = shown(addresses.admin), "started");
        Ok(Self { addresses, deadline, running: Some(Running { runtime, app, stop, listeners }) })
    }

    /// The addresses that it listens on, with the ports that were free where 0 was asked for.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Takes other settings, as far as they can change while it runs: who may ask, and the certificates,
    /// whose files are read again. What needs a restart is said in the log by name, and stays as it was.
    ///
    /// # Errors
    ///
    /// If the settings cannot be used as they stand or together; then all stays as it was.
    pub fn reload(&self, settings: ServeSettings) -> Result<(), Error> {
        let running = self.running.as_ref().ok_or_else(Error::not_ready)?;
        super::reload::reload(&running.app, settings)
    }

    /// Notes among its problems that other settings were refused, wherever they were read.
    #[cfg(feature = "cli")]
    pub(crate) fn note_refused_settings(&self, problem: &str) {
        let Some(running) = &self.running else { return };
        let text = format!("the settings were not read again, and all stays as it was: {problem}");
        running.app.problems.note(super::problems::ProblemKind::Settings, "", &text);
    }

    /// Shuts it down: no new connections, requests under way are answered, what was taken is stored, and
    /// sinks get what waits for them, all within the deadline. What is not delivered then stays in the
    /// store for the next start.
    ///
    /// # Errors
    ///
    /// If something was not stored.
    pub fn shut_down(mut self, deadline: Duration) -> Result<(), Error> {
        self.end(deadline)
    }

    fn end(&mut self, deadline: Duration) -> Result<(), Error> {
        let Some(Running { runtime, app, stop, listeners }) = self.running.take() else {
            return Ok(());
        };
        let watch = Stopwatch::start();
        let left = || deadline.saturating_sub(watch.elapsed());
        tracing::info!("stopping");
        stop.send_replace(true);
        // Half of it is for who never ends a request; the rest is for the disk and for sinks.
        let left_for_requests = || (deadline / 2).saturating_sub(watch.elapsed());
        runtime.block_on(async {
            for listener in listeners {
                if tokio::time::timeout(left_for_requests(), listener).await.is_err() {
                    tracing::warn!("requests that took too long are broken off");
                    break;
                }
            }
        });
        runtime.shutdown_timeout(left().max(LAST_TASKS));
        let ended = match Arc::into_inner(app) {
            Some(app) => app.end(left()),
            // What was acknowledged is stored; the rest of it ends with the process.
            None => {
                tracing::warn!("a request that still reads the store is left behind");
                Ok(())
            }
        };
        tracing::info!("stopped");
        ended
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is nobody left to tell; what was not delivered is in the store.
        self.end(self.deadline).unwrap_or_default();
    }
}
