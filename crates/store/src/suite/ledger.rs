//! The ledger: it holds, it grows, it is counted.

use unisson_consent::Kind;

use super::fixture::{at, commit, contact, fact, judge_all, record, with_facts, write};
use crate::store::{Counts, Store, Verified};

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
