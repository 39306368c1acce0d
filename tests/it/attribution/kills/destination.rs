//! What the writer posts to: a server that fails at random in every way that a destination can, and
//! notes what it keeps.
//!
//! Who posts cannot know, of most failures, whether what was posted is kept: so it is drawn as well. It is
//! even kept when the client has long gone and sent it again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::kept::{Element, Kept, of_event_api, of_webhook};
use super::plan::is_poison;
use super::sinks::{EVENT_API, TIMEOUT, WEBHOOK};
use crate::events::server::{Answer, Request, Server};

/// What the destination says of poison.
pub(super) const REFUSAL: &str = "no such user here";

pub(super) struct Destination {
    pub(super) port: u16,
    shared: Arc<Shared>,
    server: Arc<Mutex<Option<Server>>>,
    closing: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_well: AtomicBool,
    takes_poison: AtomicBool,
    random: Mutex<Option<StdRng>>,
    kept: Mutex<[Kept; 2]>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    busy: AtomicUsize,
    stages: Mutex<[u64; 2]>,
    reached: Condvar,
}

/// How far the answer to a request is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// It is here, and nothing of it is kept.
    Here,
    /// What is kept of it is; the answer goes out now.
    Kept,
}

/// What is done about a request: whether it is kept, and the answer.
#[derive(Debug, Clone)]
enum Mood {
    Keeps(Answer),
    Loses(Answer),
    /// Keeps it when the client has given up.
    KeepsLate,
}

impl Destination {
    pub(super) fn start(seed: u64) -> Self {
        let random = Mutex::new(Some(StdRng::seed_from_u64(seed)));
        let shared = Arc::new(Shared { random, ..Shared::default() });
        let server = serve(0, &shared);
        let port = server.port;
        let server = Arc::new(Mutex::new(Some(server)));
        let (serving, closed) = (shared.clone(), server.clone());
        let closing = Some(thread::spawn(move || serving.come_and_go(&closed, port)));
        Self { port, shared, server, closing }
    }

    /// From now on it answers, and takes all but poison.
    pub(super) fn get_well(&mut self) {
        self.shared.is_well.store(true, Ordering::SeqCst);
        self.closing.take().unwrap().join().unwrap();
        assert!(self.server.lock().is_some());
    }

    pub(super) fn take_poison(&self) {
        self.shared.takes_poison.store(true, Ordering::SeqCst);
    }

    /// Whether a request is being worked on.
    pub(super) fn is_busy(&self) -> bool {
        self.shared.busy.load(Ordering::SeqCst) > 0
    }

    /// Waits until a further request is so far; gives whether one was.
    pub(super) fn wait_for(&self, stage: Stage, patience: Duration) -> bool {
        let mut stages = self.shared.stages.lock();
        let before = stages[stage as usize];
        let is_missing = |stages: &mut [u64; 2]| stages[stage as usize] == before;
        !self.shared.reached.wait_while_for(&mut stages, is_missing, patience).timed_out()
    }

    /// What the webhook has kept, and what the event API has, when nothing is worked on any more.
    pub(super) fn kept(&self) -> [Kept; 2] {
        while self.is_busy() {
            thread::sleep(Duration::from_millis(5));
        }
        std::mem::take(&mut *self.shared.kept.lock())
    }

    /// How many requests were met how.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.shared.counts.lock().clone()
    }
}

fn serve(port: u16, shared: &Arc<Shared>) -> Server {
    let shared = shared.clone();
    Server::start_forgetful(port, move |_, request| shared.answer(request))
}

impl Shared {
    fn draw(&self, below: u64) -> u64 {
        self.random.lock().as_mut().unwrap().random_range(0..below)
    }

    fn count(&self, what: &'static str) {
        *self.counts.lock().entry(what).or_default() += 1;
    }

    /// Again and again nobody listens for a while.
    fn come_and_go(self: &Arc<Self>, server: &Mutex<Option<Server>>, port: u16) {
        while !self.is_well.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(200 + self.draw(900)));
            drop(server.lock().take());
            self.count("times that nobody listened");
            thread::sleep(Duration::from_millis(20 + self.draw(180)));
            *server.lock() = Some(serve(port, self));
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.busy.fetch_add(1, Ordering::SeqCst);
        self.reach(Stage::Here);
        let (name, mood) = self.mood();
        self.count(name);
        let answer = match mood {
            Mood::Keeps(answer) => self.keep(request).unwrap_or(answer),
            Mood::Loses(answer) => answer,
            Mood::KeepsLate => {
                thread::sleep(TIMEOUT + Duration::from_millis(30));
                self.keep(request).unwrap_or(Answer::Status(200, "", ""))
            }
        };
        self.reach(Stage::Kept);
        self.busy.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    fn reach(&self, stage: Stage) {
        self.stages.lock()[stage as usize] += 1;
        self.reached.notify_all();
    }

    fn mood(&self) -> (&'static str, Mood) {
        if self.is_well.load(Ordering::SeqCst) {
            return ("200 when well", Mood::Keeps(Answer::Status(200, "", "")));
        }
        let (brief, long) = (Duration::from_millis(5 + self.draw(40)), TIMEOUT * 2);
        let after = ["Retry-After: 0\r\n", "Retry-After: 1\r\n"][usize::from(self.draw(4) == 0)];
        const HALF_A_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Le";
        const HALF_A_BODY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf";
        match self.draw(100) {
            0..40 => ("200", Mood::Keeps(Answer::Status(200, "", "thanks"))),
            40..46 => ("200, slow", Mood::Keeps(Answer::Slow(brief, 200))),
            46..53 => ("500, lost", Mood::Loses(Answer::Status(500, "", "out of order"))),
            53..58 => ("500, kept", Mood::Keeps(Answer::Status(500, "", "out of order"))),
            58..62 => ("429, lost", Mood::Loses(Answer::Status(429, after, ""))),
            62..65 => ("429, kept", Mood::Keeps(Answer::Status(429, after, ""))),
            65..69 => ("reset before the answer, lost", Mood::Loses(Answer::Broken(""))),
            69..73 => ("reset before the answer, kept", Mood::Keeps(Answer::Broken(""))),
            73..77 => ("reset in the head, kept", Mood::Keeps(Answer::Broken(HALF_A_HEAD))),
            77..81 => ("reset in the body, kept", Mood::Keeps(Answer::Broken(HALF_A_BODY))),
            81..84 => ("closed in the head, lost", Mood::Loses(Answer::ResetInHead)),
            84..87 => ("closed in the body, kept", Mood::Keeps(Answer::ResetInBody)),
            87..89 => ("no HTTP, kept", Mood::Keeps(Answer::Nonsense)),
            89..93 => ("too slow, kept before", Mood::Keeps(Answer::Slow(long, 200))),
            93..97 => ("too slow, kept behind the time", Mood::KeepsLate),
            _ => ("too slow, lost", Mood::Loses(Answer::Slow(long, 200))),
        }
    }

    /// Keeps what is in the request, or gives the refusal of it.
    fn keep(&self, request: &Request) -> Option<Answer> {
        let path = request.line.split(' ').nth(1).unwrap();
        let (place, elements) = match path {
            WEBHOOK => (0, of_webhook(&request.body)),
            EVENT_API => (1, of_event_api(&request.body)),
            _ => panic!("nobody is to post to {path}"),
        };
        if place == 0 && self.is_refused(&elements) {
            self.count("  of these refused for poison, 400");
            return Some(Answer::Status(400, "", REFUSAL));
        }
        self.kept.lock()[place].take(elements);
        None
    }

    fn is_refused(&self, elements: &[Element]) -> bool {
        let is_poison = |element: &Element| {
            let record: Value = serde_json::from_str(&element.text).unwrap();
            let id = record["eventId"].as_str().or(record["id"].as_str()).unwrap();
            is_poison(id)
        };
        !self.takes_poison.load(Ordering::SeqCst) && elements.iter().any(is_poison)
    }
}
