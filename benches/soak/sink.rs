//! A webhook that flaps: it takes records, fails, is slow, and is not there at all, in turn.
//!
//! Must not know who sends.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::process::Fault;

const SLOW: Duration = Duration::from_secs(2);
/// What stands before the number of an event in a record.
const EVENT: &[u8] = b"\"eventId\":\"soak-";

const DIGITS: usize = 10;

/// How it is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Failing,
    Slow,
    Gone,
}

pub(crate) const MOODS: [Mood; 4] = [Mood::Well, Mood::Failing, Mood::Slow, Mood::Gone];

#[derive(Debug, Clone)]
pub(crate) struct Sink {
    mood: watch::Sender<Mood>,
    /// Events that were taken.
    taken: Arc<Mutex<HashSet<u64>>>,
}

impl Sink {
    /// Listens on a free port; gives where.
    pub(crate) async fn start() -> Result<(Self, SocketAddr), Fault> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let sink = Self { mood: watch::Sender::new(Mood::Well), taken: Arc::default() };
        tokio::spawn(sink.clone().run(listener, address));
        Ok((sink, address))
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// How many of these events were not taken.
    pub(crate) fn missing(&self, events: &[u64]) -> usize {
        let taken = self.taken.lock();
        events.iter().filter(|event| !taken.contains(event)).count()
    }

    async fn run(self, listener: TcpListener, address: SocketAddr) {
        let mut mood = self.mood.subscribe();
        let mut listener = Some(listener);
        loop {
            let Some(there) = listener.take() else {
                if mood.wait_for(|mood| *mood != Mood::Gone).await.is_err() {
                    return;
                }
                // The port may be held for a moment longer.
                listener = TcpListener::bind(address).await.ok();
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = there.accept() => {
                        let service = TowerToHyperService::new(self.router());
                        let io = TokioIo::new(stream);
                        connections.spawn(http1::Builder::new().serve_connection(io, service));
                    }
                    _ = mood.wait_for(|mood| *mood == Mood::Gone) => break,
                }
            }
            // Who is sending at the moment is broken off.
            connections.shutdown().await;
        }
    }

    fn router(&self) -> Router {
        let limit = DefaultBodyLimit::disable();
        Router::new().fallback(post(take)).layer(limit).with_state(self.clone())
    }
}

async fn take(State(sink): State<Sink>, body: Bytes) -> StatusCode {
    let mood = *sink.mood.borrow();
    match mood {
        Mood::Failing => return StatusCode::INTERNAL_SERVER_ERROR,
        Mood::Slow => tokio::time::sleep(SLOW).await,
        Mood::Well | Mood::Gone => {}
    }
    let mut taken = sink.taken.lock();
    for at in memchr::memmem::find_iter(&body, EVENT) {
        let digits = body.get(at + EVENT.len()..at + EVENT.len() + DIGITS).unwrap_or_default();
        taken
            .extend(std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok()));
    }
    StatusCode::NO_CONTENT
}
