//! Every reader of what others wrote, each as a function of bytes that panics where the reader breaks its word.
//!
//! A fuzzer calls them (`fuzz_targets`), and so does a test of the stable toolchain (`tests/tests/readers.rs`) with the
//! corpus and seeded mutations of it. Whatever is found goes into the corpus. Nothing here knows the insides of a reader.

pub mod address;
pub mod codec;
pub mod connector;
pub mod files;
pub mod folding;
pub mod ledger;
pub mod list;
pub mod mutation;
pub mod policy;
#[path = "../../support/raw.rs"]
pub mod raw;
pub mod reply;
pub mod scenario;
pub mod silence;
pub mod vendor;

/// A reader under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of its fuzz target and of the folder of its corpus.
    pub name: &'static str,
    /// Reads bytes, and panics where that breaks a promise.
    pub run: fn(&[u8]),
    /// How many mutations the stable test tries: a few seconds' worth.
    pub rounds: u32,
    /// Words that inputs of it are made of.
    pub words: &'static [&'static [u8]],
}

/// Every reader.
pub const TARGETS: [Target; 9] = [
    Target { name: "address", run: address::run, rounds: 6_000, words: address::WORDS },
    Target { name: "codec", run: codec::run, rounds: 6_000, words: codec::WORDS },
    Target { name: "files", run: files::run, rounds: 800, words: files::WORDS },
    Target { name: "ledger", run: ledger::run, rounds: 4_000, words: ledger::WORDS },
    Target { name: "list", run: list::run, rounds: 2_000, words: list::WORDS },
    Target { name: "policy", run: policy::run, rounds: 600, words: policy::WORDS },
    Target { name: "reply", run: reply::run, rounds: 6_000, words: reply::WORDS },
    Target { name: "scenario", run: scenario::run, rounds: 600, words: scenario::WORDS },
    Target { name: "vendor", run: vendor::run, rounds: 1_500, words: vendor::WORDS },
];
