//! Who may know whom: the table of the code map, held against what Cargo says.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate of ours with the ones it may depend on. The two columns, connectors and engine, meet only in the binary.
const ARROWS: &[(&str, &[&str])] = &[
    ("unisson-consent", &[]),
    ("unisson-connector", &["consent"]),
    ("unisson-plan", &["consent", "connector"]),
    ("unisson-store", &["consent", "connector", "plan"]),
    ("unisson-store-sqlite", &["consent", "connector", "plan", "store"]),
    ("unisson-sdk", &["consent", "connector"]),
    ("unisson-settings", &["consent"]),
    ("unisson-scenario", &["consent"]),
    ("unisson-portrait", &["consent", "connector", "plan"]),
    ("unisson-proof", &["consent", "connector", "plan"]),
    ("unisson-opendsr", &["consent"]),
    ("unisson-engine", &["consent", "connector", "plan", "store"]),
    ("unisson-sandbox", &[]),
    ("unisson-bundle", &["consent", "connector", "sdk", "brevo", "files", "hubspot", "mailchimp"]),
    ("unisson-brevo", &["consent", "connector", "sdk"]),
    ("unisson-files", &["consent", "connector", "sdk"]),
    ("unisson-hubspot", &["consent", "connector", "sdk"]),
    ("unisson-mailchimp", &["consent", "connector", "sdk"]),
];

/// These may know everything: the composition root, and what tries it from outside.
const ROOTS: &[&str] = &["unisson", "unisson-tests"];

/// Libraries that only the edge may use: the pure crates do no input or output and read no clock.
const EDGE_ONLY: &[&str] = &["tokio", "reqwest", "rusqlite", "axum", "tracing", "rand", "serde"];

/// The crates that are pure.
const PURE: &[&str] = &["unisson-consent", "unisson-connector", "unisson-plan"];

fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata answers");
    metadata
        .packages
        .iter()
        .map(|package| {
            let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
            (package.name.to_string(), normal.map(|dependency| dependency.name.clone()).collect())
        })
        .collect()
}

#[test]
fn every_arrow_between_our_crates_is_in_the_table() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for (name, dependencies) in arrows() {
        if ROOTS.contains(&name.as_str()) {
            continue;
        }
        let allowed = table.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the table of arrows"));
        for dependency in dependencies.iter().filter_map(|dependency| dependency.strip_prefix("unisson-")) {
            assert!(allowed.contains(&dependency), "{name} must not know {dependency}");
        }
    }
}

#[test]
fn the_table_names_no_crate_that_is_gone() {
    let known = arrows();
    for (name, _) in ARROWS {
        assert!(known.contains_key(*name), "{name} is in the table but not in the workspace");
    }
}

#[test]
fn pure_crates_use_nothing_of_the_edge() {
    let known = arrows();
    for name in PURE {
        for library in EDGE_ONLY {
            assert!(!known[*name].contains(*library), "{name} is pure and must not use {library}");
        }
    }
}

#[test]
fn the_code_map_names_every_crate() {
    let map =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/README.md")).expect("the code map");
    for name in arrows().keys().filter(|name| *name != "unisson-tests") {
        let short = name.strip_prefix("unisson-").unwrap_or(name);
        assert!(map.contains(&format!("`{short}`")), "crates/README.md does not name `{short}`");
    }
}
