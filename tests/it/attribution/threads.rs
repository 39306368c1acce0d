//! Many threads on one user: an event and its activation in flight together never miss each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::model::{Arrival, What, expected};
use super::world::{EXPERIMENTS, VARIATIONS, World, fold_records, given, memory};
use variate::attribution::{Record, Rules};
use variate::clock::Clock;

const THREADS: usize = 8;

fn on_the_systems_clock(rules: Rules) -> World {
    let clock = Arc::new(Clock::system());
    World { store: memory(clock.clone()), clock, rules }
}

/// Times are set within the user's turn, and there is no late window: an event's credits are exactly
/// the experiments whose activations have an earlier record.
#[test]
fn turns_are_not_interleaved() {
    for _ in 0..20 {
        let world = &on_the_systems_clock(Rules::default());
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for round in 0..40 {
                        let experiment = ["10", "11", "20"][(thread + round) % 3];
                        if (thread + round) % 2 == 0 {
                            world.activate(&given(), experiment, VARIATIONS[thread % 2]);
                        }
                        let credits = world.track(&given(), "look").credits;
                        let is_there = credits
                            .iter()
                            .any(|credit| *credit.experiment.experiment_id == *experiment);
                        assert!(
                            is_there || (thread + round) % 2 == 1,
                            "what this thread did before is seen"
                        );
                    }
                });
            }
        });
        assert_credits_follow_from_the_records_before(world);
    }
}

fn assert_credits_follow_from_the_records_before(world: &World) {
    let mut activated = BTreeSet::new();
    let mut latest_received_ms = 0;
    for (sequence, record) in world.records() {
        match &*record {
            Record::Impression(record) => {
                assert!(record.is_activation);
                let shown = record.shown.as_ref().unwrap();
                assert_eq!(record.first, activated.insert(shown.experiment_id.to_string()));
            }
            Record::Conversion(record) => {
                let credited =
                    record.credits.iter().map(|credit| credit.experiment.experiment_id.to_string());
                assert_eq!(credited.collect::<BTreeSet<_>>(), activated, "at record {sequence}");
            }
            other => panic!("{other:?}"),
        }
        let received_at_ms = record.about().received_at_ms;
        assert!(received_at_ms >= latest_received_ms, "receipts of one user never go back");
        latest_received_ms = received_at_ms;
    }
}

/// Callers set the times, and everything is late for everything else: whatever the interleaving, the
/// folded credits are the model's.
#[test]
fn a_late_window_makes_the_interleaving_irrelevant() {
    let rules = Rules { late_window_ms: 3_600_000, window_ms: Some(300), ..Rules::default() };
    for round in 0..20_usize {
        let arrivals: Vec<Arrival> = (0..400).map(|at| arrival(at, round)).collect();
        let expect = expected(&arrivals, &rules);
        let world = &on_the_systems_clock(rules);
        std::thread::scope(|scope| {
            for part in arrivals.chunks(arrivals.len() / THREADS) {
                scope.spawn(move || part.iter().for_each(|arrival| take(world, arrival)));
            }
        });
        assert_eq!(fold_records(&world.records()), expect.folded);
        let statistics = world.store.statistics();
        let seen = (statistics.duplicates, statistics.activations, statistics.crossovers);
        assert_eq!(seen, (expect.duplicates, expect.firsts, expect.crossovers));
    }
}

fn take(world: &World, arrival: &Arrival) {
    match arrival.what {
        What::Activation { experiment, variation } => {
            world.activate(&arrival.given, experiment, variation);
        }
        What::Event { key } => {
            world.track(&arrival.given, super::world::EVENTS[key]);
        }
    }
}

/// Something that looks arbitrary, a few of them repeats.
fn arrival(at: usize, round: usize) -> Arrival {
    let mixed = (at * 7919 + round * 104_729) % 1009;
    let given = given().at(i64::try_from(mixed * 31 % 1000).unwrap()).datafile(mixed % 3);
    let given = given.id(&format!("id {}", at - at % 97 / 96));
    let experiment = EXPERIMENTS[mixed % 6];
    let variation = VARIATIONS[mixed / 6 % 2];
    let what = if at.is_multiple_of(3) {
        What::Activation { experiment, variation }
    } else {
        What::Event { key: mixed % 5 }
    };
    Arrival { given, pause_ms: 0, what }
}

/// One id, many threads: exactly one of them is counted.
#[test]
fn an_id_is_accepted_once_among_threads() {
    for round in 0..50 {
        let world = &on_the_systems_clock(Rules::default());
        let accepted: usize = std::thread::scope(|scope| {
            let track = |thread: usize| {
                let given = given().id(&round.to_string()).user(&format!("user {}", thread % 2));
                scope.spawn(move || usize::from(!world.track(&given, "buy").duplicate))
            };
            let threads: Vec<_> = (0..THREADS).map(track).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((accepted, world.store.latest()), (1, 1));
    }
}

/// Readers sleep, are woken and read while others write: each sees every record once, in numbers without
/// gaps, and each user's records in the order of the calls.
#[test]
fn readers_miss_nothing_while_others_write() {
    const ROUNDS: usize = 300;
    // Of each round: an activation that is captured, an event, an activation that corrects nothing.
    const RECORDS: usize = THREADS * ROUNDS * 3;
    let world = &on_the_systems_clock(Rules::default());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let user = given().user(&format!("{thread}-{}", round % 50));
                    world.activate(&user, "10", VARIATIONS[0]);
                    world.track(&user, "look");
                    world.activate(&user, "11", VARIATIONS[0]);
                    if round % 64 == 0 {
                        // Lets readers fall asleep.
                        std::thread::sleep(std::time::Duration::from_millis(3));
                    }
                }
            });
        }
        for limit in [1000, 7] {
            scope.spawn(move || {
                let mut read: Vec<Arc<Record>> = Vec::new();
                while read.len() < RECORDS {
                    let after = read.len() as u64;
                    let patience = std::time::Duration::from_secs(20);
                    let batch = world.store.outbox(after, limit, patience).unwrap();
                    assert!(!batch.is_empty(), "{} of {RECORDS} records came", read.len());
                    for (sequence, record) in batch {
                        read.push(record);
                        assert_eq!(sequence, read.len() as u64);
                    }
                }
                assert_each_users_records_are_in_order(&read);
            });
        }
    });
    assert_eq!(world.store.latest(), RECORDS as u64);
}

fn assert_each_users_records_are_in_order(records: &[Arc<Record>]) {
    let mut calls: std::collections::BTreeMap<&str, Vec<&str>> = Default::default();
    for record in records {
        let call = match &**record {
            Record::Impression(record) => &*record.shown.as_ref().unwrap().experiment_id,
            Record::Conversion(_) => "look",
            other => panic!("{other:?}"),
        };
        calls.entry(&record.about().user_id).or_default().push(call);
    }
    for (user, calls) in calls {
        assert!(calls.chunks(3).all(|round| round == ["10", "look", "11"]), "{user}: {calls:?}");
    }
}

/// What wakes a reader is a record, nothing else: neither a repeat nor a refusal ends its patience.
#[test]
fn a_repeat_does_not_end_a_readers_patience() {
    let world = &on_the_systems_clock(Rules::default());
    world.activate(&given().id("one"), "10", VARIATIONS[0]);
    // Longer than the repeats take on any machine; the record ends it.
    let patience = std::time::Duration::from_secs(20);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| world.store.outbox(1, 10, patience).unwrap().len());
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            assert!(world.activate(&given().id("one"), "10", VARIATIONS[0]).duplicate);
        }
        world.activate(&given().id("two"), "10", VARIATIONS[0]);
        assert_eq!(reader.join().unwrap(), 1, "the record of the second id");
    });
}
