//! Cuts between any two calls of a process to its disk: of what strace saw of a store that lived several
//! times, as much is kept as was made safe by then, and of the rest anything.

#![expect(
    clippy::disallowed_methods,
    reason = "the environment tells the child what it is, and how many copies are made; the summary is for who asked for it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use variate::attribution::Record;
use variate::clock::Clock;
use variate::store::{DurableStore, Outbox as _};

use super::disk::{Picture, lay_out, tear};
use super::history::{History, Round, SINKS, noon_ms, settings};
use super::simulated::SimulatedDisk;
use super::trace::{Op, trace};
use super::truth::{Between, SinkState, Truth};
use crate::attribution::kills::check::{numbered, retained_from};
use crate::attribution::kills::writer::say;

const TEST: &str = "power_cut::traced::a_cut_between_any_two_calls";
const FOLDER: &str = "VARIATE_TRACED_FOLDER";
const LIFE: &str = "VARIATE_TRACED_LIFE";
/// How many cuts are made, if not so many.
const CUTS: &str = "VARIATE_TRACED_CUTS";
const FEW: usize = 60;
const LIVES: u64 = 4;
/// Days of a life, of which the last is in the next one's past.
const DAYS_PER_LIFE: u64 = 3;

/// What the processes had said by a moment.
#[derive(Default)]
struct Said {
    sent: BTreeSet<String>,
    stored: BTreeSet<String>,
    states: [Vec<SinkState>; SINKS.len()],
    day: u64,
}

impl Said {
    fn line(&mut self, line: &str) {
        match line.trim_end().split_once(' ') {
            Some(("sent", id)) => drop(self.sent.insert(id.into())),
            Some(("stored", id)) => drop(self.stored.insert(id.into())),
            Some(("day", day)) => self.day = day.parse().unwrap(),
            Some((word, state)) => {
                let sink = SINKS.iter().position(|name| *name == word);
                // The others are of the test harness.
                if let Some(sink) = sink {
                    self.states[sink].push(SinkState::of_line(state));
                }
            }
            None => {}
        }
    }

    fn truth(&self, records: &[Arc<Record>], acknowledged: BTreeSet<String>) -> Truth {
        let mut truth = Truth { records: records.to_vec(), acknowledged, ..Truth::new() };
        for (known, said) in truth.sinks.iter_mut().zip(&self.states) {
            known.extend(said.iter().cloned());
        }
        truth
    }
}

#[test]
#[ignore = "needs strace"]
fn a_cut_between_any_two_calls() {
    let text = |name: &str| std::env::var(name).ok();
    if let Some(folder) = text(FOLDER) {
        return live(folder.as_ref(), text(LIFE).unwrap().parse().unwrap());
    }
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("root");
    fs::create_dir(&root).unwrap();
    let lives: Vec<Vec<Op>> = (0..LIVES).map(|life| traced(&root, home.path(), life)).collect();
    let clock = Arc::new(Clock::manual(noon_ms(LIVES * DAYS_PER_LIFE)));
    let store = DurableStore::open(root.join("store"), clock, settings()).unwrap();
    let records = numbered(retained_from(&store, 1), store.latest());
    drop(store);
    let cuts = text(CUTS).map_or(FEW, |cuts| cuts.parse().expect(CUTS));
    let saved = Replay::new(&root, &lives, records).run(cuts, &home.path().join("copy"));
    println!(
        "{cuts} cuts in {} calls; {saved} records were saved that need not have been",
        lives.iter().map(Vec::len).sum::<usize>()
    );
}

fn traced(root: &Path, home: &Path, life: u64) -> Vec<Op> {
    let folder = root.join("store").to_str().unwrap().to_owned();
    let environment = [(FOLDER, folder), (LIFE, life.to_string())];
    trace(&["--ignored", "--exact", TEST, "--nocapture"], &environment, &home.join("trace"))
}

/// One process: it opens the store, whose journal ends in half a commit, works, and ends well or not.
fn live(folder: &Path, life: u64) {
    let mut random = StdRng::seed_from_u64(life);
    if life > 0 {
        let mut part = vec![0; random.random_range(1..5000)];
        random.fill(&mut part[..]);
        tear(folder, &part);
    }
    let day = life * DAYS_PER_LIFE;
    say("day", &day.to_string());
    let mut history = History::begin(folder, day);
    history.says = true;
    history.say_all();
    let padding: &str = Box::leak("0123456789abcdef".repeat(6000).into_boxed_str());
    for round in 0..DAYS_PER_LIFE {
        if round > 0 && life % 2 == 1 {
            say("day", &(day + round).to_string());
            history.sleep_until_tomorrow();
        }
        history.round(Round { calls: 14, padding: Some(padding), steps: 5 }, life * 10 + round);
    }
    if life.is_multiple_of(2) {
        // It does not close anything.
        std::process::exit(0);
    }
}

/// Everything that happened, to be gone through once.
struct Replay<'a> {
    root: PathBuf,
    lives: &'a [Vec<Op>],
    records: Vec<Arc<Record>>,
    /// How many records there are up to and including that of a call.
    places: BTreeMap<String, usize>,
    /// What was said in the end.
    all: Said,
}

impl<'a> Replay<'a> {
    fn new(root: &Path, lives: &'a [Vec<Op>], records: Vec<Arc<Record>>) -> Self {
        let mut all = Said::default();
        for op in lives.iter().flatten() {
            if let Op::Said(line) = op {
                line.lines().for_each(|line| all.line(line));
            }
        }
        let mut places = BTreeMap::new();
        for (record, place) in records.iter().zip(1..) {
            places.entry(record.about().id.to_string()).or_insert(place);
        }
        assert!(all.stored.len() > 100 && all.stored.iter().all(|id| places.contains_key(id)));
        Self { root: root.into(), lives, records, places, all }
    }

    /// Cuts at moments drawn at random; gives how many records were saved that need not have been.
    fn run(&self, cuts: usize, copy: &Path) -> usize {
        let count: usize = self.lives.iter().map(Vec::len).sum();
        let mut random = StdRng::seed_from_u64(cuts as u64);
        let mut moments = BTreeMap::<usize, usize>::new();
        for _ in 0..cuts {
            *moments.entry(random.random_range(0..count)).or_default() += 1;
        }
        let (mut disk, mut said, mut saved) = (SimulatedDisk::new(&self.root), Said::default(), 0);
        let mut over = 0;
        for life in self.lives {
            disk.begin_process();
            let before = over;
            for op in life {
                disk.apply(op, before);
                if let Op::Said(line) = op {
                    line.lines().for_each(|line| said.line(line));
                }
                for number in 0..moments.get(&over).copied().unwrap_or_default() {
                    let checked = self.check(&disk, &said, copy, &mut random);
                    let name = || format!("{cuts} cuts: call {over} ({op:.60?}), cut {number}");
                    saved += checked.unwrap_or_else(|_| panic!("{}", name()));
                }
                over += 1;
            }
        }
        saved
    }

    fn check(
        &self,
        disk: &SimulatedDisk,
        said: &Said,
        copy: &Path,
        random: &mut StdRng,
    ) -> std::thread::Result<usize> {
        let place = said.stored.iter().map(|id| self.places[id]).max().unwrap_or_default();
        let synced = said.truth(&self.records[..place], said.stored.clone());
        let mut later = self.all.truth(&self.records, said.sent.clone());
        later.acknowledged.extend(said.stored.iter().cloned());
        let between = Between { synced: &synced, later: &later, day: said.day };
        let (folders, files): (Vec<PathBuf>, Picture) = disk.cut(random);
        for folder in folders {
            fs::create_dir_all(copy.join(folder)).unwrap();
        }
        lay_out(&files, copy);
        let store = copy.join("store");
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            between.check(&store, random)
        }));
        fs::remove_dir_all(copy).unwrap();
        checked
    }
}
