//! Fuzzes `unisson_fuzz::address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::address::run(input));
