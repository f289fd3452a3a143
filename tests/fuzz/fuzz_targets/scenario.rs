//! Fuzzes `unisson_fuzz::scenario`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::scenario::run(input));
