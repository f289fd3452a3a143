//! A disk that fills up, a file that may not grow, a store that two want at once: a clear error that says what to do, and
//! nothing lost.

#![expect(clippy::print_stderr, reason = "what cannot be tried on this machine is said")]

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use unisson_tests::{Company, Disk, Ended, Gate, Hold, Kind, Phase, Picture, Runner, Side, limited};

/// The company of these tests.
const SEED: u64 = 41;
const PEOPLE: u32 = 60;
/// The first size of a disk that is tried, and the last, in kibibytes.
const SIZES: std::ops::Range<u32> = 48..16_384;
/// A size in which everything has room.
const ROOMY_KIB: u32 = 64 * 1024;
/// How long something may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_mins(1);

/// Settings that change much, in small steps.
fn settings(shipped: &str) -> String {
    let full = shipped.replace("enforce = \"negatives\"", "enforce = \"full\"");
    // The one that lets itself be written to only slowly is left to read.
    let (before, campaigns) = full.split_once("[instances.campaigns]").expect("an instance");
    let observed = campaigns.replacen("enforce = \"full\"", "enforce = \"observe\"", 1);
    format!("{before}[instances.campaigns]{observed}\n[sync]\ncommit_size = 25\n[guard]\ncount = 1000\n")
}

async fn company(change: impl FnOnce(String) -> String) -> Company {
    Company::found(SEED, PEOPLE, |shipped| change(settings(&shipped))).await
}

async fn undisturbed() -> Picture {
    let company = company(|settings| settings).await;
    company.settle().await;
    company.picture().await
}

/// Whether a program told in plain words that there is no room, and what to do about it.
fn is_told(said: &str) -> bool {
    said.contains("make room") && said.contains("next:") && !said.contains("panicked")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_at_any_moment_of_a_sync_loses_nothing() {
    let expected = undisturbed().await;
    let mut phases = BTreeSet::new();
    let mut size = SIZES.start;
    loop {
        let company = company(|settings| settings.replace("sqlite:", "sqlite:disk/")).await;
        let disk = match Disk::mount(&company.path().join("disk"), size) {
            Ok(disk) => disk,
            Err(why) => return eprintln!("skipped: this user cannot mount a small disk ({why})"),
        };
        let mut runner = Runner::start(&company, &["sync"]);
        runner.ends().await;
        let watched = runner.kill();
        if watched.code != Some(1) {
            assert!(matches!(watched.code, Some(0 | 2 | 3)), "{:?}: {}", watched.code, watched.said);
            break;
        }
        assert!(is_told(&watched.said), "{size} KiB: {}", watched.said);
        phases.insert(watched.last());
        reads_or_says_why(&company).await;
        disk.resize(ROOMY_KIB);
        company.settle().await;
        let picture = company.picture().await;
        assert_eq!(picture.unlike(&expected), None, "after {size} KiB, which were full while {:?}", watched.last());
        let verified = company.run(&["ledger", "verify"]).await;
        assert_eq!(verified.code, 0, "{}", verified.err);
        size += size / 3;
        assert!(size < SIZES.end, "no disk is large enough");
    }
    for phase in [Phase::Opening, Phase::Pulling, Phase::Delivering] {
        assert!(phases.contains(&phase), "no disk was full while {phase:?}: {phases:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_as_under_a_quota_is_told_and_loses_nothing() {
    if !cfg!(unix) {
        return eprintln!("skipped: no limit on the size of files is known here");
    }
    let expected = undisturbed().await;
    let mut phases = BTreeSet::new();
    for kib in [120, 280, 640, 900, 1_300, 1_800] {
        let company = company(|settings| settings).await;
        let mut runner = Runner::of(limited(&company.command(&["sync"]), kib));
        runner.ends().await;
        let watched = runner.kill();
        if watched.code == Some(1) {
            assert!(is_told(&watched.said), "{kib} KiB: {}", watched.said);
            phases.insert(watched.last());
        } else {
            assert!(matches!(watched.code, Some(0 | 2 | 3)), "{:?}: {}", watched.code, watched.said);
        }
        company.settle().await;
        let picture = company.picture().await;
        assert_eq!(picture.unlike(&expected), None, "after {kib} KiB, which were full while {:?}", watched.last());
    }
    assert!(phases.len() > 1, "the limit was met in one phase only: {phases:?}");
}

/// Commands that only read work on a full disk, or say in plain words why not.
async fn reads_or_says_why(company: &Company) {
    for command in [&["status"][..], &["suppressions", "list"], &["ledger", "verify"], &["runs"]] {
        let ended = company.run(command).await;
        let is_fine = matches!(ended.code, 0 | 2) || (ended.code == 1 && ended.err.contains("next:"));
        assert!(is_fine && !ended.err.contains("panicked"), "{command:?}: {} {}", ended.code, ended.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_has_no_room_leaves_no_half_file_and_spares_the_old_one() {
    let company = company(|settings| settings).await;
    company.settle().await;
    let out = company.path().join("out");
    let disk = match Disk::mount(&out, 256) {
        Ok(disk) => disk,
        Err(why) => return eprintln!("skipped: this user cannot mount a small disk ({why})"),
    };
    let old = out.join("old.csv");
    let path = |name: &str| out.join(name).display().to_string();
    let kept = company.run(&["suppressions", "export", "--channel", "email", "--out", &path("old.csv")]).await;
    assert_eq!(kept.code, 0, "{}", kept.err);
    let list = std::fs::read_to_string(&old).expect("the list");
    assert!(list.lines().count() > 10, "{list}");
    disk.fill();
    let commands = [
        vec!["suppressions", "export", "--channel", "email", "--out"],
        vec!["suppressions", "export", "--channel", "email", "--shape", "sha256", "--out"],
        vec!["ledger", "export", "--out"],
        vec!["ledger", "export", "--with-identifiers", "--out"],
        vec!["optins", "report", "--segments"],
        vec!["plan", "--out"],
    ];
    let replaced = commands.iter().filter(|command| command[0] == "suppressions").map(|command| (command, "old.csv"));
    let made = commands.iter().zip(["plain", "hashed", "ledger", "named", "segments", "plan"]);
    for (command, name) in replaced.chain(made) {
        let target = path(name);
        let ended = company.run(&[command.as_slice(), &[target.as_str()]].concat()).await;
        assert_eq!(ended.code, 1, "{command:?}: {}", ended.out);
        assert!(ended.err.contains("next:") && ended.err.contains("room"), "{command:?}: {}", ended.err);
        let left: BTreeSet<_> = files(&out).into_iter().filter(|left| left != "ballast" && left != "old.csv").collect();
        assert!(left.is_empty(), "{command:?} leaves {left:?}");
        assert_eq!(std::fs::read_to_string(&old).expect("the old list"), list, "{command:?}");
    }
}

/// The files under a folder, by their names.
fn files(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_has_no_room_is_an_error_and_not_the_end_of_a_list() {
    if !std::path::Path::new("/dev/full").exists() {
        return eprintln!("skipped: there is no device here that is always full");
    }
    let company = company(|settings| settings).await;
    company.settle().await;
    for command in [
        &["suppressions", "export", "--channel", "email"][..],
        &["suppressions", "list"],
        &["suppressions", "list", "--json"],
        &["ledger", "export"],
        &["status", "--json"],
        &["runs"],
        &["optins", "report"],
    ] {
        let ended = Ended::by(to_full(&company.command(command))).await;
        assert_eq!(ended.code, 1, "{command:?}: {}", ended.err);
        assert!(!ended.err.contains("panicked") && ended.err.contains("space"), "{command:?}: {}", ended.err);
    }
}

/// The same command with its output on a device that is always full.
fn to_full(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("exec \"$0\" \"$@\" >/dev/full").arg(command.get_program()).args(command.get_args());
    shell.env_remove("RUST_LOG").stdin(Stdio::null());
    shell
}

/// A company whose first sync is held in the middle.
async fn held(kind: Kind, number: u32) -> (Company, Gate, Runner) {
    let mut gate = None;
    let company = company(|settings| {
        let (before, settings) = Gate::before(&settings);
        gate = Some(before);
        settings
    });
    let (company, gate) = (company.await, gate.expect("settings were asked for"));
    gate.begin(Some(Hold { kind, number, side: Side::After }));
    let mut first = Runner::start(&company, &["sync"]);
    tokio::select! {
        () = gate.caught() => {}
        () = first.ends() => panic!("the first sync ends before it is held"),
        () = tokio::time::sleep(PATIENCE) => panic!("the first sync hangs"),
    }
    (company, gate, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_use_is_refused_to_a_second_writer_by_name_and_the_first_is_not_disturbed() {
    let expected = undisturbed().await;
    for (kind, number) in [(Kind::Read, 9), (Kind::Write, 12)] {
        let (company, gate, mut first) = held(kind, number).await;
        for command in [&["sync"][..], &["sync", "--dry-run"], &["sync", "--full"], &["approve", "0"]] {
            let second = company.run(command).await;
            assert_eq!(second.code, 1, "{command:?}: {}", second.out);
            assert!(second.err.contains("unisson.db.lock"), "{command:?} does not name the lock: {}", second.err);
            assert!(second.err.contains("next:"), "{command:?}: {}", second.err);
        }
        gate.let_go();
        first.ends().await;
        let watched = first.kill();
        assert!(matches!(watched.code, Some(0 | 2)), "{:?}: {}", watched.code, watched.said);
        let runs = company.run(&["runs", "--json"]).await.json();
        assert_eq!(runs.as_array().map(Vec::len), Some(1), "who was refused leaves no run: {runs}");
        company.settle().await;
        assert_eq!(company.picture().await.unlike(&expected), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_reads_works_beside_a_sync() {
    let (company, gate, mut first) = held(Kind::Write, 12).await;
    let export = company.path().join("list.csv").display().to_string();
    let ledger = company.path().join("ledger.jsonl").display().to_string();
    for command in [
        &["status"][..],
        &["runs"],
        &["suppressions", "list"],
        &["suppressions", "export", "--channel", "email", "--out", &export],
        &["ledger", "verify"],
        &["ledger", "export", "--out", &ledger],
        &["optins", "report"],
        &["explain", "nobody@example.org"],
    ] {
        let reader = company.run(command).await;
        // What is not finished yet is told by 2.
        assert!(matches!(reader.code, 0 | 2), "{command:?}: {} {}", reader.code, reader.err);
    }
    // It finds things to say of this company, and nothing of its store.
    let doctor = company.run(&["doctor", "--json"]).await;
    assert!(matches!(doctor.code, 0 | 2), "{}", doctor.err);
    gate.let_go();
    first.ends().await;
    let watched = first.kill();
    assert!(matches!(watched.code, Some(0 | 2)), "{:?}: {}", watched.code, watched.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_is_told_by_the_run_and_stops_no_refusal() {
    let expected = undisturbed().await;
    let company = company(|settings| settings).await;
    company.run(&["sync"]).await;
    // The clock of this machine is not the test's to set: what the last run remembers of it is.
    let hours = i64::try_from(Duration::from_hours(5).as_nanos()).expect("a few hours");
    let moved = "UPDATE run SET started_at = started_at + ?1, ended_at = ended_at + ?1";
    company.store().execute(moved, [hours]).expect("the store is written");
    let run = company.run(&["sync"]).await;
    assert!(matches!(run.code, 0 | 2), "{}", run.err);
    assert!(run.out.contains("the clock stands 4 hours before"), "{}", run.out);
    let told = company.run(&["sync", "--json"]).await.json();
    let warning = told["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.contains("compare `date -u` with another clock"), "{told}");
    company.settle().await;
    assert_eq!(company.picture().await.unlike(&expected), None);
}
