//! Fuzzes `unisson_fuzz::list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::list::run(input));
