//! Fuzzes `unisson_fuzz::files`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::files::run(input));
