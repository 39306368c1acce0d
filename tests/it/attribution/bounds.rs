//! The store in memory stays within its limits, and counts what it forgets.

use std::sync::Arc;

use super::world::{World, given, words};
use variate::attribution::Rules;
use variate::clock::Clock;
use variate::store::{MemoryLimits, MemoryStore, Statistics};

fn bounded(limits: MemoryLimits) -> World {
    let clock = Arc::new(Clock::manual(1000));
    let rules = Rules { late_window_ms: 100, ..Rules::default() };
    World { store: Arc::new(MemoryStore::new(clock.clone(), limits)), clock, rules }
}

#[test]
fn users_not_seen_lately_are_forgotten() {
    let world = bounded(MemoryLimits { users: 10, ..MemoryLimits::default() });
    for round in 0..100 {
        world.activate(&given().user("regular"), "10", "9");
        world.activate(&given().user(&format!("passer-by {round}")), "10", "9");
        world.track(&given().user(&format!("passer-by {round}")), "buy");
    }
    let statistics = world.store.statistics();
    assert_eq!((statistics.users, statistics.forgotten_users), (10, 91));
    assert_eq!((statistics.activations, statistics.forgotten_activations), (10, 91));
    assert_eq!((statistics.pending_events, statistics.forgotten_events), (9, 91));
    assert!(
        !world.activate(&given().user("regular"), "10", "9").first,
        "who is seen again and again stays"
    );
}

#[test]
fn many_users_over_many_shards_stay_within_the_limit() {
    let limits = MemoryLimits { users: 8192, waiting_records: 0, ..MemoryLimits::default() };
    let world = bounded(limits);
    for user in 0..30_000 {
        world.activate(&given().user(&user.to_string()), "10", "9");
    }
    let statistics = world.store.statistics();
    assert!((8000..=8192).contains(&statistics.users), "{statistics:?}");
    assert_eq!(statistics.users + statistics.forgotten_users, 30_000);
    assert_eq!(statistics.activations + statistics.forgotten_activations, 30_000);
}

#[test]
fn a_users_oldest_activations_are_forgotten() {
    let world = bounded(MemoryLimits { activations_per_user: 2, ..MemoryLimits::default() });
    for experiment in ["10", "11", "10", "12", "20"] {
        world.clock.advance_to(world.clock.now_ms() + 1);
        world.activate(&given(), experiment, "9");
    }
    let statistics = world.store.statistics();
    assert_eq!((statistics.activations, statistics.forgotten_activations), (2, 2));
    assert_eq!(words(&world.track(&given(), "look").credits), "20:9@1005");
}

#[test]
fn pending_events_are_bounded_per_user_and_in_all() {
    let limits =
        MemoryLimits { pending_events: 5, pending_events_per_user: 3, ..MemoryLimits::default() };
    let world = bounded(limits);
    for event in 0..50 {
        world.track(&given().at(900).id(&event.to_string()), "buy");
    }
    let statistics = world.store.statistics();
    assert_eq!(
        (statistics.pending_events, statistics.forgotten_events, statistics.users),
        (3, 47, 1)
    );
    for user in 0..50 {
        world.track(&given().user(&user.to_string()), "buy");
    }
    let statistics = world.store.statistics();
    assert_eq!(
        (statistics.pending_events, statistics.forgotten_events, statistics.users),
        (5, 95, 5)
    );
    for event in 0..100_000 {
        world.track(&given().at(900).user(&(event % 2).to_string()), "buy");
    }
    let statistics = world.store.statistics();
    assert_eq!(
        (statistics.pending_events, statistics.forgotten_events, statistics.users),
        (5, 100_095, 2)
    );
    world.clock.advance_to(2000);
    let statistics = world.store.statistics();
    assert_eq!((statistics.pending_events, statistics.users), (0, 0), "rows without anything go");
}

#[test]
fn the_oldest_pending_event_of_all_is_forgotten() {
    let limits =
        MemoryLimits { pending_events: 4, pending_events_per_user: 3, ..MemoryLimits::default() };
    let world = bounded(limits);
    for user in ["busy", "oldest", "busy", "busy", "busy", "newest"] {
        world.track(&given().user(user).at(900), "buy");
    }
    let late =
        |user: &str| world.activate(&given().user(user).at(900), "10", "9").late_credits.len();
    assert_eq!([late("busy"), late("oldest"), late("newest")], [3, 0, 1]);
}

#[test]
fn the_oldest_ids_are_forgotten() {
    let world = bounded(MemoryLimits { ids: 3, ..MemoryLimits::default() });
    for id in ["a", "b", "c", "d"] {
        assert!(!world.track(&given().id(id), "free").duplicate);
    }
    let statistics = world.store.statistics();
    assert_eq!((statistics.ids, statistics.forgotten_ids), (3, 1));
    assert!(world.track(&given().id("b"), "free").duplicate);
    assert!(!world.track(&given().id("a"), "free").duplicate);
}

#[test]
fn a_full_outbox_refuses_and_keeps_nothing() {
    let world = bounded(MemoryLimits { waiting_records: 2, ..MemoryLimits::default() });
    world.track(&given().at(900).id("one"), "buy");
    world.track(&given().at(900).id("two"), "buy");
    let before = world.store.statistics();
    let refused = world.try_activate(&given().at(800).id("i"), "10", "9");
    assert!(refused.outcome.first, "the outcome says what it would have been");
    assert_eq!(words(&refused.outcome.late_credits), "10:9@800 10:9@800");
    assert!(refused.receipt.wait().unwrap_err().is_full());
    assert!(world.try_track(&given().id("e"), "buy").receipt.wait().unwrap_err().is_full());
    let after = world.store.statistics();
    assert_eq!(after.refused_records - before.refused_records, 4);
    assert_eq!(without_refusals(after), without_refusals(before));
    world.store.release(1);
    let accepted = world.activate(&given().at(800).id("i"), "10", "9");
    assert!(accepted.first && !accepted.duplicate && accepted.late_credits.len() == 2);
    assert_eq!(
        world.store.latest(),
        5,
        "an entry gets as many places as it needs, once there is one"
    );
    assert!(world.try_track(&given().id("e"), "buy").receipt.wait().is_err());
    world.store.release(5);
    assert_eq!(words(&world.track(&given().id("e"), "buy").credits), "10:9@800");
}

fn without_refusals(mut statistics: Statistics) -> Statistics {
    statistics.refused_records = 0;
    statistics
}

#[test]
fn without_sinks_nothing_waits_and_nothing_is_refused() {
    let world = bounded(MemoryLimits { waiting_records: 0, ..MemoryLimits::default() });
    world.track(&given().at(900), "buy");
    assert_eq!(words(&world.activate(&given().at(900), "10", "9").late_credits), "10:9@900");
    assert_eq!(words(&world.track(&given(), "buy").credits), "10:9@900");
    assert!(world.records().is_empty() && world.store.latest() == 0);
    assert_eq!(world.store.statistics().refused_records, 0);
}

#[test]
fn receipts_are_awaited_without_blocking() {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    let world = bounded(MemoryLimits { waiting_records: 1, ..MemoryLimits::default() });
    let mut context = Context::from_waker(Waker::noop());
    for expect_stored in [true, false] {
        let receipt = std::pin::pin!(world.try_track(&given(), "buy").receipt);
        let Poll::Ready(stored) = receipt.poll(&mut context) else {
            panic!("ready at once in memory")
        };
        assert_eq!(stored.is_ok(), expect_stored);
    }
}

#[test]
fn a_receipt_says_the_same_however_often_it_is_asked() {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};
    let world = bounded(MemoryLimits { waiting_records: 0, ..MemoryLimits::default() });
    world.try_track(&given(), "buy").receipt.wait().unwrap();
    let world = bounded(MemoryLimits { waiting_records: 1, ..MemoryLimits::default() });
    world.try_track(&given(), "buy").receipt.wait().unwrap();
    let mut receipt = world.try_track(&given(), "buy").receipt;
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        let Poll::Ready(stored) = Pin::new(&mut receipt).poll(&mut context) else {
            panic!("ready at once in memory")
        };
        assert!(stored.unwrap_err().is_full());
        assert!(receipt.refusal().unwrap().is_full());
    }
    assert!(receipt.wait().unwrap_err().is_full(), "polled before, it is refused all the same");
}
