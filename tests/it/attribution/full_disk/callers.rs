//! Threads that record whatever happens: what is refused they send again until it is taken.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::super::kills::calls;
use super::super::kills::heard::Heard;
use super::super::kills::plan::id;
use super::super::world::World;
use variate::clock::Stopwatch;
use variate::error::Error;

const THREADS: usize = 4;

/// What callers met.
#[derive(Debug, Default)]
pub(super) struct Callers {
    is_over: AtomicBool,
    /// An attribute that makes entries large.
    padding: Option<&'static str>,
    pub(super) stored: AtomicU64,
    pub(super) refused: AtomicU64,
    /// Refused, and there all the same when sent again.
    pub(super) stored_though_refused: AtomicU64,
    /// The longest that a call and its receipt took.
    slowest: Mutex<Duration>,
    /// Each kind of refusal once.
    pub(super) refusals: Mutex<BTreeSet<String>>,
}

impl Callers {
    /// Whose entries are so large that a small disk is soon full.
    pub(super) fn of_large_entries() -> Self {
        Self { padding: Some(padding()), ..Self::default() }
    }

    /// Runs callers beside `meanwhile`, until it ends.
    pub(super) fn beside(
        &self,
        world: &World,
        run: u64,
        heard: &mut Heard,
        meanwhile: impl FnOnce(),
    ) {
        let sent: Vec<u64> = std::thread::scope(|scope| {
            let call = |thread| scope.spawn(move || self.call(world, run, thread));
            let threads: Vec<_> = (0..THREADS).map(call).collect();
            meanwhile();
            self.is_over.store(true, Ordering::Relaxed);
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        self.is_over.store(false, Ordering::Relaxed);
        for (thread, sent) in sent.into_iter().enumerate() {
            let ids = (0..sent).map(|number| id(run, thread, number));
            heard.acknowledged.extend(ids.clone());
            heard.sent.extend(ids.map(|id| (id, 1)));
        }
    }

    /// Gives how many ids it sent, all of which were stored in the end. The first thread has many in
    /// flight at once, the others one each.
    fn call(&self, world: &World, run: u64, thread: usize) -> u64 {
        let at_once = if thread == 0 { 100 } else { 1 };
        let mut sent = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let mut ids: Vec<_> =
                (sent..sent + at_once).map(|number| id(run, thread, number)).collect();
            sent += at_once;
            let mut is_again = false;
            while !ids.is_empty() {
                ids = self.send(world, ids, is_again);
                is_again = true;
            }
        }
        sent
    }

    /// Gives those that were refused.
    fn send(&self, world: &World, ids: Vec<String>, is_again: bool) -> Vec<String> {
        let started = Stopwatch::start();
        let send = |id: String| {
            let (is_repeat, receipt) = calls::send(world, &id, 0, self.padding);
            (id, is_repeat, receipt)
        };
        let sent: Vec<_> = ids.into_iter().map(send).collect();
        let mut refused = Vec::new();
        for (id, is_repeat, receipt) in sent {
            match receipt.wait() {
                Ok(()) => {
                    assert!(!is_repeat || is_again, "{id} is new");
                    self.stored.fetch_add(1, Ordering::Relaxed);
                    self.stored_though_refused.fetch_add(u64::from(is_repeat), Ordering::Relaxed);
                }
                Err(error) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    self.refusals.lock().insert(in_words(&error));
                    refused.push(id);
                }
            }
        }
        let mut slowest = self.slowest.lock();
        *slowest = slowest.max(started.elapsed());
        drop(slowest);
        if !refused.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        refused
    }

    /// Waits until it has been refused, or stored, that often more.
    pub(super) fn wait_for(&self, what: &str, count: &AtomicU64, more: u64) {
        let (started, before) = (Stopwatch::start(), count.load(Ordering::Relaxed));
        while count.load(Ordering::Relaxed) < before + more {
            if started.elapsed() > Duration::from_secs(40) {
                // Threads that wait for ever would keep a panic from being seen.
                eprintln!("no more {what} for 40 s: {self:?}");
                std::process::abort();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn slowest(&self) -> Duration {
        *self.slowest.lock()
    }
}

pub(super) fn padding() -> &'static str {
    static PADDING: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| "0123456789abcdef".repeat(256));
    &PADDING
}

/// The message and its causes, without what changes from time to time.
pub(super) fn in_words(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!("\n  because {error}"));
        cause = error.source();
    }
    words
}
