//! Version strings; see `versions.rs` of the library.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| variate_fuzz::versions::check(text));
