//! The scenarios that every build of the law must pass, and proof that a wrong one does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use unisson_scenario::{FileReport, Options, Outcome, Report, read_file, read_text, run_files};

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/consent.yaml")
}

fn text_of_shared() -> String {
    std::fs::read_to_string(shared()).expect("the shared file is there")
}

/// Plays scenarios from their text.
fn played(text: &str, options: Options) -> Report {
    let suite = read_text(Path::new("mine.yaml"), text).expect("a file of scenarios");
    Report::of(vec![FileReport::play("mine.yaml".to_owned(), suite, &options)], options)
}

fn written(report: &Report) -> String {
    let mut out = Vec::new();
    report.write(&mut out).expect("memory takes every report");
    String::from_utf8(out).expect("a report is text")
}

#[test]
fn all_shared_scenarios_pass() {
    let report = run_files(&[shared()], &Options::default());
    assert_eq!(report.failed(), 0, "{}", written(&report));
    assert!(report.passed() > 80, "only {} scenarios were found", report.passed());
    assert_eq!(written(&report).lines().last(), Some(format!("{} passed, 0 failed", report.passed()).as_str()));
}

#[test]
fn every_field_of_the_schema_means_what_the_model_says() {
    let breadth = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/breadth.yaml");
    let report = run_files(&[breadth], &Options::default());
    assert_eq!(report.failed(), 0, "{}", written(&report));
}

#[test]
fn the_built_in_defaults_are_those_of_the_shared_file() {
    let text = text_of_shared();
    let start = text.find("\ndefaults:").unwrap();
    let end = text.find("\nscenarios:").unwrap();
    let bare = format!("{}{}", &text[..=start], &text[end..]);
    let (with, without) = (read_file(&shared()).unwrap(), read_text(Path::new("bare.yaml"), &bare).unwrap());
    assert_eq!(with.scenarios.len(), without.scenarios.len());
    for (a, b) in with.scenarios.iter().zip(&without.scenarios) {
        assert_eq!(format!("{:?}", a.law), format!("{:?}", b.law), "{}", a.id);
        assert_eq!((a.now, &a.id), (b.now, &b.id));
    }
}

#[test]
fn an_expectation_turned_round_fails_its_scenario_and_no_other() {
    let text = text_of_shared();
    let all = read_file(&shared()).unwrap().scenarios.len();
    for (right, wrong) in [
        ("decision: allow, status: granted, reason: ok_consent, actions: {crm: [subscribe]}}", "decision: deny"),
        (
            "decision: allow, status: granted, reason: ok_consent, actions: {crm: [subscribe]}}",
            "decision: allow, status: lapsed",
        ),
        (
            "decision: allow, status: granted, reason: ok_consent, actions: {crm: [subscribe]}}",
            "decision: allow, reason: unknown",
        ),
        // A push that was not expected, and one that was but to another system.
        ("decision: allow, status: granted, reason: ok_consent, actions: {crm: [subscribe]}}", "decision: allow"),
        (
            "decision: allow, status: granted, reason: ok_consent, actions: {crm: [subscribe]}}",
            "decision: allow, actions: {esp: [subscribe]}",
        ),
    ] {
        let report = played(&text.replacen(right, &format!("{wrong}}}"), 1), Options::default());
        assert_eq!((report.passed(), report.failed()), (all - 1, 1), "{wrong}");
        let failed: Vec<_> =
            report.files()[0].scenarios.iter().filter(|scenario| scenario.outcome != Outcome::Passed).collect();
        assert_eq!(failed[0].id, "S01", "{wrong}");
    }
}

#[test]
fn a_failure_shows_expected_and_got_and_the_observations_behind() {
    let text = "
schema: consent-scenarios/1
scenarios:
- id: wish
  title: one may wish
  given: a withdrawal
  invariants: [I3]
  observations:
    - {id: a, sys: web, rec: w1, who: {email: ada@example.org}, obs: \"2026-05-02T08:05:00Z\", at: \"2026-05-02T08:05:00Z\", ev: grant, scope: {purposes: [newsletter], channels: [email]}, evidence: doi}
    - {id: b, sys: esp2, rec: e1, eid: x, who: {email: ada@example.org}, obs: \"2026-05-03T00:00:00Z\", ev: withdraw}
    - {id: c, sys: esp2, rec: e1, eid: x, who: {email: ada@example.org}, obs: \"2026-05-04T00:00:00Z\", ev: withdraw}
    - {id: d, sys: crm, rec: c1, who: {email: ada@example.org}, obs: \"2026-05-01T00:00:00Z\", ev: snapshot, status: subscribed, scope: {purposes: [newsletter], channels: [email]}}
  expect:
    - {key: {address: Ada@example.org, purpose: newsletter, channel: email}, decision: allow, status: granted, reason: ok_consent, actions: {esp2: [subscribe]}}
";
    let report = played(text, Options { orders: 24, seed: 7 });
    assert_eq!(
        written(&report),
        "mine.yaml: 0 passed, 1 failed

failed: wish one may wish, line 4 (I3)
  given a withdrawal
  Ada@example.org, newsletter by email, line 14
    decision: expected allow, got deny
    status: expected granted, got withdrawn
    reason: expected ok_consent, got withdrawn
    push to crm: expected nothing, got suppress
    push to esp2: expected subscribe, got nothing
    because b: withdraw told by esp2, observed 2026-05-03T00:00:00Z
    because c: withdraw told by esp2, observed 2026-05-04T00:00:00Z

orders 24, seed 7
0 passed, 1 failed
"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["failed"], 1);
    let failure = &json["files"][0]["scenarios"][0]["outcome"]["failed"][0];
    assert_eq!(failure["differences"][0]["field"], "decision");
    assert_eq!(failure["facts"][0]["observation"], "b");
    assert!(!format!("{report:?}").contains("ada@"), "an address must not get into a log");
}

#[test]
fn two_observations_of_one_native_event_are_one_fact() {
    let suite = read_file(&shared()).unwrap();
    let redelivered = suite.scenarios.iter().find(|scenario| scenario.id == "S41").unwrap();
    let facts: BTreeSet<_> = redelivered.observed.iter().map(|observed| observed.fact.id).collect();
    assert_eq!((redelivered.observed.len(), facts.len()), (3, 2));
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_played() {
    let here = tempfile::tempdir().unwrap();
    let (gone, binary) = (here.path().join("gone.yaml"), here.path().join("binary.yaml"));
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let report = run_files(&[gone, binary, here.path().to_owned(), shared()], &Options::default());
    assert_eq!(report.failed(), 3);
    assert!(report.passed() > 80);
    let words = written(&report);
    assert!(
        words.contains("failed to find ") && words.contains("gone.yaml; name an existing scenario file"),
        "{words}"
    );
    assert!(words.contains("binary.yaml: it is not UTF-8 text; save it as UTF-8"), "{words}");
    assert!(words.ends_with(&format!("{} passed, 3 failed\n", report.passed())), "{words}");
}
