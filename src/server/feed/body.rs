//! The body of an answer that goes on as long as there is something to say.
//!
//! Must not know what is said.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;

/// Ends when whoever speaks lets go of it.
#[derive(Debug)]
pub(in crate::server) struct FeedBody {
    pieces: mpsc::Receiver<Bytes>,
}

impl FeedBody {
    pub(super) const fn new(pieces: mpsc::Receiver<Bytes>) -> Self {
        Self { pieces }
    }
}

impl Body for FeedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
