//! Those who listen: to the notifications of Agent and to the streams of OFREP, and those who never read.
//!
//! Must not know what is asked meanwhile.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::header::HOST;
use axum::http::{Request, StatusCode};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::Found;
use crate::process::Fault;

const OFREP: &str = "/ofrep/v1/events";
const CHANGES: &str = "/v1/notifications/event-stream?filter=project_config_update";
const EVERYTHING: &str = "/v1/notifications/event-stream";
/// So many are opened at once.
const AT_ONCE: usize = 50;
/// Who never reads is let go of, and cannot see that: another one comes in its place.
const OTHERS_COME: Duration = Duration::from_secs(20);

/// How many of each kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) ofrep: usize,
    pub(crate) changes: usize,
    /// Hear of each decision and event.
    pub(crate) everything: usize,
    pub(crate) never_read: usize,
}

impl Numbers {
    pub(crate) const NOBODY: Self = Self { ofrep: 0, changes: 0, everything: 0, never_read: 0 };
    pub(crate) const ALL: Self = Self { ofrep: 450, changes: 440, everything: 10, never_read: 100 };
    pub(crate) const THAT_READ: Self = Self { never_read: 0, ..Self::ALL };
}

/// Open streams. They end with this.
#[derive(Debug)]
pub(crate) struct Readers {
    tasks: JoinSet<()>,
    /// What each has heard, with the kind of stream.
    heard: Vec<(&'static str, Arc<AtomicU64>)>,
}

impl Readers {
    /// Opens all of them: when it returns, each one that reads has the head of its answer.
    pub(crate) async fn open(
        api: SocketAddr,
        sdk_keys: [&'static str; 2],
        numbers: Numbers,
        found: &Arc<Found>,
    ) -> Result<Self, Fault> {
        let mut readers = Self { tasks: JoinSet::new(), heard: Vec::new() };
        let reading =
            [(OFREP, numbers.ofrep), (CHANGES, numbers.changes), (EVERYTHING, numbers.everything)];
        let paths = reading.into_iter().flat_map(|(path, count)| std::iter::repeat_n(path, count));
        for (number, path) in paths.enumerate() {
            let [first, second] = sdk_keys;
            let sdk_key = if number.is_multiple_of(2) { first } else { second };
            let body = open(api, path, sdk_key).await?;
            let heard = Arc::new(AtomicU64::new(0));
            readers.heard.push((path, Arc::clone(&heard)));
            let found = Arc::clone(found);
            readers.tasks.spawn(async move {
                let why = listen(body, &heard).await;
                found.fault(format!("{path} ended for one who reads: {why}"));
            });
            if number.is_multiple_of(AT_ONCE) {
                tokio::task::yield_now().await;
            }
        }
        for number in 0..numbers.never_read {
            let path = if number.is_multiple_of(2) { OFREP } else { EVERYTHING };
            let [first, second] = sdk_keys;
            let sdk_key = if number % 4 < 2 { first } else { second };
            readers.tasks.spawn(never_read(api, path, sdk_key));
        }
        Ok(readers)
    }

    /// The least that anybody heard of a change, and all that was heard.
    pub(crate) fn heard(&self) -> (u64, u64) {
        let heard = || self.heard.iter().map(|(_, heard)| heard.load(Ordering::Relaxed));
        (heard().min().unwrap_or_default(), heard().sum())
    }

    pub(crate) async fn close(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn open(api: SocketAddr, path: &str, sdk_key: &str) -> Result<Body, Fault> {
    let stream = TcpStream::connect(api).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .uri(path)
        .header(HOST, "localhost")
        .header("x-optimizely-sdk-key", sdk_key)
        .body(Body::empty())?;
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("{path} answered {}", response.status()).into());
    }
    Ok(Body::new(response.into_body()))
}

/// Reads to the end, which is not to come; says why it came.
async fn listen(mut body: Body, heard: &AtomicU64) -> String {
    loop {
        match poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                if data.starts_with(b"data:") || data.starts_with(b"id:") {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            }
            Some(Err(error)) => return error.to_string(),
            None => return "in order".to_owned(),
        }
    }
}

/// Asks and takes nothing of what comes, not even the head.
async fn never_read(api: SocketAddr, path: &'static str, sdk_key: &'static str) {
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Optimizely-SDK-Key: {sdk_key}\r\n\r\n"
    );
    loop {
        if let Ok(mut stream) = TcpStream::connect(api).await {
            // Whether it is taken is seen by nobody: who reads is who finds faults.
            stream.write_all(head.as_bytes()).await.unwrap_or_default();
            tokio::time::sleep(OTHERS_COME).await;
        }
    }
}
