//! What operations people live by: exports an auditor can check, runs that say what they did, completions and manual pages
//! that need nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;
use unisson_sandbox::{Audience, Status};
use unisson_tests::{Company, Ended, program};

/// A company that has settled, with settings that only their owner can read.
async fn settled(seed: u64) -> Company {
    let company = Company::found(seed, 200, |settings| settings).await;
    allow(&company.path().join("unisson.toml"), 0o600);
    company.settle().await;
    company
}

#[cfg(unix)]
fn allow(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a file of ours");
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).expect("the file").permissions().mode() & 0o777
}

/// Runs the program where there are no settings at all.
fn alone(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .current_dir(folder)
        .env("UNISSON_CONFIG", folder.join("no such file"))
        .env_remove("RUST_LOG");
    let output = command.output().expect("it starts");
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// Somebody else at the store of a company.
fn stranger(company: &Company) -> Connection {
    Connection::open(company.path().join("unisson.db")).expect("the store")
}

async fn export(company: &Company, name: &str, more: &[&str]) -> (PathBuf, Ended) {
    let path = company.path().join(name);
    let arguments = [&["ledger", "export", "--json", "--out", text(&path)], more].concat();
    let ended = company.run(&arguments).await;
    (path, ended)
}

/// Every address that any platform of a company shows.
fn addresses(company: &Company) -> BTreeSet<String> {
    let mut addresses: BTreeSet<String> = company.twins.hubspot().addresses().into_iter().collect();
    for status in [Status::Subscribed, Status::Unsubscribed, Status::Cleaned] {
        addresses.extend(company.twins.mailchimp().addresses(Audience::Letter, status));
    }
    assert!(addresses.len() > 100);
    addresses
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_checks_an_export_that_names_nobody_without_settings_or_store() {
    let company = settled(21).await;
    let (path, ended) = export(&company, "ledger.jsonl", &[]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    let verified = company.run(&["ledger", "verify", "--json"]).await.json();
    for key in ["commits", "facts", "head"] {
        assert_eq!(ended.json()[key], verified[key], "{key}");
    }
    assert_eq!(mode(&path), 0o600);

    let elsewhere = tempfile::tempdir().expect("a folder");
    let checked = alone(elsewhere.path(), &["ledger", "verify", "--file", text(&path), "--json"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    assert_eq!(checked.json()["head"], verified["head"]);
    assert_eq!(checked.json()["withheld"], 0);

    let written = std::fs::read_to_string(&path).expect("the export");
    let lower = written.to_lowercase();
    assert!(!written.contains('@'));
    for address in addresses(&company) {
        let (local, _) = address.split_once('@').expect("an address");
        assert!(local.len() < 8 || !lower.contains(&local.to_lowercase()), "somebody is named");
    }
    let printed = company.run(&["ledger", "export"]).await;
    assert_eq!(printed.code, 0);
    let without_first = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(without_first(&printed.out), without_first(&written), "standard output gets the same lines");
    for line in written.lines() {
        serde_json::from_str::<Value>(line).expect("every line is JSON");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_are_written_to_a_private_file_and_nowhere_else() {
    let company = settled(22).await;
    let refused = company.run(&["ledger", "export", "--with-identifiers"]).await;
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--out") && refused.out.is_empty(), "{}", refused.err);
    let (path, ended) = export(&company, "named.jsonl", &["--with-identifiers"]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(mode(&path), 0o600);
    let written = std::fs::read_to_string(&path).expect("the export").to_lowercase();
    let named = addresses(&company).iter().filter(|address| written.contains(&address.to_lowercase())).count();
    assert!(named > 100, "{named} are named");
    let checked = alone(company.path(), &["ledger", "verify", "--file", text(&path), "--json"]);
    assert_eq!(checked.json()["identifiers"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_overwrites_nothing_and_leaves_nothing_behind_where_it_fails() {
    let company = settled(23).await;
    let store = company.path().join("unisson.db");
    let before = company.run(&["ledger", "verify", "--json"]).await.json();
    for name in ["unisson.db", "unisson.toml", "exports"] {
        let (_, ended) = export(&company, name, &[]).await;
        assert_eq!(ended.code, 1, "{name}");
        assert!(ended.err.contains("exists and is left as it is"), "{}", ended.err);
    }
    let (_, nowhere) = export(&company, "no folder/ledger.jsonl", &[]).await;
    assert!(nowhere.code == 1 && nowhere.err.contains("next:"), "{}", nowhere.err);
    assert_eq!(company.run(&["ledger", "verify", "--json"]).await.json(), before);

    // The store's own files come and go.
    let is_other = |file: &std::fs::DirEntry| !file.file_name().to_string_lossy().starts_with("unisson.db");
    let files = || std::fs::read_dir(company.path()).expect("the folder").flatten().filter(is_other).count();
    stranger(&company).execute("DELETE FROM fact WHERE record = 3", ()).expect("somebody tampers");
    let there = files();
    let (path, ended) = export(&company, "ledger.jsonl", &[]).await;
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.err.contains("does not hold") && ended.err.contains("backup"), "{}", ended.err);
    assert!(!path.exists() && files() == there, "no half of an export is left");
    assert!(store.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_or_cut_export_is_refused_with_its_line() {
    let company = settled(24).await;
    let (path, _) = export(&company, "ledger.jsonl", &[]).await;
    let whole = std::fs::read_to_string(&path).expect("the export");
    let lines: Vec<&str> = whole.lines().collect();
    let third = lines[2].to_owned();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let without_third = [&lines[..2], &lines[3..]].concat();
    let cases: Vec<(&str, String, &str)> = vec![
        (
            "another actor",
            whole.replacen("\"actor\":\"machine\"", "\"actor\":\"operator\"", 1),
            "the words of the fact",
        ),
        ("another time", whole.replacen("\"at\":\"2", "\"at\":\"3", 1), "line 2"),
        ("a line less", joined(&without_third), "none of the facts"),
        ("a line twice", whole.replacen(&third, &format!("{third}\n{third}"), 1), "line"),
        ("the end is cut", whole[..whole.len() / 2].to_owned(), "cut"),
        ("the last line is gone", joined(&lines[..lines.len() - 1]), "cut"),
        ("something behind", format!("{whole}{{}}\n"), "line"),
        ("other spelling", whole.replacen("{\"line\":\"fact\",", "{ \"line\":\"fact\",", 1), "not spelt"),
        ("no export", "id,email\n1,x\n".to_owned(), "no format"),
        ("another format", whole.replacen("unisson-ledger/1", "unisson-ledger/9", 1), "no format"),
        ("nothing", String::new(), "no format"),
    ];
    let changed = company.path().join("changed.jsonl");
    for (name, content, said) in cases {
        assert_ne!(content, whole, "{name}");
        std::fs::write(&changed, content).expect("a file");
        let ended = alone(company.path(), &["ledger", "verify", "--file", text(&changed)]);
        assert_eq!(ended.code, 1, "{name}: {}", ended.out);
        assert!(ended.err.contains(said) && ended.err.contains("next:"), "{name}: {}", ended.err);
        assert!(ended.out.is_empty(), "{name}");
    }
    for wrong in ["no such file", "."] {
        let ended = alone(company.path(), &["ledger", "verify", "--file", wrong]);
        assert!(ended.code == 1 && ended.err.contains("next:"), "{wrong}: {}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_continues_where_another_ended() {
    let company = settled(25).await;
    let (_, first) = export(&company, "first.jsonl", &[]).await;
    let last = first.json()["commits"].as_u64().expect("commits");
    let (tail, ended) = export(&company, "tail.jsonl", &["--since", &last.to_string()]).await;
    assert_eq!((ended.code, &ended.json()["commits"]), (0, &1.into()), "{}", ended.err);
    assert_eq!(ended.json()["head"], first.json()["head"]);
    let checked = alone(company.path(), &["ledger", "verify", "--file", text(&tail)]);
    assert!(checked.code == 0 && checked.err.contains("before commit"), "{}{}", checked.out, checked.err);
    let (_, nothing) = export(&company, "nothing.jsonl", &["--since", &(last + 1).to_string()]).await;
    assert_eq!((nothing.code, &nothing.json()["facts"]), (0, &0.into()), "{}", nothing.err);
    for beyond in [(last + 2).to_string(), u64::MAX.to_string(), "0".to_owned(), "-1".to_owned(), "x".to_owned()] {
        let ended = company.run(&["ledger", "export", "--since", &beyond]).await;
        assert!(ended.code == 1 && ended.out.is_empty(), "{beyond}: {}", ended.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_tell_what_each_did_at_every_instance_and_what_was_not_reached() {
    let company = Company::found(26, 200, |settings| {
        let settings = settings.replace("connector = \"hubspot\"", "connector = \"hubspot\"\nenabled = false");
        settings.replace("\"b7e2d4a680\" =", "\"another\" =")
    })
    .await;
    let none = company.run(&["runs"]).await;
    assert!(none.code == 1 && none.err.contains("sync"), "there is no store yet: {}", none.err);
    company.run(&["sync", "--dry-run"]).await;
    let run = company.run(&["sync", "--json"]).await.json();
    let id = run["run"].as_str().expect("a run");

    let list = company.run(&["runs", "--json"]).await.json();
    assert_eq!(list.as_array().expect("a list").len(), 2);
    assert_eq!(
        (&list[0]["run"], &list[0]["state"], &list[1]["dry_run"]),
        (&id.into(), &"partial".into(), &true.into())
    );
    assert!(list[0]["took_seconds"].as_f64() > Some(0.0));
    assert!(list[1]["instances"]["news"]["read"].as_u64() > Some(100));
    assert!(list[0]["instances"]["news"]["delivered"].as_u64() > Some(0));
    assert!(list[0]["instances"]["news"]["not_reached"].to_string().contains("list without a purpose"));
    assert!(list[0]["instances"]["crm"]["errors"][0].as_str().expect("an error").contains("disabled"));
    assert_eq!(list[0]["instances"]["crm"]["complete"], false);

    let shown = company.run(&["runs", "--limit", "1"]).await;
    assert_eq!(shown.code, 0);
    let told = ["partial", "crm", "news", "shop", "not read to its end", "1 list without a purpose", "disabled"];
    assert!(told.iter().all(|word| shown.out.contains(word)), "{}", shown.out);
    assert!(!shown.out.contains("dry run"), "{}", shown.out);

    let one = company.run(&["runs", &id[..18]]).await;
    assert!(one.code == 0 && one.out.contains("ended") && one.out.contains("made under policy"), "{}", one.out);
    assert_eq!(company.run(&["runs", id, "--json"]).await.json(), run);

    stranger(&company)
        .execute("UPDATE run SET state = 'interrupted', ended_at = NULL WHERE id = ?1", [id])
        .expect("one run");
    let died = company.run(&["runs", id]).await;
    assert!(died.out.contains("interrupted") && died.out.contains("its process ended"), "{}", died.out);
    stranger(&company)
        .execute("UPDATE run SET report = '{\"of\": \"another version\"}' WHERE id = ?1", [id])
        .expect("one run");
    assert!(company.run(&["runs"]).await.out.contains("another version"));
    let foreign = company.run(&["runs", id]).await;
    assert!(foreign.code == 1 && foreign.err.contains("another version"), "{}", foreign.err);

    for wrong in [&["runs", "ffff"][..], &["runs", "0"], &["runs", "--limit", "0"], &["runs", "--limit", "many"]] {
        let ended = company.run(wrong).await;
        assert!(ended.code == 1 && ended.out.is_empty(), "{wrong:?}: {}", ended.out);
    }
}

#[test]
fn completions_and_manual_pages_come_from_the_commands_and_need_no_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = alone(folder.path(), &["completions", shell]);
        assert_eq!(script.code, 0, "{shell}: {}", script.err);
        assert!(script.out.contains("doctor") && script.out.contains("with-identifiers"), "{shell}");
    }
    let json = alone(folder.path(), &["completions", "bash", "--json"]).json();
    assert!(json["script"].as_str().expect("a script").contains("doctor"));
    let wrong = alone(folder.path(), &["completions", "tcsh"]);
    assert!(wrong.code == 1 && wrong.err.contains("bash"), "{}", wrong.err);

    let page = alone(folder.path(), &["man"]);
    assert!(
        page.code == 0 && page.out.contains(".TH unisson 1") && page.out.contains("held for approval"),
        "{}",
        page.out
    );
    let pages = folder.path().join("man/man1");
    let written = alone(folder.path(), &["man", "--out", text(&pages), "--json"]);
    assert_eq!(written.code, 0, "{}", written.err);
    let files = written.json()["files"].as_array().expect("files").len();
    assert!(files > 20, "{files} pages");
    for name in ["unisson.1", "unisson-doctor.1", "unisson-ledger-export.1"] {
        let text = std::fs::read_to_string(pages.join(name)).expect("a page");
        assert!(text.contains(".SH NAME") && text.contains("UNISSON_CONFIG"), "{name}");
    }
    std::fs::write(folder.path().join("file"), "").expect("a file");
    let blocked = alone(folder.path(), &["man", "--out", "file"]);
    assert!(blocked.code == 1 && blocked.err.contains("next:"), "{}", blocked.err);
}
