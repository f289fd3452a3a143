//! Newcomers: records that are judged while they are learnt, and when that counts.

use unisson_connector::Action;
use unisson_consent::{Kind, Who};
use unisson_plan::SubjectNo;

use super::fixture::{
    at, commit, contact, decision, email, fact, judge_all, judged, known_by, planned, planning, stale, states,
    subject_of, with_facts, write,
};
use crate::store::{Receipt, Store};

/// Its number is not known when it is judged.
const NOBODY: SubjectNo = SubjectNo(0);

fn named(native: &str, address: &str) -> unisson_plan::Learned {
    known_by("news", native, Who { addresses: vec![email(address)], ..Who::default() })
}

pub async fn a_newcomer_is_fresh_at_once_with_its_decisions_and_changes(store: &dyn Store) {
    let mut one = planning(NOBODY, vec![planned("news", "a", "c1", Action::Suppress)]);
    one.decisions = vec![decision("a@example.org")];
    one.valid_until = Some(at(60));
    let draft = commit("r").learn(named("a", "a@example.org")).learn(named("b", "b@example.org"));
    let receipt = write(store, draft.newcomer(0, one).newcomer(1, judged(NOBODY))).await;
    assert_eq!((receipt.newcomers, receipt.changes), (vec![0, 1], 1));
    assert_eq!(stale(store, at(0)).await, vec![]);
    let first = subject_of(store, "a").await;
    assert_eq!(stale(store, at(60)).await, vec![first], "it holds for as long as it was said to");
    assert_eq!(store.standings(None, 1).await.unwrap(), vec![(first, vec![decision("a@example.org")])]);
    assert_eq!(states(store).await, vec![("draft".to_owned(), 1)]);
    write(store, commit("r").learn(named("c", "a@example.org"))).await;
    assert_eq!(stale(store, at(0)).await, vec![first], "it is not alone any more");
}

pub async fn a_record_that_somebody_knew_is_no_newcomer(store: &dyn Store) {
    write(store, commit("r").learn(named("a", "a@example.org"))).await;
    judge_all(store).await;
    let change = |native| planning(NOBODY, vec![planned("news", native, "c1", Action::Suppress)]);
    let again = with_facts(named("a", "a@example.org"), vec![fact("news", Some("a"), Kind::Withdraw)]);
    let receipt = write(store, commit("r").learn(again).newcomer(0, change("a"))).await;
    assert_eq!((receipt.newcomers, receipt.changes), (vec![], 0), "its record was known");
    let receipt = write(store, commit("r").learn(named("b", "A@Example.org")).newcomer(0, change("b"))).await;
    assert_eq!((receipt.newcomers, receipt.changes), (vec![], 0), "its address was known");
    assert_eq!(stale(store, at(0)).await, vec![subject_of(store, "a").await]);
}

pub async fn who_shares_a_subject_or_comes_twice_is_no_newcomer(store: &dyn Store) {
    let draft = commit("r")
        .learn(named("a", "a@example.org"))
        .learn(named("b", "a@example.org"))
        .learn(named("c", "c@example.org"))
        .learn(with_facts(named("c", "c@example.org"), vec![fact("news", Some("c"), Kind::Withdraw)]))
        .learn(named("d", "d@example.org"));
    let draft = [0, 1, 2, 4, 9].into_iter().fold(draft, |draft, place| draft.newcomer(place, judged(NOBODY)));
    let receipt = write(store, draft).await;
    assert_eq!(receipt.newcomers, vec![3], "only the one who is alone and comes once");
    assert_eq!(stale(store, at(0)).await, vec![subject_of(store, "a").await, subject_of(store, "c").await]);
}

pub async fn nobody_is_a_newcomer_where_something_reaches_everybody(store: &dyn Store) {
    let wide = || fact("news", None, Kind::Invalidate { notices: vec!["N1".into()], targets: Vec::new() });
    let receipt =
        write(store, commit("r").learn(with_facts(contact("news", "a"), vec![wide()])).newcomer(0, judged(NOBODY)))
            .await;
    assert_eq!(receipt.newcomers, Vec::<usize>::new(), "it is told in the same commit");
    let receipt: Receipt = write(store, commit("r").learn(contact("news", "b")).newcomer(0, judged(NOBODY))).await;
    assert_eq!(receipt.newcomers, Vec::<usize>::new(), "it was told before");
    assert_eq!(stale(store, at(0)).await.len(), 2);
}
