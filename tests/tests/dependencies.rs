//! The dependency policy of `.deny.toml`, held by a test that needs no tool beside Cargo.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn policy() -> toml::Table {
    std::fs::read_to_string(root().join(".deny.toml")).expect("the policy").parse().expect("the policy is TOML")
}

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).exec().expect("cargo metadata answers")
}

fn texts(value: &toml::Value) -> BTreeSet<String> {
    value.as_array().expect("a list").iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Whether a licence expression can be met with the allowed licences alone.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    expression
        .split(" AND ")
        .all(|all| all.split(" OR ").any(|one| allowed.contains(one.trim().trim_matches(['(', ')']).trim())))
}

#[test]
fn every_licence_is_on_the_list() {
    let allowed = texts(&policy()["licenses"]["allow"]);
    for package in metadata().packages.iter().filter(|package| package.source.is_some()) {
        let licence = package.license.as_deref().unwrap_or("none stated");
        assert!(is_allowed(licence, &allowed), "{} {} is under {licence}", package.name, package.version);
    }
}

#[test]
fn nothing_banned_is_linked() {
    let banned = policy()["bans"]["deny"].as_array().expect("bans").clone();
    let metadata = metadata();
    for ban in banned {
        let name = ban["crate"].as_str().expect("a crate");
        let found = metadata.packages.iter().any(|package| package.name.as_str() == name);
        assert!(!found, "{name} is banned: {}", ban["reason"]);
    }
}

#[test]
fn everything_comes_from_the_registry() {
    for package in &metadata().packages {
        let source = package.source.as_ref().map(|source| source.repr.clone());
        assert!(source.is_none_or(|source| source.starts_with("registry+")), "{} comes from elsewhere", package.name);
    }
}

#[test]
fn versions_stand_in_one_table() {
    for package in metadata().workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest");
        let own = manifest.lines().filter(|line| line.contains("version = \"") || line.contains("path = \""));
        let stray: Vec<&str> = own.filter(|line| !line.starts_with("path = \"support")).collect();
        assert!(stray.is_empty(), "{}: {stray:?} belongs into [workspace.dependencies]", package.name);
    }
}
