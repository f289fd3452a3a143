//! The files of `config/`: every one loads, every key is there, and every key is explained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use unisson_settings::{DEFAULT_POLICY, DEFAULT_TEXT, Profile, Settings, apply_lists, load_policy, parse_policy};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("config/ is there");
    let paths = entries.map(|entry| entry.expect("config/ can be listed").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

#[test]
fn every_file_loads() {
    for file in files_in(&folder()) {
        match file.file_name().and_then(|name| name.to_str()).unwrap() {
            "policy.toml" => drop(load_policy(Some(&file)).unwrap()),
            "default.toml" | "example.toml" | "sandbox.toml" => {
                drop(Settings::load(Some(&file), [].into_iter()).unwrap());
            }
            other => panic!("{other} is loaded by no test"),
        }
    }
}

#[test]
fn every_profile_is_a_file_that_says_the_same_by_itself_and_underneath() {
    let files = files_in(&folder().join("profiles"));
    assert_eq!(files.len(), Profile::ALL.len() - 1, "eu-fr is policy.toml itself");
    for file in files {
        let loaded = load_policy(Some(&file)).unwrap();
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap();
        assert_eq!(loaded.profile.as_str(), name);
        let silent = parse_policy(&format!("version = \"{}\"\nprofile = \"{name}\"", loaded.version)).unwrap();
        assert_eq!(loaded.effective, silent.effective, "{name}");
    }
}

#[test]
fn the_example_fits_the_policy_beside_it() {
    let settings = Settings::load(Some(&folder().join("example.toml")), [].into_iter()).unwrap();
    let connectors: Vec<&str> = settings.instances.values().map(|instance| instance.connector.as_str()).collect();
    assert_eq!(connectors, ["hubspot", "mailchimp", "files"]);
    let mut policy = load_policy(settings.policy.file.as_deref()).unwrap().policy;
    apply_lists(&mut policy, &settings).unwrap();
    for instance in settings.instances.values() {
        assert_eq!(instance.doubts().next(), None);
    }
}

#[test]
fn the_template_of_an_instance_loads_as_it_stands() {
    let template = DEFAULT_TEXT.split_once("[instances]\n").unwrap().1;
    let text: Vec<&str> = template
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.starts_with(['[', '"']) || line.contains(" = "))
        .filter(|line| !line.starts_with('#'))
        .collect();
    let settings = Settings::parse(&text.join("\n"), [].into_iter(), ".").unwrap();
    let news = &settings.instances["news"];
    assert_eq!(news.rest.keys().collect::<Vec<_>>(), ["api_key", "webhook_secret"]);
    assert_eq!(news.lists.len(), 1);
    let trust = format!("{:?}", news.trust);
    assert!(!trust.contains("None"), "the template shows every key of trust: {trust}");
}

#[test]
fn the_template_of_a_hold_loads_as_it_stands() {
    let template = DEFAULT_POLICY.split_once("# [[hold]]\n").unwrap().1;
    let lines = template.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| !line.starts_with('#'));
    let hold = lines.collect::<Vec<_>>().join("\n");
    let loaded = parse_policy(&format!("version = \"1\"\nprofile = \"eu-fr\"\n[[hold]]\n{hold}")).unwrap();
    assert_eq!(loaded.holds.len(), 1);
    assert_eq!(loaded.holds[0].provision, "C. com. L123-22");
    assert!(loaded.holds[0].always);
}

/// Keys of a file, written or shown in a comment, and whether a comment stands right above each.
fn keys(text: &str) -> Vec<(String, bool)> {
    let mut section = "";
    let mut explained = false;
    let mut keys = Vec::new();
    for line in text.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let key = bare.split_once(" = ").map(|(key, _)| key).filter(|key| {
            key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !key.is_empty() && !bare.contains(". ")
        });
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_matches(['[', ']']);
            explained = false;
        } else if let Some(key) = key {
            keys.push((format!("{section}.{key}"), explained));
            explained = false;
        } else {
            explained = line.starts_with("# ");
        }
    }
    keys
}

#[test]
fn every_key_of_the_settings_is_there_and_explained() {
    let keys = keys(DEFAULT_TEXT.split_once("[instances]").unwrap().0);
    for (key, explained) in &keys {
        assert!(explained, "no comment stands right above {key}");
    }
    let there: BTreeSet<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
    let wanted = [
        "store.url",
        "policy.file",
        "guard.count",
        "guard.share",
        "sync.commit_size",
        "sync.sweep_every",
        "sync.lease",
        "controller.name",
        "controller.contact",
        "erasure.journal",
        "erasure.signing_key",
        "erasure.tombstone_keys",
        "erasure.zone",
        "erasure.holidays",
    ];
    assert_eq!(there, wanted.into_iter().collect());
}

#[test]
fn every_key_of_the_policy_is_explained() {
    let keys = keys(DEFAULT_POLICY);
    let grouped = |key: &str| key.starts_with("purposes.") || key.starts_with("basis.");
    for (key, explained) in keys.iter().filter(|(key, _)| !grouped(key)) {
        assert!(explained, "no comment stands right above {key}");
    }
    assert!(keys.len() > 60, "keys are found");
}
