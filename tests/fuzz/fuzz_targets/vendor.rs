//! Fuzzes `unisson_fuzz::vendor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::vendor::run(input));
