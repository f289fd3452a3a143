//! Clusters: who may be the same person comes under one subject, whatever the order in which it was learnt.

use jiff::civil::Date;
use unisson_connector::Action;
use unisson_consent::{Address, AddressKind, Algorithm, CustomerNo, HashedAddress, KeyId, Kind, Normalisation, Who};
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

/// A contact known by the digest of an address alone.
fn listed(native: &str, address: &Address, algorithm: &Algorithm) -> Learned {
    let hashed = HashedAddress::of(address, algorithm).unwrap();
    known_by("file", native, Who { hashes: vec![hashed], ..Who::default() })
}

/// Addresses in an odd spelling, each with a way in which somebody else hashed another spelling of it.
fn pairs() -> [(&'static str, &'static str, Algorithm); 4] {
    [
        (" Zed@Example.ORG", "zed@example.org", Algorithm::Md5(Normalisation::TrimLower)),
        ("kim@example.org", "KIM@example.org ", Algorithm::Sha256(Normalisation::TrimLower)),
        ("lea@example.org", "lea@example.org", Algorithm::Sha1(Normalisation::TrimLower)),
        ("J.Doe@gmail.com", "jd.oe@gmail.com", Algorithm::Sha256(Normalisation::GoogleDots)),
    ]
}

pub async fn a_digest_that_comes_after_its_address_joins_it(store: &dyn Store) {
    for (place, (ours, theirs, algorithm)) in pairs().iter().enumerate() {
        let (known, told) = (format!("known-{place}"), format!("told-{place}"));
        write(store, commit("r").learn(mailed("news", &known, ours))).await;
        judge_all(store).await;
        let subject = subject_of(store, &known).await;
        write(store, commit("r").learn(listed(&told, &email(theirs), algorithm))).await;
        assert!(together(store, &[&known, &told]).await, "{algorithm:?}");
        assert_eq!(stale(store, at(0)).await, vec![subject], "{algorithm:?}");
    }
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 4);
}

pub async fn an_address_that_comes_after_its_digest_joins_it(store: &dyn Store) {
    for (place, (ours, theirs, algorithm)) in pairs().iter().enumerate() {
        let (known, told) = (format!("known-{place}"), format!("told-{place}"));
        write(store, commit("r").learn(listed(&told, &email(theirs), algorithm))).await;
        judge_all(store).await;
        let subject = subject_of(store, &told).await;
        write(store, commit("r").learn(mailed("news", &known, ours))).await;
        assert!(together(store, &[&known, &told]).await, "{algorithm:?}");
        assert_eq!(stale(store, at(0)).await, vec![subject], "{algorithm:?}");
    }
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 4);
}

pub async fn an_address_and_its_digest_in_one_commit_are_one_subject(store: &dyn Store) {
    for (place, (ours, theirs, algorithm)) in pairs().iter().enumerate() {
        let (known, told) = (format!("known-{place}"), format!("told-{place}"));
        let (ours, theirs) = (mailed("news", &known, ours), listed(&told, &email(theirs), algorithm));
        let (first, second) = if place % 2 == 0 { (ours, theirs) } else { (theirs, ours) };
        write(store, commit("r").learn(first).learn(second)).await;
        assert!(together(store, &[&known, &told]).await, "{algorithm:?}");
    }
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 4);
}

pub async fn two_digests_of_one_address_join_over_it(store: &dyn Store) {
    let zed = email("zed@example.org");
    write(store, commit("r").learn(listed("a", &zed, &Algorithm::Md5(Normalisation::TrimLower)))).await;
    write(store, commit("r").learn(listed("b", &zed, &Algorithm::Sha256(Normalisation::TrimLower)))).await;
    assert!(!together(store, &["a", "b"]).await, "nobody knows yet whose they are");
    write(store, commit("r").learn(mailed("news", "c", "Zed@example.org"))).await;
    assert!(together(store, &["a", "b", "c"]).await);
    assert_eq!(dossier(store, subject_of(store, "c").await).await.replicas.len(), 3);
}

pub async fn a_digest_of_something_else_joins_nobody(store: &dyn Store) {
    let (zed, phone) = (email("zed@example.org"), Address::phone("+33612345678", None).unwrap());
    write(store, commit("r").learn(mailed("news", "a", "zed@example.org"))).await;
    let callable = Who { addresses: vec![phone.clone()], ..Who::default() };
    write(store, commit("r").learn(known_by("crm", "b", callable))).await;
    let md5 = Algorithm::Md5(Normalisation::TrimLower);
    let right = HashedAddress::of(&zed, &md5).unwrap();
    let others = [
        HashedAddress { kind: AddressKind::Phone, ..right.clone() },
        HashedAddress { algorithm: Algorithm::Sha256(Normalisation::TrimLower), ..right.clone() },
        HashedAddress { algorithm: Algorithm::Keyed(KeyId(1)), ..right.clone() },
        // The same narrow key, and another digest.
        HashedAddress { digest: [&right.digest[..15], &[right.digest[15] ^ 1]].concat(), ..right.clone() },
        HashedAddress { digest: Vec::new(), ..right },
    ];
    for (place, digest) in others.into_iter().enumerate() {
        let native = format!("other-{place}");
        write(store, commit("r").learn(known_by("file", &native, Who { hashes: vec![digest], ..Who::default() })))
            .await;
        assert!(!together(store, &["a", &native]).await && !together(store, &["b", &native]).await, "{place}");
    }
    write(store, commit("r").learn(listed("c", &phone, &md5))).await;
    assert!(together(store, &["b", "c"]).await);
}
