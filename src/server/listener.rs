//! Listeners: bound addresses, and the connections that come in.
//!
//! Must not know what is answered.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_send_buffer_size;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::server::TlsStream;

use super::app::App;
use super::around::{Answering, answer};
use super::guard::Tls;
use super::problems::ProblemKind;
use super::timers::KeptTimer;
use crate::error::Error;
use crate::settings::{Port, ServeSettings};

/// Larger heads are refused.
const MOST_HEAD_BYTES: usize = 32 * 1024;
const MOST_HEADERS: usize = 64;
/// So much of what is sent to a connection may wait in the system. Left to itself, it takes some megabytes for
/// each one that does not read, and the time to copy them.
const MOST_UNSENT_BYTES: usize = 256 * 1024;
/// How long nothing is accepted after that failed, mostly for want of file descriptors.
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Which listener a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    /// What services ask.
    Api,
    /// What people and their tools ask who look after the daemon.
    Admin,
}

/// A bound address.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) address: SocketAddr,
    listener: StdListener,
}

/// Refuses to be reached by others than this machine without authentication, unless that is wanted.
pub(super) fn check_host(settings: &ServeSettings) -> Result<(), Error> {
    let is_open = settings.insecure || settings.access.has_authentication();
    if is_open || is_loopback(&settings.host)? {
        return Ok(());
    }
    Err(Error::settings(format!(
        "the host {} can be reached by other machines, and nobody has to prove who they are: give 127.0.0.1, or tokens in the settings file, or --insecure if only those reach it who may",
        settings.host
    )))
}

/// Whether only this machine reaches a host.
pub(super) fn is_loopback(host: &str) -> Result<bool, Error> {
    Ok(resolved(host, 0)?.iter().all(|address| address.ip().is_loopback()))
}

/// All addresses of a host; names have several.
fn resolved(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(vec![(ip, port).into()]);
    }
    let found = (host, port).to_socket_addrs().map_err(|error| Error::address(host, error))?;
    Ok(found.collect())
}

impl Bound {
    /// Binds a port of a host; `None` where it is off.
    pub(super) fn new(host: &str, port: Port) -> Result<Option<Self>, Error> {
        let Port::Number(number) = port else { return Ok(None) };
        let addresses = resolved(host, number)?;
        let wrong = |error| Error::address(format!("{host}:{number}"), error);
        let listener = StdListener::bind(addresses.as_slice()).map_err(wrong)?;
        listener.set_nonblocking(true).map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        Ok(Some(Self { address, listener }))
    }

    /// For a runtime, which must have been entered.
    pub(super) fn listener(self) -> Result<TcpListener, Error> {
        let address = self.address;
        TcpListener::from_std(self.listener)
            .map_err(|error| Error::address(address.to_string(), error))
    }
}

/// Answers connections until it is to stop, and then lets those end that are open.
pub(super) async fn serve(listener: TcpListener, side: Side, router: Router, app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    let places = Arc::new(Semaphore::new(app.settings.limits.connections.max(1)));
    let connections = GracefulShutdown::new();
    let connecting = Connecting {
        http: http(app.settings.limits.idle_timeout.as_duration()),
        side,
        router: TowerToHyperService::new(router),
        app,
    };
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => break,
        };
        match accepted {
            Ok((stream, place)) => connecting.spawn(stream, place, &connections),
            Err(error) => {
                connecting.note_failure(&error);
                tokio::time::sleep(AFTER_A_FAILURE).await;
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

fn http(patience: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(patience).max_buf_size(MOST_HEAD_BYTES).max_headers(MOST_HEADERS);
    http
}

/// What to do, where that is known.
fn remedy_of(error: &std::io::Error) -> &'static str {
    if error.raw_os_error() == Some(Errno::MFILE.raw_os_error()) {
        ": raise the limit on open files (ulimit -n), or allow fewer connections"
    } else {
        ""
    }
}

/// A stream that breaks where the other side takes nothing of what it is sent.
type Patient = Pin<Box<TimeoutStream<TcpStream>>>;

fn patient(stream: TcpStream, patience: Duration) -> Patient {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience));
    Box::pin(stream)
}

/// A stream once both sides agree how to encrypt it; `None` where they do not, or not in time.
async fn shaken(
    tls: &Tls,
    stream: Patient,
    patience: Duration,
    mut stopping: watch::Receiver<bool>,
) -> Option<TlsStream<Patient>> {
    let shaken = tokio::time::timeout(patience, tls.acceptor.accept(stream));
    let shaken = tokio::select! {
        shaken = shaken => shaken.ok()?,
        _ = stopping.wait_for(|is_stopping| *is_stopping) => return None,
    };
    shaken.inspect_err(|error| tracing::debug!(%error, "a connection without TLS")).ok()
}

/// What every connection of a listener is given.
struct Connecting {
    side: Side,
    app: Arc<App>,
    router: TowerToHyperService<Router>,
    http: http1::Builder,
}

impl Connecting {
    /// Says it once as long as it goes on.
    fn note_failure(&self, error: &std::io::Error) {
        let listener = match self.side {
            Side::Api => "api",
            Side::Admin => "admin",
        };
        let text = format!("a connection was not accepted ({error}){}", remedy_of(error));
        if self.app.problems.note_often(ProblemKind::Listener, listener, &text) {
            tracing::warn!(listener, %error, "connections are not accepted");
        }
    }

    fn spawn(
        &self,
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        connections: &GracefulShutdown,
    ) {
        // Answers are small and go out at once; where that cannot be set they are only later.
        stream.set_nodelay(true).unwrap_or_default();
        set_socket_send_buffer_size(&stream, MOST_UNSENT_BYTES).unwrap_or_default();
        let answering = Arc::new(Answering {
            app: Arc::clone(&self.app),
            side: self.side,
            router: self.router.clone(),
            for_all_of_it: KeptTimer::default(),
            for_the_disk: KeptTimer::default(),
        });
        let service = service_fn(move |request| {
            answer(Arc::clone(&answering), request).map(Ok::<_, Infallible>)
        });
        let (mut http, watcher) = (self.http.clone(), connections.watcher());
        http.timer(KeptTimer::default());
        let tls = self.app.tls.now();
        let patience = self.app.settings.limits.idle_timeout.as_duration();
        let stopping = self.app.stopping.clone();
        tokio::spawn(async move {
            let stream = patient(stream, patience);
            let ended = match &*tls {
                None => watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await,
                Some(tls) => match shaken(tls, stream, patience, stopping).await {
                    Some(stream) => {
                        watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await
                    }
                    None => Ok(()),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
}
