//! `GET /events/export`: all records that are kept and meant, a line of JSON each, as they are read.
//!
//! Must not know sinks. A page of the store is in memory at a time, and one more on its way out. Who does not read
//! is not waited for, and is cut off, so that what came does not look whole.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::asked_for::{filter, placed};
use super::events::NDJSON;
use super::reading::{read, work};
use crate::events::{RecordFilter, record_json};
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::problems::ProblemKind;
use crate::server::refusal::Refusal;

/// How long a reader may take for a page.
const MOST_PATIENCE: Duration = Duration::from_secs(30);
/// Records are looked at in stretches of so many.
const STRETCH: u64 = 1024;

pub(super) async fn export(
    State(app): State<Arc<App>>,
    method: Method,
    asked: Asked,
) -> Result<Response, Refusal> {
    let limit = asked.number("limit")?.unwrap_or(u64::MAX);
    let filter = filter(&asked, &["limit"])?;
    let filter = work(&app, move |app| placed(app, filter)).await?;
    let retained = read(&app, |app| app.store.retained()).await?;
    let place = Arc::clone(&app.exports).try_acquire_owned();
    let place = place.map_err(|_| Refusal::too_many_exports())?;
    let (sender, receiver) = mpsc::channel(1);
    let is_whole = Arc::new(AtomicBool::new(false));
    let exporting = Exporting {
        app,
        first: filter.first().max(retained.oldest),
        filter: Arc::new(filter),
        last: retained.latest,
        left: limit,
        unreadable: 0,
        is_whole: Arc::clone(&is_whole),
        _place: place,
    };
    // Who asks for the head alone reads nothing.
    if method != Method::HEAD {
        tokio::spawn(exporting.run(sender));
    }
    let mut response = Response::new(Body::new(Pages { receiver, is_whole }));
    response.headers_mut().insert(CONTENT_TYPE, NDJSON);
    Ok(response)
}

struct Exporting {
    app: Arc<App>,
    filter: Arc<RecordFilter>,
    first: u64,
    /// What comes later is not waited for.
    last: u64,
    left: u64,
    unreadable: u64,
    /// Set at the end, if it was reached.
    is_whole: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

/// What a stretch of the store gave.
struct Stretch {
    text: Vec<u8>,
    count: u64,
    unreadable: u64,
    next: u64,
}

impl Exporting {
    async fn run(mut self, sender: mpsc::Sender<Bytes>) {
        let mut stopping = self.app.stopping.clone();
        let ended = tokio::select! {
            ended = self.pages(&sender) => ended,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => Err("the daemon is stopping"),
        };
        match ended {
            Ok(()) => self.is_whole.store(true, Ordering::Release),
            Err(why) => tracing::warn!(why, "an export was broken off"),
        }
        drop(sender);
        if self.unreadable > 0 {
            let text = format!(
                "an export left out {} records that cannot be read: stop the daemon, and `variate events verify` says which",
                self.unreadable
            );
            tracing::error!(unreadable = self.unreadable, "an export left out records");
            self.app.problems.note(ProblemKind::Store, "", &text);
        }
    }

    async fn pages(&mut self, sender: &mpsc::Sender<Bytes>) -> Result<(), &'static str> {
        while self.first <= self.last && self.left > 0 {
            let (first, left) = (self.first, self.left);
            let last = first.saturating_add(STRETCH - 1).min(self.last);
            let filter = Arc::clone(&self.filter);
            let found = read(&self.app, move |app| Ok(stretch(app, &filter, first..=last, left)));
            let found = found.await.map_err(|_| "the store cannot be read")?;
            self.first = found.next;
            self.left = self.left.saturating_sub(found.count);
            self.unreadable += found.unreadable;
            if found.text.is_empty() {
                continue;
            }
            let sent = sender.send_timeout(found.text.into(), MOST_PATIENCE).await;
            sent.map_err(|_| "who asked does not read")?;
        }
        Ok(())
    }
}

fn stretch(
    app: &App,
    filter: &RecordFilter,
    numbers: std::ops::RangeInclusive<u64>,
    left: u64,
) -> Stretch {
    let looked_at = app.store.retained_records(*numbers.start(), *numbers.end());
    let mut found = Stretch {
        text: Vec::new(),
        count: 0,
        unreadable: looked_at.unreadable,
        next: looked_at.through.saturating_add(1),
    };
    for (_, record) in looked_at.records.iter().filter(|(_, record)| filter.takes(record)) {
        if found.count == left {
            break;
        }
        found.text.extend_from_slice(record_json(record).as_bytes());
        found.text.push(b'\n');
        found.count += 1;
    }
    found
}

/// A body of pages as they come. Where the last is missing, the body breaks off, so that it does not look whole.
struct Pages {
    receiver: mpsc::Receiver<Bytes>,
    is_whole: Arc<AtomicBool>,
}

impl hyper::body::Body for Pages {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let page = std::task::ready!(self.receiver.poll_recv(context));
        Poll::Ready(match page {
            Some(page) => Some(Ok(Frame::data(page))),
            None if self.is_whole.load(Ordering::Acquire) => None,
            None => Some(Err(io::Error::other("the export was broken off"))),
        })
    }
}
