//! Erasures as an operator sees them: from the request to the certificate, and through whatever comes after it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use unisson_sandbox::System;
use unisson_tests::Company;

/// How many kills there are where the environment names no number.
const KILLS: u32 = 20;

/// A company without its file export: nothing in it has to be done by hand.
fn without_files(settings: &str) -> String {
    let mut settings: toml::Table = settings.parse().expect("the settings are TOML");
    settings["instances"].as_table_mut().expect("instances").remove("shop");
    settings.to_string()
}

/// The same with two accounts connected a second time: five systems in all.
fn five_systems(settings: &str) -> String {
    let mut settings: toml::Table = without_files(settings).parse().expect("the settings are TOML");
    let instances = settings["instances"].as_table_mut().expect("instances");
    for (name, copy) in [("news", "letters"), ("campaigns", "mailings")] {
        // A platform's own list of blocked addresses is never erased from: whoever is on it would be one more story.
        let table = instances[name].as_table_mut().expect("an instance");
        if name == "campaigns" {
            table.insert("transactional".to_owned(), false.into());
        }
        let instance = instances[name].clone();
        instances.insert(copy.to_owned(), instance);
    }
    settings.to_string()
}

/// People whom so many systems show, each by one address.
async fn people(company: &Company, systems: usize) -> Vec<String> {
    let mut found = Vec::new();
    for person in company.twins.population().people() {
        let address = person.spelling(System::Letter);
        if address.is_empty() {
            continue;
        }
        let known = company.run(&["erase", &address, "--dry-run", "--json"]).await;
        if known.code == 0 && known.json()["records"].as_object().is_some_and(|records| records.len() >= systems) {
            found.push(address);
        }
    }
    found
}

async fn cases(company: &Company) -> Vec<Value> {
    company.run(&["erasures", "list", "--all", "--json"]).await.json().as_array().cloned().expect("a list")
}

async fn case(company: &Company, name: &str) -> Value {
    company.run(&["erasures", "show", name, "--json"]).await.json()
}

/// The states of all tasks, system by system.
fn states(case: &Value) -> BTreeMap<String, Vec<String>> {
    let systems = case["systems"].as_array().expect("systems");
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    let tasks = |part: &Value| {
        part["tasks"].as_array().expect("tasks").iter().map(|task| word(&task["state"])).collect::<Vec<_>>()
    };
    systems.iter().map(|part| (word(&part["system"]), tasks(part))).collect()
}

/// How many records every system shows of a person, looked up live.
async fn held(company: &Company, who: &str) -> u64 {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().join("answer");
    let told = company.run(&["access", who, "--out", folder.to_str().expect("a path"), "--json"]).await;
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    told.json()["records"].as_u64().expect("a number")
}

/// The lines of the shop's export that name somebody, and all others.
fn split_export(company: &Company, who: &str) -> (String, String) {
    let path = company.path().join("exports/shop.csv");
    let text = std::fs::read_to_string(&path).expect("the export is there");
    let (local, _) = who.split_once('@').expect("an address");
    let (theirs, others): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.to_lowercase().contains(&local.to_lowercase()));
    (theirs.concat(), others.join("\n") + "\n")
}

fn write_export(company: &Company, text: &str) {
    std::fs::write(company.path().join("exports/shop.csv"), text).expect("the export is written");
}

/// Every file of the company's folder but its exports in which a text stands, in any case.
fn traces(folder: &Path, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let holds = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).expect("a file");
        String::from_utf8_lossy(&bytes).to_lowercase().contains(&text)
    };
    files.filter(|path| path.is_file() && holds(path)).map(|path| path.display().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_in_every_system_proven_gone_and_erased_again_when_an_import_brings_them_back() {
    let company = Company::found(31, 120, |settings| settings).await;
    company.settle().await;
    let who = people(&company, 4).await.into_iter().next().expect("somebody is everywhere");
    let whole = std::fs::read_to_string(company.path().join("exports/shop.csv")).expect("the export is there");
    let (theirs, others) = split_export(&company, &who);
    assert!(!theirs.is_empty());

    let erased = company.run(&["erase", &who, "--verified-by", "a link sent to the address", "--json"]).await;
    assert_eq!(erased.code, 2, "the shop's file waits for somebody: {}{}", erased.out, erased.err);
    let name = erased.json()["cases"][0]["case"].as_str().expect("a case").to_owned();
    let open = case(&company, &name).await;
    for (system, states) in states(&open) {
        let wanted = if system == "shop" { "pending" } else { "verified_absent" };
        assert!(states.iter().all(|state| state == wanted), "{system}: {states:?}");
        assert!(!states.is_empty(), "{system} holds the person");
    }
    assert_eq!(company.run(&["erasures", "list", "--due"]).await.code, 2, "somebody has to look");

    // Who claims that it is done, and it is not, is told so.
    let evidence = company.path().join("evidence.txt");
    std::fs::write(&evidence, "deleted by the shop").expect("a file");
    let done = ["erasures", "done", &name, "shop", "--evidence", evidence.to_str().expect("a path")];
    let claimed = company.run(&done).await;
    assert!(claimed.code == 1 && claimed.err.contains("still shows"), "{}", claimed.err);
    write_export(&company, &others);
    let claimed = company.run(&done).await;
    assert_eq!(claimed.code, 0, "{}", claimed.err);
    assert_eq!(case(&company, &name).await["state"], "completed");
    assert_eq!(held(&company, &who).await, 0, "no system shows anything of the person");

    // Nothing of the person is left in our own files.
    let (local, _) = who.split_once('@').expect("an address");
    assert_eq!(traces(company.path(), local), Vec::<String>::new());
    let explained = company.run(&["explain", &who]).await;
    assert!(explained.out.contains("erased") && !explained.out.to_lowercase().contains(&local.to_lowercase()));
    assert_eq!(company.run(&["ledger", "verify"]).await.code, 0);

    // The certificate names nobody, and the person's copy proves whose it is.
    let path = |name: &str| company.path().join(name).display().to_string();
    let (ours, theirs) = (path("ours.json"), path("theirs.json"));
    assert_eq!(company.run(&["erasures", "certificate", &name, "--out", &ours]).await.code, 0);
    assert_eq!(company.run(&["erasures", "certificate", &name, "--out", &theirs, "--for-person"]).await.code, 0);
    let twice = company.run(&["erasures", "certificate", &name, "--out", &path("more.json"), "--for-person"]).await;
    assert_eq!(twice.code, 1, "the salt goes into one copy only");
    assert_eq!(traces(company.path(), local), Vec::<String>::new());
    let about = company.run(&["erasures", "verify", &theirs, "--address", &who]).await;
    assert_eq!(about.code, 0, "{}{}", about.out, about.err);
    assert_eq!(company.run(&["erasures", "verify", &theirs, "--address", "somebody@example.org"]).await.code, 1);
    assert_eq!(company.run(&["erasures", "verify", &ours, "--address", &who]).await.code, 1, "ours tells of nobody");
    let forged = std::fs::read_to_string(&ours).expect("a file").replace("verified_absent", "held_for_ever0");
    std::fs::write(path("forged.json"), forged).expect("a file");
    assert_eq!(company.run(&["erasures", "verify", &path("forged.json")]).await.code, 1);

    // The next export contains the person again.
    write_export(&company, &whole);
    let report = company.run(&["sync", "--json"]).await.json();
    let back = &report["erasures"]["reappeared"];
    assert!(back.as_object().is_some_and(|back| back.keys().any(|source| source.starts_with("shop"))), "{report}");
    let cases = cases(&company).await;
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[1]["origin"], "reappearance");
    assert!(company.suppressions().await.iter().all(|line| !line.contains(local) || line.contains("erased")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_forgets_no_erasure_and_a_lost_journal_stops_everything() {
    let company = Company::found(37, 80, |settings| without_files(&settings)).await;
    company.settle().await;
    let who = people(&company, 3).await.into_iter().next().expect("somebody is everywhere");
    let store = company.path().join("unisson.db");
    let backup = std::fs::read(&store).expect("the store");
    let erased = company.run(&["erase", &who, "--verified-by", "a call back"]).await;
    assert_eq!(erased.code, 0, "{}{}", erased.out, erased.err);
    let rest = company.run(&["sync", "--json"]).await;
    assert!(matches!(rest.code, 0 | 2), "{}", rest.err);

    // The backup is from before the erasure, and the platform's own restore brings the person back.
    company.forget();
    std::fs::write(&store, backup).expect("the backup is put back");
    let restored = company.run(&["sync", "--json"]).await;
    let report = restored.json();
    let warned = report["warnings"].as_array().expect("warnings").iter().filter_map(Value::as_str).collect::<String>();
    assert!(warned.contains("erased addresses"), "{warned}");
    assert!(report["instances"]["news"]["swept"] == true, "every system is read in full: {report}");
    let explained = company.run(&["explain", &who]).await;
    assert!(explained.out.contains("erased"), "{}", explained.out);
    let (local, _) = who.split_once('@').expect("an address");
    company.run(&["erasures", "run"]).await;
    assert_eq!(traces(company.path(), local), Vec::<String>::new(), "what the backup brought back is purged again");

    // Without its journal the store sends nothing.
    std::fs::rename(company.path().join("erasures.jsonl"), company.path().join("lost")).expect("a file");
    let lost = company.run(&["sync"]).await;
    assert!(lost.code == 1 && lost.err.contains("journal"), "{}{}", lost.out, lost.err);
    std::fs::remove_file(company.path().join("erasures.jsonl")).expect("the empty one");
    std::fs::rename(company.path().join("lost"), company.path().join("erasures.jsonl")).expect("a file");
    assert_ne!(company.run(&["sync"]).await.code, 1);
    // Nor without its key.
    std::fs::remove_file(company.path().join("tombstone-1.key")).expect("a file");
    let lost = company.run(&["sync"]).await;
    assert!(lost.code == 1 && lost.err.contains("tombstone key 1"), "{}", lost.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nobody_can_be_sure_of_is_not_erased_and_errors_name_no_more_than_was_typed() {
    let company = Company::found(41, 40, |settings| without_files(&settings)).await;
    company.settle().await;
    for (who, says) in [("", "nobody was named"), ("no-such-customer", "nobody is known by that")] {
        let refused = company.run(&["erase", who, "--verified-by", "x"]).await;
        assert!(refused.code == 1 && refused.err.contains(says), "{who}: {}", refused.err);
    }
    let hold = company.run(&["erase", "a@example.org", "--hold", "invoices"]).await;
    assert!(hold.code == 1 && hold.err.contains("no hold `invoices`"), "{}", hold.err);
    // Nobody shows this address: every system is searched all the same, and it can never be brought in.
    let unknown = company.run(&["erase", "nobody.knows@example.org", "--verified-by", "x", "--json"]).await;
    assert_eq!(unknown.code, 0, "{}", unknown.err);
    assert_eq!(traces(company.path(), "nobody.knows"), Vec::<String>::new());
    let explained = company.run(&["explain", "Nobody.Knows@example.org"]).await;
    assert!(explained.out.contains("erased"), "{}", explained.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_is_killed_again_and_again_is_completed_everywhere() {
    let kills = std::env::var_os("UNISSON_KILLS")
        .map_or(KILLS, |number| number.to_str().and_then(|text| text.parse().ok()).expect("a number"));
    let company = Company::found(43, 160, |settings| five_systems(&settings)).await;
    company.settle().await;
    let mut waiting = people(&company, 4).await;
    assert!(waiting.len() >= 4, "{}", waiting.len());
    let mut erased: Vec<String> = Vec::new();
    let (mut killed, mut seed, mut took) = (0, 7_u64, Duration::from_millis(400));
    while killed < kills {
        // A new person every few kills; when there is none left, the last case is gone on with.
        if let Some(who) = waiting.pop() {
            let begun = Instant::now();
            let child = company.start(&["erase", &who, "--verified-by", "a call back"]);
            killed += u32::from(kill(child, &mut seed, took).await);
            took = took.max(begun.elapsed().min(Duration::from_secs(2)));
            // The request may have been lost with the process: whoever asked asks again.
            erased.push(who);
        }
        for _ in 0..4 {
            let who = erased.last().expect("somebody");
            let child = company.start(&["erase", who, "--verified-by", "a call back"]);
            killed += u32::from(kill(child, &mut seed, took).await);
            let child = company.start(&["erasures", "run"]);
            killed += u32::from(kill(child, &mut seed, took).await);
        }
    }
    for who in &erased {
        let ended = company.run(&["erase", who, "--verified-by", "a call back"]).await;
        assert!(matches!(ended.code, 0 | 2), "{}{}", ended.out, ended.err);
    }
    for _ in 0..5 {
        company.run(&["erasures", "run"]).await;
    }
    for told in cases(&company).await {
        let name = told["case"].as_str().expect("a case");
        let case = case(&company, name).await;
        assert_eq!(case["state"], "completed", "{case:#}");
        assert_eq!(case["systems"].as_array().expect("systems").len(), 5);
        for (system, states) in states(&case) {
            assert!(states.iter().all(|state| state == "verified_absent"), "{system}: {states:?}");
        }
    }
    let report = company.run(&["sync", "--full", "--json"]).await.json();
    assert_eq!(report["erasures"]["reappeared"].as_object().map_or(0, serde_json::Map::len), 0, "{report}");
    for who in &erased {
        assert_eq!(held(&company, who).await, 0, "nobody is left anywhere");
    }
    assert_eq!(company.run(&["ledger", "verify"]).await.code, 0);
}

/// Kills a command after a part of the time that it takes; whether it was still at work.
async fn kill(mut child: std::process::Child, seed: &mut u64, took: Duration) -> bool {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let part = f64::from(u32::try_from(*seed >> 33).expect("31 bits")) / f64::from(1_u32 << 31);
    tokio::time::sleep(took.mul_f64(part)).await;
    let at_work = child.try_wait().expect("it is ours").is_none();
    // An error says that it has ended, which is as good.
    let _ = child.kill();
    child.wait().expect("it ends");
    at_work
}
