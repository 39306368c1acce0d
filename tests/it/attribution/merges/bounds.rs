//! Merges in a store in memory that has little room: what finds none is counted, and what is refused
//! leaves no trace.

use std::sync::Arc;

use super::super::world::{World, given, words};
use variate::attribution::{
    Activation, Bounds, EntryId, PendingEvent, Rules, Shown, UserRow, plan_merge,
};
use variate::clock::Clock;
use variate::store::{MemoryLimits, MemoryStore, Statistics};

fn bounded(limits: MemoryLimits) -> World {
    let clock = Arc::new(Clock::manual(1000));
    let rules = Rules { late_window_ms: 100, ..Rules::default() };
    World { store: Arc::new(MemoryStore::new(clock.clone(), limits)), clock, rules }
}

#[test]
fn a_full_outbox_refuses_a_merge_that_has_records_and_keeps_nothing() {
    let world = bounded(MemoryLimits { waiting_records: 3, ..MemoryLimits::default() });
    world.activate(&given().user("old").at(900), "10", "9");
    world.track(&given().user("new").at(950).id("e"), "buy");
    world.track(&given().user("old").at(850).id("f"), "look");
    let before = world.store.statistics();
    let refused = world.try_merge(Some("m"), "shop", "old", "new");
    assert_eq!(refused.outcome.copied_activations, 1, "what it would have been");
    assert_eq!(words(&refused.outcome.late_credits), "10:9@900");
    assert!(refused.receipt.wait().unwrap_err().is_full());
    let without_refusals = |mut statistics: Statistics| {
        statistics.refused_records = 0;
        statistics
    };
    let after = world.store.statistics();
    assert_eq!(after.refused_records, before.refused_records + 1);
    assert_eq!(without_refusals(after), without_refusals(before));
    let silent = world.try_merge(None, "shop", "old", "other");
    silent.receipt.wait().expect("a merge without records needs no room for any");
    world.store.release(1);
    let accepted = world.try_merge(Some("m"), "shop", "other", "new");
    assert!(!accepted.outcome.duplicate, "its id was not taken");
    accepted.receipt.wait().unwrap();
    assert_eq!(words(&accepted.outcome.late_credits), "10:9@900");
    assert_eq!(world.store.latest(), 4);
    assert!(world.try_track(&given().id("g"), "buy").receipt.wait().is_err(), "it is full again");
    world.store.release(4);
    for number in 0..3 {
        world.track(&given().id(&number.to_string()), "buy");
    }
    assert!(
        world.try_track(&given(), "buy").receipt.wait().is_err(),
        "no place was lost or gained"
    );
}

#[test]
fn without_sinks_nothing_is_refused() {
    let world = bounded(MemoryLimits { waiting_records: 0, ..MemoryLimits::default() });
    world.activate(&given().user("old").at(900), "10", "9");
    world.track(&given().user("new").at(950).id("e"), "buy");
    assert_eq!(words(&world.merge("shop", "old", "new").late_credits), "10:9@900");
    assert!(world.records().is_empty());
}

#[test]
fn activations_are_copied_as_far_as_there_is_room() {
    let world = bounded(MemoryLimits { activations_per_user: 3, ..MemoryLimits::default() });
    let then = |given, experiment| {
        world.clock.advance_to(world.clock.now_ms() + 1);
        world.activate(&given, experiment, "9");
    };
    then(given().user("new"), "13");
    then(given().user("new"), "20");
    for experiment in ["10", "11", "12", "11"] {
        then(given().user("old"), experiment);
    }
    let before = world.store.statistics();
    let merged = world.merge("shop", "old", "new");
    assert_eq!(merged.copied_activations, 1);
    let after = world.store.statistics();
    assert_eq!(after.activations, before.activations + 1);
    assert_eq!(after.forgotten_activations, before.forgotten_activations + 2);
    let credits = world.track(&given().user("new"), "look").credits;
    assert_eq!(
        words(&credits),
        "11:9@1004 20:9@1002",
        "what was shown last; the new id's all stay"
    );
}

/// Each of 150 events is credited by each of 100 activations: what was received first goes, whole.
#[test]
fn what_one_merge_credits_has_an_end() {
    let names: Vec<Arc<str>> = (0..100).map(|number| format!("{number:03}").into()).collect();
    let activation = |name: &Arc<str>| Activation {
        shown: Arc::new(Shown {
            experiment_id: Arc::clone(name),
            experiment_key: Arc::clone(name),
            campaign_id: Arc::clone(name),
            variation_id: "9".into(),
            variation_key: "v9".into(),
        }),
        first_ms: 900,
        last_received_ms: 1000,
        is_crossed_over: false,
    };
    let pending = |number: i64| PendingEvent {
        id: EntryId::given_or_new(Some(number.to_string().into())),
        time_ms: 950,
        received_at_ms: 1000 + number,
        claimable_until_ms: 5000,
        tied: names.clone().into(),
        event: number,
    };
    let from = UserRow::from_parts(names.iter().map(activation), [], []);
    let into = UserRow::from_parts([], (0..150).map(pending), []);
    let bounds = Bounds { activations: 1000, pending_events: 1000 };
    let plan = plan_merge(into, from, "shop", &Rules::default(), &bounds);
    assert_eq!((plan.copied, plan.forgotten.pending_events), (100, 50));
    let left: Vec<_> = plan.into.pending().map(|pending| pending.event).collect();
    assert_eq!(left, (50..150).collect::<Vec<_>>());
    assert_eq!(plan.late_credits.len(), 10_000);
    let places: Vec<_> = plan.late_credits.iter().map(|late| late.pending_place).collect();
    assert_eq!(places, (0..10_000).map(|number| number / 100).collect::<Vec<_>>());
}

/// Of what waits, what was received first is forgotten: per user, and in all.
#[test]
fn events_that_wait_are_bounded_when_they_are_moved() {
    let limits =
        MemoryLimits { pending_events: 6, pending_events_per_user: 3, ..MemoryLimits::default() };
    let world = bounded(limits);
    for user in ["old", "new", "old", "new", "other"] {
        world.clock.advance_to(world.clock.now_ms() + 1);
        world.track(&given().user(user).at(900).id(&world.clock.now_ms().to_string()), "buy");
    }
    let merged = world.merge("shop", "old", "new");
    assert_eq!(merged.moved_events, 2);
    let statistics = world.store.statistics();
    assert_eq!((statistics.pending_events, statistics.forgotten_events), (4, 1));
    assert_eq!(world.activate(&given().user("new").at(900), "10", "9").late_credits.len(), 3);
    // Two of others push out what is the oldest of all, wherever it waited before.
    for user in ["x", "y", "z"] {
        world.track(&given().user(user).at(900), "buy");
    }
    let statistics = world.store.statistics();
    assert_eq!((statistics.pending_events, statistics.forgotten_events), (6, 2));
    let late =
        |user: &str| world.activate(&given().user(user).at(890), "10", "107").late_credits.len();
    assert_eq!(["new", "other", "x", "y", "z"].map(late), [2, 1, 1, 1, 1]);
    for (now_ms, expect) in [(1102, 6), (1103, 5), (1104, 4), (1105, 0)] {
        world.clock.advance_to(now_ms);
        assert_eq!(world.store.statistics().pending_events, expect, "at {now_ms}");
    }
    assert_eq!(world.store.statistics().users, 5);
}

#[test]
fn the_oldest_of_all_goes_wherever_it_waited_before() {
    let limits = MemoryLimits { pending_events: 6, ..MemoryLimits::default() };
    let world = bounded(limits);
    for user in ["old", "new", "other", "old", "new"] {
        world.clock.advance_to(world.clock.now_ms() + 1);
        world.track(&given().user(user).at(900), "buy");
    }
    world.merge("shop", "old", "new");
    for user in ["v", "w", "x", "y", "z"] {
        world.track(&given().user(user).at(900), "buy");
    }
    let late =
        |user: &str| world.activate(&given().user(user).at(900), "10", "9").late_credits.len();
    let left = ["new", "other", "v", "w", "x", "y", "z"].map(late);
    assert_eq!(left, [1, 0, 1, 1, 1, 1, 1], "four went, all that was received before the fifth");
    let statistics = world.store.statistics();
    assert_eq!((statistics.pending_events, statistics.forgotten_events), (6, 4));
}

/// From shard to shard, again and again: what is counted is what is there.
#[test]
fn events_that_move_from_shard_to_shard_are_counted_once_and_go_in_time() {
    let world = bounded(MemoryLimits { users: 100_000, ..MemoryLimits::default() });
    let mut latest = "0".to_owned();
    for number in 1..200 {
        let next = number.to_string();
        world.track(&given().user(&latest).at(900), "buy");
        world.clock.advance_to(1000 + number / 10);
        assert_eq!(
            world.merge("shop", &latest, &next).moved_events,
            usize::try_from(number).unwrap()
        );
        latest = next;
    }
    let statistics = world.store.statistics();
    assert_eq!((statistics.pending_events, statistics.users), (199, 1));
    world.clock.advance_to(1110);
    assert_eq!(world.store.statistics().pending_events, 89);
    assert_eq!(world.activate(&given().user(&latest).at(900), "10", "9").late_credits.len(), 89);
    world.clock.advance_to(1200);
    assert_eq!(world.store.statistics().pending_events, 0);
    assert!(world.store.forget("shop", &latest).unwrap());
    let statistics = world.store.statistics();
    assert_eq!((statistics.users, statistics.activations), (0, 0));
}

/// The new id's row needs room in a full store: who is merged is not what makes it.
#[test]
fn a_full_store_forgets_somebody_else() {
    let world = bounded(MemoryLimits { users: 2, ..MemoryLimits::default() });
    world.track(&given().user("old").at(950).id("e"), "buy");
    world.activate(&given().user("somebody").at(900), "10", "9");
    assert_eq!(world.merge("shop", "old", "new").moved_events, 1);
    let statistics = world.store.statistics();
    assert_eq!(
        (statistics.users, statistics.pending_events, statistics.forgotten_users),
        (2, 1, 0)
    );
    assert_eq!(
        words(&world.activate(&given().user("new").at(900), "10", "9").late_credits),
        "10:9@900"
    );
}
