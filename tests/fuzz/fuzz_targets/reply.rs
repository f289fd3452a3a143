//! Fuzzes `unisson_fuzz::reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::reply::run(input));
