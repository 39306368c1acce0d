//! A body that goes on until somebody ends it, in frames.
//!
//! Must not know what is in them. A reader who does not take its frames is not waited for: it has room for
//! a few, and then its stream ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{self, error::TrySendError};

/// So many frames wait for a reader; what the connection holds comes on top.
const WAITING_FRAMES: usize = 8;

/// The side that is read.
#[derive(Debug)]
pub(in crate::server) struct Stream {
    frames: mpsc::Receiver<Bytes>,
    /// Among all streams: free again when this one is gone.
    _place: OwnedSemaphorePermit,
}

/// The side that tells.
#[derive(Debug)]
pub(in crate::server) struct Teller(mpsc::Sender<Bytes>);

/// There is nobody to tell any more.
#[derive(Debug)]
pub(in crate::server) struct Gone;

pub(in crate::server) fn stream(place: OwnedSemaphorePermit) -> (Teller, Stream) {
    let (teller, frames) = mpsc::channel(WAITING_FRAMES);
    (Teller(teller), Stream { frames, _place: place })
}

impl Teller {
    /// Tells something at once, or ends the stream.
    pub(in crate::server) fn tell(&self, frame: impl Into<Bytes>) -> Result<(), Gone> {
        self.0.try_send(frame.into()).map_err(|error| {
            if matches!(error, TrySendError::Full(_)) {
                tracing::debug!("a stream's reader is too slow, and is dropped");
            }
            Gone
        })
    }

    /// Waits until the reader is gone.
    pub(in crate::server) async fn gone(&self) {
        self.0.closed().await;
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.get_mut().frames.poll_recv(context);
        frame.map(|frame| frame.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    //! What becomes of who does not read.

    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::{WAITING_FRAMES, stream};

    #[test]
    fn who_does_not_read_is_let_go_of() {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().ok();
        let Some((teller, mut reader)) = place.map(stream) else {
            return assert_eq!(places.available_permits(), 1, "a place");
        };
        assert!((0..WAITING_FRAMES).all(|_| teller.tell("frame").is_ok()));
        assert!(teller.tell("one more").is_err(), "nobody waits for it");
        drop(teller);
        let mut waiting = 0;
        while reader.frames.try_recv().is_ok() {
            waiting += 1;
        }
        assert_eq!(waiting, WAITING_FRAMES, "what it had room for is there");
        assert_eq!(places.available_permits(), 0);
        drop(reader);
        assert_eq!(places.available_permits(), 1);
    }

    #[test]
    fn who_is_gone_is_told_nothing() {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().ok();
        let Some((teller, reader)) = place.map(stream) else {
            return assert_eq!(places.available_permits(), 1, "a place");
        };
        drop(reader);
        assert!(teller.tell("frame").is_err());
    }
}
