//! Datafiles as bytes; see `datafile.rs` of the library. Half of the mutations keep them JSON.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use variate_fuzz::random::Random;
use variate_fuzz::{datafile, json};

fuzz_target!(|text: &[u8]| datafile::check(text));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed.into());
    let keeps_form = random.below(2) == 0;
    let changed = keeps_form.then(|| json::mutate(&data[..size], &mut random)).flatten();
    match changed.filter(|text| text.len() <= max_size) {
        Some(text) => {
            data[..text.len()].copy_from_slice(&text);
            text.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});
