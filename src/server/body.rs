//! Bodies, up to a limit: whole ones, or as much of them as there is room for.
//!
//! Must not know what is in them.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Bytes, HttpBody};
use axum::http::StatusCode;

use super::refusal::Refusal;

/// Up to so many times the limit a body is read that is let go, and up to so much more than it: more is no mistake.
const MOST_TIMES: u64 = 64;
const MOST_MORE: u64 = 64 << 20;

/// A body, or its beginning.
#[derive(Debug)]
pub(super) enum Sent {
    Whole(Bytes),
    /// So much of what is too large as there is room for.
    Beginning(Bytes),
}

/// A whole body, which may not be larger than this.
pub(super) async fn whole<B>(body: B, most_bytes: u64) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    match to_its_end(body, most_bytes).await? {
        Sent::Whole(bytes) => Ok(bytes),
        Sent::Beginning(_) => Err(too_large(most_bytes)),
    }
}

/// What is sent, read to its end however large it is, as far as that can be meant: who is cut off while it writes
/// does not hear why, and sends the same again for ever.
pub(super) async fn to_its_end<B>(mut body: B, most_bytes: u64) -> Result<Sent, Refusal>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let most_read = most_bytes.saturating_mul(MOST_TIMES).min(most_bytes.saturating_add(MOST_MORE));
    let (mut joined, mut is_too_large) = (Joined::new(most_bytes), false);
    let mut read = 0_u64;
    if body.size_hint().lower() > most_read {
        return Ok(Sent::Beginning(Bytes::new()));
    }
    while let Some(part) = next_part(&mut body).await {
        let part = part?;
        read = read.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        is_too_large |= !joined.add(part);
        if read > most_read {
            break;
        }
    }
    let bytes = joined.bytes();
    Ok(if is_too_large { Sent::Beginning(bytes) } else { Sent::Whole(bytes) })
}

pub(super) fn too_large(most_bytes: u64) -> Refusal {
    let text = format!("the body is larger than {most_bytes} bytes: send less at once");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
}

/// The next piece of data; trailers are not read.
async fn next_part<B>(body: &mut B) -> Option<Result<Bytes, Refusal>>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        match frame.map(|frame| frame.into_data()) {
            Ok(Ok(part)) => return Some(Ok(part)),
            Ok(Err(_)) => {}
            Err(_) => return Some(Err(Refusal::broken_off())),
        }
    }
}

/// Parts in one piece. Mostly all of it comes at once, and stays where it is.
struct Joined {
    most: usize,
    first: Bytes,
    joined: Vec<u8>,
}

impl Joined {
    fn new(most_bytes: u64) -> Self {
        let most = usize::try_from(most_bytes).unwrap_or(usize::MAX);
        Self { most, first: Bytes::new(), joined: Vec::new() }
    }

    /// Adds a part, up to the limit; gives whether it has room.
    fn add(&mut self, mut part: Bytes) -> bool {
        let room = self.most.saturating_sub(self.first.len() + self.joined.len());
        let has_room = part.len() <= room;
        part.truncate(room);
        if self.first.is_empty() && self.joined.is_empty() {
            self.first = part;
        } else {
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
            self.joined.extend_from_slice(&part);
        }
        has_room
    }

    fn bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.into() }
    }
}
