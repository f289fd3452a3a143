//! Plans: which changes wait, which are a plan's, and that only those are let go and delivered for it.

use unisson_connector::{Action, ChangeId, Ticket};
use unisson_consent::Reason;
use unisson_plan::{PlanId, RunId, Settlement, Tally, approved};

use super::fixture::{
    Openings, at, by_person, claim, claim_for, commit, contact, ids, judged, planned, planning, released, states,
    subject_of, write,
};
use crate::outbox::OutboxState;
use crate::store::{OutboxChange, Store};

const SUPPRESS: Action = Action::Suppress;

fn plan(name: &str) -> PlanId {
    PlanId(name.to_owned())
}

fn named(ids: &[&str]) -> Vec<ChangeId> {
    ids.iter().map(|id| ChangeId((*id).to_owned())).collect()
}

/// Drafts of these ids, each for a contact of its own at `news`.
async fn drafts(store: &dyn Store, ids: &[&str]) {
    for id in ids {
        write(store, commit("learn").learn(contact("news", id))).await;
        let subject = subject_of(store, id).await;
        write(store, commit("judge").judge(planning(subject, vec![planned("news", id, id, SUPPRESS)]))).await;
    }
}

/// The state and the plan of a change.
async fn held(store: &dyn Store, id: &str) -> (OutboxState, Option<PlanId>) {
    let found = store.changes(&named(&[id])).await.unwrap().remove(0).unwrap();
    (found.state, found.plan)
}

fn listed(changes: &[OutboxChange]) -> Vec<&str> {
    changes.iter().map(|change| change.id.0.as_str()).collect()
}

pub async fn what_waits_is_listed_page_by_page_in_the_order_in_which_it_was_planned(store: &dyn Store) {
    assert_eq!(store.planned(None, 10).await.unwrap(), vec![]);
    drafts(store, &["d", "b"]).await;
    store.hold(&"news".into(), &RunId("r".to_owned())).await.unwrap();
    drafts(store, &["c", "a"]).await;
    let first = store.planned(None, 3).await.unwrap();
    assert_eq!(listed(&first), ["d", "b", "c"]);
    let rest = store.planned(Some(first[2].no), 3).await.unwrap();
    assert_eq!(listed(&rest), ["a"]);
    assert_eq!(store.planned(Some(rest[0].no), 3).await.unwrap(), vec![]);
    assert_eq!(store.planned(None, 0).await.unwrap(), vec![]);
    assert_eq!(first[0].state, OutboxState::Held);
    assert_eq!(rest[0].state, OutboxState::Draft);
    assert_eq!(rest[0].subject, subject_of(store, "a").await);
    assert_eq!((rest[0].instance.as_str(), rest[0].action), ("news", SUPPRESS));
    assert_eq!((rest[0].reason, rest[0].by_person, &rest[0].plan), (Reason::Withdrawn, false, &None));
}

pub async fn only_what_has_not_left_the_host_waits(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", SUPPRESS)]).await;
    let waits = async || !store.planned(None, 10).await.unwrap().is_empty();
    assert!(waits().await, "pending");
    claim(store, at(0), 1, Openings::Not).await;
    assert!(!waits().await, "leased");
    for (settlement, waiting) in [
        (Settlement::Later(at(9)), true),
        (Settlement::InFlight(Ticket("t".to_owned())), false),
        (Settlement::Unknown, false),
        (Settlement::Refused("1".to_owned()), false),
    ] {
        write(store, commit("r").settle("c1", settlement.clone())).await;
        assert_eq!(waits().await, waiting, "{settlement:?}");
    }
}

pub async fn changes_are_found_by_id_however_far_they_have_come(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", SUPPRESS)]).await;
    claim(store, at(0), 1, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Done)).await;
    drafts(store, &["c2"]).await;
    let found = store.changes(&named(&["c2", "never", "c1"])).await.unwrap();
    let states: Vec<Option<OutboxState>> = found.iter().map(|one| one.as_ref().map(|one| one.state)).collect();
    assert_eq!(states, [Some(OutboxState::Draft), None, Some(OutboxState::Done)]);
    let person = by_person(planned("news", "a", "c3", SUPPRESS));
    let subject = subject_of(store, "a").await;
    write(store, commit("r").judge(planning(subject, vec![person]))).await;
    assert!(store.changes(&named(&["c3"])).await.unwrap().remove(0).unwrap().by_person);
}

pub async fn a_mark_moves_nothing_and_only_what_waits_takes_it(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", SUPPRESS)]).await;
    claim(store, at(0), 1, Openings::Not).await;
    drafts(store, &["c2", "c3"]).await;
    let before = states(store).await;
    let ids = named(&["c1", "c2", "c2", "never"]);
    assert_eq!(store.earmark(&plan("p"), &ids).await.unwrap(), 1, "each is counted once");
    assert_eq!(states(store).await, before);
    assert_eq!(held(store, "c1").await, (OutboxState::Leased, None));
    assert_eq!(held(store, "c2").await, (OutboxState::Draft, Some(plan("p"))));
    assert_eq!(held(store, "c3").await, (OutboxState::Draft, None));
    store.earmark(&plan("q"), &named(&["c2"])).await.unwrap();
    assert_eq!(held(store, "c2").await.1, Some(plan("q")), "the last plan to mark a change has it");
}

pub async fn a_claim_for_a_plan_takes_its_changes_and_no_others(store: &dyn Store) {
    let changes = vec![
        planned("news", "a", "c1", Action::Subscribe),
        planned("news", "a", "c2", SUPPRESS),
        planned("news", "a", "c3", SUPPRESS),
    ];
    released(store, "a", changes).await;
    store.earmark(&plan("p"), &named(&["c1", "c3"])).await.unwrap();
    let (p, q) = (plan("p"), plan("q"));
    assert!(claim_for(store, &q, Openings::Too).await.is_empty());
    assert_eq!(ids(&claim_for(store, &p, Openings::Not).await), ["c3"]);
    assert_eq!(ids(&claim_for(store, &p, Openings::Too).await), ["c1"]);
    assert!(claim_for(store, &p, Openings::Too).await.is_empty());
    assert_eq!(ids(&claim(store, at(0), 10, Openings::Too).await), ["c2"], "the rest waits for anybody");
    assert_eq!(ids(&claim(store, at(61), 10, Openings::Too).await), ["c2", "c3", "c1"], "a worker that died had them");
}

pub async fn only_what_is_marked_is_released_for_a_plan(store: &dyn Store) {
    drafts(store, &["c1"]).await;
    store.hold(&"news".into(), &RunId("r".to_owned())).await.unwrap();
    drafts(store, &["c2", "c3"]).await;
    write(store, commit("r").learn(contact("crm", "x"))).await;
    let x = subject_of(store, "x").await;
    write(store, commit("r").judge(planning(x, vec![planned("crm", "x", "c4", SUPPRESS)]))).await;
    store.earmark(&plan("p"), &named(&["c1", "c2", "c4"])).await.unwrap();
    assert_eq!(store.release_of(&plan("q"), &"news".into(), approved()).await.unwrap(), 0);
    assert_eq!(store.release_of(&plan("p"), &"nowhere".into(), approved()).await.unwrap(), 0);
    assert_eq!(store.release_of(&plan("p"), &"news".into(), approved()).await.unwrap(), 2);
    assert_eq!(store.release_of(&plan("p"), &"news".into(), approved()).await.unwrap(), 0);
    for (id, state) in [
        ("c1", OutboxState::Pending),
        ("c2", OutboxState::Pending),
        ("c3", OutboxState::Draft),
        ("c4", OutboxState::Draft),
    ] {
        assert_eq!(held(store, id).await.0, state, "{id}");
    }
    assert!(store.outbox().await.unwrap().iter().all(|count| count.run.is_none()), "no run holds anything any more");
}

pub async fn the_tally_of_a_plan_counts_the_records_of_what_nobody_let_go_yet(store: &dyn Store) {
    drafts(store, &["c1", "c2", "c3"]).await;
    let subject = subject_of(store, "c1").await;
    let more =
        vec![planned("news", "c1", "c1b", Action::MarkInvalid), by_person(planned("news", "c1", "c1c", SUPPRESS))];
    write(store, commit("r").judge(planning(subject, more))).await;
    assert_eq!(store.tally_of(&plan("p")).await.unwrap(), vec![]);
    store.earmark(&plan("p"), &named(&["c1", "c1b", "c1c", "c2"])).await.unwrap();
    let tally = |changes| vec![Tally { instance: "news".into(), changes, contacts: 3 }];
    assert_eq!(store.tally_of(&plan("p")).await.unwrap(), tally(2), "records, not changes");
    store.hold(&"news".into(), &RunId("r".to_owned())).await.unwrap();
    store.earmark(&plan("p"), &named(&["c2", "c3"])).await.unwrap();
    assert_eq!(store.tally_of(&plan("p")).await.unwrap(), tally(2), "what is held waits for somebody too");
    store.release_of(&plan("p"), &"news".into(), approved()).await.unwrap();
    assert_eq!(store.tally_of(&plan("p")).await.unwrap(), vec![]);
}

pub async fn what_is_released_held_or_approved_without_a_plan_belongs_to_none(store: &dyn Store) {
    let (news, run) = ("news".into(), RunId("r".to_owned()));
    drafts(store, &["c1"]).await;
    store.earmark(&plan("p"), &named(&["c1"])).await.unwrap();
    store.hold(&news, &run).await.unwrap();
    assert_eq!(held(store, "c1").await, (OutboxState::Held, None));
    store.earmark(&plan("p"), &named(&["c1"])).await.unwrap();
    store.approve(&run, approved()).await.unwrap();
    assert_eq!(held(store, "c1").await, (OutboxState::Pending, None));
    drafts(store, &["c2"]).await;
    store.earmark(&plan("p"), &named(&["c2"])).await.unwrap();
    store.release(&news, approved()).await.unwrap();
    assert_eq!(held(store, "c2").await, (OutboxState::Pending, None));
}

pub async fn what_is_taken_back_keeps_its_plan_only_where_it_was_let_go(store: &dyn Store) {
    drafts(store, &["c1", "c2"]).await;
    store.hold(&"news".into(), &RunId("r".to_owned())).await.unwrap();
    drafts(store, &["c3", "c4"]).await;
    store.earmark(&plan("q"), &named(&["c4"])).await.unwrap();
    store.release_of(&plan("q"), &"news".into(), approved()).await.unwrap();
    store.earmark(&plan("p"), &named(&["c1", "c3"])).await.unwrap();
    for id in ["c1", "c2", "c3", "c4"] {
        let taken_back = unisson_plan::Judged { cancelled: named(&[id]), ..judged(subject_of(store, id).await) };
        write(store, commit("r").judge(taken_back)).await;
    }
    for (id, marked) in [("c1", None), ("c2", None), ("c3", None), ("c4", Some(plan("q")))] {
        assert_eq!(held(store, id).await, (OutboxState::Cancelled, marked), "{id}");
    }
}

pub async fn a_change_keeps_its_plan_to_its_end_and_begins_anew_without_one(store: &dyn Store) {
    drafts(store, &["c1"]).await;
    store.earmark(&plan("p"), &named(&["c1"])).await.unwrap();
    store.release_of(&plan("p"), &"news".into(), approved()).await.unwrap();
    let subject = subject_of(store, "c1").await;
    let retried = unisson_plan::Judged { retried: named(&["c1"]), ..judged(subject) };
    for (settlement, state) in [
        (Settlement::Later(at(0)), OutboxState::Later),
        (Settlement::Unknown, OutboxState::Unknown),
        (Settlement::Done, OutboxState::Done),
    ] {
        claim(store, at(0), 1, Openings::Not).await;
        write(store, commit("r").settle("c1", settlement.clone())).await;
        assert_eq!(held(store, "c1").await, (state, Some(plan("p"))));
        write(store, commit("r").judge(retried.clone())).await;
    }
    let counts: Vec<(String, u64)> =
        store.outbox_of(&plan("p")).await.unwrap().into_iter().map(|count| (count.state, count.changes)).collect();
    assert_eq!(counts, [("done".to_owned(), 1)]);
    assert_eq!(store.outbox_of(&plan("q")).await.unwrap(), vec![]);
    write(store, commit("r").judge(planning(subject, vec![planned("news", "c1", "c1", SUPPRESS)]))).await;
    assert_eq!(held(store, "c1").await, (OutboxState::Draft, None));
}
