//! Any history with merges against the plain model; and where each experiment was shown under one id only,
//! merging is as if it had been one id all along.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::world::{
    EVENTS, EXPERIMENTS, Folded, Given, MakeStore, PLANS, Plan, VARIATIONS, World, fold_records,
    given, memory, world,
};
use super::model::{Arrival, Model, What};
use variate::attribution::{Record, Rules};

const USERS: [&str; 4] = ["a", "b", "c", ""];

fn arrival() -> impl Strategy<Value = Arrival> {
    let time_ms = || 960..1000_i64;
    let activation = (select(&EXPERIMENTS[..]), select(&VARIATIONS[..]), time_ms()).prop_map(
        |(experiment, variation, time_ms)| What::Activation { experiment, variation, time_ms },
    );
    let event = (0..EVENTS.len(), time_ms(), 0..3_usize)
        .prop_map(|(key, time_ms, datafile)| What::Event { key, time_ms, datafile });
    let merge = select(&USERS[..]).prop_map(|from| What::Merge { from });
    let pause_ms = prop_oneof![3 => Just(0_i64), 1 => 0..12_i64];
    let what = prop_oneof![3 => activation, 3 => event, 2 => merge];
    (pause_ms, select(&USERS[..]), what).prop_map(|(pause_ms, user, what)| Arrival {
        pause_ms,
        user,
        what,
    })
}

pub(super) fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    prop::collection::vec(arrival(), 1..50)
}

pub(super) fn rules() -> impl Strategy<Value = Rules> {
    let window_ms = prop_oneof![Just(None), (0..30_i64).prop_map(Some)];
    let early_tolerance_ms = prop_oneof![Just(0), 0..8_i64];
    let late_window_ms = prop_oneof![1 => Just(0), 2 => 1..20_i64, 3 => Just(1_000_000)];
    (window_ms, early_tolerance_ms, late_window_ms).prop_map(
        |(window_ms, early_tolerance_ms, late_window_ms)| Rules {
            window_ms,
            early_tolerance_ms,
            late_window_ms,
            ..Rules::default()
        },
    )
}

fn of(user: &str) -> Given {
    given().user(user)
}

/// The running experiments that an event is tied to; holdouts are tied to all.
fn tied(plan: &'static Plan, key: usize) -> impl Iterator<Item = &'static str> {
    let tied = plan.ties[key].iter().filter(|id| !id.starts_with('2'));
    tied.chain(plan.running_holdouts).filter(|id| plan.running.contains(id)).copied()
}

/// Runs a history through a store, and compares as it goes and at the end.
pub(super) fn check(make: MakeStore<'_>, arrivals: &[Arrival], rules: Rules) {
    let world = world(make, rules);
    let mut model = Model::new(rules);
    for (at, arrival) in arrivals.iter().enumerate() {
        world.clock.advance_to(world.clock.now_ms() + arrival.pause_ms);
        model.pause(arrival.pause_ms);
        let user = arrival.user;
        match arrival.what {
            What::Activation { experiment, variation, time_ms } => {
                world.activate(&of(user).at(time_ms), experiment, variation);
                model.activate(user, (experiment, variation), time_ms);
            }
            What::Event { key, time_ms, datafile } => {
                let given = of(user).at(time_ms).id(&at.to_string()).datafile(datafile);
                world.track(&given, EVENTS[key]);
                model.track(at, user, time_ms, tied(&PLANS[datafile], key));
            }
            What::Merge { from } => {
                let outcome = world.merge("shop", from, user);
                assert_eq!(outcome.copied_activations, model.merge(user, from), "at {at}");
                check_repeat(&world, from, user);
            }
        }
        assert_eq!(fold_records(&world.records()), model.folded(), "after {at}");
    }
    let records = world.records();
    assert!(records.iter().zip(1..).all(|((number, _), place)| *number == place));
    let ids: std::collections::BTreeSet<_> =
        records.iter().map(|(_, record)| record.id().to_string()).collect();
    assert_eq!(ids.len(), records.len(), "every record has an id of its own");
    let statistics = world.store.statistics();
    assert_eq!(statistics.activations, model.activations());
    assert_eq!(statistics.crossovers, model.crossovers);
    assert_eq!(fold_in_any_order(&world), model.folded(), "in whatever order records come");
}

/// The same again says nothing, and changes nothing that can be seen.
fn check_repeat(world: &World, from: &str, into: &str) {
    let before = (world.store.statistics(), world.store.latest());
    let again = world.merge("shop", from, into);
    assert_eq!((again.copied_activations, again.moved_events, again.late_credits.len()), (0, 0, 0));
    assert_eq!((world.store.statistics(), world.store.latest()), before);
}

/// As a reader must fold whom records reach in any order: of one id, the credit of the earliest activation
/// stands, at equal times that of the smaller variation; who takes it back comes after it.
fn fold_in_any_order(world: &World) -> Folded {
    let mut earliest = std::collections::BTreeMap::new();
    for (_, record) in world.records().iter().rev() {
        let Record::Conversion(record) = &**record else { continue };
        for credit in &record.credits {
            let rank = (credit.activated_at_ms, credit.experiment.variation_id.to_string());
            let event = record.event.about.id.to_string();
            let found =
                earliest.entry(credit.id).or_insert((rank.clone(), event.clone(), credit.clone()));
            if rank < found.0 {
                *found = (rank, event, credit.clone());
            }
        }
    }
    let standing = earliest.into_values().filter(|(_, _, credit)| !credit.withdrawn);
    let folded = standing.map(|((at_ms, variation), event, credit)| {
        ((event, credit.experiment.experiment_id.to_string()), (variation, at_ms))
    });
    folded.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_history_with_merges_is_what_the_model_says(arrivals in arrivals(), rules in rules()) {
        check(&memory, &arrivals, rules);
    }
}

/// The same of the store on disk, which is closed and opened in between, and sound at the end.
#[cfg(feature = "durable")]
mod on_disk {
    use super::*;
    use crate::attribution::durable::sound;

    const CASES: &str = "VARIATE_DURABLE_CASES";

    /// Each case opens a store a few times; more than a glance is asked for.
    #[expect(clippy::disallowed_methods, reason = "says how many cases to try")]
    fn config() -> ProptestConfig {
        let cases = std::env::var(CASES).map(|cases| cases.parse().expect(CASES)).unwrap_or(8);
        ProptestConfig { cases, max_shrink_iters: 300, ..ProptestConfig::default() }
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn a_history_with_merges_is_what_the_model_says(
            arrivals in arrivals(),
            rules in rules(),
            restarts_after in 1..12_usize,
        ) {
            check(&|clock| sound(clock, restarts_after), &arrivals, rules);
        }
    }
}
