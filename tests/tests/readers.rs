//! Every reader of what others wrote, on the corpus of the fuzzer and on seeded mutations of it.
//!
//! This is what is left of fuzzing where there is no fuzzer: the same functions and inputs, and as many mutations as fit
//! into a minute for all of them together. An input that fails is kept, to be minimised and put into the corpus.

#[path = "../fuzz/src/lib.rs"]
pub mod fuzz;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::mutation::Mutator;
use fuzz::{TARGETS, Target};

/// The largest file of a corpus, in bytes.
const INPUT_BYTES_MAX: usize = 64 * 1024;
/// Where the mutations of every target start.
const SEED: u64 = 1;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

/// The inputs of a corpus with their names, in the order of these.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = folder().join("corpus").join(target.name);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("an input"))).collect()
}

/// Runs a target on an input. It is kept before it is tried: a stack that overflows takes the whole process along.
fn hold(target: &Target, input: &[u8], what: &str) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.input", target.name));
    std::fs::write(&kept, input).expect("the input is kept");
    let keeps_its_word = catch_unwind(|| (target.run)(input)).is_ok();
    assert!(keeps_its_word, "{} breaks its word on {what}, kept as {}", target.name, kept.display());
}

/// Runs a target on its corpus and on its mutations.
fn try_out(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let inputs = corpus(target);
    assert!(!inputs.is_empty(), "{name} has no corpus");
    for (path, input) in &inputs {
        hold(target, input, &path.display().to_string());
    }
    let inputs: Vec<Vec<u8>> = inputs.into_iter().map(|(_, input)| input).collect();
    let mut mutator = Mutator::new(&inputs, target.words, SEED);
    for round in 0..target.rounds {
        hold(target, &mutator.input(), &format!("mutation {round}"));
    }
}

macro_rules! targets {
    ($($test:ident = $name:literal,)+) => {
        $(#[test] fn $test() { try_out($name); })+

        const TRIED: &[&str] = &[$($name),+];
    };
}

targets! {
    an_address_is_total_and_its_own_fixed_point = "address",
    stored_bytes_are_whole_or_refused = "codec",
    every_row_of_any_file_is_read_or_set_aside = "files",
    an_export_of_a_ledger_is_exact_or_refused = "ledger",
    every_entry_of_any_list_is_somebody_or_set_aside = "list",
    any_fact_can_be_folded_under_any_policy_that_is_taken = "policy",
    any_answer_is_a_document_or_refused = "reply",
    no_scenario_depends_on_the_order_of_telling = "scenario",
    every_page_of_any_platform_is_understood_row_by_row_or_refused = "vendor",
}

#[test]
fn every_target_is_tried_here_and_has_a_fuzz_target() {
    let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(known, TRIED);
    let manifest: toml::Table =
        std::fs::read_to_string(folder().join("Cargo.toml")).expect("the manifest").parse().expect("it is TOML");
    let bins = manifest["bin"].as_array().expect("fuzz targets").iter();
    let bins: Vec<&str> = bins.map(|bin| bin["name"].as_str().expect("a name")).collect();
    assert_eq!(known, bins);
    for name in known {
        assert!(folder().join("fuzz_targets").join(format!("{name}.rs")).is_file(), "{name}");
    }
}

#[test]
fn the_corpus_is_small_and_names_nobody_real() {
    for target in TARGETS {
        for (path, input) in corpus(&target) {
            assert!(input.len() <= INPUT_BYTES_MAX, "{} has {} bytes", path.display(), input.len());
            let text = String::from_utf8_lossy(&input).to_lowercase();
            for (place, _) in text.match_indices('@') {
                let domain =
                    text[place + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
                let domain: String = domain.collect();
                let looks_real = [".com", ".org", ".net", ".fr", ".de", ".io"].iter().any(|end| domain.ends_with(end));
                let reserved = domain.split('.').any(|label| label == "example") || domain.ends_with("gmail.com");
                assert!(!looks_real || reserved, "{}: {domain} is no reserved domain", path.display());
            }
        }
    }
}

#[test]
fn mutations_are_the_same_for_the_same_seed_and_differ_from_each_other() {
    let corpus = vec![b"email\nada@example.org\n".to_vec()];
    let inputs = |seed| {
        let mut mutator = Mutator::new(&corpus, &[b"x"], seed);
        (0..200).map(|_| mutator.input()).collect::<Vec<_>>()
    };
    assert_eq!(inputs(1), inputs(1));
    assert_ne!(inputs(1), inputs(2));
    let mut distinct = inputs(1);
    distinct.sort();
    distinct.dedup();
    assert!(distinct.len() > 150, "{} of 200", distinct.len());
}
