//! Where streams stand, who is there, who ran, and who is who.

use std::collections::BTreeSet;

use unisson_connector::{Cursor, Presence, StreamId};
use unisson_consent::{CustomerNo, Kind, Who};
use unisson_plan::{Position, RecordNo, RunId};

use super::fixture::{at, commit, contact, email, fact, known_by, record, subject_of, with_facts, write};
use crate::store::{RunRecord, RunState, Store, Wanted};

pub async fn a_stream_stands_where_it_was_left(store: &dyn Store) {
    let stream = |name: &str| StreamId(name.to_owned());
    let first = Position { cursor: Some(Cursor("page-2".to_owned())), in_pass: true, sweeping: true, swept_at: None };
    let second = Position { cursor: None, in_pass: false, sweeping: false, swept_at: Some(at(3)) };
    for (position, name) in [(&first, "x"), (&second, "y"), (&second, "x")] {
        let mut draft = commit("r").build();
        draft.positions.push(("news".into(), stream(name), position.clone()));
        store.commit(draft).await.unwrap();
        assert_eq!(store.position(&"news".into(), &stream(name)).await.unwrap().as_ref(), Some(position));
    }
    assert_eq!(store.position(&"crm".into(), &stream("x")).await.unwrap(), None);
    assert_eq!(store.position(&"news".into(), &stream("z")).await.unwrap(), None);
}

/// The numbers of records of the instance `news`.
async fn numbers(store: &dyn Store, natives: &[&str]) -> Vec<RecordNo> {
    let asked: Vec<_> = natives.iter().map(|native| (*native).into()).collect();
    let known = store.known(&"news".into(), &asked).await.unwrap();
    known.into_iter().map(|known| known.unwrap().0).collect()
}

pub async fn absentees_are_the_present_records_of_a_stream_that_were_not_seen(store: &dyn Store) {
    let mut elsewhere = contact("news", "elsewhere");
    elsewhere.replica.stream = StreamId("other".to_owned());
    let mut archived = contact("news", "archived");
    archived.replica.presence = Presence::Archived;
    let draft = commit("r")
        .learn(contact("news", "a"))
        .learn(contact("news", "b"))
        .learn(contact("news", "c"))
        .learn(contact("crm", "d"))
        .learn(elsewhere)
        .learn(archived);
    write(store, draft).await;
    let all = numbers(store, &["a", "b", "c"]).await;
    let stream = StreamId("contacts".to_owned());
    let seen = BTreeSet::from([all[1], RecordNo(u64::from(u32::MAX))]);
    assert_eq!(store.absentees(&"news".into(), &stream, &seen).await.unwrap(), vec![all[0], all[2]]);
    write(store, commit("r").absent(all[0])).await;
    assert_eq!(store.absentees(&"news".into(), &stream, &seen).await.unwrap(), vec![all[2]]);
    let nowhere = store.absentees(&"nowhere".into(), &stream, &BTreeSet::new()).await.unwrap();
    assert_eq!(nowhere, vec![]);
}

pub async fn only_present_records_are_contacts(store: &dyn Store) {
    let mut archived = contact("news", "archived");
    archived.replica.presence = Presence::Archived;
    let loose = fact("news", None, Kind::Link { records: vec![] });
    let draft =
        commit("r").learn(with_facts(contact("news", "a"), vec![loose])).learn(contact("news", "b")).learn(archived);
    write(store, draft).await;
    assert_eq!(store.contacts(&"news".into()).await.unwrap(), 2);
    assert_eq!(store.contacts(&"crm".into()).await.unwrap(), 0);
    let b = numbers(store, &["b"]).await[0];
    write(store, commit("r").absent(b)).await;
    assert_eq!(store.contacts(&"news".into()).await.unwrap(), 1);
}

pub async fn systems_are_listed_with_how_many_of_their_records_are_present(store: &dyn Store) {
    assert_eq!(store.systems().await.unwrap(), vec![]);
    let link = fact("host", None, Kind::Link { records: vec![record("erp", "1")] });
    let draft = commit("r")
        .learn(with_facts(contact("news", "a"), vec![link]))
        .learn(contact("news", "b"))
        .learn(contact("crm", "c"));
    write(store, draft).await;
    let c = numbers_of(store, "crm", "c").await;
    let mut draft = commit("r").absent(c).build();
    let position = Position { cursor: None, in_pass: false, sweeping: false, swept_at: None };
    draft.positions.push(("shop".into(), StreamId("x".to_owned()), position));
    store.commit(draft).await.unwrap();
    let expected = [("crm", 0), ("erp", 0), ("news", 2), ("shop", 0)].map(|(name, present)| (name.into(), present));
    assert_eq!(store.systems().await.unwrap(), expected);
}

async fn numbers_of(store: &dyn Store, system: &str, native: &str) -> RecordNo {
    store.known(&system.into(), &[native.into()]).await.unwrap()[0].unwrap().0
}

pub async fn runs_come_newest_first_and_are_saved_over(store: &dyn Store) {
    let run = |id: &str, seconds| RunRecord {
        id: RunId(id.to_owned()),
        started_at: at(seconds),
        ended_at: None,
        state: RunState::Running,
        report: "{}".to_owned(),
    };
    for (id, seconds) in [("b", 2), ("a", 1), ("c", 2)] {
        store.save_run(run(id, seconds)).await.unwrap();
    }
    for (state, _) in RunState::ALL {
        let ended = RunRecord { ended_at: Some(at(9)), state, report: r#"{"x":1}"#.to_owned(), ..run("a", 1) };
        store.save_run(ended.clone()).await.unwrap();
        assert_eq!(store.runs(10).await.unwrap(), vec![run("c", 2), run("b", 2), ended]);
    }
    assert_eq!(store.runs(1).await.unwrap(), vec![run("c", 2)]);
}

pub async fn somebody_is_found_by_address_customer_number_and_record(store: &dyn Store) {
    let who =
        Who { addresses: vec![email("J.Doe@gmail.com")], customer: Some(CustomerNo::new("C1")), ..Who::default() };
    write(store, commit("r").learn(known_by("news", "a", who)).learn(contact("crm", "7")).learn(contact("shop", "b")))
        .await;
    let twin = known_by("shop", "7", Who { addresses: vec![email("other@example.org")], ..Who::default() });
    write(store, commit("r").learn(twin)).await;
    let a = subject_of(store, "a").await;
    let found = async |wanted| store.find(&wanted).await.unwrap();
    assert_eq!(found(Wanted::Address(email("jdoe+x@googlemail.com"))).await, vec![a]);
    assert_eq!(found(Wanted::Customer(CustomerNo::new("C1"))).await, vec![a]);
    assert_eq!(found(Wanted::Record("7".into())).await.len(), 2, "two instances have a record of that id");
    assert_eq!(found(Wanted::Address(email("nobody@example.org"))).await, vec![]);
    assert_eq!(found(Wanted::Customer(CustomerNo::new("c1"))).await, vec![]);
    assert_eq!(found(Wanted::Record("nobody".into())).await, vec![]);
}
