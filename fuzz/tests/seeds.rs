//! Every target over its seeds, and over changed ones: what CI runs of the fuzzing, without an engine.
//!
//! The changes are drawn from fixed seeds, so that a failure here is one tomorrow as well.

use variate_fuzz::random::Random;
use variate_fuzz::{conditions, datafile, json, replay, seeds, versions};

/// Changed inputs per seed.
const CHANGES: usize = 8;

/// Changes an input and keeps its form, if it can.
type Mutate = fn(&[u8], &mut Random) -> Option<Vec<u8>>;

fn check_target(target: &str, mutate: Mutate, check: fn(&[u8])) {
    let all = seeds::all();
    let (_, inputs) = all.iter().find(|(name, _)| *name == target).expect("a target's seeds");
    let mut random = Random::new(20_261_121);
    for (_, input) in inputs {
        check_one(check, input);
        for _ in 0..CHANGES {
            let changed =
                mutate(input, &mut random).unwrap_or_else(|| change_bytes(input, &mut random));
            check_one(check, &changed);
        }
    }
}

/// Shows the input whose check panics.
fn check_one(check: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = std::panic::catch_unwind(|| check(input)) {
        println!("input: {}", input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

fn change_bytes(input: &[u8], random: &mut Random) -> Vec<u8> {
    let mut changed = input.to_vec();
    for _ in 0..=random.below(4) {
        let place = random.below(changed.len());
        if let Some(byte) = changed.get_mut(place) {
            *byte = random.next_number().to_le_bytes()[0];
        }
    }
    changed
}

#[test]
fn datafiles() {
    check_target("datafile", json::mutate, datafile::check);
}

#[test]
fn condition_trees() {
    check_target("conditions", |_, _| None, conditions::check);
}

#[test]
fn version_strings() {
    check_target("versions", |_, _| None, |input| versions::check(&String::from_utf8_lossy(input)));
}

#[test]
fn replayed_calls() {
    check_target("replay", replay::mutate, replay::check);
}
