//! Which experiments callers are answered with, before and after.
//!
//! Must not know what is different between them. Callers ask by key, and of several experiments with
//! one key the engine answers with one: the others are reached by flags only, which are compared as
//! flags. So experiments are paired here by the key that leads to them, whatever their ids; what is left
//! is paired as the same experiment under another key.

use hashbrown::HashMap;

use super::matched::{Matched, Side};
use super::matching::Pair;
use crate::datafile::Rule;

/// The experiments that a key leads to, in the order in which all are compared.
pub(super) fn experiments(matched: &Matched<'_>) -> Vec<Pair> {
    let reached = |side: &Side<'_>, place: Option<usize>| place.filter(|at| is_reached(side, *at));
    let both = matched.experiments.iter().map(|pair| Pair {
        old: reached(&matched.old, pair.old),
        new: reached(&matched.new, pair.new),
    });
    let both: Vec<Pair> = both.collect();
    let places = |side: &Side<'_>, place: fn(&Pair) -> Option<usize>| {
        let found = both.iter().filter_map(place);
        found.map(|place| (key_at(side, place), place)).collect::<HashMap<String, usize>>()
    };
    let old_by_key = places(&matched.old, |pair| pair.old);
    let new_by_key = places(&matched.new, |pair| pair.new);
    let mut pairs = Vec::with_capacity(both.len());
    for pair in both {
        let before = pair.old.map(|old| new_by_key.get(&key_at(&matched.old, old)).copied());
        let after = pair.new.map(|new| old_by_key.get(&key_at(&matched.new, new)).copied());
        match (before, after) {
            // No other experiment has either key.
            (Some(None), Some(None)) => pairs.push(pair),
            (before, after) => {
                if let Some(None) = before {
                    pairs.push(Pair { old: pair.old, new: None });
                }
                if let Some(found) = after {
                    pairs.push(Pair { old: found, new: pair.new });
                }
            }
        }
    }
    pairs.sort_by_cached_key(|pair| match (pair.old, pair.new) {
        (_, Some(place)) => key_at(&matched.new, place),
        (Some(place), None) => key_at(&matched.old, place),
        (None, None) => String::new(),
    });
    pairs
}

fn is_reached(side: &Side<'_>, place: usize) -> bool {
    let found = side.rule_at(place).and_then(|rule| side.datafile.experiment_index(rule.key()));
    found.is_some_and(|index| index.place() as usize == place)
}

fn key_at(side: &Side<'_>, place: usize) -> String {
    side.rule_at(place).map_or("", Rule::key).to_owned()
}
