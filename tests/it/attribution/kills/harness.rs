//! Who kills: starts the writer, listens to it, kills it at a random moment, again and again; then lets
//! everything be delivered, and looks at what arrived.

#![expect(
    clippy::disallowed_methods,
    reason = "the environment says how often to kill; the summary is for who asked for it"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::power_cut::disk::tear;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use variate::clock::Stopwatch;
use variate::store::{inspect, verify};

use super::arrived::deliver_and_check;
use super::destination::{Destination, Stage};
use super::heard::Heard;
use super::process::{FOLDER, PORT, Phase, RUN, Writer};
use super::writer::write;

const KILLS: &str = "VARIATE_KILLS";
const TEST: &str = "attribution::kills::harness::what_was_acknowledged_outlives_kills";
/// Runs of the short form.
const FEW: u64 = 20;
/// A run in so many ends by itself instead.
const RUNS_PER_GENTLE_END: u64 = 7;
/// Before a run in so many, half a commit is put behind the last one: a kill seldom leaves one.
const RUNS_PER_TEAR: u64 = 3;
/// How long a request is waited for, to be killed in.
const PATIENCE: Duration = Duration::from_secs(2);

/// When a writer is killed.
enum Moment {
    /// While it mends and opens the store: when this part of the usual time is over.
    Opening(f64),
    /// While its sinks find their places.
    Resuming(Duration),
    /// At any time while it works.
    Working(Duration),
    /// While the destination is so far with one of its requests, or shortly after.
    Delivering(Duration, Stage, Duration),
}

/// What the runs came to.
#[derive(Debug, Default)]
struct Tally {
    killed: BTreeMap<Phase, u64>,
    killed_in_requests: u64,
    torn_journals: u64,
    torn_by_hand: u64,
    passed_batches: u64,
    /// How long opening takes.
    opening: Duration,
}

/// `VARIATE_KILLS=350` for the long form.
#[test]
fn what_was_acknowledged_outlives_kills() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    if let Ok(folder) = std::env::var(FOLDER) {
        // This is the writer: the same program, started by the code below.
        let port = number(PORT).unwrap().try_into().unwrap();
        return write(folder.as_ref(), port, number(RUN).unwrap());
    }
    let runs = number(KILLS).unwrap_or(FEW);
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(runs);
    let mut destination = Destination::start(runs);
    let (mut heard, mut tally) = (Heard::default(), Tally::default());
    for run in 0..runs {
        let store = folder.path().join("store");
        tally.torn_journals += u64::from(inspect(&store).unwrap().torn_bytes > 0);
        if run % RUNS_PER_TEAR == RUNS_PER_TEAR - 1 {
            tear_by_hand(&store, &mut random);
            tally.torn_by_hand += 1;
        }
        let environment = [(RUN, run), (PORT, destination.port.into())];
        let mut writer = Writer::start(TEST, folder.path(), environment);
        writer.tell(&heard.unanswered());
        if run % RUNS_PER_GENTLE_END == RUNS_PER_GENTLE_END - 1 {
            writer.wait_for(Phase::Works, &mut heard);
            sleep_ms(random.random_range(0..300));
            writer.dismiss(&mut heard);
        } else {
            let moment = Moment::draw(run, &mut random);
            tally.kill(&mut writer, &moment, &destination, &mut heard);
        }
        tally.passed_batches += u64::from(writer.has_passed);
    }
    destination.get_well();
    let arrived = deliver_and_check(folder.path(), &destination, &heard);
    let verified = verify(folder.path().join("store"), &mut |_, _| {}).unwrap();
    assert!(verified.is_sound(), "{verified:?}");
    tally.check(runs);
    println!("{}{arrived}", tally.in_words(runs));
}

fn tear_by_hand(store: &Path, random: &mut StdRng) {
    let mut part = vec![0; random.random_range(1..9000)];
    random.fill(&mut part[..]);
    part[0] = 1;
    tear(store, &part);
    assert!(inspect(store).unwrap().torn_bytes > 0);
}

fn sleep_ms(time_ms: u64) {
    std::thread::sleep(Duration::from_millis(time_ms));
}

impl Moment {
    fn draw(run: u64, random: &mut StdRng) -> Self {
        let before = Duration::from_millis(random.random_range(0..400));
        match random.random_range(0..10) {
            // The first run has nothing to mend and nothing to find again.
            0..2 if run > 0 => Self::Opening(random.random()),
            2 if run > 0 => Self::Resuming(Duration::from_micros(random.random_range(0..500))),
            3..6 => Self::Working(before),
            6 => Self::Delivering(before, Stage::Here, Duration::ZERO),
            _ => {
                let after = Duration::from_micros(random.random_range(0..4000));
                Self::Delivering(before, Stage::Kept, after)
            }
        }
    }
}

impl Tally {
    fn kill(
        &mut self,
        writer: &mut Writer,
        moment: &Moment,
        destination: &Destination,
        heard: &mut Heard,
    ) {
        writer.wait_for(Phase::Opens, heard);
        let started = Stopwatch::start();
        match moment {
            Moment::Opening(part) => std::thread::sleep(self.opening.mul_f64(*part)),
            Moment::Resuming(after) => {
                writer.wait_for(Phase::Resumes, heard);
                std::thread::sleep(*after);
            }
            Moment::Working(before) | Moment::Delivering(before, ..) => {
                writer.wait_for(Phase::Resumes, heard);
                self.opening = started.elapsed();
                writer.wait_for(Phase::Works, heard);
                std::thread::sleep(*before);
            }
        }
        if let Moment::Delivering(_, stage, after) = moment {
            destination.wait_for(*stage, PATIENCE);
            std::thread::sleep(*after);
        }
        self.killed_in_requests += u64::from(destination.is_busy());
        writer.kill(heard);
        *self.killed.entry(writer.phase).or_default() += 1;
    }

    /// The kills hit what they are to hit. Where that is narrow, many are needed.
    fn check(&self, runs: u64) {
        let hit = |phase| self.killed.get(&phase).copied().unwrap_or_default();
        assert!(hit(Phase::Works) > 0 && self.killed_in_requests > 0, "{self:?}");
        if runs >= 100 {
            assert!(hit(Phase::Opens) > 0 && hit(Phase::Resumes) > 0, "{self:?}");
            assert!(self.passed_batches > 0, "{self:?}");
        }
    }

    fn in_words(&self, runs: u64) -> String {
        let kills: u64 = self.killed.values().sum();
        let mut words = format!("{runs} runs, {kills} kills");
        for (phase, count) in &self.killed {
            write!(words, ", {count} while it {}", format!("{phase:?}").to_lowercase()).unwrap();
        }
        let Self { killed_in_requests, torn_journals, torn_by_hand, passed_batches, .. } = self;
        writeln!(
            words,
            "; {killed_in_requests} in the middle of a request; {torn_journals} journals were torn by that and {torn_by_hand} by hand, {passed_batches} files had a batch already"
        )
        .unwrap();
        words
    }
}
