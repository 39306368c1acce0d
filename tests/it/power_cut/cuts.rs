//! Histories, and copies of them as a power cut leaves them at a random moment.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the environment says how many copies are made; the summary is for who asked for it"
)]

use std::sync::LazyLock;

use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::cut::{Cut, Drawn};
use super::disk::{lay_out, picture};
use super::history::{History, Round};
use super::truth::Between;

/// How many times as many copies as usual are made.
const CUTS: &str = "VARIATE_CUTS";

struct Scene {
    name: &'static str,
    seed: u64,
    /// Rounds before the first copies are made.
    prelude: u64,
    rounds: u64,
    round: Round,
    copies: u64,
    has_days: bool,
}

/// What came of a scene.
#[derive(Debug, Default)]
struct Tally {
    copies: u64,
    torn: u64,
    with_moved_tables: u64,
    with_journals_gone: u64,
    with_half_keyspaces: u64,
    /// Records that were saved and need not have been.
    saved: usize,
}

impl Tally {
    fn count(&mut self, drawn: Drawn, saved: usize) {
        self.copies += 1;
        self.torn += u64::from(drawn.is_torn);
        self.with_moved_tables += u64::from(drawn.moved > 0);
        self.with_journals_gone += u64::from(drawn.is_journal_gone);
        self.with_half_keyspaces += u64::from(drawn.half > 0);
        self.saved += saved;
    }
}

fn padding(bytes: usize) -> &'static str {
    static PADDING: LazyLock<String> = LazyLock::new(|| "0123456789abcdef".repeat(20_000));
    &PADDING[..bytes]
}

#[test]
fn small_commits() {
    let round = Round { calls: 6, padding: None, steps: 4 };
    let scene = Scene {
        name: "small commits",
        seed: 1,
        prelude: 0,
        rounds: 4,
        round,
        copies: 4,
        has_days: false,
    };
    let tally = check(&scene);
    assert!(tally.torn > 0 && tally.saved > 0, "{tally:?}");
}

#[test]
fn while_tables_are_written_all_the_time() {
    let round = Round { calls: 12, padding: Some(padding(90_000)), steps: 4 };
    let scene =
        Scene { name: "tables", seed: 2, prelude: 0, rounds: 6, round, copies: 3, has_days: false };
    let tally = check(&scene);
    assert!(tally.with_moved_tables > 0, "{tally:?}");
}

#[test]
fn while_days_come_and_go() {
    let round = Round { calls: 6, padding: Some(padding(20_000)), steps: 3 };
    let scene =
        Scene { name: "days", seed: 3, prelude: 0, rounds: 5, round, copies: 3, has_days: true };
    let tally = check(&scene);
    assert!(tally.with_half_keyspaces > 0, "{tally:?}");
}

#[test]
fn while_journals_come_and_go() {
    let round = Round { calls: 30, padding: Some(padding(320_000)), steps: 1 };
    let scene = Scene {
        name: "journals",
        seed: 4,
        prelude: 2,
        rounds: 6,
        round,
        copies: 1,
        has_days: false,
    };
    let tally = check(&scene);
    assert!(tally.with_journals_gone > 0, "{tally:?}");
}

fn check(scene: &Scene) -> Tally {
    let times = std::env::var(CUTS).map_or(1, |times| times.parse::<u64>().expect(CUTS));
    let mut random = StdRng::seed_from_u64(scene.seed);
    let home = tempfile::tempdir().unwrap();
    let mut history = History::begin(&home.path().join("store"), 0);
    let mut tally = Tally::default();
    for round in 0..scene.prelude {
        history.round(Round { steps: 0, ..scene.round }, scene.seed * 100 + 50 + round);
    }
    let mut synced = (picture(&history.folder), history.truth.clone());
    for round in 0..scene.rounds {
        if scene.has_days && round > 0 {
            history.sleep_until_tomorrow();
        }
        history.round(scene.round, scene.seed * 100 + round);
        let later = (picture(&history.folder), history.truth.clone());
        let cut = Cut { synced: &synced.0, later: &later.0 };
        let between = Between { synced: &synced.1, later: &later.1, day: history.day };
        for copy in 0..scene.copies * times {
            let (picture, drawn) = cut.draw(&mut random);
            let place = home.path().join(format!("{} {round} {copy}", scene.name));
            lay_out(&picture, &place);
            if random.random() {
                variate::store::mend(&place).unwrap();
            }
            // A panic behind this names the scene, the round and the copy by the thread's output.
            let which = format!("{}: round {round}, copy {copy}, {drawn:?}", scene.name);
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                between.check(&place, &mut random)
            }));
            tally.count(drawn, checked.unwrap_or_else(|_| panic!("{which}")));
            std::fs::remove_dir_all(place).unwrap();
        }
        synced = later;
    }
    println!("{}: {tally:?}", scene.name);
    tally
}
