//! Connections that ask without a pause, each what comes after the answer.
//!
//! Must not know what an answer should say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_TYPE, HOST, IF_NONE_MATCH};
use axum::http::{HeaderMap, Request, StatusCode};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use variate::clock::Stopwatch;

use crate::calls::{Call, Kind, Said};
use crate::process::Fault;

/// More are only counted.
const MOST_FAULTS: usize = 20;
const MOST_BYTES: usize = 16 << 20;

/// What all connections have found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) faults: Mutex<Vec<String>>,
    pub(crate) fault_count: AtomicU64,
    pub(crate) answers: AtomicU64,
    pub(crate) not_modified: AtomicU64,
    /// How long decisions took, in microseconds.
    pub(crate) decide_us: Mutex<Vec<u32>>,
    /// Events that were acknowledged and counted for something, by their number.
    pub(crate) credited: Mutex<Vec<u64>>,
    next_event: AtomicU64,
}

impl Found {
    pub(crate) fn fault(&self, fault: String) {
        self.fault_count.fetch_add(1, Ordering::Relaxed);
        let mut faults = self.faults.lock();
        if faults.len() < MOST_FAULTS {
            faults.push(fault);
        }
    }
}

/// Whom to ask, and for what.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) api: SocketAddr,
    pub(crate) sdk_keys: [&'static str; 2],
    pub(crate) connections: usize,
    /// Only this, else everything.
    pub(crate) only: Option<Kind>,
}

/// Asks until it is over.
pub(crate) async fn run(load: &Load, found: &Arc<Found>, is_over: &Arc<AtomicBool>) {
    let mut connections = JoinSet::new();
    for number in 0..load.connections {
        let (load, found, is_over) = (load.clone(), Arc::clone(found), Arc::clone(is_over));
        connections.spawn(async move {
            let mut asking = Asking::new(load, number as u64, found);
            while !is_over.load(Ordering::Relaxed) {
                if let Err(fault) = asking.ask_on_a_connection(&is_over).await {
                    asking.found.fault(format!("a connection broke: {fault}"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            asking.found.decide_us.lock().append(&mut asking.decide_us);
        });
    }
    connections.join_all().await;
}

/// Asks so long; gives how many answers there were a second.
pub(crate) async fn rate(load: &Load, found: &Arc<Found>, lasts: Duration) -> f64 {
    let is_over = Arc::new(AtomicBool::new(false));
    let before = found.answers.load(Ordering::Relaxed);
    let watch = Stopwatch::start();
    let over = Arc::clone(&is_over);
    let timer = async move {
        tokio::time::sleep(lasts).await;
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(run(load, found, &is_over), timer);
    let answers = found.answers.load(Ordering::Relaxed) - before;
    f64::from(u32::try_from(answers).unwrap_or(u32::MAX)) / watch.elapsed().as_secs_f64()
}

/// What a connection keeps while it asks.
struct Asking {
    load: Load,
    found: Arc<Found>,
    random: StdRng,
    decide_us: Vec<u32>,
    /// By environment: the latest revision seen. A datafile in force never goes back.
    revisions: BTreeMap<&'static str, u64>,
    etags: BTreeMap<&'static str, String>,
}

impl Asking {
    fn new(load: Load, number: u64, found: Arc<Found>) -> Self {
        Self {
            load,
            found,
            random: StdRng::seed_from_u64(number),
            decide_us: Vec::new(),
            revisions: BTreeMap::new(),
            etags: BTreeMap::new(),
        }
    }

    async fn ask_on_a_connection(&mut self, is_over: &AtomicBool) -> Result<(), Fault> {
        let stream = TcpStream::connect(self.load.api).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        while !is_over.load(Ordering::Relaxed) {
            self.ask(&mut sender).await?;
        }
        drop(sender);
        connection.await??;
        Ok(())
    }

    async fn ask(&mut self, sender: &mut SendRequest<Body>) -> Result<(), Fault> {
        let kind = self.load.only.unwrap_or_else(|| Kind::any(&mut self.random));
        let place = usize::from(self.random.random_bool(0.5));
        let sdk_key = self.load.sdk_keys.get(place).copied().unwrap_or_default();
        let event = match kind {
            Kind::Track => self.found.next_event.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        let mut call = kind.call(sdk_key, event, &mut self.random);
        if kind.is_for_everybody() {
            call.if_none_match = self.etags.get(sdk_key).cloned();
        }
        let watch = Stopwatch::start();
        let (status, headers, body) = answer(sender, &call, sdk_key).await?;
        if kind == Kind::Decide {
            self.decide_us.push(u32::try_from(watch.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        self.found.answers.fetch_add(1, Ordering::Relaxed);
        match call.judge(status, &headers, &body).and_then(|said| self.note(said, &call, sdk_key)) {
            Ok(true) => self.found.credited.lock().push(event),
            Ok(false) => {}
            Err(problem) => {
                let body = String::from_utf8_lossy(&body);
                self.found.fault(format!("{} answered {status} {problem}: {body:.300}", call.path));
            }
        }
        Ok(())
    }

    /// Says whether an event was credited.
    fn note(&mut self, said: Said, call: &Call, sdk_key: &'static str) -> Result<bool, String> {
        if let Some(revision) = said.revision {
            let before = self.revisions.insert(sdk_key, revision).unwrap_or_default();
            if revision < before {
                return Err(format!("went back from {before} to {revision}"));
            }
        }
        if call.kind.is_for_everybody() {
            if said.etag.is_some() && said.etag == call.if_none_match {
                self.found.not_modified.fetch_add(1, Ordering::Relaxed);
            }
            self.etags.extend(said.etag.map(|etag| (sdk_key, etag)));
        }
        Ok(said.is_credited)
    }
}

/// Asks once for a page, on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<(StatusCode, Bytes), Fault> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder().uri(path).header(HOST, "localhost").body(Body::empty())?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = to_bytes(Body::new(body), MOST_BYTES).await?;
    drop(sender);
    connection.await??;
    Ok((head.status, body))
}

async fn answer(
    sender: &mut SendRequest<Body>,
    call: &Call,
    sdk_key: &str,
) -> Result<(StatusCode, HeaderMap, Bytes), Fault> {
    let mut request = Request::builder()
        .method(&call.method)
        .uri(&call.path)
        .header(HOST, "localhost")
        .header("x-optimizely-sdk-key", sdk_key);
    if let Some(etag) = &call.if_none_match {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let request = match &call.body {
        Some(body) => {
            request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        }
        None => request.body(Body::empty()),
    }?;
    sender.ready().await?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = to_bytes(Body::new(body), MOST_BYTES).await?;
    Ok((head.status, head.headers, body))
}
