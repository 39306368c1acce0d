//! Condition trees drawn from bytes; see `conditions/` of the library.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| variate_fuzz::conditions::check(bytes));
