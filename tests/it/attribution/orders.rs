//! Any order of arrival against the plain model.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::model::{Arrival, Expected, What, expected};
use super::world::{
    EVENTS, EXPERIMENTS, Given, MakeStore, VARIATIONS, fold_records, memory, world,
};
use variate::attribution::{Credit, Record, Rules};

fn given() -> impl Strategy<Value = Given> {
    let who = (select(&["shop", "blog"][..]), select(&["u", "v", ""][..]));
    (who, 960..1010_i64, any::<bool>(), 0..3_usize).prop_map(
        |((environment, user), time_ms, has_time, datafile)| Given {
            environment,
            user: user.to_owned(),
            time_ms: has_time.then_some(time_ms),
            datafile,
            ..Given::default()
        },
    )
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let activation = (select(&EXPERIMENTS[..]), select(&VARIATIONS[..]))
        .prop_map(|(experiment, variation)| What::Activation { experiment, variation });
    let event = (0..EVENTS.len()).prop_map(|key| What::Event { key });
    let pause_ms = prop_oneof![3 => Just(0_i64), 1 => 0..12_i64];
    (given(), pause_ms, prop_oneof![activation, event])
        .prop_map(|(given, pause_ms, what)| Arrival { given, pause_ms, what })
}

/// Arrivals with ids of their own, and some of them once more.
fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let numbered = prop::collection::vec(arrival(), 1..40).prop_map(|mut arrivals| {
        for (at, arrival) in arrivals.iter_mut().enumerate() {
            arrival.given.id = Some(format!("e{at}"));
        }
        arrivals
    });
    (numbered, prop::collection::vec(any::<prop::sample::Index>(), 0..6)).prop_map(
        |(mut arrivals, repeats)| {
            for repeat in repeats {
                let repeated = repeat.get(&arrivals).clone();
                arrivals.push(repeated);
            }
            arrivals
        },
    )
}

fn rules(late_window_ms: impl Strategy<Value = i64>) -> impl Strategy<Value = Rules> {
    let window_ms = prop_oneof![Just(None), (0..30_i64).prop_map(Some)];
    let early_tolerance_ms = prop_oneof![Just(0), 0..8_i64];
    (window_ms, early_tolerance_ms, late_window_ms, 0..6_i64).prop_map(
        |(window_ms, early_tolerance_ms, late_window_ms, future_tolerance_ms)| Rules {
            window_ms,
            early_tolerance_ms,
            late_window_ms,
            repeat_window_ms: 86_400_000,
            future_tolerance_ms,
        },
    )
}

/// Runs arrivals through a store; gives what the model also says.
fn run(make: MakeStore<'_>, arrivals: &[Arrival], rules: &Rules) -> Expected {
    let world = world(make, *rules);
    let mut ran = Expected::default();
    let mut credits = Vec::new();
    for (at, arrival) in arrivals.iter().enumerate() {
        world.clock.advance_to(world.clock.now_ms() + arrival.pause_ms);
        let given = &arrival.given;
        match arrival.what {
            What::Activation { experiment, variation } => {
                let outcome = world.activate(given, experiment, variation);
                ran.firsts += u64::from(outcome.first);
                credits.extend(outcome.late_credits);
            }
            What::Event { key } => {
                let outcome = world.track(given, EVENTS[key]);
                if let Some(reason) = outcome.reason.filter(|_| !outcome.duplicate) {
                    ran.reasons.insert(at, reason.as_str());
                }
                credits.extend(outcome.credits);
            }
        }
    }
    let records = world.records();
    ran.folded = fold_records(&records);
    let in_records: Vec<_> =
        records.iter().flat_map(|(_, record)| credits_of(record)).cloned().collect();
    assert_eq!(credits, in_records, "answers and records tell the same");
    assert!(
        records.iter().zip(1..).all(|((sequence, _), place)| *sequence == place),
        "a gap in the sequence numbers"
    );
    let ids: BTreeSet<_> = records.iter().map(|(_, record)| id_of(record)).collect();
    assert_eq!(ids.len(), records.len(), "every record has an id of its own");
    let statistics = world.store.statistics();
    ran.duplicates = statistics.duplicates;
    ran.crossovers = statistics.crossovers;
    assert_eq!(statistics.activations, ran.firsts);
    ran
}

fn id_of(record: &Record) -> String {
    match record {
        Record::Impression(record) => {
            format!("impression {} {}", record.about.environment, record.about.id)
        }
        Record::Conversion(record) => {
            format!("conversion {} {}", record.event.about.environment, record.id)
        }
        other => format!("{other:?}"),
    }
}

fn credits_of(record: &Record) -> &[Credit] {
    match record {
        Record::Conversion(record) => &record.credits,
        _ => &[],
    }
}

/// Arrivals that mean the same wherever they stand in the order: with times of their own, all within
/// each other's late window.
fn arrivals_in_any_order() -> impl Strategy<Value = Vec<Arrival>> {
    arrivals().prop_map(|mut arrivals| {
        for arrival in &mut arrivals {
            arrival.given.time_ms.get_or_insert(980);
            arrival.pause_ms = arrival.pause_ms.min(3);
        }
        arrivals
    })
}

fn rules_for_any_order() -> impl Strategy<Value = Rules> {
    rules(Just(1_000_000)).prop_map(|rules| Rules { future_tolerance_ms: 1_000, ..rules })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn what_arrives_in_any_order_is_what_the_model_says(
        arrivals in arrivals().prop_shuffle(),
        rules in rules(prop_oneof![Just(0), 0..20_i64, Just(1_000_000)]),
    ) {
        prop_assert_eq!(run(&memory, &arrivals, &rules), expected(&arrivals, &rules));
    }

    #[test]
    fn folded_credits_are_the_same_in_every_order(
        (arrivals, shuffled) in arrivals_in_any_order()
            .prop_flat_map(|arrivals| (Just(arrivals.clone()), Just(arrivals).prop_shuffle())),
        rules in rules_for_any_order(),
    ) {
        prop_assert_eq!(run(&memory, &arrivals, &rules).folded, run(&memory, &shuffled, &rules).folded);
    }
}

/// The same of the store on disk, which is closed and opened between entries.
#[cfg(feature = "durable")]
mod on_disk {
    use std::sync::Arc;

    use super::*;
    use crate::attribution::durable::restarting;
    use crate::attribution::world::World;
    use variate::clock::Clock;

    const CASES: &str = "VARIATE_DURABLE_CASES";

    /// Each case opens a store a few times; more than a glance is asked for.
    #[expect(clippy::disallowed_methods, reason = "says how many cases to try")]
    fn config() -> ProptestConfig {
        let cases = std::env::var(CASES).map(|cases| cases.parse().expect(CASES)).unwrap_or(8);
        ProptestConfig { cases, max_shrink_iters: 300, ..ProptestConfig::default() }
    }

    fn run_at_once(world: &World, arrivals: &[Arrival], threads: usize) {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || {
                    arrivals.iter().skip(thread).step_by(threads).for_each(|arrival| match arrival
                        .what
                    {
                        What::Activation { experiment, variation } => {
                            world.activate(&arrival.given, experiment, variation);
                        }
                        What::Event { key } => {
                            world.track(&arrival.given, EVENTS[key]);
                        }
                    });
                });
            }
        });
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn what_arrives_in_any_order_is_what_the_model_says(
            arrivals in arrivals().prop_shuffle(),
            rules in rules(prop_oneof![Just(0), 0..20_i64, Just(1_000_000)]),
            restarts_after in 1..12_usize,
        ) {
            let make = |clock| restarting(clock, restarts_after);
            prop_assert_eq!(run(&make, &arrivals, &rules), expected(&arrivals, &rules));
        }

        /// As the memory store in order, and as the model: whatever runs at once, repeats of what is in
        /// flight among them, and wherever the restarts fall.
        #[test]
        fn folded_credits_are_the_models_whatever_runs_at_once(
            arrivals in arrivals_in_any_order().prop_shuffle(),
            rules in rules_for_any_order(),
            (restarts_after, threads) in (3..20_usize, 2..6_usize),
            is_one_user in any::<bool>(),
        ) {
            let mut arrivals = arrivals;
            for arrival in &mut arrivals {
                arrival.pause_ms = 0;
                if is_one_user {
                    arrival.given.user = "u".to_owned();
                    arrival.given.environment = "shop";
                }
            }
            let clock = Arc::new(Clock::manual(1000));
            let world = World { store: restarting(clock.clone(), restarts_after).into(), clock, rules };
            run_at_once(&world, &arrivals, threads);
            let expect = expected(&arrivals, &rules);
            let records = world.records();
            prop_assert!(records.iter().zip(1..).all(|((sequence, _), place)| *sequence == place));
            prop_assert_eq!(fold_records(&records), expect.folded);
            let statistics = world.store.statistics();
            let counted = (statistics.duplicates, statistics.activations, statistics.crossovers);
            prop_assert_eq!(counted, (expect.duplicates, expect.firsts, expect.crossovers));
        }
    }
}
