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

/// Many names: each is found, none of the others is.
#[test]
fn large_tables() {
    for count in [1, 2, 3, 100, 1_000, 20_000] {
        let named = (0..count).map(|number| (format!("experiment_{number}"), number)).collect();
        let asked: Vec<_> = (0..count).map(|number| format!("experiment-{number}")).collect();
        check_table(&named, &asked);
    }
}
