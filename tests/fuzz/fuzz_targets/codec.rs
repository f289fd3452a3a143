//! Fuzzes `unisson_fuzz::codec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::codec::run(input));
