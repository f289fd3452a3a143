//! Records, facts and replicas: what is written comes back, once, or not at all.

use unisson_connector::{Action, Presence, StreamId};
use unisson_consent::{Address, AddressKind, Fact, FactId, Kind, Status, Who};
use unisson_plan::{Digest, Learned, Position};

use super::fixture::{
    at, commit, contact, dossier, email, fact, image, judge_all, judged, known_by, mailed, planned, planning, record,
    stale, subject_of, with_facts, write,
};
use super::rich::{kinds, replica, rich};
use crate::store::{Receipt, Store};

pub async fn a_record_that_was_never_seen_is_not_known(store: &dyn Store) {
    let asked = ["a".into()];
    assert_eq!(store.known(&"news".into(), &asked).await.unwrap(), vec![None]);
    assert_eq!(store.replicas(&"news".into(), &asked).await.unwrap(), vec![None]);
    assert_eq!(store.known(&"news".into(), &[]).await.unwrap(), vec![]);
}

pub async fn what_was_learnt_is_known_in_the_order_asked(store: &dyn Store) {
    let (a, b) = (contact("news", "a"), contact("news", "b"));
    write(store, commit("r").learn(a.clone()).learn(b.clone())).await;
    let asked = ["b".into(), "x".into(), "a".into(), "b".into()];
    let known = store.known(&"news".into(), &asked).await.unwrap();
    let digests: Vec<Option<Digest>> = known.iter().map(|known| known.map(|(_, digest)| digest)).collect();
    let (a_digest, b_digest) = (Some(a.replica.digest), Some(b.replica.digest));
    assert_eq!(digests, vec![b_digest, None, a_digest, b_digest]);
    assert_eq!(known[0], known[3]);
    assert_ne!(known[0].unwrap().0, known[2].unwrap().0);
    let replicas = store.replicas(&"news".into(), &asked).await.unwrap();
    assert_eq!(replicas, vec![Some(b.replica.clone()), None, Some(a.replica), Some(b.replica)]);
}

pub async fn the_same_native_id_at_two_instances_is_two_records(store: &dyn Store) {
    write(store, commit("r").learn(mailed("news", "1", "a@example.org")).learn(mailed("crm", "1", "b@example.org")))
        .await;
    let news = store.known(&"news".into(), &["1".into()]).await.unwrap()[0].unwrap();
    let crm = store.known(&"crm".into(), &["1".into()]).await.unwrap()[0].unwrap();
    assert_ne!(news.0, crm.0);
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 2);
}

pub async fn the_same_commit_twice_adds_nothing(store: &dyn Store) {
    let again = || commit("r").learn(contact("news", "a")).learn(contact("crm", "b"));
    let first = write(store, again()).await;
    assert_eq!((first.facts, first.changes), (2, 0));
    let before = (store.counts(at(0)).await.unwrap(), store.verify().await.unwrap());
    let second = write(store, again()).await;
    assert_eq!(second, Receipt { learned: first.learned, ..Receipt::default() });
    assert_eq!((store.counts(at(0)).await.unwrap(), store.verify().await.unwrap()), before);
}

pub async fn a_fact_told_twice_in_one_commit_is_written_once(store: &dyn Store) {
    let receipt = write(store, commit("r").learn(contact("news", "a")).learn(contact("news", "a"))).await;
    assert_eq!(receipt.facts, 1);
    assert_eq!(dossier(store, subject_of(store, "a").await).await.facts.len(), 1);
    assert_eq!(store.verify().await.unwrap().facts, 1);
}

pub async fn the_last_word_of_a_commit_on_a_record_counts(store: &dyn Store) {
    let first = contact("news", "a");
    let mut last = first.clone();
    last.replica.slots[0].status = Status::Unsubscribed;
    last.replica.digest = Digest([9; 16]);
    write(store, commit("r").learn(first).learn(last.clone())).await;
    let replicas = store.replicas(&"news".into(), &["a".into()]).await.unwrap();
    assert_eq!(replicas, vec![Some(last.replica)]);
}

pub async fn a_replica_without_news_is_kept_and_adds_no_commit_to_the_ledger(store: &dyn Store) {
    let silent = with_facts(contact("news", "a"), vec![]);
    assert_eq!(write(store, commit("r").learn(silent.clone())).await.facts, 0);
    assert_eq!(store.replicas(&"news".into(), &["a".into()]).await.unwrap(), vec![Some(silent.replica)]);
    assert_eq!(store.verify().await.unwrap().commits, 0);
}

pub async fn a_record_that_is_only_named_is_not_known(store: &dyn Store) {
    let link = Kind::Link { records: vec![record("news", "a"), record("crm", "b")] };
    write(store, commit("r").learn(with_facts(contact("news", "a"), vec![fact("host", None, link)]))).await;
    assert_eq!(store.known(&"crm".into(), &["b".into()]).await.unwrap(), vec![None]);
    assert_eq!(store.replicas(&"crm".into(), &["b".into()]).await.unwrap(), vec![None]);
}

pub async fn every_kind_of_fact_comes_back_as_it_was(store: &dyn Store) {
    let facts: Vec<Fact> = kinds().into_iter().map(|kind| rich(fact("news", Some("a"), kind))).collect();
    let here = |fact: &&Fact| !matches!(fact.kind, Kind::Annul { .. } | Kind::Invalidate { .. });
    let mut told: Vec<Fact> = facts.iter().filter(here).cloned().collect();
    let mut everyones: Vec<Fact> = facts.iter().filter(|fact| !here(fact)).cloned().collect();
    write(store, commit("r").learn(with_facts(contact("news", "a"), facts))).await;
    told.sort_by_key(|fact| fact.id);
    everyones.sort_by_key(|fact| fact.id);
    everyones.extend(told);
    let kept = dossier(store, subject_of(store, "a").await).await;
    assert_eq!(kept.facts, everyones);
    let spelt = |facts: &[Fact]| {
        facts.iter().flat_map(|fact| &fact.who.addresses).map(|address| address.raw().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(spelt(&kept.facts), spelt(&everyones));
}

pub async fn every_part_of_a_replica_comes_back_as_it_was(store: &dyn Store) {
    let replica = replica();
    write(store, commit("r").learn(Learned { replica: replica.clone(), facts: vec![] })).await;
    assert_eq!(store.replicas(&"news".into(), &["a".into()]).await.unwrap(), vec![Some(replica.clone())]);
    assert_eq!(dossier(store, subject_of(store, "a").await).await.replicas, vec![replica]);
}

pub async fn addresses_keep_the_spelling_of_their_source(store: &dyn Store) {
    let loud = mailed("news", "a", "ADA@Example.org");
    let quiet = mailed("crm", "b", "ada@example.org");
    write(store, commit("r").learn(loud).learn(quiet)).await;
    let image = image(&dossier(store, subject_of(store, "a").await).await);
    assert!(image.contains("\"ADA@Example.org\"") && image.contains("\"ada@example.org\""), "{image}");
}

pub async fn a_fact_without_a_record_stands_with_whoever_has_its_address(store: &dyn Store) {
    let who = Who { addresses: vec![email("A@example.org")], ..Who::default() };
    let told = Fact { who, ..fact("host", None, Kind::Object) };
    let carrier = with_facts(contact("crm", "other"), vec![told.clone()]);
    write(store, commit("r").learn(contact("news", "a"))).await;
    write(store, commit("r").learn(carrier.clone())).await;
    assert_eq!(write(store, commit("r").learn(carrier)).await.facts, 0, "it is written once");
    let a = dossier(store, subject_of(store, "a").await).await;
    assert!(a.facts.contains(&told));
    assert_eq!(a.replicas.len(), 1, "it is no record");
    let other = dossier(store, subject_of(store, "other").await).await;
    assert!(!other.facts.contains(&told), "who carried it has nothing to do with it");
}

pub async fn a_fact_about_nobody_stands_in_every_dossier_and_makes_everybody_stale(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a")).learn(contact("news", "b"))).await;
    judge_all(store).await;
    let void = fact("host", None, Kind::Invalidate { notices: vec!["N1".into()], targets: vec![] });
    let carrier = with_facts(contact("news", "a"), vec![void.clone()]);
    assert_eq!(write(store, commit("r").learn(carrier)).await.facts, 1);
    assert_eq!(stale(store, at(0)).await.len(), 2);
    for native in ["a", "b"] {
        assert!(dossier(store, subject_of(store, native).await).await.facts.contains(&void));
    }
    store.verify().await.unwrap();
}

pub async fn an_annulment_reaches_beyond_the_record_it_is_told_on(store: &dyn Store) {
    let kind = Kind::Annul { targets: vec![FactId([4; 16])], approvers: vec!["one".to_owned(), "two".to_owned()] };
    let annul = fact("crm", Some("b"), kind);
    write(store, commit("r").learn(contact("news", "a")).learn(with_facts(contact("crm", "b"), vec![annul.clone()])))
        .await;
    let a = dossier(store, subject_of(store, "a").await).await;
    assert!(a.facts.contains(&annul), "with the record it names");
    assert_eq!(a.replicas.len(), 1, "without becoming one person with it");
}

pub async fn a_record_that_a_sweep_no_longer_showed_is_gone_and_compared_in_full_when_it_returns(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    judge_all(store).await;
    let (number, _) = store.known(&"news".into(), &["a".into()]).await.unwrap()[0].unwrap();
    write(store, commit("r").absent(number)).await;
    assert_eq!(stale(store, at(0)).await.len(), 1);
    let gone = store.replicas(&"news".into(), &["a".into()]).await.unwrap().remove(0).unwrap();
    assert_eq!((gone.presence, gone.digest), (Presence::Deleted, Digest::default()));
    judge_all(store).await;
    write(store, commit("r").absent(number)).await;
    assert_eq!(stale(store, at(0)).await, vec![], "it cannot go twice");
}

pub async fn a_commit_that_fails_writes_nothing(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    let before = (store.counts(at(0)).await.unwrap(), store.verify().await.unwrap());
    let position = Position { cursor: None, in_pass: true, sweeping: true, swept_at: None };
    let mut doomed = commit("r")
        .learn(contact("news", "b"))
        .judge(judged(subject))
        .judge(planning(subject, vec![planned("news", "nobody", "c1", Action::Suppress)]))
        .build();
    doomed.positions.push(("news".into(), StreamId("contacts".to_owned()), position));
    store.commit(doomed).await.unwrap_err();
    assert_eq!((store.counts(at(0)).await.unwrap(), store.verify().await.unwrap()), before);
    assert_eq!(store.known(&"news".into(), &["b".into()]).await.unwrap(), vec![None]);
    assert_eq!(store.position(&"news".into(), &StreamId("contacts".to_owned())).await.unwrap(), None);
    assert_eq!(stale(store, at(0)).await, vec![subject]);
    let who =
        Who { addresses: vec![Address::of_kind(AddressKind::Email, "b@example.org", None).unwrap()], ..Who::default() };
    write(store, commit("r").learn(known_by("news", "b", who))).await;
    assert_eq!(store.counts(at(0)).await.unwrap().subjects, 2, "and nothing of it is in the way");
}
