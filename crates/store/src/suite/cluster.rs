//! Clusters: who may be the same person comes under one subject, whatever the order in which it was learnt.

use jiff::civil::Date;
use unisson_connector::Action;
use unisson_consent::{Address, Algorithm, CustomerNo, HashedAddress, Kind, Normalisation, Who};
use unisson_plan::{Learned, SubjectNo};

use super::fixture::{
    at, commit, contact, customer, dossier, email, fact, judge_all, known_by, mailed, person, planned, planning,
    record, stale, subject_of, with_facts, write,
};
use crate::store::Store;

/// Whether all of these records are one subject.
async fn together(store: &dyn Store, natives: &[&str]) -> bool {
    let first = subject_of(store, natives[0]).await;
    for native in natives {
        if subject_of(store, native).await != first {
            return false;
        }
    }
    true
}

pub async fn records_without_anything_in_common_are_two_subjects(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a")).learn(contact("news", "b"))).await;
    assert!(!together(store, &["a", "b"]).await);
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 2);
}

pub async fn every_spelling_of_the_widest_class_is_one_subject(store: &dyn Store) {
    write(store, commit("r").learn(mailed("news", "a", "J.Doe+news@gmail.com"))).await;
    write(store, commit("r").learn(mailed("crm", "b", "jdoe@googlemail.com"))).await;
    write(store, commit("r").learn(mailed("crm", "c", "jd.oe@gmail.com")).learn(mailed("crm", "d", "j@gmail.com")))
        .await;
    assert!(together(store, &["a", "b", "c"]).await);
    assert!(!together(store, &["a", "d"]).await);
}

pub async fn the_same_text_as_another_kind_of_identifier_joins_nobody(store: &dyn Store) {
    let postal = Who { addresses: vec![Address::postal("x1").unwrap()], ..Who::default() };
    let draft = commit("r")
        .learn(customer("crm", "a", "x1"))
        .learn(person("crm", "b", "x1"))
        .learn(mailed("crm", "c", "x1"))
        .learn(known_by("crm", "d", postal));
    write(store, draft).await;
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 4);
}

pub async fn customer_numbers_and_person_ids_join_across_instances(store: &dyn Store) {
    write(store, commit("r").learn(customer("crm", "a", "C1")).learn(person("crm", "b", "P1"))).await;
    write(store, commit("r").learn(customer("shop", "c", "C1")).learn(person("shop", "d", "P1"))).await;
    assert!(together(store, &["a", "c"]).await && together(store, &["b", "d"]).await);
    assert!(!together(store, &["a", "b"]).await);
}

pub async fn equal_days_of_birth_join_nobody(store: &dyn Store) {
    let born = || Who { birth: Some(Date::constant(1990, 1, 1)), ..Who::default() };
    write(store, commit("r").learn(known_by("crm", "a", born())).learn(known_by("crm", "b", born()))).await;
    assert!(!together(store, &["a", "b"]).await);
    let kept = dossier(store, subject_of(store, "b").await).await;
    assert_eq!(kept.facts[0].who, born());
}

/// A contact with two addresses, so that it can be the link of a chain.
fn between(native: &str, one: &str, two: &str) -> Learned {
    known_by("crm", native, Who { addresses: vec![email(one), email(two)], ..Who::default() })
}

pub async fn a_chain_within_one_commit_is_one_subject(store: &dyn Store) {
    let draft = commit("r")
        .learn(mailed("news", "first", "a@example.org"))
        .learn(mailed("news", "last", "d@example.org"))
        .learn(between("ab", "a@example.org", "b@example.org"))
        .learn(between("cd", "c@example.org", "d@example.org"))
        .learn(mailed("news", "alone", "e@example.org"))
        .learn(between("bc", "b@example.org", "c@example.org"));
    write(store, draft).await;
    assert!(together(store, &["first", "ab", "bc", "cd", "last"]).await);
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 2);
}

pub async fn a_chain_across_commits_ends_in_the_lowest_number(store: &dyn Store) {
    for (native, address) in
        [("a", "a@example.org"), ("b", "b@example.org"), ("c", "c@example.org"), ("d", "d@example.org")]
    {
        write(store, commit("r").learn(mailed("news", native, address))).await;
    }
    let lowest = subject_of(store, "a").await;
    write(store, commit("r").learn(between("cd", "c@example.org", "d@example.org"))).await;
    judge_all(store).await;
    let bridges = commit("r").learn(between("bc", "b@example.org", "c@example.org")).learn(between(
        "ab",
        "a@example.org",
        "b@example.org",
    ));
    write(store, bridges).await;
    assert!(together(store, &["a", "b", "c", "d", "ab", "bc", "cd"]).await);
    assert_eq!(subject_of(store, "d").await, lowest);
    assert_eq!(stale(store, at(0)).await, vec![lowest]);
    assert_eq!(dossier(store, lowest).await.replicas.len(), 7);
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 1);
}

pub async fn an_address_of_the_past_still_joins(store: &dyn Store) {
    write(store, commit("r").learn(mailed("news", "a", "old@example.org"))).await;
    write(store, commit("r").learn(mailed("news", "a", "new@example.org"))).await;
    write(store, commit("r").learn(mailed("crm", "b", "old@example.org"))).await;
    assert!(together(store, &["a", "b"]).await);
}

pub async fn a_change_of_address_joins_both_addresses(store: &dyn Store) {
    write(
        store,
        commit("r").learn(mailed("news", "a", "old@example.org")).learn(mailed("crm", "b", "new@example.org")),
    )
    .await;
    let moved = Kind::AddressChange { from: email("old@example.org"), to: email("NEW@example.org"), verified: false };
    let carrier = with_facts(contact("shop", "carrier"), vec![fact("host", None, moved)]);
    write(store, commit("r").learn(carrier)).await;
    assert!(together(store, &["a", "b"]).await);
    assert!(!together(store, &["a", "carrier"]).await);
}

pub async fn a_link_joins_records_even_before_they_are_seen(store: &dyn Store) {
    let link = Kind::Link { records: vec![record("news", "a"), record("crm", "b"), record("crm", "unseen")] };
    let told = fact("host", None, link);
    write(store, commit("r").learn(contact("news", "a")).learn(contact("crm", "b"))).await;
    assert!(!together(store, &["a", "b"]).await);
    write(store, commit("r").learn(with_facts(contact("shop", "carrier"), vec![told.clone()]))).await;
    assert!(together(store, &["a", "b", "unseen"]).await);
    write(store, commit("r").learn(contact("crm", "unseen"))).await;
    let kept = dossier(store, subject_of(store, "a").await).await;
    assert_eq!(kept.replicas.len(), 3);
    assert!(kept.facts.contains(&told));
    assert!(!together(store, &["a", "carrier"]).await);
}

pub async fn a_split_stands_in_the_dossier_of_everyone_it_names(store: &dyn Store) {
    let split = Kind::Split { groups: vec![vec![record("news", "a")], vec![record("crm", "b")]] };
    let told = fact("host", None, split);
    write(store, commit("r").learn(mailed("news", "a", "x@example.org")).learn(mailed("crm", "b", "x@example.org")))
        .await;
    write(store, commit("r").learn(with_facts(contact("shop", "carrier"), vec![told.clone()]))).await;
    assert!(dossier(store, subject_of(store, "b").await).await.facts.contains(&told));
}

pub async fn a_merge_brings_facts_replicas_and_open_changes_together(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a")).learn(contact("news", "b"))).await;
    let (a, b) = (subject_of(store, "a").await, subject_of(store, "b").await);
    let draft = commit("r")
        .judge(planning(a, vec![planned("news", "a", "change-a", Action::Suppress)]))
        .judge(planning(b, vec![planned("news", "b", "change-b", Action::Suppress)]));
    write(store, draft).await;
    assert_eq!(stale(store, at(0)).await, vec![]);
    write(store, commit("r").learn(between("ab", "a@example.org", "b@example.org"))).await;
    let kept = dossier(store, a).await;
    assert_eq!((kept.facts.len(), kept.replicas.len()), (3, 3));
    let open: Vec<&str> = kept.open.iter().map(|open| open.id.0.as_str()).collect();
    assert_eq!(open, vec!["change-a", "change-b"]);
    assert_eq!(stale(store, at(0)).await, vec![a]);
    assert_eq!(subject_of(store, "b").await, a);
}

pub async fn the_number_of_a_merged_subject_is_never_given_again(store: &dyn Store) {
    write(store, commit("r").learn(customer("crm", "a", "C1")).learn(contact("news", "b"))).await;
    let merged = subject_of(store, "b").await;
    let who = Who { addresses: vec![email("b@example.org")], customer: Some(CustomerNo::new("C1")), ..Who::default() };
    write(store, commit("r").learn(known_by("news", "b", who))).await;
    assert_ne!(subject_of(store, "b").await, merged);
    assert!(store.dossiers(&[merged, SubjectNo(u64::from(u32::MAX))]).await.unwrap().is_empty());
    write(store, commit("r").learn(contact("news", "c"))).await;
    assert_ne!(subject_of(store, "c").await, merged);
}

pub async fn equal_digests_of_addresses_are_one_subject(store: &dyn Store) {
    let listed = || {
        let hashed = HashedAddress::of(&email("x@example.org"), &Algorithm::Sha256(Normalisation::TrimLower)).unwrap();
        Who { hashes: vec![hashed], ..Who::default() }
    };
    write(store, commit("r").learn(known_by("file", "a", listed())).learn(known_by("crm", "b", listed()))).await;
    assert!(together(store, &["a", "b"]).await);
}
