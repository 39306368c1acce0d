//! What every store must do, whatever it is made of.

use std::sync::Arc;
use std::time::Duration;

use super::world::{Folded, MakeStore, World, fold_records, given, memory, words, world};
use variate::attribution::{ConversionRecord, NotCredited, Record, Rules};
use variate::clock::Clock;
use variate::store::{KeptDatafile, MemoryLimits, MemoryStore, Store};

#[test]
fn memory_store_keeps_the_contract() {
    store_contract(memory);
}

#[test]
fn a_small_memory_store_keeps_the_contract() {
    let limits = MemoryLimits { users: 24, pending_events: 24, ids: 24, ..MemoryLimits::default() };
    store_contract(|clock| Box::new(MemoryStore::new(clock, limits)));
}

#[cfg(feature = "durable")]
#[test]
fn durable_store_keeps_the_contract() {
    store_contract(super::durable::durable);
}

/// The contract of [`Store`]; `make` gives an empty one with room for a few dozen of everything.
pub(super) fn store_contract(make: impl Fn(Arc<Clock>) -> Box<dyn Store>) {
    let clauses: [fn(MakeStore<'_>); 13] = [
        credits_only_what_was_activated,
        takes_rollouts_for_no_activations,
        says_the_reason_closest_to_a_credit,
        sets_and_clamps_times,
        lets_late_activations_claim_correct_and_withdraw,
        keeps_the_ties_of_the_datafile_in_force,
        takes_an_id_once,
        hands_out_attributes,
        remembers_attributes_by_time,
        keeps_every_entrys_own_windows,
        numbers_records_without_gaps,
        forgets_users,
        keeps_the_last_good_datafile,
    ];
    for clause in clauses.into_iter().chain(super::merges::CLAUSES) {
        clause(&make);
    }
}

const LATE: Rules = Rules {
    window_ms: None,
    early_tolerance_ms: 0,
    late_window_ms: 100,
    repeat_window_ms: 500,
    future_tolerance_ms: 10,
};

fn check_track(world: &World, event: &str, at_ms: i64, expect: &str) {
    let outcome = world.track(&given().at(at_ms), event);
    let said = match outcome.reason {
        Some(reason) => reason.to_string(),
        None => words(&outcome.credits),
    };
    assert_eq!(said, expect, "{event} at {at_ms}");
}

fn credits_only_what_was_activated(make: MakeStore<'_>) {
    let world = world(make, Rules::default());
    let first = world.activate(&given().at(5), "10", "9");
    assert!(first.first && !first.crossover);
    let second = world.activate(&given().at(6), "10", "107");
    assert!(!second.first && second.crossover);
    assert!(!world.activate(&given().at(7), "10", "107").crossover, "a crossover counts once");
    check_track(&world, "buy", 4, "before-activation");
    check_track(&world, "buy", 5, "10:9@5");
    check_track(&world, "buy", 900, "10:9@5");
    world.activate(&given().at(5), "10", "107");
    check_track(&world, "buy", 900, "10:107@5");
    world.activate(&given(), "20", "9");
    check_track(&world, "look", 2000, "10:107@5 20:9@1000");
    check_track(&world, "free", 1000, "20:9@1000");
    let windowed = Rules { window_ms: Some(10), early_tolerance_ms: 2, ..Rules::default() };
    let world = World { rules: windowed, ..world };
    check_track(&world, "buy", 2, "before-activation");
    check_track(&world, "buy", 3, "10:107@5");
    check_track(&world, "buy", 15, "10:107@5");
    check_track(&world, "buy", 16, "outside-window");
    assert_eq!(world.track(&given().at(1), "buy").early_by_ms, Some(2));
}

fn takes_rollouts_for_no_activations(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.track(&given().id("e"), "buy");
    let outcome = world.activate(&given().at(5).id("i"), "30", "9");
    assert!(!outcome.first && outcome.late_credits.is_empty());
    assert!(world.activate(&given().id("i"), "30", "9").duplicate, "it is recorded all the same");
    check_track(&world, "buy", 1000, "no-activation");
    let statistics = world.store.statistics();
    assert_eq!(
        (statistics.activations, statistics.unknown_user_events, world.store.latest()),
        (0, 2, 3)
    );
}

fn says_the_reason_closest_to_a_credit(make: MakeStore<'_>) {
    let world = world(make, Rules { window_ms: Some(10), ..Rules::default() });
    check_track(&world, "free", 500, "no-activation");
    check_track(&world, "stopped", 500, "not-running");
    check_track(&world, "look", 500, "no-activation");
    world.activate(&given().at(600), "11", "9");
    check_track(&world, "look", 500, "before-activation");
    world.activate(&given().at(400), "10", "9");
    check_track(&world, "look", 500, "outside-window");
    world.activate(&given().at(600), "20", "9");
    check_track(&world, "stopped", 500, "before-activation");
    let outcome = world.track(&given().at(500).datafile(1).user("other"), "stopped");
    assert_eq!(outcome.reason, Some(NotCredited::NoActivation));
    assert_eq!(world.store.statistics().unknown_user_events, 4);
}

fn sets_and_clamps_times(make: MakeStore<'_>) {
    let world = world(make, LATE);
    assert_eq!(world.activate(&given(), "10", "9").time_ms, 1000);
    assert_eq!(world.activate(&given().at(1010), "10", "9").time_ms, 1010);
    assert_eq!(world.activate(&given().at(1011), "10", "9").time_ms, 1000);
    world.clock.advance_to(1003);
    assert_eq!(world.track(&given().at(i64::MAX), "buy").time_ms, 1003);
    assert_eq!(world.track(&given().at(i64::MIN), "buy").time_ms, i64::MIN);
    assert_eq!(world.store.statistics().clamped_times, 2);
}

fn lets_late_activations_claim_correct_and_withdraw(make: MakeStore<'_>) {
    let world = world(make, Rules { window_ms: Some(50), ..LATE });
    let track = world.track(&given().at(940).id("e"), "buy");
    assert_eq!(track.reason, Some(NotCredited::NoActivation));
    let activate = |at_ms, variation| {
        world.clock.advance_to(world.clock.now_ms() + 20);
        words(&world.activate(&given().at(at_ms), "10", variation).late_credits)
    };
    assert_eq!(activate(941, "107"), "", "too late to be claimed");
    assert_eq!(activate(940, "9"), "10:9@940");
    assert_eq!(activate(939, "107"), "~10:107@939");
    assert_eq!(activate(938, "107"), "~=10:107@938");
    assert_eq!(
        fold_records(&world.records()),
        Folded::from([(("e".into(), "10".into()), ("107".into(), 938))])
    );
    assert_eq!(world.store.statistics().pending_events, 1);
    let too_early = World {
        rules: world.rules,
        clock: world.clock.clone(),
        store: make(world.clock.clone()).into(),
    };
    assert_eq!(words(&too_early.activate(&given().at(1000), "10", "9").late_credits), "");
    assert_eq!(words(&too_early.track(&given().at(1000).id("e"), "buy").credits), "10:9@1000");
    assert_eq!(
        words(&too_early.activate(&given().at(900), "10", "107").late_credits),
        "~-10:9@1000"
    );
    assert_eq!(words(&too_early.activate(&given().at(800), "10", "107").late_credits), "");
    assert!(fold_records(&too_early.records()).is_empty());
    world.clock.advance_to(1100);
    assert_eq!(activate(900, "9"), "", "the late window is over");
    assert_eq!(world.store.statistics().pending_events, 0);
}

fn keeps_the_ties_of_the_datafile_in_force(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.track(&given().at(900).id("old").datafile(0), "buy");
    world.track(&given().at(900).id("new").datafile(1), "buy");
    // The datafile of an activation decides nothing about ties.
    let late = world.activate(&given().at(800).datafile(2), "10", "9");
    assert_eq!(words(&late.late_credits), "10:9@800");
    let late = world.activate(&given().at(800).datafile(2), "12", "9");
    assert_eq!(words(&late.late_credits), "12:9@800");
    let folded = fold_records(&world.records());
    let credited: Vec<_> =
        folded.keys().map(|(event, experiment)| format!("{event} {experiment}")).collect();
    assert_eq!(credited, ["new 12", "old 10"]);
}

fn takes_an_id_once(make: MakeStore<'_>) {
    let world = world(make, LATE);
    assert!(!world.activate(&given().id("i"), "10", "9").duplicate);
    let repeat = world.activate(&given().id("i").user("other"), "11", "9");
    assert!(repeat.duplicate && !repeat.first, "the first body wins, whoever the second is about");
    assert!(!world.track(&given().id("i"), "buy").duplicate, "events have their own ids");
    let repeat = world.track(&given().id("i"), "look");
    assert!(repeat.duplicate && repeat.credits.is_empty());
    assert_eq!(repeat.reason, Some(NotCredited::Duplicate));
    let elsewhere = super::world::Given { environment: "blog", ..given().id("i") };
    assert!(!world.track(&elsewhere, "buy").duplicate, "environments have their own ids");
    assert!(!world.track(&given(), "buy").duplicate && !world.track(&given(), "buy").duplicate);
    let statistics = world.store.statistics();
    assert_eq!((statistics.duplicates, statistics.ids, world.store.latest()), (2, 3, 5));
    world.clock.advance_to(1499);
    assert!(world.track(&given().id("i"), "buy").duplicate);
    world.clock.advance_to(1500);
    assert!(!world.track(&given().id("i"), "buy").duplicate, "the repeat window is over");
}

fn hands_out_attributes(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.track(&given().at(930).id("late"), "buy");
    world.track(&given().at(930).id("own").attributes("mine"), "buy");
    world.activate(&given().at(910).attributes("phone"), "10", "9");
    world.activate(&given().at(950).attributes("desk"), "11", "9");
    world.activate(&given().at(920).attributes("tablet"), "20", "9");
    for (at_ms, id) in [(900, "none"), (915, "phone"), (920, "tablet"), (2000, "desk")] {
        world.track(&given().at(at_ms).id(id), "look");
    }
    let records = world.records();
    let conversions = records.iter().filter_map(|(_, record)| match &**record {
        Record::Conversion(record) => Some(inherited(record)),
        _ => None,
    });
    let expect = "late: | own: | late:phone late | own: late | late:tablet late | own: late | none: | phone:phone | \
                  tablet:tablet | desk:desk";
    assert_eq!(conversions.collect::<Vec<_>>().join(" | "), expect);
}

/// Activations as time and attributes, in the order of arrival, and what events then inherit.
fn remembers_attributes_by_time(make: MakeStore<'_>) {
    let check = |activations: &[(i64, &'static str)], expect: &[(i64, &str)]| {
        let world = world(make, Rules::default());
        for &(at_ms, text) in activations {
            world.activate(&given().at(at_ms).attributes(text), "10", "9");
        }
        for &(at_ms, text) in expect {
            world.track(&given().at(at_ms).id("e"), "free");
            let records = world.store.outbox(world.store.latest() - 1, 1, Duration::ZERO).unwrap();
            let Record::Conversion(record) = &*records[0].1 else { panic!("a conversion") };
            assert_eq!(inherited(record), format!("e:{text}"), "at {at_ms} after {activations:?}");
            world.clock.advance_to(world.clock.now_ms() + 86_400_000);
        }
    };
    check(&[], &[(5, "")]);
    check(&[(10, "a"), (20, "b")], &[(9, ""), (10, "a"), (19, "a"), (20, "b"), (99, "b")]);
    check(&[(20, "b"), (10, "a")], &[(9, ""), (10, "a"), (19, "a"), (20, "b"), (99, "b")]);
    check(&[(10, "a"), (30, "a"), (20, "b")], &[(19, "a"), (20, "b"), (29, "b"), (30, "a")]);
    check(&[(30, "a"), (20, "b"), (10, "a")], &[(9, ""), (19, "a"), (29, "b"), (30, "a")]);
    check(&[(30, "a"), (20, "a"), (25, "b")], &[(20, "a"), (25, "b"), (30, "a")]);
    check(
        &[(10, "a"), (20, "a"), (20, "b"), (10, "c")],
        &[(9, ""), (10, "c"), (19, "c"), (20, "b")],
    );
}

/// Windows may differ between environments, and between two starts of one.
fn keeps_every_entrys_own_windows(make: MakeStore<'_>) {
    let long = world(make, LATE);
    long.track(&given().id("long"), "buy");
    let short = World { rules: Rules { late_window_ms: 10, repeat_window_ms: 10, ..LATE }, ..long };
    short.track(&given().id("short"), "buy");
    short.clock.advance_to(1010);
    assert!(short.track(&given().id("long"), "free").duplicate);
    assert!(!short.track(&given().id("short"), "free").duplicate);
    assert_eq!(short.activate(&given().at(900), "10", "9").late_credits.len(), 1);
    assert_eq!(fold_records(&short.records()).len(), 1);
    short.clock.advance_to(1019);
    assert!(
        short.track(&given().id("short"), "free").duplicate,
        "accepted anew, it is a repeat anew"
    );
    short.clock.advance_to(1020);
    let long = World { rules: LATE, ..short };
    assert!(!long.track(&given().id("short"), "free").duplicate);
    long.clock.advance_to(1519);
    assert!(
        long.track(&given().id("short"), "free").duplicate,
        "its first acceptance is over, not its last"
    );
}

fn inherited(record: &ConversionRecord) -> String {
    let texts = record.inherited_attributes.iter().flat_map(|attributes| attributes.iter());
    let texts = texts.map(|attribute| match &attribute.value {
        variate::value::RecordedValue::String(text) => text.to_string(),
        other => format!("{other:?}"),
    });
    let late = if record.late { " late" } else { "" };
    format!("{}:{}{late}", record.event.about.id, texts.collect::<String>())
}

fn numbers_records_without_gaps(make: MakeStore<'_>) {
    let world = world(make, Rules::default());
    assert_eq!(world.store.latest(), 0);
    assert!(world.store.outbox(0, 10, Duration::from_millis(1)).unwrap().is_empty());
    for _ in 0..5 {
        world.track(&given(), "buy");
    }
    let numbers = |after, limit| -> Vec<u64> {
        world
            .store
            .outbox(after, limit, Duration::ZERO)
            .unwrap()
            .iter()
            .map(|(sequence, _)| *sequence)
            .collect()
    };
    assert_eq!(numbers(0, 10), [1, 2, 3, 4, 5]);
    assert_eq!(numbers(2, 2), [3, 4]);
    assert!(numbers(5, 10).is_empty() && numbers(99, 10).is_empty() && numbers(0, 0).is_empty());
    world.store.release(2);
    world.store.release(1);
    assert_eq!((numbers(0, 10), world.store.latest()), (vec![3, 4, 5], 5));
    world.store.release(99);
    assert_eq!((numbers(0, 10), world.store.latest()), (vec![], 5));
    world.track(&given(), "buy");
    assert_eq!(numbers(5, 10), [6]);
    std::thread::scope(|scope| {
        let waiter =
            scope.spawn(|| world.store.outbox(6, 10, Duration::from_secs(60)).unwrap().len());
        world.track(&given(), "buy");
        assert_eq!(waiter.join().unwrap(), 1, "a waiting reader is woken");
    });
    assert_eq!(world.store.statistics().waiting_records, 2);
}

fn forgets_users(make: MakeStore<'_>) {
    let world = world(make, LATE);
    assert!(!world.store.forget("shop", "u").unwrap());
    world.activate(&given(), "10", "9");
    world.track(&given(), "buy");
    let before = world.store.statistics();
    assert_eq!((before.users, before.activations, before.pending_events), (1, 1, 1));
    assert!(
        !world.store.forget("blog", "u").unwrap()
            && world.store.forget("shop", "u").unwrap()
            && !world.store.forget("shop", "u").unwrap()
    );
    let after = world.store.statistics();
    assert_eq!(
        (after.users, after.activations, after.pending_events, after.forgotten_users),
        (0, 0, 0, 0)
    );
    check_track(&world, "buy", 1000, "no-activation");
    assert!(world.activate(&given(), "10", "9").first);
}

fn keeps_the_last_good_datafile(make: MakeStore<'_>) {
    let world = world(make, LATE);
    let kept = |revision: &str, etag: Option<&str>| KeptDatafile {
        text: format!("the text of {revision}, {}", "\u{fc}".repeat(100_000)).into(),
        revision: revision.into(),
        fetched_at_ms: 5,
        source: "source".into(),
        etag: etag.map(Into::into),
        last_modified: None,
    };
    assert_eq!(world.store.kept_datafile("shop").unwrap(), None);
    for (environment, revision, etag) in [
        ("shop", "1", None),
        ("", "7", Some("\"e\"")),
        ("shop", "2", Some("")),
        ("shop2", "", None),
    ] {
        world.store.keep_datafile(environment, &kept(revision, etag)).unwrap();
        world.activate(&given(), "10", "9");
        let found = world.store.kept_datafile(environment).unwrap();
        assert_eq!(found, Some(kept(revision, etag)), "{environment:?}");
    }
    assert_eq!(world.store.kept_datafile("shop").unwrap(), Some(kept("2", Some(""))));
    assert_eq!(world.store.kept_datafile("").unwrap(), Some(kept("7", Some("\"e\""))));
    assert_eq!(world.store.kept_datafile("sho").unwrap(), None);
    assert_eq!(world.store.latest(), 4, "it is no record");
    world.store.forget("shop", "u").unwrap();
    assert!(world.store.kept_datafile("shop").unwrap().is_some());
}
