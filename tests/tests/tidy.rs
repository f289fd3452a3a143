//! Habits that a reader relies on, held by a test.

use std::path::{Path, PathBuf};

/// A file longer than this is looked at twice; one that stays longer says why in its first lines.
const LINES_MAX: usize = 500;

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut found = Vec::new();
    for part in ["crates", "connectors", "tests"] {
        collect(&root.join(part), &mut found);
    }
    assert!(found.len() > 50, "the sources were found");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            found.push((path, text));
        }
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not open with what it is for", path.display());
    }
}

#[test]
fn no_file_outgrows_its_room() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|parts| parts.concat());
    for (path, text) in sources() {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{} holds a {mark}", path.display());
        }
        let unfinished = ["todo", "unimplemented"].map(|word| format!("{word}!("));
        assert!(unfinished.iter().all(|word| !text.contains(word.as_str())), "{} is unfinished", path.display());
    }
}

#[test]
fn test_addresses_use_reserved_domains() {
    let reserved = ["example.org", "example.com", "example.net", ".example", "example.co.uk", "example.de"];
    for (path, text) in sources() {
        for (place, _) in text.match_indices('@') {
            let domain: String =
                text[place + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
            let domain = domain.trim_end_matches('.').to_lowercase();
            let looks_real = [".com", ".org", ".net", ".fr", ".de", ".io"].iter().any(|end| domain.ends_with(end));
            // The two Gmail domains stand for the rules about them.
            let allowed = reserved.iter().any(|end| domain.ends_with(end))
                || matches!(domain.as_str(), "gmail.com" | "googlemail.com");
            assert!(!looks_real || allowed, "{}: {domain} is no reserved domain", path.display());
        }
    }
}
