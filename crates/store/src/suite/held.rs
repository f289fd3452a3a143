//! What a hold keeps: locked, found by nothing but its number and its native id, gone when the hold is.

use unisson_connector::Target;
use unisson_plan::RecordNo;
use unisson_plan::erasure::{Case, CaseState, Held, Part, PartHold, Survey, Task, TaskState};

use super::fixture::{at, commit, email, frozen, mailed, purging, record, write};
use crate::store::{Purge, Store, Wanted};

/// A case whose hold keeps a record of `news` until a moment, and stands in a state of the task.
fn case(record: RecordNo, state: TaskState) -> Case {
    let mut case = frozen("c", Vec::new());
    let hold = PartHold { name: "books".to_owned(), fields: vec!["invoice".to_owned()], until: at(100) };
    let mut part = Part { survey: Survey::Answered { at: at(0) }, hold: Some(hold), ..Part::new(false) };
    part.tasks.insert(record, Task { state, ..Task::new(at(0)) });
    case.state = CaseState::CompletedWithHolds;
    case.parts.insert("news".into(), part);
    case
}

async fn hold(store: &dyn Store) -> RecordNo {
    let number = write(store, commit("r").learn(mailed("news", "a", " Ada@example.org"))).await.learned[0];
    let held = Held::lock(record("news", "a"), vec![email(" Ada@example.org")]);
    let case = case(number, TaskState::Held { until: at(100) });
    store.purge(Purge { held: vec![(number, held)], ..purging(case, &["a"], Vec::new()) }).await.unwrap();
    number
}

pub async fn what_is_held_is_no_record_and_can_be_told_from_one(store: &dyn Store) {
    let number = hold(store).await;
    let asked = ["a".into(), "b".into()];
    assert_eq!(store.is_held(&"news".into(), &asked).await.unwrap(), [true, false]);
    assert_eq!(store.is_held(&"crm".into(), &asked).await.unwrap(), [false, false]);
    assert_eq!(store.replicas(&"news".into(), &asked).await.unwrap(), [None, None]);
    assert_eq!(store.find(&Wanted::Record("a".into())).await.unwrap(), []);
    assert_eq!(store.find(&Wanted::Address(email("ada@example.org"))).await.unwrap(), []);
    assert_eq!(store.shown(&[number]).await.unwrap(), [None]);
    assert_eq!(store.counts(at(0)).await.unwrap().records, 0);
}

pub async fn what_is_held_comes_back_as_it_was_once_its_hold_has_ended(store: &dyn Store) {
    let number = hold(store).await;
    let case = case(number, TaskState::Pending);
    assert!(case.warrant(&"news".into(), number, at(99)).is_none());
    let warrant = case.warrant(&"news".into(), number, at(100)).unwrap();
    let Target { record, addresses } = store.held(number).await.unwrap().unwrap().open(&warrant);
    assert_eq!(record.as_str(), "a");
    assert_eq!(
        addresses.iter().map(|address| address.raw().to_owned()).collect::<Vec<_>>(),
        [email(" Ada@example.org").raw()]
    );
    assert_eq!(store.held(RecordNo(99)).await.unwrap(), None);
}

pub async fn what_was_held_goes_when_its_case_is_closed_without_a_hold(store: &dyn Store) {
    let number = hold(store).await;
    store.purge(purging(case(number, TaskState::Held { until: at(100) }), &[], Vec::new())).await.unwrap();
    assert!(store.held(number).await.unwrap().is_some(), "it is held still");
    let purged = store.purge(purging(case(number, TaskState::VerifiedAbsent), &[], Vec::new())).await.unwrap();
    assert_eq!((purged.records, purged.facts), (0, 0));
    assert_eq!(store.held(number).await.unwrap(), None);
    assert_eq!(store.is_held(&"news".into(), &["a".into()]).await.unwrap(), [false]);
}
