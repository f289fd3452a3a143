//! The ledger: it holds, it grows, it is counted, it is read page by page.

use unisson_consent::{FactId, Kind};
use unisson_plan::SubjectNo;

use super::fixture::{at, commit, contact, fact, judge_all, record, subject_of, with_facts, write};
use crate::ledger::{Entry, LedgerCommit};
use crate::store::{Counts, LedgerFact, Naming, Store, Verified};

pub async fn an_empty_ledger_holds(store: &dyn Store) {
    assert_eq!(store.verify().await.unwrap(), Verified { commits: 0, facts: 0, head: [0; 32] });
    assert_eq!(store.counts(at(0)).await.unwrap(), Counts::default());
}

pub async fn every_commit_with_facts_moves_the_head(store: &dyn Store) {
    let mut heads = vec![store.verify().await.unwrap().head];
    for native in ["a", "b", "c"] {
        write(store, commit("r").learn(contact("news", native))).await;
        judge_all(store).await;
        let verified = store.verify().await.unwrap();
        assert_eq!((verified.commits, verified.facts), (heads.len() as u64, heads.len() as u64));
        assert!(!heads.contains(&verified.head));
        heads.push(verified.head);
    }
}

pub async fn the_numbers_count_what_there_is(store: &dyn Store) {
    let link = fact("host", None, Kind::Link { records: vec![record("news", "a"), record("news", "unseen")] });
    let withdrawn = fact("news", Some("a"), Kind::Withdraw);
    write(store, commit("r").learn(with_facts(contact("news", "a"), vec![link, withdrawn])).learn(contact("crm", "b")))
        .await;
    let expected = Counts { subjects: 2, records: 3, facts: 3, commits: 1, stale: 2 };
    assert_eq!(store.counts(at(0)).await.unwrap(), expected);
    judge_all(store).await;
    assert_eq!(store.counts(at(0)).await.unwrap(), Counts { stale: 0, ..expected });
}

pub async fn commits_come_page_by_page_as_they_were_chained(store: &dyn Store) {
    assert!(store.commits(1, 10).await.unwrap().is_empty());
    for native in ["a", "b", "c", "d"] {
        write(store, commit(native).learn(contact("news", native))).await;
        judge_all(store).await;
    }
    let mut last = (0, [0; 32]);
    for from in [1, 3] {
        let page = store.commits(from, 2).await.unwrap();
        assert_eq!(page.len(), 2);
        for commit in page {
            assert_eq!(commit.fault(last), None);
            last = (commit.seq, commit.hash);
        }
    }
    assert_eq!(last, (4, store.verify().await.unwrap().head));
    assert!(store.commits(5, 10).await.unwrap().is_empty());
    assert!(store.commits(u64::MAX, 10).await.unwrap().is_empty());
    assert!(store.commits(1, 0).await.unwrap().is_empty());
}

pub async fn facts_of_the_ledger_come_in_the_order_asked_with_whom_they_name(store: &dyn Store) {
    let link = fact("host", None, Kind::Link { records: vec![record("news", "a"), record("crm", "b")] });
    let annul = fact("crm", Some("b"), Kind::Annul { targets: vec![link.id], approvers: vec!["one".to_owned()] });
    let void = fact("host", None, Kind::Invalidate { notices: vec!["N1".into()], targets: vec![] });
    write(store, commit("r").learn(contact("news", "a"))).await;
    write(store, commit("r").learn(with_facts(contact("crm", "b"), vec![link.clone(), annul.clone(), void]))).await;
    let mut entries = entries(store).await;
    entries.reverse();
    entries.push(Entry::of(9, FactId([9; 16]), &[]));
    let told = store.ledger_facts(&entries, Naming::Names).await.unwrap();
    assert_eq!(told.len(), 5);
    assert_eq!(told[4], None);
    let person = subject_of(store, "a").await;
    for (entry, told) in entries.iter().zip(told.into_iter().flatten()) {
        assert_eq!(Entry::of(entry.record, entry.id, &told.body), *entry);
        let fact = told.fact.unwrap();
        assert_eq!((fact.id, &fact.system), (entry.id, &told.system));
        let expected = match fact.kind {
            Kind::Invalidate { .. } => None,
            _ => Some(person),
        };
        assert_eq!(told.subject, expected, "{:?}", fact.kind);
        assert_eq!(told.seq, if fact.system.as_str() == "news" { 1 } else { 2 });
    }
    let numbered = store.ledger_facts(&entries, Naming::Numbers).await.unwrap();
    assert!(numbered.into_iter().flatten().all(|told| told.fact.is_none()));
}

pub async fn the_subject_of_a_fact_is_the_present_one(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    write(store, commit("r").learn(contact("news", "b"))).await;
    let entries = entries(store).await;
    let subjects = |told: Vec<Option<LedgerFact>>| -> Vec<Option<SubjectNo>> {
        told.into_iter().flatten().map(|told| told.subject).collect()
    };
    let before = subjects(store.ledger_facts(&entries, Naming::Numbers).await.unwrap());
    assert_ne!(before[0], before[1]);
    let link = fact("host", None, Kind::Link { records: vec![record("news", "a"), record("news", "b")] });
    write(store, commit("r").learn(with_facts(contact("news", "a"), vec![link]))).await;
    let after = subjects(store.ledger_facts(&entries, Naming::Numbers).await.unwrap());
    assert_eq!(after[0], after[1]);
}

async fn entries(store: &dyn Store) -> Vec<Entry> {
    let commits = store.commits(1, 100).await.unwrap();
    commits.iter().flat_map(LedgerCommit::read_entries).collect()
}
