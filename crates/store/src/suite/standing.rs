//! Standings: who has to be judged again, and what was decided.

use jiff::SignedDuration;
use unisson_connector::Action;
use unisson_consent::{CustomerNo, Kind, PersonId, Status, Who};
use unisson_plan::{Digest, Judged, Settlement, SubjectNo};

use super::fixture::{
    Openings, at, claim, commit, contact, customer, decision, dossier, email, fact, judge_all, judged, known_by,
    planned, released, stale, subject_of, with_facts, write,
};
use crate::error::StoreErrorKind;
use crate::store::Store;

pub async fn a_new_subject_is_stale_until_it_is_judged(store: &dyn Store) {
    assert_eq!(stale(store, at(0)).await, vec![]);
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    assert_eq!(stale(store, at(0)).await, vec![subject]);
    assert_eq!(store.stale(at(0), 0).await.unwrap(), vec![]);
    write(store, commit("r").judge(judged(subject))).await;
    assert_eq!(stale(store, at(0)).await, vec![]);
    assert_eq!(store.counts(at(0)).await.unwrap().stale, 0);
}

pub async fn a_standing_is_stale_at_the_instant_it_ends(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    let until = at(60).checked_add(SignedDuration::from_nanos(1)).unwrap();
    write(store, commit("r").judge(Judged { valid_until: Some(until), ..judged(subject) })).await;
    assert_eq!(stale(store, at(60)).await, vec![], "a nanosecond before");
    assert_eq!(stale(store, until).await, vec![subject]);
    assert_eq!(store.counts(until).await.unwrap().stale, 1);
    write(store, commit("r").judge(Judged { valid_until: Some(jiff::Timestamp::MAX), ..judged(subject) })).await;
    assert_eq!(stale(store, until).await, vec![], "what ends with time itself never comes");
}

pub async fn news_make_a_subject_stale_and_a_repetition_does_not(store: &dyn Store) {
    let known = contact("news", "a");
    write(store, commit("r").learn(known.clone())).await;
    judge_all(store).await;
    write(store, commit("r").learn(known.clone())).await;
    assert_eq!(stale(store, at(0)).await, vec![], "nothing is new");
    write(store, commit("r").learn(with_facts(known.clone(), vec![fact("news", Some("a"), Kind::Delivered)]))).await;
    assert_eq!(stale(store, at(0)).await.len(), 1, "a fact is new");
    judge_all(store).await;
    let mut other = with_facts(known, vec![]);
    other.replica.slots[0].status = Status::Unsubscribed;
    other.replica.digest = Digest([9; 16]);
    write(store, commit("r").learn(other)).await;
    assert_eq!(stale(store, at(0)).await.len(), 1, "the replica is new");
}

pub async fn news_of_the_same_commit_keep_a_judged_subject_stale(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    let news = with_facts(contact("news", "a"), vec![fact("news", Some("a"), Kind::Withdraw)]);
    write(store, commit("r").learn(news).judge(judged(subject))).await;
    assert_eq!(stale(store, at(0)).await, vec![subject]);
}

pub async fn news_between_a_dossier_and_its_judgement_keep_the_subject_stale(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    dossier(store, subject).await;
    let news = with_facts(contact("news", "a"), vec![fact("news", Some("a"), Kind::Withdraw)]);
    write(store, commit("r").learn(news)).await;
    write(store, commit("r").judge(judged(subject))).await;
    assert_eq!(stale(store, at(0)).await, vec![subject], "the judgement did not know of the withdrawal");
    dossier(store, subject).await;
    write(store, commit("r").judge(judged(subject))).await;
    assert_eq!(stale(store, at(0)).await, vec![]);
}

pub async fn a_judgement_of_a_merged_subject_says_nothing(store: &dyn Store) {
    write(store, commit("r").learn(customer("crm", "a", "C1")).learn(contact("news", "b"))).await;
    let (kept, merged) = (subject_of(store, "a").await, subject_of(store, "b").await);
    let who = Who { addresses: vec![email("b@example.org")], customer: Some(CustomerNo::new("C1")), ..Who::default() };
    write(store, commit("r").learn(known_by("news", "b", who))).await;
    let old = Judged { changes: vec![planned("news", "b", "c1", Action::Suppress)], ..judged(merged) };
    assert_eq!(write(store, commit("r").judge(old)).await.changes, 0);
    assert_eq!(stale(store, at(0)).await, vec![kept]);
    assert_eq!(store.standings(None, 10).await.unwrap(), vec![]);
}

pub async fn another_law_makes_every_standing_stale(store: &dyn Store) {
    assert!(!store.adopt_law("law-1").await.unwrap(), "there was none before");
    write(store, commit("r").learn(contact("news", "a")).learn(contact("news", "b"))).await;
    judge_all(store).await;
    assert!(!store.adopt_law("law-1").await.unwrap());
    assert_eq!(stale(store, at(0)).await, vec![]);
    assert!(store.adopt_law("law-2").await.unwrap());
    assert_eq!(stale(store, at(0)).await.len(), 2);
    assert_eq!(store.standings(None, 10).await.unwrap(), vec![]);
    judge_all(store).await;
    assert!(!store.adopt_law("law-2").await.unwrap());
    assert_eq!(stale(store, at(0)).await, vec![]);
}

pub async fn decisions_come_back_page_by_page_as_they_were(store: &dyn Store) {
    let mut draft = commit("r");
    for native in ["a", "b", "c", "d"] {
        let who = Who {
            addresses: vec![email(&format!("{native}@example.org"))],
            person: Some(PersonId::new(native)),
            ..Who::default()
        };
        draft = draft.learn(known_by("news", native, who));
    }
    write(store, draft).await;
    let mut expected = Vec::new();
    let mut draft = commit("r");
    for native in ["a", "b", "d"] {
        let subject = subject_of(store, native).await;
        let mut one = decision(&format!("{native}@example.org"));
        one.key.person = Some(PersonId::new(native));
        let mut two = one.clone();
        two.decision.valid_until = None;
        two.decision.rule = None;
        two.since = None;
        let decisions = if native == "d" { vec![] } else { vec![one, two] };
        draft = draft.judge(Judged { decisions: decisions.clone(), ..judged(subject) });
        expected.push((subject, decisions));
    }
    write(store, draft).await;
    assert_eq!(store.standings(None, 2).await.unwrap(), expected[..2]);
    assert_eq!(store.standings(Some(expected[1].0), 2).await.unwrap(), expected[2..]);
    assert_eq!(store.standings(Some(SubjectNo(u64::from(u32::MAX))), 2).await.unwrap(), vec![]);
}

pub async fn every_subject_is_listed_page_by_page_judged_or_not(store: &dyn Store) {
    assert_eq!(store.subjects(None, 2).await.unwrap(), vec![]);
    write(store, commit("r").learn(contact("news", "a")).learn(contact("news", "b")).learn(contact("news", "c"))).await;
    let mut all = Vec::new();
    for native in ["a", "b", "c"] {
        all.push(subject_of(store, native).await);
    }
    write(store, commit("r").judge(judged(all[1]))).await;
    assert_eq!(store.subjects(None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.subjects(Some(all[1]), 2).await.unwrap(), all[2..]);
    assert_eq!(store.subjects(Some(all[2]), 2).await.unwrap(), vec![]);
}

pub async fn a_decision_about_an_address_nobody_has_is_refused(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    let stranger = Judged { decisions: vec![decision("stranger@example.org")], ..judged(subject) };
    let error = store.commit(commit("r").judge(stranger).build()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(!error.to_string().contains("stranger"), "{error}");
}

pub async fn what_is_new_comes_before_what_ran_out_and_what_is_lost(store: &dyn Store) {
    released(store, "lost", vec![planned("news", "lost", "c1", Action::Suppress)]).await;
    let lost = subject_of(store, "lost").await;
    claim(store, at(0), 10, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Unknown)).await;
    write(store, commit("r").learn(contact("news", "over")).learn(contact("news", "new"))).await;
    let (over, new) = (subject_of(store, "over").await, subject_of(store, "new").await);
    write(store, commit("r").judge(Judged { valid_until: Some(at(1)), ..judged(over) }).judge(judged(lost))).await;
    assert_eq!(stale(store, at(2)).await, vec![new, over, lost]);
    assert_eq!(store.stale(at(2), 2).await.unwrap(), vec![new, over]);
    assert_eq!(store.counts(at(2)).await.unwrap().stale, 3);
}
