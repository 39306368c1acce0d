//! What happens in an environment, for those who listen: decisions, events, new datafiles.
//!
//! Must not know who listens, nor how frames look. Whoever decides only puts a frame aside, and only if
//! somebody wants its kind. A task hands out what was put aside a moment later, in one piece for all who
//! want the same. Nobody is waited for: a reader who has several pieces left to take is let go of, and so
//! are all, if more comes than can be handed out. So memory is bounded, whatever readers do.

mod body;
mod notices;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

pub(super) use self::body::FeedBody;

/// So long frames are gathered, and so much longer for each reader: a piece costs a write to each of them,
/// and many readers must not take the processors from those who decide.
const GATHER: Duration = Duration::from_millis(20);
const GATHER_FOR_EACH: Duration = Duration::from_micros(200);
/// So many bytes may wait to be handed out.
const MOST_WAITING_BYTES: usize = 4 << 20;
/// So many pieces may wait for a reader.
const MOST_PIECES: usize = 16;
/// So many may listen to an environment.
const MOST_READERS: usize = 1024;
/// How often those are told that somebody is there who hear nothing.
const ALIVE: Duration = Duration::from_secs(15);
/// A comment, to clients of event streams.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// What a frame is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Decision = 1,
    Track = 2,
    ConfigUpdate = 4,
}

/// Some kinds of frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

/// How frames are written: one a line, or as events of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Events,
    Lines,
}

#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The kinds that somebody wants.
    wanted: AtomicU8,
    waiting: Mutex<Waiting>,
    has_come: Notify,
    readers: Mutex<Vec<Reader>>,
    is_over: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: Vec<(Kind, String)>,
    bytes: usize,
    /// More came than could be handed out.
    is_too_much: bool,
}

#[derive(Debug)]
struct Reader {
    kinds: Kinds,
    form: Form,
    pieces: mpsc::Sender<Bytes>,
}

impl Kinds {
    pub(super) const ALL: Self = Self(7);

    pub(super) fn with(self, kind: Kind) -> Self {
        Self(self.0 | kind as u8)
    }

    fn has(self, kind: Kind) -> bool {
        self.0 & kind as u8 != 0
    }
}

impl Form {
    fn write(self, text: &mut String, frame: &str) {
        let (before, behind) = match self {
            Self::Events => ("data: ", "\n\n"),
            Self::Lines => ("", "\n"),
        };
        text.extend([before, frame, behind]);
    }
}

impl Feed {
    /// Listens from now on; `None` where too many do.
    pub(super) fn listen(&self, kinds: Kinds, form: Form) -> Option<FeedBody> {
        let (pieces, body) = mpsc::channel(MOST_PIECES);
        let mut readers = self.readers.lock();
        readers.retain(|reader| !reader.pieces.is_closed());
        if readers.len() >= MOST_READERS {
            return None;
        }
        if !self.is_over.load(Ordering::Relaxed) {
            if form == Form::Events {
                // The head of the answer goes out with it. There is room.
                pieces.try_send(COMMENT).unwrap_or_default();
            }
            readers.push(Reader { kinds, form, pieces });
            self.note_wanted(&readers);
        }
        Some(FeedBody::new(body))
    }

    /// Whether anybody wants frames of a kind.
    fn is_wanted(&self, kind: Kind) -> bool {
        Kinds(self.wanted.load(Ordering::Relaxed)).has(kind)
    }

    /// Puts a frame aside.
    fn put(&self, kind: Kind, frame: String) {
        let mut waiting = self.waiting.lock();
        waiting.bytes += frame.len();
        if waiting.bytes > MOST_WAITING_BYTES {
            waiting.frames.clear();
            waiting.is_too_much = true;
            drop(waiting);
            self.has_come.notify_one();
            return;
        }
        waiting.frames.push((kind, frame));
        let is_first = waiting.frames.len() == 1;
        drop(waiting);
        if is_first {
            self.has_come.notify_one();
        }
    }

    fn gathering(&self) -> Duration {
        let readers = u32::try_from(self.readers.lock().len()).unwrap_or(u32::MAX);
        GATHER.saturating_add(GATHER_FOR_EACH.saturating_mul(readers))
    }

    fn note_wanted(&self, readers: &[Reader]) {
        let wanted = readers.iter().fold(0, |wanted, reader| wanted | reader.kinds.0);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    fn hand_out(&self) {
        let Waiting { frames, is_too_much, .. } = std::mem::take(&mut *self.waiting.lock());
        let mut pieces = Pieces { frames: &frames, made: Vec::new() };
        let mut readers = self.readers.lock();
        let before = readers.len();
        readers.retain(|reader| {
            let piece = pieces.of(reader.kinds, reader.form);
            !is_too_much && (piece.is_empty() || reader.pieces.try_send(piece).is_ok())
        });
        if readers.len() < before {
            tracing::debug!(readers = before - readers.len(), "let go of: too slow, or gone");
            self.note_wanted(&readers);
        }
    }

    fn say_alive(&self) {
        let mut readers = self.readers.lock();
        readers.retain(|reader| match reader.form {
            Form::Events => reader.pieces.try_send(COMMENT).is_ok(),
            Form::Lines => !reader.pieces.is_closed(),
        });
        self.note_wanted(&readers);
    }

    /// Ends all streams.
    fn end(&self) {
        let mut readers = self.readers.lock();
        self.is_over.store(true, Ordering::Relaxed);
        readers.clear();
        self.note_wanted(&readers);
    }
}

/// Frames that are handed out, in the pieces in which readers want them.
struct Pieces<'f> {
    frames: &'f [(Kind, String)],
    made: Vec<(Kinds, Form, Bytes)>,
}

impl Pieces<'_> {
    fn of(&mut self, kinds: Kinds, form: Form) -> Bytes {
        let is_it = |made: &&(Kinds, Form, Bytes)| (made.0, made.1) == (kinds, form);
        if let Some((.., piece)) = self.made.iter().find(is_it) {
            return piece.clone();
        }
        let mut text = String::new();
        for (_, frame) in self.frames.iter().filter(|(kind, _)| kinds.has(*kind)) {
            form.write(&mut text, frame);
        }
        let piece = Bytes::from(text);
        self.made.push((kinds, form, piece.clone()));
        piece
    }
}

/// Hands out what comes, until it is to stop.
pub(super) async fn run(feed: Arc<Feed>, mut stopping: watch::Receiver<bool>) {
    let mut alive = interval(ALIVE);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let has_come = tokio::select! {
            () = feed.has_come.notified() => true,
            _ = alive.tick() => false,
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return feed.end(),
        };
        if has_come {
            sleep(feed.gathering()).await;
            feed.hand_out();
        } else {
            feed.say_alive();
        }
    }
}

#[cfg(test)]
mod tests {
    //! Readers who take nothing, and more than can be handed out.

    use super::{Feed, Form, Kind, Kinds, MOST_PIECES, MOST_READERS, MOST_WAITING_BYTES};

    fn readers(feed: &Feed) -> usize {
        feed.readers.lock().len()
    }

    #[test]
    fn who_takes_nothing_is_let_go_of() {
        let feed = Feed::default();
        let slow = feed.listen(Kinds::ALL, Form::Lines);
        let other = feed.listen(Kinds::default().with(Kind::Track), Form::Lines);
        for _ in 0..MOST_PIECES {
            feed.put(Kind::Decision, "{}".to_owned());
            feed.hand_out();
        }
        assert_eq!(readers(&feed), 2);
        feed.put(Kind::Decision, "{}".to_owned());
        feed.hand_out();
        assert_eq!(readers(&feed), 1, "the one who wants other kinds has nothing left to take");
        assert!(!feed.is_wanted(Kind::Decision) && feed.is_wanted(Kind::Track));
        drop((slow, other));
        feed.say_alive();
        assert_eq!(readers(&feed), 0);
        assert!(!feed.is_wanted(Kind::Track));
    }

    #[test]
    fn more_than_can_be_handed_out_ends_all_streams_and_takes_no_memory() {
        let feed = Feed::default();
        let _reader = feed.listen(Kinds::ALL, Form::Events);
        let frame = "x".repeat(MOST_WAITING_BYTES / 4);
        for _ in 0..20 {
            feed.put(Kind::Track, frame.clone());
        }
        assert!(feed.waiting.lock().frames.len() <= 4);
        feed.hand_out();
        assert_eq!((readers(&feed), feed.waiting.lock().bytes), (0, 0));
    }

    #[test]
    fn only_so_many_may_listen() {
        let feed = Feed::default();
        let listen = || feed.listen(Kinds::ALL, Form::Lines);
        let mut bodies: Vec<_> = (0..MOST_READERS).map(|_| listen()).collect();
        assert!(bodies.iter().all(Option::is_some));
        assert!(listen().is_none());
        bodies.pop();
        assert!(listen().is_some(), "the place of one who went away is free");
    }
}
