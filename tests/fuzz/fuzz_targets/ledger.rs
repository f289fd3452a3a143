//! Fuzzes `unisson_fuzz::ledger`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| unisson_fuzz::ledger::run(input));
