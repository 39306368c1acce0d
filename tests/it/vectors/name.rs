//! Names and their table, held against plain comparison and a map of the standard library.

use std::collections::HashMap;

use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use variate::name::{Name, NameTable, Seen};

/// Texts of 0 to 40 bytes of few letters, many of which begin or end alike.
fn any_name() -> impl Strategy<Value = String> {
    let shared = prop_oneof![
        Just(""),
        Just("a"),
        Just("experiment_"),
        Just("größe-"),
        Just("0123456789abcdef")
    ];
    (shared.clone(), "[ab]{0,5}", shared)
        .prop_map(|(start, middle, end)| format!("{start}{middle}{end}"))
        .prop_filter("at most 40 bytes", |name| name.len() <= 40)
}

/// A name and another that differs from it in one place, or not at all.
fn any_pair() -> impl Strategy<Value = (String, String)> {
    ("[a-c]{0,40}", 0_usize..40, "[a-c]").prop_map(|(name, at, other)| {
        let mut changed = name.clone();
        if at < name.len() {
            changed.replace_range(at..=at, &other);
        }
        (name, changed)
    })
}

fn check_equality(one: &str, other: &str) {
    let name = Name::from(one);
    assert_eq!(name.is(other), one == other, "{one:?} is {other:?}");
    assert_eq!(name.is_seen_as(&Seen::new(other)), one == other, "{one:?} is seen as {other:?}");
    assert_eq!(Seen::new(one) == Seen::new(other), one == other, "{one:?} and {other:?}");
    assert_eq!(name == Name::from(other), one == other, "{one:?} and {other:?}, both kept");
    assert_eq!(&*name, one);
}

fn check_table(named: &HashMap<String, u32>, asked: &[String]) {
    let table: NameTable<u32> = named.iter().map(|(name, value)| (&**name, *value)).collect();
    for name in named.keys().chain(asked) {
        assert_eq!(table.get(name), named.get(name).copied(), "{name:?} of {named:?}");
    }
}

proptest! {
    #[test]
    fn any_two_names(one in any_name(), other in any_name()) {
        check_equality(&one, &one);
        check_equality(&one, &other);
    }

    #[test]
    fn names_that_differ_in_one_place((one, other) in any_pair()) {
        check_equality(&one, &other);
    }

    #[test]
    fn any_table(named in hash_map(any_name(), any::<u32>(), 0..200), asked in vec(any_name(), 0..50)) {
        check_table(&named, &asked);
    }
}

/// A table of so many names, each made of its number: each is found, and none of the ones asked.
fn check_large_table(count: u32, name: impl Fn(u32) -> String, other: impl Fn(u32) -> String) {
    let named = (0..count).map(|number| (name(number), number)).collect();
    let asked: Vec<_> = (0..count).map(other).collect();
    check_table(&named, &asked);
}

#[test]
fn large_tables() {
    for count in [1, 2, 3, 100, 1_000, 10_000, 20_000] {
        check_large_table(
            count,
            |number| format!("experiment_{number}"),
            |number| format!("experiment-{number}"),
        );
    }
}

/// What a table sees of long names first, their ends and the length, is the same for all of these.
#[test]
fn large_tables_of_names_that_differ_in_the_middle_only() {
    for count in [1, 2, 100, 1_000, 10_000] {
        check_large_table(
            count,
            |number| format!("checkout-{number:05}-variants"),
            |number| format!("checkout-{number:05}_variants"),
        );
        check_large_table(
            count,
            |number| format!("checkout{number:05}variants"),
            |number| format!("checkout{:05}variants", number + count),
        );
    }
}

/// Numbers alone, and names whose two ends vary together.
#[test]
fn large_tables_of_short_names() {
    for count in [1, 2, 100, 1_000, 10_000] {
        check_large_table(
            count,
            |number| number.to_string(),
            |number| (number + count).to_string(),
        );
        check_large_table(
            count,
            |number| format!("{number:04}x{number:04}"),
            |number| format!("{number:04}y{number:04}"),
        );
    }
}
