//! Deciding allocates nothing; what does allocate, on purpose, is counted here and does not grow.
//!
//! Allocations of the calling thread are counted by an allocator that comes with the crate
//! `allocation-counter`. It must not know how a decision is made.

mod world;

use std::collections::BTreeSet;
use std::hint::black_box;

use allocation_counter::measure;
use variate::decide::{self, Given, How, Silent, User};
use variate::targeting::Attribute;
use variate::{Client, DecideOptions, Track};

use world::{ATTRIBUTES, add_attributes, capturing_client, every_kind, shop, user_with};

const PEOPLE: usize = 200;

/// How many allocations a call makes that is repeated for many people, rounded up.
fn per_call(mut call: impl FnMut(&str)) -> u64 {
    let ids: Vec<String> = (0..PEOPLE).map(|number| format!("person-{number}")).collect();
    // A thread's first load of a snapshot makes the thread's place in it, once.
    call("somebody else");
    let all = measure(|| ids.iter().for_each(|id| call(black_box(id))));
    all.count_total.div_ceil(ids.len() as u64)
}

#[test]
fn the_counter_counts() {
    assert_eq!(per_call(|id| drop(black_box(id.to_owned()))), 1);
    assert_eq!(per_call(|id| _ = black_box(id.len())), 0);
}

/// Every experiment, for users with 0 to 8 attributes who are built in the call. Gives which steps
/// decided.
fn check_experiments(client: &Client, keys: &[&str]) -> BTreeSet<String> {
    let mut how = BTreeSet::new();
    for key in keys {
        for attributes in 0..=ATTRIBUTES.len() {
            let mut steps = Vec::with_capacity(PEOPLE + 1);
            let allocations = per_call(|id| {
                let chosen = user_with(client, id, attributes).get_variation(black_box(key));
                black_box(chosen.variation_key());
                steps.push(chosen.how());
            });
            assert_eq!(allocations, 0, "{key} with {attributes} attributes");
            let snapshot = client.snapshot();
            let held = per_call(|id| {
                let user = add_attributes(snapshot.user(id), attributes);
                black_box(user.get_variation(black_box(key)).variation_key());
                let experiment = snapshot.experiment(black_box(key));
                black_box(experiment.map(|experiment| experiment.get_variation(&user).how()));
            });
            assert_eq!(held, 0, "{key} with {attributes} attributes, snapshot held");
            how.extend(steps.iter().map(|step| format!("{step:?}")));
        }
    }
    how
}

#[test]
fn no_decision_of_an_experiment_allocates() {
    let shop = shop();
    let keys = [
        "checkout_button",
        "free_shipping_banner",
        "onboarding_tour",
        "gift_wrap",
        "search_ranking",
        "recommendation_bandit",
        "personal_discount",
        "homepage_hero",
        "homepage_grid",
        "email_subject",
        "email_hour",
        "no_such_experiment",
    ];
    let mut how = check_experiments(&shop, &keys);
    how.extend(check_experiments(&every_kind(), &["audience", "whitelisted", "grouped"]));
    let expected = [
        "Bucket",
        "NotRunning",
        "OutsideAudience",
        "OutsideTraffic",
        "UnknownExperiment",
        "Whitelist",
    ];
    assert_eq!(how.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// The pure decision of every flag: `decide` adds an answer of owned text to it.
#[test]
fn no_decision_of_a_flag_allocates() {
    for client in [shop(), every_kind()] {
        let datafile = client.datafile().unwrap();
        let mut decided = BTreeSet::new();
        for flag in datafile.flags() {
            let index = datafile.flag_index(flag.key()).unwrap();
            for attributes in 0..=ATTRIBUTES.len() {
                let attributes: Vec<Attribute<'_>> = ATTRIBUTES
                    .iter()
                    .take(attributes)
                    .map(|&(key, value)| Attribute::new(key, value))
                    .collect();
                let mut found = Vec::with_capacity(PEOPLE + 1);
                let allocations = per_call(|id| {
                    let mut user = User::new(id);
                    attributes.iter().for_each(|attribute| user.set(*attribute));
                    user.set_segments(&["vip"]);
                    let given = Given::default();
                    found.push(decide::flag(&datafile, index, &user, &given, &mut Silent));
                });
                assert_eq!(allocations, 0, "{} with {} attributes", flag.key(), attributes.len());
                decided.extend(found.iter().map(|decision| format!("{:?}", decision.source)));
            }
        }
        assert!(decided.contains("FeatureTest"), "nothing was decided: {decided:?}");
    }
}

/// What makes an answer of its own, or a fact to keep, and how many allocations that takes at most.
#[test]
fn what_allocates_does_not_grow() {
    let check = |what: &str, at_most: u64, call: &mut dyn FnMut(&str)| {
        let allocations = per_call(call);
        println!("{what}: {allocations} allocations");
        assert!(allocations <= at_most, "{what}: {allocations} allocations, at most {at_most}");
    };
    let client = every_kind();
    let silent = DecideOptions::DISABLE_DECISION_EVENT;
    let bare = silent | DecideOptions::EXCLUDE_VARIABLES;
    check("decide without variables", 3, &mut |id| {
        drop(user_with(&client, id, 2).decide_with("flag", bare));
    });
    check("decide with two variables", 7, &mut |id| {
        drop(user_with(&client, id, 2).decide_with("flag", silent));
    });
    check("a bandit that nothing predicts", 3, &mut |id| {
        let chosen = user_with(&client, id, 2).get_variation("bandit");
        assert_eq!(chosen.how(), How::PredictionFailed);
    });
    let forcing = every_kind();
    forcing.user("somebody").set_forced_variation("whitelisted", Some("off"));
    check("a decision where somebody else has a forced variation", 0, &mut |id| {
        black_box(user_with(&forcing, id, 2).get_variation("whitelisted").variation_key());
    });
    check("a decision where the user has a forced variation", 1, &mut |_| {
        let chosen = user_with(&forcing, "somebody", 2).get_variation("whitelisted");
        assert_eq!(chosen.variation_key(), Some("off"));
    });
    let client = capturing_client();
    check("first activate", 6, &mut |id| drop(user_with(&client, id, 2).activate("everyone")));
    check("repeated activate", 0, &mut |id| drop(user_with(&client, id, 2).activate("everyone")));
    // A track makes records of what its shard captured before; here there is nothing left.
    assert_eq!(client.statistics().store.waiting_records, 2 * (PEOPLE as u64 + 1));
    check("track", 13, &mut |id| {
        let tracked = client.user(id).track(Track::new("purchase").revenue_cents(129_900));
        assert_eq!(tracked.credits.len(), 1);
    });
}

#[test]
fn beyond_eight_attributes_the_user_allocates_once() {
    let client = every_kind();
    let more: Vec<String> = (0..9).map(|number| format!("further_{number}")).collect();
    let allocations = per_call(|id| {
        let user = more.iter().fold(client.user(id), |user, key| user.with(key, true));
        black_box(user.get_variation("grouped").variation_key());
    });
    assert_eq!(allocations, 1);
}

/// While nobody reads the outbox, what waits in it takes the memory of its records, in whatever order
/// activations and events come.
#[test]
fn records_that_wait_hold_no_room_for_others() {
    let client = capturing_client();
    let held = measure(|| {
        for _ in 0..PEOPLE {
            drop(client.user("anna").activate("everyone"));
            drop(client.user("anna").track(Track::new("purchase")));
        }
    });
    let waiting = client.statistics().store.waiting_records;
    assert_eq!(waiting, 2 * PEOPLE as u64);
    let bytes_per_record = held.bytes_current / (2 * PEOPLE as i64);
    assert!(bytes_per_record < 2_000, "{bytes_per_record} bytes a record");
}
