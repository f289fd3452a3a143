//! The export of the ledger: it holds by itself, it names nobody unasked, it can be continued, and no change goes unnoticed.

use std::fmt::Write as _;

use unisson_consent::{CustomerNo, Fact, Kind, Who};

use super::fixture::{at, commit, contact, email, fact, known_by, with_facts, write};
use super::rich::{kinds, rich};
use crate::export::{self, Checked, ExportError, FileError, Order};
use crate::store::{Naming, Store};

/// Every kind of fact with everything said that can be, in commits of three.
async fn write_everything(store: &dyn Store) -> u64 {
    let facts: Vec<Fact> = kinds()
        .into_iter()
        .map(|kind| rich(fact("news", Some("a"), kind)))
        .chain(kinds().into_iter().map(|kind| Fact { record: None, ..rich(fact("host", Some("x"), kind)) }))
        .collect();
    for (number, some) in facts.chunks(3).enumerate() {
        write(store, commit(&format!("run-{number}")).learn(with_facts(contact("news", "a"), some.to_vec()))).await;
    }
    facts.len() as u64
}

async fn exported(store: &dyn Store, from: u64, naming: Naming) -> String {
    let order = Order { from, naming, made_at: at(9), program: "test".to_owned() };
    let mut out = Vec::new();
    let exported = export::write(store, &order, &mut out).await.unwrap();
    let checked = export::check(out.as_slice()).unwrap();
    let Checked { commits, facts, head, identifiers, .. } = checked;
    assert_eq!((exported.commits, exported.facts, exported.head), (commits, facts, head));
    assert_eq!((checked.from, identifiers), (from, naming == Naming::Names));
    String::from_utf8(out).unwrap()
}

pub async fn an_export_holds_by_itself_and_names_nobody_unless_it_is_asked_to(store: &dyn Store) {
    let facts = write_everything(store).await;
    let silent = exported(store, 1, Naming::Numbers).await;
    let checked = export::check(silent.as_bytes()).unwrap();
    let verified = store.verify().await.unwrap();
    assert_eq!((checked.commits, checked.facts, checked.head), (verified.commits, facts, verified.head));
    assert_eq!(checked.withheld, 2, "the bytes of both annulments name their approvers");
    let telling = exported(store, 1, Naming::Names).await;
    assert_eq!(export::check(telling.as_bytes()).unwrap().withheld, 0);
    let digest = rich(fact("news", None, Kind::Attribute)).who.hashes[0].hex();
    for name in ["Ada@Example.ORG", "rue de la Paix", "old@example.org", "C1", "P1", "1990-02-28", "one", &digest] {
        assert!(telling.contains(name), "{name} is not told");
        let quoted = [format!("\"{name}"), format!("{name}\"")];
        assert!(quoted.iter().all(|name| !silent.contains(name.as_str())), "{name} is told");
    }
    assert!(!silent.contains('@') && !silent.contains("names\":"));
}

pub async fn an_export_can_begin_where_another_ended(store: &dyn Store) {
    write_everything(store).await;
    let last = store.counts(at(0)).await.unwrap().commits;
    let half = last / 2;
    let tail = exported(store, half, Naming::Numbers).await;
    let commits = store.commits(half - 1, 1).await.unwrap();
    let prev = hex(&commits[0].hash);
    assert!(tail.lines().next().unwrap().contains(&prev), "it names the hash it follows");
    assert_eq!(export::check(tail.as_bytes()).unwrap().commits, last - half + 1);
    let nothing_new = exported(store, last + 1, Naming::Numbers).await;
    assert_eq!(nothing_new.lines().count(), 2);
    for beyond in [0, last + 2, u64::MAX] {
        let order = Order { from: beyond, naming: Naming::Numbers, made_at: at(9), program: String::new() };
        assert!(matches!(export::write(store, &order, &mut Vec::new()).await, Err(ExportError::Beyond { .. })));
    }
}

pub async fn no_byte_of_an_export_can_change_unnoticed(store: &dyn Store) {
    let who = Who { addresses: vec![email("b@example.org")], customer: Some(CustomerNo::new("C9")), ..Who::default() };
    write(store, commit("run-1").learn(known_by("news", "b", who))).await;
    write(store, commit("run-2").learn(contact("crm", "c"))).await;
    let text = exported(store, 1, Naming::Numbers).await;
    // What is looked up when the file is written is not in the chain, and neither is who wrote it when.
    let free = ["\"system\":\"", "\"subject\":", "\"program\":\"", "\"made_at\":\""];
    let mut unnoticed = String::new();
    for place in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
        if export::check(changed.as_slice()).is_ok() {
            let before = &text[..place];
            let start = before.rfind(['{', ',']).map_or(0, |start| start + 1);
            assert!(free.iter().any(|key| before[start..].starts_with(key)), "{} at {place}", &text[start..place]);
            unnoticed.push_str(&text[place..=place]);
        }
    }
    assert!(!unnoticed.is_empty());
    let lines: Vec<&str> = text.lines().collect();
    for line in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(line);
        export::check(joined(&without).as_bytes()).expect_err("a line is missing");
        let mut twice = lines.clone();
        twice.insert(line, lines[line]);
        let twice = joined(&twice);
        assert!(matches!(export::check(twice.as_bytes()), Err(FileError::Broken { .. })), "line {line} is there twice");
    }
}

fn joined(lines: &[&str]) -> String {
    lines.join("\n") + "\n"
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
