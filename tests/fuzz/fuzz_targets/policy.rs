//! Fuzzes `unisson_fuzz::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::policy::run(input));
