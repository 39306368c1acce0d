//! Files of calls; see `replay.rs` of the library. Most mutations keep every line JSON.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use variate_fuzz::random::Random;
use variate_fuzz::replay;

fuzz_target!(|text: &[u8]| replay::check(text));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = Random::new(seed.into());
    let keeps_form = random.below(4) > 0;
    let changed = keeps_form.then(|| replay::mutate(&data[..size], &mut random)).flatten();
    match changed.filter(|text| text.len() <= max_size) {
        Some(text) => {
            data[..text.len()].copy_from_slice(&text);
            text.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});
