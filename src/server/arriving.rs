//! The body of a request, and whether all of it has come: who sent it in time is not blamed for what takes long
//! behind it.
//!
//! Must not know what it says.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

/// Whether all of a body has come.
#[derive(Debug, Clone)]
pub(super) struct Arrived(Arc<AtomicBool>);

impl Arrived {
    pub(super) fn is_whole(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Watches a body come.
pub(super) fn watched(body: Incoming) -> (Watched, Arrived) {
    let arrived = Arrived(Arc::new(AtomicBool::new(body.is_end_stream())));
    (Watched { body, arrived: arrived.clone() }, arrived)
}

/// A body that is watched.
pub(super) struct Watched {
    body: Incoming,
    arrived: Arrived,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        if frame.is_none() || this.body.is_end_stream() {
            this.arrived.0.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
