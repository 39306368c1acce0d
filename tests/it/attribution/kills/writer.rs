//! The process that is killed: threads that send and say what was acknowledged, and sinks that deliver.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::calls::Callers;
use super::plan::{MERGING_THREAD, id};
use super::sinks::sinks;
use variate::clock::Clock;
use variate::events::{Delivery, DeliverySettings};
use variate::store::{DurableSettings, DurableStore};

const THREADS: usize = 4;
/// A call in so many swaps the datafile.
const CALLS_PER_SWAP: u64 = 40;

/// Little memory, so that the engine puts things in order while it is killed.
pub(super) fn open(folder: &Path) -> (Arc<DurableStore>, Callers) {
    let clock = Arc::new(Clock::system());
    let settings = DurableSettings {
        reserved_bytes: 0,
        memtable_bytes: 1 << 20,
        ..DurableSettings::default()
    };
    let store = DurableStore::open(folder.join("store"), clock.clone(), settings).unwrap();
    let store = Arc::new(store);
    (store.clone(), Callers::new(store, clock))
}

/// What all threads of the process know.
struct Shared<'a> {
    callers: &'a Callers,
    run: u64,
    /// Sent before, with an unknown fate.
    unknown: Vec<&'a str>,
    /// Sent lately by any thread: some of it is in flight.
    recent: Mutex<VecDeque<String>>,
    is_over: AtomicBool,
}

/// Sends and delivers until standard input ends. It begins with ids to be sent again, on one line.
pub(super) fn write(folder: &Path, port: u16, run: u64) {
    let mut random = StdRng::seed_from_u64(run);
    say("opening", "");
    let (store, callers) = open(folder);
    say("open", "");
    let sizes = [0; 3].map(|_| [1, 7, 40, 200][random.random_range(0..4)]);
    let settings = DeliverySettings { last_drain: Duration::ZERO, ..DeliverySettings::default() };
    let delivery = Delivery::start_with(store, sinks(folder, port, sizes), settings).unwrap();
    let mut unknown = Vec::new();
    let mut byte = [0];
    while std::io::stdin().read(&mut byte).unwrap() > 0 && byte != *b"\n" {
        unknown.push(byte[0]);
    }
    let unknown = String::from_utf8(unknown).unwrap();
    let shared = &Shared {
        callers: &callers,
        run,
        unknown: unknown.split_whitespace().collect(),
        recent: Mutex::default(),
        is_over: AtomicBool::new(false),
    };
    say("ready", "");
    std::thread::scope(|scope| {
        for thread in (0..THREADS).chain([MERGING_THREAD]) {
            scope.spawn(move || shared.send_calls(thread));
        }
        while std::io::stdin().read(&mut byte).unwrap() > 0 {}
        shared.is_over.store(true, Ordering::Relaxed);
    });
    drop(delivery);
}

/// A line, in one piece.
pub(crate) fn say(word: &str, id: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{word} {id}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

impl Shared<'_> {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn send_calls(&self, thread: usize) {
        let mut random = StdRng::seed_from_u64(self.run * THREADS as u64 + thread as u64);
        let mut unknown = self.unknown.iter().skip(thread).step_by(THREADS);
        let mut number = 0;
        while !self.is_over() {
            let mut waiting = Vec::new();
            for _ in 0..random.random_range(1..8) {
                let sent_before = match random.random_range(0..10) {
                    0..2 => self.a_recent_one(&mut random),
                    2 => Some(self.one_of_any_run(thread, &mut random)),
                    3 => unknown.next().map(ToString::to_string),
                    _ => None,
                };
                let id = sent_before.unwrap_or_else(|| {
                    number += 1;
                    self.a_new_one(id(self.run, thread, number))
                });
                say("sent", &id);
                if random.random_range(0..CALLS_PER_SWAP) == 0 {
                    self.callers.swap(random.random_range(0..100));
                }
                let (is_repeat, receipt) = self.callers.send(&id, None);
                waiting.push((id, is_repeat, receipt));
            }
            for (id, is_repeat, receipt) in waiting {
                match receipt.wait() {
                    Ok(()) => say(if is_repeat { "repeat" } else { "stored" }, &id),
                    Err(error) => say("refused", &format!("{id}: {error}")),
                }
            }
            std::thread::sleep(Duration::from_micros(random.random_range(0..3000)));
        }
    }

    fn a_new_one(&self, id: String) -> String {
        let mut recent = self.recent.lock();
        recent.push_back(id.clone());
        if recent.len() > 20 {
            recent.pop_front();
        }
        id
    }

    /// One that was sent before, unless that run did not come so far.
    fn one_of_any_run(&self, thread: usize, random: &mut StdRng) -> String {
        id(random.random_range(0..=self.run), thread, random.random_range(0..300))
    }

    fn a_recent_one(&self, random: &mut StdRng) -> Option<String> {
        let recent = self.recent.lock();
        (!recent.is_empty()).then(|| recent[random.random_range(0..recent.len())].clone())
    }
}
