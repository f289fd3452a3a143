//! The outbox: from draft to release, and what the next judgement makes of it.

use unisson_connector::{Action, ChangeId, Ticket};
use unisson_plan::{Judged, OpenState, RunId, Settlement, Tally, approved};

use super::fixture::{
    Openings, at, by_person, claim, commit, contact, dossier, ids, judged, one, planned, planning, released, states,
    subject_of, write,
};
use crate::error::StoreErrorKind;
use crate::store::{OutboxCount, Receipt, Store};

const SUPPRESS: Action = Action::Suppress;

pub async fn a_planned_change_is_a_draft_and_a_persons_own_is_pending(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    let changes = vec![planned("news", "a", "c1", SUPPRESS), by_person(planned("news", "a", "c2", SUPPRESS))];
    let receipt = write(store, commit("r").judge(planning(subject, changes))).await;
    assert_eq!(receipt, Receipt { changes: 2, ..Receipt::default() });
    assert_eq!(ids(&claim(store, at(0), 10, Openings::Too).await), vec!["c2"]);
    assert_eq!(states(store).await, vec![("draft".to_owned(), 1), ("leased".to_owned(), 1)]);
}

pub async fn a_change_that_is_open_stays_as_it_is(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    let plan = || commit("r").judge(planning(subject, vec![planned("news", "a", "c1", SUPPRESS)]));
    let again = async |state: &str| {
        assert_eq!(write(store, plan()).await.changes, 0, "{state}");
        assert_eq!(states(store).await, one(state));
    };
    assert_eq!(write(store, plan()).await.changes, 1);
    again("draft").await;
    store.hold(&"news".into(), &RunId("r".to_owned())).await.unwrap();
    again("held").await;
    store.approve(&RunId("r".to_owned()), approved()).await.unwrap();
    again("pending").await;
    claim(store, at(0), 1, Openings::Not).await;
    again("leased").await;
    for (settlement, state) in [
        (Settlement::Later(at(1)), "later"),
        (Settlement::InFlight(Ticket("t".to_owned())), "in_flight"),
        (Settlement::Unknown, "unknown"),
        (Settlement::Refused("1234".to_owned()), "refused"),
    ] {
        write(store, commit("r").settle("c1", settlement)).await;
        again(state).await;
    }
}

pub async fn a_change_that_has_ended_begins_anew_when_it_is_wanted_again(store: &dyn Store) {
    let change = || vec![planned("news", "a", "c1", SUPPRESS)];
    released(store, "a", change()).await;
    let subject = subject_of(store, "a").await;
    for settlement in [Settlement::Done, Settlement::Gone] {
        claim(store, at(0), 1, Openings::Not).await;
        write(store, commit("r").settle("c1", settlement)).await;
        assert_eq!(write(store, commit("r").judge(planning(subject, change()))).await.changes, 1);
        assert_eq!(states(store).await, one("draft"));
        store.release(&"news".into(), approved()).await.unwrap();
    }
    write(store, commit("r").judge(Judged { cancelled: vec![ChangeId("c1".to_owned())], ..judged(subject) })).await;
    assert_eq!(states(store).await, one("cancelled"));
    let own = vec![by_person(planned("news", "a", "c1", SUPPRESS))];
    assert_eq!(write(store, commit("r").judge(planning(subject, own))).await.changes, 1);
    let claimed = claim(store, at(0), 1, Openings::Not).await;
    assert_eq!(claimed[0].attempts, 0, "it is counted from the beginning");
}

pub async fn a_refused_change_is_not_tried_again_by_itself(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", SUPPRESS)]).await;
    claim(store, at(0), 1, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Refused("compliance".to_owned()))).await;
    assert!(claim(store, at(1_000_000), 1, Openings::Too).await.is_empty());
    let counts = store.outbox().await.unwrap();
    let expected = OutboxCount {
        instance: "news".into(),
        action: SUPPRESS,
        state: "refused".to_owned(),
        code: "compliance".to_owned(),
        run: None,
        changes: 1,
    };
    assert_eq!(counts, vec![expected]);
}

pub async fn the_tally_counts_records_of_drafts_against_present_records(store: &dyn Store) {
    assert_eq!(store.tally().await.unwrap(), vec![]);
    let learn = commit("r")
        .learn(contact("news", "a"))
        .learn(contact("news", "b"))
        .learn(contact("news", "c"))
        .learn(contact("crm", "d"));
    write(store, learn).await;
    let (gone, _) = store.known(&"news".into(), &["c".into()]).await.unwrap()[0].unwrap();
    let (a, b) = (subject_of(store, "a").await, subject_of(store, "b").await);
    let draft = commit("r")
        .absent(gone)
        .judge(planning(a, vec![planned("news", "a", "c1", SUPPRESS), planned("news", "a", "c2", Action::MarkInvalid)]))
        .judge(planning(b, vec![by_person(planned("news", "b", "c3", SUPPRESS))]));
    write(store, draft).await;
    assert_eq!(store.tally().await.unwrap(), vec![Tally { instance: "news".into(), changes: 1, contacts: 2 }]);
}

pub async fn drafts_are_released_for_one_instance_only(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a")).learn(contact("crm", "b"))).await;
    let (a, b) = (subject_of(store, "a").await, subject_of(store, "b").await);
    let draft = commit("r")
        .judge(planning(a, vec![planned("news", "a", "c1", SUPPRESS)]))
        .judge(planning(b, vec![planned("crm", "b", "c2", SUPPRESS)]));
    write(store, draft).await;
    assert_eq!(store.release(&"news".into(), approved()).await.unwrap(), 1);
    assert_eq!(store.release(&"news".into(), approved()).await.unwrap(), 0);
    assert_eq!(store.release(&"nowhere".into(), approved()).await.unwrap(), 0);
    assert_eq!(states(store).await, vec![("draft".to_owned(), 1), ("pending".to_owned(), 1)]);
}

pub async fn held_drafts_wait_for_the_approval_of_their_run(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    write(store, commit("r").judge(planning(subject, vec![planned("news", "a", "c1", SUPPRESS)]))).await;
    let (run, other) = (RunId("run-1".to_owned()), RunId("run-2".to_owned()));
    assert_eq!(store.hold(&"news".into(), &run).await.unwrap(), 1);
    assert_eq!(store.release(&"news".into(), approved()).await.unwrap(), 0, "a later release does not reach it");
    assert_eq!(store.outbox().await.unwrap()[0].run, Some(run.clone()));
    assert_eq!(store.tally().await.unwrap(), vec![], "it is no draft any more");
    assert_eq!(store.approve(&other, approved()).await.unwrap(), 0);
    assert!(claim(store, at(0), 1, Openings::Not).await.is_empty());
    assert_eq!(store.approve(&run, approved()).await.unwrap(), 1);
    assert_eq!(store.outbox().await.unwrap()[0].run, None);
    assert_eq!(ids(&claim(store, at(0), 1, Openings::Not).await), vec!["c1"]);
}

pub async fn what_a_platform_still_has_to_show_is_not_cancelled(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", SUPPRESS)]).await;
    let subject = subject_of(store, "a").await;
    let cancel = || commit("r").judge(Judged { cancelled: vec![ChangeId("c1".to_owned())], ..judged(subject) });
    claim(store, at(0), 1, Openings::Not).await;
    for (settlement, state) in
        [(Settlement::InFlight(Ticket("t".to_owned())), "in_flight"), (Settlement::Unknown, "unknown")]
    {
        write(store, commit("r").settle("c1", settlement)).await;
        write(store, cancel()).await;
        assert_eq!(states(store).await, one(state));
    }
    write(store, commit("r").settle("c1", Settlement::Later(at(9)))).await;
    write(store, cancel()).await;
    assert_eq!(states(store).await, one("cancelled"));
    let stranger = Judged { cancelled: vec![ChangeId("never-planned".to_owned())], ..judged(subject) };
    write(store, commit("r").judge(stranger)).await;
}

pub async fn what_a_dead_worker_leased_is_taken_back(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Subscribe)]).await;
    let subject = subject_of(store, "a").await;
    assert_eq!(ids(&claim(store, at(0), 1, Openings::Too).await), vec!["c1"]);
    // The person said no before the lease ran out: nobody may come and deliver it then.
    write(store, commit("r").judge(Judged { cancelled: vec![ChangeId("c1".to_owned())], ..judged(subject) })).await;
    assert_eq!(states(store).await, one("cancelled"));
    assert_eq!(ids(&claim(store, at(600), 1, Openings::Too).await), Vec::<&str>::new());
}

pub async fn a_lost_answer_is_confirmed_or_retried_by_the_next_judgement(store: &dyn Store) {
    let changes = vec![planned("news", "a", "c1", SUPPRESS), planned("news", "a", "c2", Action::MarkInvalid)];
    released(store, "a", changes).await;
    let subject = subject_of(store, "a").await;
    let judgement = || {
        let next = Judged {
            confirmed: vec![ChangeId("c1".to_owned())],
            retried: vec![ChangeId("c2".to_owned())],
            ..judged(subject)
        };
        commit("r").judge(next)
    };
    write(store, judgement()).await;
    assert_eq!(states(store).await, vec![("pending".to_owned(), 1), ("pending".to_owned(), 1)], "neither is lost yet");
    claim(store, at(0), 10, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Unknown).settle("c2", Settlement::Unknown)).await;
    write(store, judgement()).await;
    assert_eq!(states(store).await, vec![("done".to_owned(), 1), ("pending".to_owned(), 1)]);
    let claimed = claim(store, at(0), 10, Openings::Not).await;
    assert_eq!((ids(&claimed), claimed[0].attempts), (vec!["c2"], 1));
}

pub async fn every_open_state_is_in_the_dossier(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", SUPPRESS)]).await;
    let subject = subject_of(store, "a").await;
    let open = async || dossier(store, subject).await.open.into_iter().map(|open| open.state).collect::<Vec<_>>();
    assert_eq!(open().await, vec![OpenState::Pending]);
    claim(store, at(0), 1, Openings::Not).await;
    assert_eq!(open().await, vec![OpenState::Leased]);
    for (settlement, state) in [
        (Settlement::Later(at(1)), OpenState::Pending),
        (Settlement::InFlight(Ticket("t".to_owned())), OpenState::InFlight),
        (Settlement::Unknown, OpenState::Unknown),
        (Settlement::Refused("1".to_owned()), OpenState::Refused),
    ] {
        write(store, commit("r").settle("c1", settlement)).await;
        assert_eq!(open().await, vec![state]);
    }
    write(store, commit("r").judge(planning(subject, vec![planned("news", "a", "c2", Action::Subscribe)]))).await;
    let kept = dossier(store, subject).await.open;
    assert_eq!(kept[1].state, OpenState::Draft);
    assert_eq!((kept[1].instance.as_str(), kept[1].record.as_str(), kept[1].action), ("news", "a", Action::Subscribe));
    store.hold(&"news".into(), &RunId("r".to_owned())).await.unwrap();
    assert_eq!(open().await, vec![OpenState::Refused, OpenState::Held]);
}

pub async fn a_change_of_a_record_nobody_knows_is_refused(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    let subject = subject_of(store, "a").await;
    let draft = commit("r").judge(planning(subject, vec![planned("crm", "a", "c1", SUPPRESS)]));
    assert_eq!(store.commit(draft.build()).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}
