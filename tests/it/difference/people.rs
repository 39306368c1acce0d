//! What a new datafile does to people, against brute force.
//!
//! Must not know how users are counted.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use variate::Datafile;
use variate::decide::User;
use variate::difference::{Comparison, Effect, Outcome, Sample, SubjectEffect, Tally};
use variate::targeting::Attribute;
use variate::value::AttributeValue;

use super::brute_force::{Brute, Changed, Got, PREDICTED, Traits};
use super::edits::{EDITS, shop_after};
use super::{SHOP, compiled};

/// So many users for all edits at once; each edit alone is tried on fewer, since tests are slow.
const USERS: u64 = 25_000;
const USERS_OF_ONE_EDIT: u64 = 1_000;

const SEGMENTS: &[&str] = &["loyal_buyers"];

fn attributes(number: u64) -> Vec<(&'static str, AttributeValue<'static>)> {
    let countries = ["SE", "DE", "NO", "FI", "US"];
    let place = usize::try_from(number % 5).unwrap();
    let mut attributes = vec![
        ("country", AttributeValue::from(countries[place])),
        ("age", AttributeValue::from(i64::try_from(number % 70).unwrap())),
        ("logged_in", AttributeValue::from(!number.is_multiple_of(3))),
        ("staff", AttributeValue::from(number.is_multiple_of(11))),
        (
            "device",
            AttributeValue::from(if number.is_multiple_of(4) { "phone" } else { "iPhone 14" }),
        ),
        ("lifetime_value", AttributeValue::from(i64::try_from(number % 900).unwrap())),
        ("app_version", AttributeValue::from(["5.1.9", "5.3", "6.0.0", "6.1"][place % 4])),
    ];
    if number.is_multiple_of(6) {
        attributes.push(("coupon", AttributeValue::from("yes")));
    }
    attributes
}

fn traits_of(number: u64) -> (String, Traits<'static>) {
    let segments = number.is_multiple_of(2).then_some(SEGMENTS);
    (format!("user-7-{number}"), Traits { attributes: attributes(number), segments })
}

fn as_attributes<'a>(traits: &Traits<'a>) -> Vec<Attribute<'a>> {
    traits.attributes.iter().map(|(key, value)| Attribute::new(key, *value)).collect()
}

/// The library's answer, in the form of the brute force; predictions as its predictor gives them.
fn changed(effect: &Effect) -> Changed {
    let got = |outcome: &Outcome, is_flag: bool| -> Got {
        let predicted = outcome.is_predicted.then(|| PREDICTED.1.to_owned());
        let is_on = outcome.enabled || (is_flag && outcome.is_predicted);
        (outcome.variation_key.clone().or(predicted), is_on, outcome.rule_key.clone())
    };
    let mut changed = Changed::new();
    for (kind, subjects) in [("experiment", &effect.experiments), ("flag", &effect.flags)] {
        for subject in subjects {
            let ways = subject.transitions.iter().filter(|way| !way.is_open);
            let sums = changed.entry(format!("{kind} {}", subject.key())).or_default();
            for way in ways {
                let both = (got(&way.before, kind == "flag"), got(&way.after, kind == "flag"));
                *sums.entry(both).or_default() += way.users;
            }
            let total: u64 = sums.values().sum();
            assert_eq!(subject.changed, total, "{}: the parts add up", subject.key());
        }
    }
    changed.retain(|_, ways| !ways.is_empty());
    changed
}

fn keys(datafiles: [&Datafile; 2]) -> (Vec<&str>, Vec<&str>) {
    let experiments: BTreeSet<&str> =
        datafiles.iter().flat_map(|one| one.experiments().map(|rule| rule.key())).collect();
    let flags: BTreeSet<&str> =
        datafiles.iter().flat_map(|one| one.flags().iter().map(|flag| flag.key())).collect();
    (experiments.into_iter().collect(), flags.into_iter().collect())
}

/// The library's count over users with all kinds of attributes.
fn counted(old: &Datafile, new: &Datafile, users: u64) -> Effect {
    let comparison = Comparison::new(old, new);
    let mut tally = Tally::default();
    for number in 0..users {
        let (id, traits) = traits_of(number);
        let attributes = as_attributes(&traits);
        let user = User::known(&id, &attributes, traits.segments);
        comparison.count(&user, &mut tally);
    }
    assert_eq!(tally.users(), users);
    comparison.effect(&tally)
}

/// Those whom the edits concern; looking at the others as well would take the brute force twice as long.
const CONCERNED_EXPERIMENTS: &[&str] = &[
    "checkout_button",
    "express_checkout_release",
    "free_shipping_banner",
    "homepage_grid",
    "homepage_hero",
    "onboarding_tour",
    "personal_discount",
    "search_ranking",
    "wrapping",
];
const CONCERNED_FLAGS: &[&str] = &["dark_mode", "homepage", "personal_offer", "search"];

#[test]
fn shares_equal_brute_force_after_all_edits() {
    let text = shop_after(EDITS);
    let (experiments, flags) = (CONCERNED_EXPERIMENTS, CONCERNED_FLAGS);
    let expect = Brute { datafiles: (SHOP, &text), experiments, flags }.changed(USERS, &traits_of);
    let mut found = changed(&counted(&compiled(SHOP), &compiled(&text), USERS));
    found.retain(|subject, _| {
        let (_, key) = subject.split_once(' ').unwrap();
        experiments.contains(&key) || flags.contains(&key)
    });
    assert_eq!(found, expect);
    // Otherwise an edit that no user noticed would go unseen. The tour is paused in both.
    assert_eq!(expect.len(), experiments.len() + flags.len() - 1, "{:?}", expect.keys());
}

#[test]
fn shares_equal_brute_force_after_each_edit() {
    #[expect(clippy::disallowed_methods, reason = "says how long to try")]
    let wanted = std::env::var("VARIATE_DIFF_USERS").ok().and_then(|users| users.parse().ok());
    for edit in EDITS {
        let users = wanted.unwrap_or(USERS_OF_ONE_EDIT);
        let text = shop_after([edit]);
        let (old, new) = (compiled(SHOP), compiled(&text));
        let (experiments, flags) = keys([&old, &new]);
        let brute = Brute { datafiles: (SHOP, &text), experiments: &experiments, flags: &flags };
        let expect = brute.changed(users, &traits_of);
        assert!(!expect.is_empty(), "{}: nobody changes", edit.0);
        assert_eq!(changed(&counted(&old, &new, users)), expect, "{}", edit.0);
    }
}

#[test]
fn nobody_changes_where_nothing_is_different() {
    let effect = counted(&compiled(SHOP), &compiled(SHOP), 2_000);
    let all = || effect.experiments.iter().chain(&effect.flags);
    assert!(all().all(|one| (one.changed, one.renamed, one.values_changed) == (0, 0, 0)));
    let open = |key: &str| all().find(|one| one.key() == key).map_or(0, |one| one.open);
    assert!(open("personal_discount") > 300, "a prediction chooses for these");
    assert_eq!(open("checkout_button"), 0);
}

fn sample(users: u64, seed: u64) -> Sample<'static> {
    Sample { users, seed, attributes: &[], segments: None }
}

fn of_key<'e>(subjects: &'e [SubjectEffect], key: &str) -> &'e SubjectEffect {
    subjects.iter().find(|subject| subject.key() == key).unwrap()
}

#[test]
fn a_sample_is_the_same_on_any_number_of_threads() {
    let text = shop_after(EDITS);
    let (old, new) = (compiled(SHOP), compiled(&text));
    let comparison = Comparison::new(&old, &new);
    let done = AtomicU64::new(0);
    let progress = |users: u64| {
        done.fetch_add(users, Ordering::Relaxed);
    };
    let of = |users: u64, seed: u64, threads: usize| {
        let tally = sample(users, seed).tally(&comparison, threads, &progress);
        assert_eq!(tally.users(), users);
        let effect = comparison.effect(&tally);
        (of_key(&effect.experiments, "checkout_button").changed, changed(&effect))
    };
    let one = of(5_000, 7, 1);
    assert_eq!(done.swap(0, Ordering::Relaxed), 5_000);
    for threads in [0, 2, 3, 16] {
        assert_eq!(of(5_000, 7, threads), one, "{threads} threads");
    }
    assert_ne!(of(5_000, 8, 2), one, "another seed is another sample");
    assert_eq!(of(0, 7, 2), (0, Changed::new()));
    // By hand, since the ids of the sample are documented.
    let by_hand = Brute { datafiles: (SHOP, &text), experiments: &["checkout_button"], flags: &[] };
    let plain = |number| {
        let id = sample(1, 7).user_id(number);
        assert_eq!(id, format!("user-7-{number}"));
        (id, Traits { attributes: Vec::new(), segments: None })
    };
    let expect = by_hand.changed(5_000, &plain);
    assert_eq!(one.1["experiment checkout_button"], expect["experiment checkout_button"]);
}

#[test]
fn variables_and_names_are_counted_apart() {
    let text = SHOP
        .replace(r#""key": "orange""#, r#""key": "red""#)
        .replace(r#""defaultValue": "dark""#, r#""defaultValue": "darker""#);
    let (old, new) = (compiled(SHOP), compiled(&text));
    let comparison = Comparison::new(&old, &new);
    let effect = comparison.effect(&sample(2_000, 1).tally(&comparison, 2, &|_| {}));
    let button = of_key(&effect.experiments, "checkout_button");
    assert!(button.changed > 900 && button.renamed == button.changed, "{button:?}");
    let dark = of_key(&effect.flags, "dark_mode");
    assert_eq!((dark.changed, dark.values_changed), (0, 2_000), "{dark:?}");
}

/// Code asks by key: whatever the ids, what it is answered before and after is compared.
#[test]
fn keys_that_change_places_are_compared_by_key() {
    let (one, other) = ("checkout_button", "homepage_hero");
    let text = SHOP
        .replace(&format!("\"{one}\""), "\"(swap)\"")
        .replace(&format!("\"{other}\""), &format!("\"{one}\""))
        .replace("\"(swap)\"", &format!("\"{other}\""));
    let keys = [one, other];
    let brute = Brute { datafiles: (SHOP, &text), experiments: &keys, flags: &[] };
    let expect = brute.changed(USERS_OF_ONE_EDIT, &traits_of);
    assert_eq!(expect.len(), keys.len(), "both are noticed");
    let mut found = changed(&counted(&compiled(SHOP), &compiled(&text), USERS_OF_ONE_EDIT));
    found.retain(|subject, _| expect.contains_key(subject));
    assert_eq!(found, expect);
}
