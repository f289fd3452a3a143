//! The doctor: nothing to say of a healthy installation, and everything that is wrong told with why and what to do.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use unisson_tests::{Company, Ended};

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a file of ours");
}

/// A company whose settings only their owner can read.
async fn company(seed: u64) -> Company {
    let company = Company::found(seed, 150, |settings| settings).await;
    allow(&company.path().join("unisson.toml"), 0o600);
    company
}

/// A company in which nothing is wrong.
async fn healthy(seed: u64) -> Company {
    let company = company(seed).await;
    company.settle().await;
    company
}

fn change_settings(company: &Company, from: &str, to: &str) {
    let path = company.path().join("unisson.toml");
    let settings = std::fs::read_to_string(&path).expect("the settings");
    assert!(settings.contains(from), "{from}");
    std::fs::write(&path, settings.replace(from, to)).expect("the settings");
}

/// How many platforms the settings name.
fn platforms(company: &Company) -> usize {
    let settings = std::fs::read_to_string(company.path().join("unisson.toml")).expect("the settings");
    settings.lines().filter(|line| line.starts_with("connector = ")).count()
}

fn stranger(company: &Company) -> Connection {
    Connection::open(company.path().join("unisson.db")).expect("the store")
}

/// What the doctor finds in one area; every finding says why it matters and what to do.
fn findings(ended: &Ended, area: &str) -> Vec<Value> {
    let chart = ended.json();
    let found = chart["findings"].as_array().expect("findings").clone();
    for finding in &found {
        for key in ["area", "severity", "what", "why", "next"] {
            assert!(finding[key].as_str().is_some_and(|words| words.len() > 3), "{finding}");
        }
    }
    assert_eq!(ended.code, if found.is_empty() { 0 } else { 2 }, "{}", ended.out);
    found.into_iter().filter(|finding| finding["area"] == area).collect()
}

fn said(findings: &[Value], words: &str) -> bool {
    findings.iter().any(|finding| finding["what"].as_str().is_some_and(|what| what.contains(words)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_installation_is_called_healthy_and_left_as_it_is() {
    let company = healthy(41).await;
    let store = || std::fs::read(company.path().join("unisson.db")).expect("the store");
    let before = store();
    let ended = company.run(&["doctor"]).await;
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("nothing is wrong"), "{}", ended.out);
    let chart = company.run(&["doctor", "--json", "--online"]).await;
    assert_eq!(chart.code, 0, "{}{}", chart.out, chart.err);
    let areas: Vec<String> =
        chart.json()["examined"].as_array().expect("areas").iter().map(|one| one["area"].to_string()).collect();
    for area in ["store", "clock", "settings", "permissions", "secrets", "platforms"] {
        assert!(areas.contains(&format!("\"{area}\"")), "{area} was not looked at: {areas:?}");
    }
    let all = platforms(&company);
    assert!(chart.out.contains(&format!("{all} of {all} reached")), "{}", chart.out);
    assert_eq!(store(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_others_can_read_is_told_with_the_command_that_mends_it() {
    let company = healthy(42).await;
    let tokens = company.path().join("unisson.tokens");
    std::fs::create_dir(&tokens).expect("a folder");
    std::fs::write(tokens.join("crm.json"), "{}").expect("a token");
    let files = ["unisson.toml", "mailchimp.key", "hubspot.token", "unisson.db", "unisson.tokens/crm.json"];
    for file in files {
        allow(&company.path().join(file), 0o644);
    }
    let ended = company.run(&["doctor", "--json"]).await;
    let found = findings(&ended, "permissions");
    for file in files {
        let path = company.path().join(file);
        assert!(said(&found, &format!(" {} can be read by every account", path.display())), "{file}: {}", ended.out);
    }
    for finding in &found {
        let next = finding["next"].as_str().expect("words");
        assert!(next.starts_with("chmod 600 "), "{next}");
        let mended = std::process::Command::new("sh").args(["-c", next]).status().expect("a shell");
        assert!(mended.success(), "{next}");
    }
    assert_eq!(company.run(&["doctor"]).await.code, 0, "what it says to do mends it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_the_settings_since_the_last_run_is_named() {
    let company = healthy(43).await;
    change_settings(&company, "[instances.news]", "[guard]\ncount = 7\n\n[instances.letter]");
    change_settings(&company, "[instances.news.", "[instances.letter.");
    let ended = company.run(&["doctor", "--json"]).await;
    let found = findings(&ended, "settings");
    for words in [
        "`guard.count` was 100 and is 7",
        "instance `letter` is new",
        "instance `news` is no longer configured",
        "records of `news`, which is no instance",
        "instance `letter` has no records",
    ] {
        assert!(said(&found, words), "{words}: {}", ended.out);
    }
    assert_eq!(found.len(), 5, "{}", ended.out);
    assert!(findings(&company.run(&["doctor", "--json"]).await, "permissions").is_empty());

    let kept = healthy(43).await;
    std::fs::write(kept.path().join("strict.toml"), "version = \"strict\"\nprofile = \"eu-de\"\n").expect("a policy");
    change_settings(&kept, "[store]", "[policy]\nfile = \"strict.toml\"\n\n[store]");
    let ended = kept.run(&["doctor", "--json"]).await;
    let found = findings(&ended, "settings");
    assert!(said(&found, "`policy.version` was") && said(&found, "`policy.profile` was eu-fr"), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_disagrees_with_what_happened_is_told() {
    let company = healthy(44).await;
    let change = |sql: &str| assert!(stranger(&company).execute(sql, ()).expect("a statement") > 0, "{sql}");
    change("UPDATE run SET started_at = started_at + 7200000000000, ended_at = ended_at + 7200000000000");
    let ahead = company.run(&["doctor", "--json"]).await;
    assert!(said(&findings(&ahead, "clock"), "before the moment at which run"), "{}", ahead.out);
    change("UPDATE run SET started_at = started_at - 8640000000000000, ended_at = ended_at - 8640000000000000");
    let long_ago = company.run(&["doctor", "--json"]).await;
    assert!(said(&findings(&long_ago, "clock"), "days back"), "{}", long_ago.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_damaged_tampered_with_or_missing_is_told_and_everything_else_is_still_looked_at() {
    let company = company(45).await;
    let none = company.run(&["doctor", "--json"]).await;
    assert!(said(&findings(&none, "store"), "does not exist yet"), "{}", none.out);
    assert!(!company.path().join("unisson.db").exists(), "the doctor makes no store");
    company.settle().await;

    stranger(&company)
        .execute("UPDATE fact SET body = CAST(body || x'00' AS BLOB) WHERE record = 3", ())
        .expect("tampered");
    let tampered = company.run(&["doctor", "--json"]).await;
    assert!(said(&findings(&tampered, "store"), "of the ledger does not hold"), "{}", tampered.out);

    stranger(&company).execute("DELETE FROM record WHERE no = 3", ()).expect("tampered");
    let torn = company.run(&["doctor", "--json"]).await;
    assert!(said(&findings(&torn, "store"), "with a record that is not there"), "{}", torn.out);

    let path = company.path().join("unisson.db");
    let mut bytes = std::fs::read(&path).expect("the store");
    let half = bytes.len() / 2;
    bytes[half..].fill(0xff);
    std::fs::write(&path, bytes).expect("the store");
    allow(&company.path().join("mailchimp.key"), 0o604);
    let damaged = company.run(&["doctor", "--json"]).await;
    let found = findings(&damaged, "store");
    assert!(
        !found.is_empty() && found.iter().all(|finding| finding["next"].as_str().expect("words").contains("backup"))
    );
    assert_eq!(findings(&damaged, "permissions").len(), 1, "{}", damaged.out);

    std::fs::write(&path, "a letter, and no database at all ".repeat(100)).expect("a letter");
    let letter = company.run(&["doctor"]).await;
    assert!(letter.code == 2 && letter.out.contains("no store at all"), "{}{}", letter.out, letter.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_not_there_and_platforms_that_are_not_reached_are_told() {
    let company = healthy(46).await;
    std::fs::write(company.path().join("mailchimp.key"), "wrong-key-us1").expect("another key");
    let silent = company.run(&["doctor", "--json"]).await;
    assert_eq!(silent.code, 0, "whether a key opens anything is only known online: {}", silent.out);
    let all = platforms(&company);
    let asked = company.run(&["doctor", "--json", "--online"]).await;
    assert!(said(&findings(&asked, "platforms"), "instance `news` is not reached"), "{}", asked.out);
    assert!(
        asked.out.contains(&format!("{} of {all} reached", all - 1)) && !asked.out.contains("wrong-key"),
        "{}",
        asked.out
    );

    std::fs::remove_file(company.path().join("mailchimp.key")).expect("a file");
    change_settings(&company, "token = { file = \"hubspot.token\" }", "token = { env = \"UNISSON_TEST_UNSET\" }");
    let missing = company.run(&["doctor", "--json"]).await;
    let found = findings(&missing, "secrets");
    assert!(found.len() == 2 && said(&found, "mailchimp.key") && said(&found, "UNISSON_TEST_UNSET"), "{}", missing.out);
    assert!(said(&findings(&missing, "settings"), "`instances.crm.token` is another"), "{}", missing.out);
    let asked = company.run(&["doctor", "--json", "--online"]).await;
    assert!(said(&findings(&asked, "platforms"), "cannot be asked"), "{}", asked.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_read_leave_nothing_to_examine() {
    let company = healthy(47).await;
    change_settings(&company, "[store]", "[stoar]");
    let ended = company.run(&["doctor"]).await;
    assert!(ended.code == 1 && ended.out.is_empty() && ended.err.contains("next:"), "{}{}", ended.out, ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_and_an_export_work_beside_a_sync() {
    let company = healthy(48).await;
    let mut beside = 0;
    let mut sync = company.start(&["sync", "--full", "--quiet"]);
    while sync.try_wait().expect("a process").is_none() {
        let ended = company.run(&["doctor", "--json"]).await;
        assert!(
            findings(&ended, "store").is_empty() && findings(&ended, "clock").is_empty(),
            "{}{}",
            ended.out,
            ended.err
        );
        let export = company.run(&["ledger", "export"]).await;
        assert_eq!(export.code, 0, "{}", export.err);
        beside += 1;
    }
    assert!(beside > 0, "a sync takes longer than nothing");
}
