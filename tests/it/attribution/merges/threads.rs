//! Merges at once with each other and with everything else: nobody waits for ever, and nothing is missed.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::super::model::{self, Arrival, expected};
use super::super::world::{
    EVENTS, EXPERIMENTS, MakeStore, VARIATIONS, World, fold_records, given, memory,
};
use variate::attribution::Rules;
use variate::clock::Clock;

const THREADS: usize = 6;
const USERS: [&str; 5] = ["a", "b", "c", "d", "e"];
/// Longer than it takes on any machine.
const FOR_EVER: Duration = Duration::from_secs(180);

const RULES: Rules = Rules {
    window_ms: Some(300),
    early_tolerance_ms: 5,
    late_window_ms: 3_600_000,
    repeat_window_ms: 7_200_000,
    future_tolerance_ms: 300_000,
};

#[test]
fn merges_in_memory_keep_their_turns() {
    (0..20).for_each(|round| merging_is_as_if_it_had_been_one_id(&memory, round));
    nobody_waits_for_ever(&memory, 2_000);
}

#[cfg(feature = "durable")]
#[test]
fn merges_on_disk_keep_their_turns() {
    use super::super::durable::sound;
    merging_is_as_if_it_had_been_one_id(&|clock| sound(clock, usize::MAX), 1);
    merging_is_as_if_it_had_been_one_id(&|clock| sound(clock, 37), 2);
    nobody_waits_for_ever(&|clock| sound(clock, usize::MAX), 200);
}

fn on_the_systems_clock(make: MakeStore<'_>) -> World {
    let clock = Arc::new(Clock::system());
    World { store: make(clock.clone()).into(), clock, rules: RULES }
}

/// Something that looks arbitrary.
fn mixed(number: usize, round: usize) -> usize {
    (number * 7919 + round * 104_729 + 13) % 100_003 / 7
}

/// Both ways, in circles, of one id with itself, with tracking and forgetting in between.
fn nobody_waits_for_ever(make: MakeStore<'_>, calls: usize) {
    let world = Arc::new(on_the_systems_clock(make));
    let (done, all_done) = channel();
    for thread in 0..THREADS {
        let (world, done) = (Arc::clone(&world), done.clone());
        std::thread::spawn(move || {
            for number in 0..calls {
                let mixed = mixed(number, thread);
                let (from, into) = (USERS[mixed % 5], USERS[mixed / 5 % 5]);
                let given = given().user(into).at(i64::try_from(mixed % 1000).unwrap());
                let id = format!("{thread} {number}");
                match mixed / 25 % 8 {
                    0..4 => drop(world.try_merge(Some(&id), "shop", from, into)),
                    4 | 5 => drop(world.try_activate(&given.id(&id), EXPERIMENTS[mixed % 6], "9")),
                    6 => drop(world.try_track(&given.id(&id), EVENTS[mixed % 5])),
                    _ => drop(world.store.forget("shop", from).unwrap()),
                }
            }
            done.send(()).unwrap();
        });
    }
    for _ in 0..THREADS {
        all_done.recv_timeout(FOR_EVER).expect("every thread comes to its end");
    }
    world.store.flush(FOR_EVER).unwrap();
    let records = world.records();
    assert!(records.iter().zip(1..).all(|((number, _), place)| *number == place));
}

/// Each experiment is shown under one id only, which one is different in every round, and always the same: so
/// whatever is merged when, when all is merged at last, the credits are those of one user.
fn merging_is_as_if_it_had_been_one_id(make: MakeStore<'_>, round: usize) {
    let arrivals: Vec<Arrival> = (0..300).map(|number| arrival(number, round)).collect();
    let one_user = |arrival: &Arrival| {
        let mut arrival = arrival.clone();
        arrival.given.user = "a".to_owned();
        arrival
    };
    let expect = expected(&arrivals.iter().map(one_user).collect::<Vec<_>>(), &RULES);
    let world = &on_the_systems_clock(make);
    std::thread::scope(|scope| {
        for (thread, part) in arrivals.chunks(arrivals.len() / THREADS).enumerate() {
            scope.spawn(move || {
                for (number, arrival) in part.iter().enumerate() {
                    let mixed = mixed(number, round * THREADS + thread);
                    if mixed.is_multiple_of(4) {
                        world.merge("shop", USERS[mixed / 4 % 5], USERS[mixed / 20 % 5]);
                    }
                    take(world, arrival);
                }
            });
        }
    });
    for from in &USERS[1..] {
        world.merge("shop", from, USERS[0]);
    }
    let records = world.records();
    assert!(records.iter().zip(1..).all(|((number, _), place)| *number == place));
    assert_eq!(fold_records(&records), expect.folded, "in round {round}");
    assert_eq!(world.store.statistics().crossovers, 0);
}

fn take(world: &World, arrival: &Arrival) {
    match arrival.what {
        model::What::Activation { experiment, variation } => {
            world.activate(&arrival.given, experiment, variation);
        }
        model::What::Event { key } => {
            world.track(&arrival.given, EVENTS[key]);
        }
    }
}

fn arrival(number: usize, round: usize) -> Arrival {
    let mixed = mixed(number, round);
    let of_event = i64::try_from(mixed * 31 % 1000).unwrap();
    let (what, user, time_ms) = if number.is_multiple_of(3) {
        let place = mixed % EXPERIMENTS.len();
        let user = USERS[(place + round) % USERS.len()];
        let variation = VARIATIONS[(place + round) % 2];
        let experiment = EXPERIMENTS[place];
        let time_ms = 200 + 100 * i64::try_from(place).unwrap();
        (model::What::Activation { experiment, variation }, user, time_ms)
    } else {
        (model::What::Event { key: mixed % 5 }, USERS[mixed / 5 % 5], of_event)
    };
    let given = given().user(user).at(time_ms).id(&format!("id {number}")).datafile(mixed % 3);
    Arrival { given, pause_ms: 0, what }
}
