//! Merges in the store on disk: what is in flight, what is over, what is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::durable::settings;
use super::super::world::{World, fold_records, given, words};
use variate::attribution::Rules;
use variate::clock::{Clock, Stopwatch};
use variate::store::{DurableSettings, DurableStore, verify};

const DAY_MS: i64 = 24 * 3_600_000;

fn open(folder: &Path, now_ms: i64, settings: DurableSettings) -> (Arc<DurableStore>, World) {
    let clock = Arc::new(Clock::manual(now_ms));
    let store = Arc::new(DurableStore::open(folder, clock.clone(), settings).unwrap());
    let rules = Rules { late_window_ms: 400 * DAY_MS, ..Rules::default() };
    (store.clone(), World { store, clock, rules })
}

fn assert_sound(folder: &Path) {
    let verified = verify(folder, &mut |_, _| {}).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.faults);
}

/// Nobody waits for the disk in between: each sees what was before it.
#[test]
fn what_is_in_flight_is_merged() {
    let folder = tempfile::tempdir().unwrap();
    let (_, world) = open(folder.path(), 1000, settings());
    let mut receipts = Vec::new();
    for round in 0..50 {
        let [old, new] = ["old", "new"].map(|user| given().user(&format!("{user} {round}")));
        let of_new = world.try_track(&new.clone().at(950).id(&format!("n{round}")), "buy");
        let of_old = world.try_track(&old.clone().at(940).id(&format!("o{round}")), "look");
        let activated = world.try_activate(&old.clone().at(900), "10", "9");
        let kept = world.try_activate(&new.clone().at(900), "11", "9");
        let merged = world.try_merge(Some(&format!("m{round}")), "shop", &old.user, &new.user);
        let mut said: Vec<_> = merged
            .outcome
            .late_credits
            .iter()
            .map(|credit| words(std::slice::from_ref(credit)))
            .collect();
        said.sort();
        assert_eq!(said, ["10:9@900", "11:9@900"]);
        let again = world.try_merge(Some(&format!("m{round}")), "shop", &old.user, &new.user);
        assert!(again.outcome.duplicate);
        let after = world.try_track(&new.id(&format!("a{round}")), "buy");
        assert_eq!(words(&after.outcome.credits), "10:9@900");
        receipts.extend([of_new.receipt, of_old.receipt, activated.receipt, kept.receipt]);
        receipts.extend([merged.receipt, again.receipt, after.receipt]);
    }
    receipts.into_iter().for_each(|receipt| receipt.wait().unwrap());
    assert_eq!(fold_records(&world.records()).len(), 50 * 4);
    drop(world);
    assert_sound(folder.path());
    let (_, world) = open(folder.path(), 1000, settings());
    assert_eq!(
        words(&world.activate(&given().user("new 7").at(890), "10", "107").late_credits)
            .matches('~')
            .count(),
        3
    );
}

/// All files of a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}

/// What a merge adds is in both stores' rows once; a repeat finds nothing to add.
#[test]
fn a_merge_that_changes_nothing_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_, world) = open(folder.path(), 1000, settings());
    world.activate(&given().user("old").at(900), "10", "9");
    world.activate(&given().user("new").at(900), "11", "9");
    world.track(&given().user("old").at(950).id("e"), "look");
    let merge = |from: &str, into: &str| world.try_merge(None, "shop", from, into);
    merge("old", "new").receipt.wait().unwrap();
    let before = files(folder.path());
    for _ in 0..3 {
        for (from, into) in [("old", "new"), ("new", "new"), ("nobody", "new")] {
            merge(from, into).receipt.wait().unwrap();
        }
    }
    assert!(files(folder.path()) == before, "nothing is written");
    // What is new is one more row, and the other one stays as it is.
    world.activate(&given().user("old").at(960), "20", "9");
    let merged = merge("old", "new");
    assert_eq!(merged.outcome.copied_activations, 1);
    merged.receipt.wait().unwrap();
    assert!(files(folder.path()) != before);
    drop(world);
    assert_sound(folder.path());
}

/// It adds nothing, but what it was judged by is not stored yet: it is not stored before that.
#[test]
fn a_merge_that_changes_nothing_waits_for_what_is_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let (_, world) = open(folder.path(), 1000, settings());
    for round in 0..20 {
        let [old, new] = ["old", "new"].map(|user| format!("{user} {round}"));
        let activated = world.try_activate(&given().user(&old).at(900), "10", "9");
        let merged = world.try_merge(None, "shop", &old, &new);
        let again = world.try_merge(None, "shop", &old, &new);
        assert_eq!((merged.outcome.copied_activations, again.outcome.copied_activations), (1, 0));
        again.receipt.wait().unwrap();
        activated.receipt.wait().unwrap();
        assert_eq!(words(&world.track(&given().user(&new).at(950), "buy").credits), "10:9@900");
    }
}

/// The last use of an activation is that of either id.
#[test]
fn a_copy_is_over_when_its_last_use_is() {
    let folder = tempfile::tempdir().unwrap();
    let (_, world) = open(folder.path(), 0, settings());
    let given = |user| given().user(user);
    world.activate(&given("new").at(0), "10", "9");
    world.activate(&given("old").at(0), "11", "9");
    world.clock.advance_to(100 * DAY_MS);
    world.activate(&given("old"), "10", "9");
    assert_eq!(world.merge("shop", "old", "new").copied_activations, 1);
    assert_eq!(words(&world.track(&given("new"), "look").credits), "10:9@0 11:9@0");
    world.clock.advance_to(181 * DAY_MS);
    let credits = world.track(&given("new"), "look").credits;
    assert_eq!(words(&credits), "10:9@0", "11 was shown 181 days ago, and 10 since");
    assert_eq!(world.merge("shop", "old", "newer").copied_activations, 1, "nothing that is over");
    world.clock.advance_to(281 * DAY_MS);
    assert!(world.track(&given("new"), "look").credits.is_empty());
    drop(world);
    assert_sound(folder.path());
}

#[test]
fn rows_keep_to_their_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let bounds =
        DurableSettings { activations_per_user: 2, pending_events_per_user: 3, ..settings() };
    let (_, world) = open(folder.path(), 1000, bounds);
    let given = |user| given().user(user);
    world.activate(&given("new"), "10", "9");
    for experiment in ["11", "12"] {
        world.activate(&given("old"), experiment, "9");
        world.clock.advance_to(world.clock.now_ms() + 1);
    }
    for user in ["old", "new", "old", "new"] {
        world.track(&given(user).at(900), "buy");
        world.clock.advance_to(world.clock.now_ms() + 1);
    }
    let merged = world.merge("shop", "old", "new");
    assert_eq!((merged.copied_activations, merged.moved_events), (1, 2));
    let statistics = world.store.statistics();
    assert_eq!((statistics.activations, statistics.forgotten_activations), (4, 1));
    assert_eq!((statistics.pending_events, statistics.forgotten_events), (3, 1));
    drop(world);
    assert_sound(folder.path());
}

#[test]
fn what_is_refused_is_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, world) = open(folder.path(), 1000, settings());
        world.activate(&given().user("old").at(900), "10", "9");
        world.track(&given().user("new").at(950), "buy");
    }
    {
        let full = DurableSettings { reserved_bytes: u64::MAX, ..settings() };
        let (store, world) = open(folder.path(), 1000, full);
        let started = Stopwatch::start();
        while store.refusal().is_none() {
            assert!(started.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        let refused = world.try_merge(Some("m"), "shop", "old", "new");
        assert_eq!(words(&refused.outcome.late_credits), "10:9@900", "what it would have been");
        assert!(refused.receipt.wait().is_err());
        assert_eq!(world.store.statistics().refused_records, 1);
    }
    let (_, world) = open(folder.path(), 1000, settings());
    let merged = world.try_merge(Some("m"), "shop", "old", "new");
    assert!(!merged.outcome.duplicate);
    assert_eq!(words(&merged.outcome.late_credits), "10:9@900");
}

/// Ids that do not stand in keys as they are.
#[test]
fn long_ids_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let (_, world) = open(folder.path(), 1000, settings());
    let [old, new] = ["o", "n"].map(|letter| letter.repeat(70_000));
    world.activate(&given().user(&old).at(900), "10", "9");
    world.track(&given().user(&old).at(950), "look");
    assert_eq!(world.merge("shop", &old, &old).copied_activations, 0);
    let merged = world.merge("shop", &old, &new);
    assert_eq!((merged.copied_activations, merged.moved_events), (1, 1));
    assert_eq!(words(&world.track(&given().user(&new), "buy").credits), "10:9@900");
    drop(world);
    assert_sound(folder.path());
}
