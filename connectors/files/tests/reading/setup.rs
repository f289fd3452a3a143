//! What is said of settings and files before anything is read in.

use std::path::Path;

use secrecy::SecretString;
use serde_json::{Value, json};
use unisson_connector::ErrorKind;
use unisson_files::Files;
use unisson_sdk::{BuildError, Host, MemoryTokens, SecretRef, Secrets};

use crate::desk::{Desk, connect, opted, probe, read, streams};

#[test]
fn a_check_says_how_files_are_written_and_what_of_them_cannot_be_used() {
    let desk = Desk::new();
    desk.put("a.csv", "email;ok\nada@example.org;yes\nada@example.org;no\n;yes\nbob@example.org;huh\n");
    desk.put("b.csv", "mail;ok\nada@example.org;yes\n");
    desk.put("c.csv", "");
    let account = probe(&desk.connect(opted())).unwrap();
    assert_eq!(account.lists[0].id.as_str(), "news");
    let notes = account.notes.join("\n");
    assert!(notes.contains("a.csv: UTF-8 (detected), separator `;` (detected)"), "{notes}");
    assert!(
        notes.contains("1 of the first 4 rows cannot be read, such as line 4: names nobody: `email` are empty"),
        "{notes}"
    );
    assert!(notes.contains("1 of the first 4 rows say something else of a record"), "{notes}");
    assert!(notes.contains("`ok` (first on line 5) are words that `status_map` lacks"), "{notes}");
    assert!(notes.contains("c.csv: is empty"), "{notes}");
    let gaps = account.gaps.join("\n");
    assert!(gaps.contains("b.csv") && gaps.contains("column email") && gaps.contains("header = false"), "{gaps}");
    assert!(!format!("{account:?}").contains("ada@"), "{account:?}");
}

#[test]
fn a_check_names_what_no_object_has_and_what_looks_like_utf_16() {
    let desk = Desk::new();
    desk.put("a.jsonl", "{\"email\":\"ada@example.org\",\"okay\":\"yes\"}\n");
    desk.put("b.csv", "email,ok\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    let account = probe(&desk.connect(opted())).unwrap();
    assert!(account.notes.iter().any(|note| note == "a.jsonl: `ok` is in none of the first 1 rows"), "{account:?}");
    assert!(account.gaps[0].contains("set `encoding`"), "{account:?}");
}

#[test]
fn every_example_is_settings_that_make_sense() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files =
        [root.to_owned(), root.join("examples")].into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let examples =
        files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let mut seen = 0;
    for path in examples.filter(|path| !path.ends_with("Cargo.toml")) {
        let document: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for (name, instance) in document["instances"].as_table().unwrap() {
            let mut settings = serde_json::to_value(instance).unwrap();
            for common in ["connector", "clock", "tz", "lists"] {
                settings.as_object_mut().unwrap().remove(common);
            }
            Files::new(settings).unwrap_or_else(|error| panic!("{} {name}: {error}", path.display()));
            seen += 1;
        }
    }
    assert!(seen >= 3);
}

#[test]
fn the_kind_builds_what_it_says() {
    struct NoSecrets;
    impl Secrets for NoSecrets {
        fn resolve(&self, _: &SecretRef) -> Result<SecretString, BuildError> {
            Err(BuildError::new("", "files have no secrets"))
        }
    }
    let mut settings = opted();
    settings["path"] = json!("a.csv");
    let host = Host { instance: "shop", secrets: &NoSecrets, tokens: std::sync::Arc::new(MemoryTokens::default()) };
    let built = (unisson_files::KIND.build)(settings, &host).unwrap();
    assert_eq!((built.info().kind, built.info()), (unisson_files::KIND.name, &(unisson_files::KIND.info)()));
    assert!(built.pull().is_some() && built.push().is_none() && built.erase().is_none());
}

#[test]
fn a_missing_column_stops_its_own_file_only() {
    let desk = Desk::new();
    desk.put("good.csv", "email,ok\nada@example.org,yes\n");
    desk.put("renamed.csv", "email,okay\nada@example.org,yes\n");
    let files = desk.connect(opted());
    let error = read(&files, "renamed.csv").end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("column ok") && error.to_string().contains("renamed.csv"), "{error}");
    assert_eq!(read(&files, "good.csv").observations.len(), 1);
}

#[test]
fn a_path_where_nothing_is_says_so() {
    let desk = Desk::new();
    let files = connect(&desk.path().join("nowhere"), opted());
    assert_eq!(streams(&files).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(probe(&files).unwrap_err().kind(), ErrorKind::Config);
    let gaps = probe(&desk.connect(opted())).unwrap().gaps;
    assert!(gaps[0].contains("holds no file"), "{gaps:?}");
}

#[test]
fn settings_that_make_no_sense_are_refused_with_their_place() {
    let good = || {
        let mut settings = opted();
        settings["path"] = json!("a.csv");
        settings["events"] = json!({ "out": { "kind": "withdraw", "at": "out" } });
        settings
    };
    Files::new(good()).unwrap();
    let refused = |path: &str, change: &dyn Fn(&mut Value)| {
        let mut settings = good();
        change(&mut settings);
        let error = Files::new(settings).unwrap_err();
        assert_eq!(error.path(), path, "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    };
    refused("path", &|s| drop(s.as_object_mut().unwrap().remove("path")));
    refused("path", &|s| s["path"] = json!(""));
    refused("page_rows", &|s| s["page_rows"] = json!(0));
    refused("page_rows", &|s| s["page_rows"] = json!(1_000_000));
    refused("encoding", &|s| s["encoding"] = json!("canary"));
    refused("separator", &|s| s["separator"] = json!("canary"));
    refused("quote", &|s| s["quote"] = json!("é"));
    refused("quote", &|s| (s["quote"], s["separator"]) = (json!("|"), json!("|")));
    refused("date_format", &|s| s["date_format"] = json!("canary"));
    refused("header", &|s| s["header"] = json!(false));
    refused("columns", &|s| s["columns"] = json!({ "country": "c" }));
    refused("columns.mail", &|s| s["columns"]["mail"] = json!("c"));
    refused("claims.news", &|s| s["claims"]["news"]["assume"] = json!("unsubscribed"));
    refused("claims.news", &|s| s["claims"]["news"]["purposes"] = json!(["a"]));
    refused("claims.news.status_map", &|s| s["claims"]["news"]["status_map"]["x"] = json!("canary"));
    refused("claims.news.status_map", &|s| s["claims"]["news"]["status_map"]["YES"] = json!("never"));
    refused("claims.news.actor", &|s| s["claims"]["news"]["actor"] = json!("canary"));
    refused("claims.news.channels", &|s| s["claims"]["news"]["channels"] = json!(["canary"]));
    refused("claims.news.evidence.doi", &|s| s["claims"]["news"]["evidence"] = json!({ "doi": { "value": "canary" } }));
    refused("claims.news.evidence.doi", &|s| s["claims"]["news"]["evidence"] = json!({ "doi": {} }));
    refused("claims.z", &|s| s["claims"]["z"] = s["claims"]["news"].clone());
    refused("events.out.kind", &|s| s["events"]["out"]["kind"] = json!("canary"));
    refused("events.out", &|s| drop(s["events"]["out"].as_object_mut().unwrap().remove("at")));
    refused("events.out.evidence", &|s| s["events"]["out"]["evidence"] = json!({}));
    refused("events.out.similar", &|s| s["events"]["out"]["similar"] = json!(true));
    refused("events.out.code", &|s| s["events"]["out"]["kind"] = json!("bounce"));
    refused("events.out.when.equals", &|s| s["events"]["out"]["when"] = json!({ "column": "a", "equals": [] }));
}
