//! What the store on disk keeps, and for how long: numbers, records that are still of use, what it cannot
//! read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use variate::attribution::Rules;
use variate::clock::{Clock, Stopwatch};
use variate::store::{DurableSettings, DurableStore, Outbox as _, Store as _, WhenOverBudget};

use super::durable::settings;
use super::outbox::{all_after, bury, has_through, more_records};
use super::world::{World, given, words};

const LONG: Duration = Duration::from_secs(20);
const LATE_WINDOW_MS: i64 = 1_000_000;
const LEFT_OUT: &str = "released while this sink was not there";

/// A store on disk, and the same as a world.
fn open_with(folder: &Path, now_ms: i64, settings: DurableSettings) -> (Arc<DurableStore>, World) {
    let clock = Arc::new(Clock::manual(now_ms));
    let store = Arc::new(DurableStore::open(folder, clock.clone(), settings).unwrap());
    let rules = Rules { late_window_ms: LATE_WINDOW_MS, ..Rules::default() };
    (store.clone(), World { store, clock, rules })
}

fn open(folder: &Path, now_ms: i64) -> (Arc<DurableStore>, World) {
    let short = DurableSettings { record_retention_ms: 1_000, ..settings() };
    open_with(folder, now_ms, short)
}

/// Changes what stands in a store that nobody uses.
fn edit(folder: &Path, change: impl FnOnce(&dyn Fn(&str) -> fjall::Keyspace)) {
    let database = Database::builder(folder).open().unwrap();
    change(&|name| database.keyspace(name, KeyspaceCreateOptions::default).unwrap());
    database.persist(PersistMode::SyncAll).unwrap();
}

fn comes_true(condition: impl Fn() -> bool) -> bool {
    let waited = Stopwatch::start();
    while !condition() {
        if waited.elapsed() > LONG {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

#[test]
fn a_letters_number_is_never_given_again() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, world) = open(folder.path(), 1000);
        more_records(&world, 3);
        bury(&world, "one", 1..=2);
        assert_eq!(world.store.drop_dead_letters(&[2]).unwrap(), 1);
    }
    let (store, world) = open(folder.path(), 1000);
    bury(&world, "one", [3]);
    let numbers: Vec<_> = store.dead_letters(0, 9).unwrap().iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 3]);
}

/// Whatever became of the totals, a record never takes the place of another.
#[test]
fn a_records_number_is_never_given_again() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, world) = open(folder.path(), 1000);
        more_records(&world, 3);
    }
    edit(folder.path(), |space| space("meta").remove("totals").unwrap());
    let (_, world) = open(folder.path(), 1000);
    let before = all_after(&world, 0);
    assert_eq!(before.len(), 3);
    more_records(&world, 1);
    let after = all_after(&world, 0);
    assert_eq!((&after[..3], after[3].0), (&before[..], 4));
}

/// An event can be claimed for longer than records are kept: it is kept as long, and no longer.
#[test]
fn an_event_is_kept_as_long_as_it_can_be_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = open(folder.path(), 10_000);
    world.store.claim_outbox(&["one"]).unwrap();
    world.track(&given().at(9_000), "buy");
    has_through(&world, "one", 1);
    world.clock.advance_to(10_000 + LATE_WINDOW_MS / 2);
    // Two looks at what is over.
    std::thread::sleep(Duration::from_millis(2_500));
    let late = world.activate(&given().at(8_000), "10", "9").late_credits;
    assert_eq!(words(&late), "10:9@8000");
    assert_eq!(store.statistics().forgotten_events, 0);
    has_through(&world, "one", store.latest());
    world.clock.advance_to(10_000 + 3 * LATE_WINDOW_MS);
    assert!(comes_true(|| store.retained().unwrap().oldest > 3), "{:?}", store.retained());
}

/// A row and a record that nobody can read are stepped over, counted, and named by `verify`.
#[test]
fn what_cannot_be_read_does_not_stop_tidying() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, world) = open(folder.path(), 1000);
        world.store.claim_outbox(&["one"]).unwrap();
        for user in ["a", "b", "c"] {
            world.activate(&given().user(user), "10", "9");
        }
        more_records(&world, 3);
        has_through(&world, "one", 6);
    }
    edit(folder.path(), |space| {
        space("rows").insert([&0_u32.to_be_bytes()[..], b"b"].concat(), b"\x01\xff").unwrap();
        space("outbox").insert(2_u64.to_be_bytes(), b"\x01").unwrap();
    });
    let (store, _) = open(folder.path(), 1000 + settings().activation_retention_ms * 2);
    assert!(comes_true(|| store.retained().unwrap().oldest > 6), "{:?}", store.retained());
    assert!(comes_true(|| store.statistics().users == 1), "{:?}", store.statistics());
    // Counted when the disk has it, a moment later.
    assert!(comes_true(|| store.statistics().unreadable == 2), "{:?}", store.statistics());
    assert_eq!(store.statistics().dropped_records, 0);
    drop(store);
    let verified = variate::store::verify(folder.path(), &mut |_, _| {}).unwrap();
    let named = verified.faults.iter().any(|fault| fault.text.contains("user \"b\""));
    assert!(named, "{verified:?}");
}

/// Sinks get what is before a record that cannot be read, and are told of that then.
#[test]
fn what_is_before_an_unreadable_record_is_read() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, world) = open(folder.path(), 1000);
        more_records(&world, 3);
    }
    edit(folder.path(), |space| {
        space("outbox").insert(2_u64.to_be_bytes(), b"\x01garbled").unwrap();
    });
    let (store, _) = open(folder.path(), 1000);
    assert_eq!(store.outbox(0, 9, Duration::ZERO).unwrap().len(), 1);
    let said = store.outbox(1, 9, Duration::ZERO).unwrap_err().to_string();
    assert!(said.contains("holds what this version cannot read"), "{said}");
    assert_eq!(store.outbox(2, 9, Duration::ZERO).unwrap().len(), 1);
}

/// A sink that was away gets what is still kept, over restarts too, and is told how many are gone.
#[test]
fn a_sink_that_returns_goes_on_with_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut now_ms = 1000;
    // Two runs without it, a minute apart: the records of the first are over when it returns.
    for run in 0..3 {
        let (store, world) = open(folder.path(), now_ms);
        let world = World { rules: Rules::default(), ..world };
        let sinks: &[&str] = if run == 0 { &["here", "away"] } else { &["here"] };
        world.store.claim_outbox(sinks).unwrap();
        for _ in 0..4 {
            world.track(&given(), "free");
        }
        has_through(&world, "here", store.latest());
        now_ms += 60_000;
    }
    let (store, world) = open(folder.path(), now_ms - 60_000);
    assert!(comes_true(|| store.retained().unwrap().oldest == 9), "{:?}", store.retained());
    assert_eq!(store.statistics().waiting_records, 0);
    let begin = world.store.claim_outbox(&["away", "here"]).unwrap();
    assert_eq!((begin[0].through, begin[1].through), (8, 12));
    let read: Vec<_> = all_after(&world, 8).iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!((read, store.statistics().waiting_records), (vec![9, 10, 11, 12], 4));
    let letters = store.dead_letters(0, 9).unwrap();
    let letter = &letters[0];
    assert_eq!((letters.len(), letter.sequence, letter.count), (1, 1, 8));
    assert_eq!((letter.sink.as_deref(), &*letter.reason), (Some("away"), LEFT_OUT));
    assert_eq!((store.count_dead_letters("away"), store.count_dead_letters("here")), (1, 0));
    assert_eq!(store.retry_dead_letters(&[letter.number]).unwrap(), 0, "it is gone");
    has_through(&world, "away", 12);
    drop((store, world));
    let (_, world) = open(folder.path(), now_ms - 60_000);
    world.store.claim_outbox(&["away"]).unwrap();
    assert_eq!(world.store.statistics().dead_letters, 1, "it is told once");
    drop(world);
    let verified = variate::store::verify(folder.path(), &mut |_, _| {}).unwrap();
    assert!(verified.faults.is_empty(), "{verified:?}");
}

/// What is shed is told to all; a sink that was away is also told of what others had before that.
#[test]
fn a_sink_that_was_away_is_told_of_all_that_was_shed_too() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, world) = open(folder.path(), 1000);
        world.store.claim_outbox(&["here", "away"]).unwrap();
        more_records(&world, 6);
        has_through(&world, "here", 3);
        has_through(&world, "away", 1);
        world.store.return_outbox();
        world.store.claim_outbox(&["here"]).unwrap();
        has_through(&world, "here", 4);
    }
    let narrow = DurableSettings {
        budget_bytes: 0,
        when_over_budget: WhenOverBudget::ShedOldest,
        ..settings()
    };
    let (store, world) = open_with(folder.path(), 1000, narrow);
    assert!(comes_true(|| store.retained().unwrap().oldest > 6), "{:?}", store.retained());
    let begin = world.store.claim_outbox(&["here", "away"]).unwrap();
    assert_eq!((begin[0].through, begin[1].through), (6, 6));
    let told: Vec<_> = store
        .dead_letters(0, 9)
        .unwrap()
        .into_iter()
        .map(|letter| (letter.sink, letter.sequence, letter.count))
        .collect();
    assert_eq!(told, [(None, 5, 2), (Some("away".into()), 2, 5)]);
}

/// What goes before there is any sink is counted.
#[test]
fn records_that_no_sink_ever_had_are_counted_when_they_go() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = open(folder.path(), 1000);
    more_records(&world, 7);
    world.clock.advance_to(1000 + 2 * LATE_WINDOW_MS);
    assert!(comes_true(|| store.retained().unwrap().oldest > 7), "{:?}", store.retained());
    assert!(comes_true(|| store.statistics().dropped_records == 7), "{:?}", store.statistics());
    more_records(&world, 2);
    assert_eq!(world.store.claim_outbox(&["late"]).unwrap()[0].through, 7);
}

/// What is over goes as fast as the disk takes it, not so many a second.
#[test]
fn tidying_goes_on_while_there_is_more() {
    const RECORDS: u64 = 50_000;
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = open(folder.path(), 1000);
    for _ in 0..RECORDS {
        drop(world.try_track(&given(), "free"));
    }
    store.flush(LONG).unwrap();
    world.clock.advance_to(1000 + 2 * LATE_WINDOW_MS);
    let started = Stopwatch::start();
    assert!(comes_true(|| store.retained().unwrap().oldest > RECORDS), "{:?}", store.retained());
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "by 4096 a second it takes more than 11 s: {took:?}");
}

/// However many records are asked for, memory holds a few megabytes of them.
#[test]
fn pages_are_bounded_by_bytes() {
    const RECORDS: u64 = 40;
    let text: &'static str = "x".repeat(300_000).leak();
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = open(folder.path(), 1000);
    for _ in 0..RECORDS {
        world.track(&given().attributes(text), "free");
    }
    let page = store.outbox(0, usize::MAX, Duration::ZERO).unwrap();
    assert!((10..=14).contains(&page.len()), "{} of {RECORDS} are 4 MiB", page.len());
    let all: Vec<_> = all_after(&world, 0).iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(all, (1..=RECORDS).collect::<Vec<_>>());
    bury(&world, "one", 1..=RECORDS);
    let letters = store.dead_letters(0, usize::MAX).unwrap();
    assert!((10..=14).contains(&letters.len()), "{} of {RECORDS} are 4 MiB", letters.len());
    assert_eq!(store.dead_letters(letters[3].number, 1).unwrap()[0].number, 5);
}
