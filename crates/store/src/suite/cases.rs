//! Erasure cases: as they were written, found by what is due, by their facts, by who brought somebody back.

use jiff::Timestamp;
use unisson_consent::{Aliases, Fact, FactId, Kind};
use unisson_plan::RecordNo;
use unisson_plan::erasure::{Case, CaseId, CaseState, Origin, Part, Survey, Task, TaskState};

use super::fixture::{at, commit, contact, email, fact, record, subject_of, tombstone, with_facts, write};
use crate::store::{CaseCount, Cases, Store};

fn case(id: &str, state: CaseState) -> Case {
    Case { state, ..Case::open(CaseId(id.to_owned()), Origin::Request, at(0), at(100)) }
}

async fn ids(store: &dyn Store, which: Cases) -> Vec<String> {
    store.cases(which, None, 100).await.unwrap().into_iter().map(|case| case.id.0).collect()
}

pub async fn a_case_is_kept_as_it_stands_and_written_over(store: &dyn Store) {
    let mut case = case("c1", CaseState::Received);
    assert_eq!(store.case(&case.id).await.unwrap(), None);
    write(store, commit("r").case(case.clone())).await;
    assert_eq!(store.case(&case.id).await.unwrap().as_ref(), Some(&case));
    let mut part = Part { survey: Survey::Answered { at: at(1) }, ..Part::new(false) };
    part.tasks.insert(RecordNo(7), Task { state: TaskState::Accepted(None), ..Task::new(at(2)) });
    (case.state, case.salt) = (CaseState::Dispatched, Some([9; 32]));
    case.parts.insert("news".into(), part);
    write(store, commit("r").case(case.clone())).await;
    assert_eq!(store.case(&case.id).await.unwrap(), Some(case));
    assert_eq!(store.counts(at(0)).await.unwrap().commits, 0, "a case is no fact");
}

pub async fn cases_are_listed_page_by_page_all_of_them_or_the_open_ones(store: &dyn Store) {
    for (place, (state, name)) in CaseState::ALL.into_iter().enumerate() {
        write(store, commit("r").case(case(&format!("{place}-{name}"), state))).await;
    }
    assert_eq!(ids(store, Cases::All).await.len(), 9);
    let open = ids(store, Cases::Open).await;
    assert_eq!(open, ["0-received", "1-awaiting_identity", "2-accepted", "3-frozen", "4-dispatched"]);
    let after = CaseId("1-awaiting_identity".to_owned());
    let page = store.cases(Cases::Open, Some(&after), 2).await.unwrap();
    assert_eq!(page.iter().map(|case| case.id.0.as_str()).collect::<Vec<_>>(), ["2-accepted", "3-frozen"]);
    let counts = store.case_counts().await.unwrap();
    assert_eq!(counts, CaseState::ALL.map(|(state, _)| CaseCount { state, cases: 1 }));
}

pub async fn a_case_is_due_at_its_next_moment_and_at_once_where_it_says_so(store: &dyn Store) {
    let waiting = |id: &str, due_at: Timestamp| {
        let mut part = Part { survey: Survey::Answered { at: at(0) }, ..Part::new(false) };
        part.tasks.insert(RecordNo(1), Task::new(due_at));
        let mut case = case(id, CaseState::Dispatched);
        case.parts.insert("news".into(), part);
        case
    };
    let draft = commit("r").case(waiting("b", at(50))).case(waiting("a", at(60))).case(waiting("z", Timestamp::MAX));
    write(store, draft.case(case("frozen", CaseState::Frozen)).case(case("received", CaseState::Received))).await;
    assert_eq!(ids(store, Cases::Due(Timestamp::MIN)).await, ["frozen"]);
    assert_eq!(ids(store, Cases::Due(at(49))).await, ["frozen"]);
    assert_eq!(ids(store, Cases::Due(at(50))).await, ["b", "frozen"]);
    assert_eq!(ids(store, Cases::Due(at(60))).await, ["a", "b", "frozen"]);
    write(store, commit("r").case(case("frozen", CaseState::Completed))).await;
    assert_eq!(ids(store, Cases::Due(at(60))).await, ["a", "b"]);
}

pub async fn a_case_is_found_by_every_fact_that_belongs_to_it(store: &dyn Store) {
    let of = |id: &str, facts: &[u8]| Case {
        facts: facts.iter().map(|byte| FactId([*byte; 16])).collect(),
        ..case(id, CaseState::Received)
    };
    write(store, commit("r").case(of("b", &[1, 2])).case(of("a", &[2, 3]))).await;
    let found = async |facts: &[u8]| {
        let facts: Vec<FactId> = facts.iter().map(|byte| FactId([*byte; 16])).collect();
        let cases = store.cases_of(&facts).await.unwrap();
        cases.into_iter().map(|case| case.id.0).collect::<Vec<_>>()
    };
    assert_eq!(found(&[1]).await, ["b"]);
    assert_eq!(found(&[2, 1, 3]).await, ["a", "b"]);
    assert_eq!(found(&[9]).await, Vec::<String>::new());
    write(store, commit("r").case(of("b", &[1]))).await;
    assert_eq!(found(&[2]).await, ["a"]);
}

pub async fn it_is_counted_how_often_a_system_brought_somebody_back(store: &dyn Store) {
    for (id, system, seconds) in [("1", "news", 0), ("2", "news", 10), ("3", "crm", 20), ("4", "crm", -1)] {
        let origin = Origin::Reappearance { system: system.into(), stream: "contacts".to_owned() };
        let case = Case { origin, received_at: at(seconds), ..case(id, CaseState::Accepted) };
        write(store, commit("r").case(case)).await;
    }
    write(store, commit("r").case(case("5", CaseState::Accepted))).await;
    assert_eq!(store.reappearances(at(0)).await.unwrap(), [("crm".into(), 1), ("news".into(), 2)]);
    assert_eq!(store.reappearances(at(21)).await.unwrap(), []);
}

pub async fn requests_lead_to_their_subjects_wherever_they_are_told(store: &dyn Store) {
    let asked = fact("news", Some("a"), Kind::EraseRequest { verified: true });
    write(store, commit("r").learn(with_facts(contact("news", "a"), vec![asked.clone()]))).await;
    let other = fact("news", Some("b"), Kind::Withdraw);
    write(store, commit("r").learn(with_facts(contact("news", "b"), vec![other.clone()]))).await;
    let buried = tombstone(&email("b@example.org"), Aliases::default());
    write(store, commit("r").tell(buried.clone())).await;
    let (a, b) = (subject_of(store, "a").await, subject_of(store, "b").await);
    let found = store.subjects_of(&[other.id, buried.id, asked.id, FactId([9; 16])]).await.unwrap();
    assert_eq!(found, [None, Some(b), Some(a), None]);
    // Both become one person; the requests lead to who is left.
    let link = fact("host", None, Kind::Link { records: vec![record("news", "a"), record("news", "b")] });
    write(store, commit("r").tell(Fact { id: FactId([8; 16]), ..link })).await;
    assert_eq!(store.subjects_of(&[buried.id, asked.id]).await.unwrap(), [Some(a), Some(a)]);
}

pub async fn records_have_numbers_and_show_what_they_showed(store: &dyn Store) {
    let learned = write(store, commit("r").learn(contact("news", "a")).learn(contact("crm", "a"))).await.learned;
    let asked = [record("crm", "a"), record("crm", "x"), record("shop", "a"), record("news", "a")];
    assert_eq!(store.numbers(&asked).await.unwrap(), [Some(learned[1]), None, None, Some(learned[0])]);
    let shown = store.shown(&[learned[0], RecordNo(99), learned[1]]).await.unwrap();
    assert_eq!(shown, [Some(contact("news", "a").replica), None, Some(contact("crm", "a").replica)]);
}

pub async fn the_end_of_the_journal_is_remembered(store: &dyn Store) {
    assert_eq!(store.journal_head().await.unwrap(), None);
    for lines in [1, 200] {
        store.set_journal_head(lines, [0xab; 32]).await.unwrap();
        assert_eq!(store.journal_head().await.unwrap(), Some((lines, [0xab; 32])));
    }
}
