//! Delivery: leases, order, and what each answer leads to.

use unisson_connector::{Action, Presence, Ticket};
use unisson_consent::{Scope, Status};
use unisson_plan::{Digest, Planned, Replica, Settlement, approved};

use super::fixture::{
    Openings, at, claim, commit, contact, ids, judge_all, list, one, planned, planning, released, stale, states,
    subject_of, write,
};
use crate::store::Store;

/// The same change of another list.
fn of_list(planned: Planned, scope: Scope) -> Planned {
    let mut planned = planned;
    planned.change.scope = scope;
    planned
}

pub async fn a_claim_shows_the_change_and_what_its_record_shows(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    let claimed = claim(store, at(0), 1, Openings::Not).await;
    let replica = contact("news", "a").replica;
    let mut expected = planned("news", "a", "c1", Action::Suppress).change;
    expected.target.addresses.clone_from(&replica.who.addresses);
    assert_eq!(claimed[0].change, expected);
    assert_eq!((claimed[0].attempts, &claimed[0].replica), (0, &replica));
}

pub async fn what_waits_for_a_time_that_a_wrong_clock_set_is_due(store: &dyn Store) {
    let (day, year) = (86_400, 365 * 86_400);
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    for (pause_s, expected) in [(day, vec![]), (year, vec!["c1"])] {
        claim(store, at(0), 10, Openings::Not).await;
        write(store, commit("r").settle("c1", Settlement::Later(at(pause_s)))).await;
        assert_eq!(ids(&claim(store, at(0), 10, Openings::Not).await), expected, "{pause_s}");
    }
    // A lease that was taken while the clock was a year ahead binds nobody.
    write(store, commit("r").settle("c1", Settlement::Later(at(0)))).await;
    claim(store, at(year), 10, Openings::Not).await;
    assert_eq!(ids(&claim(store, at(0), 10, Openings::Not).await), vec!["c1"]);
}

pub async fn what_is_claimed_belongs_to_its_worker_until_the_lease_ends(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    assert_eq!(claim(store, at(0), 10, Openings::Not).await.len(), 1);
    assert!(claim(store, at(59), 10, Openings::Not).await.is_empty());
    assert_eq!(ids(&claim(store, at(60), 10, Openings::Not).await), vec!["c1"], "the lease was for a minute");
    assert!(claim(store, at(61), 10, Openings::Not).await.is_empty());
}

pub async fn suppressions_come_first_and_openings_only_where_they_may(store: &dyn Store) {
    let changes = vec![
        planned("news", "a", "c1", Action::Reconfirm),
        planned("news", "a", "c2", Action::Subscribe),
        planned("news", "a", "c3", Action::MarkInvalid),
        planned("news", "a", "c4", Action::Suppress),
    ];
    released(store, "a", changes).await;
    assert_eq!(ids(&claim(store, at(0), 10, Openings::Not).await), vec!["c4", "c3"]);
    assert!(claim(store, at(0), 10, Openings::Not).await.is_empty());
    assert_eq!(ids(&claim(store, at(0), 10, Openings::Too).await), vec!["c2", "c1"]);
}

pub async fn no_opening_is_claimed_while_a_suppression_waits(store: &dyn Store) {
    let changes = vec![
        planned("news", "a", "c1", Action::Subscribe),
        planned("news", "a", "c2", Action::Suppress),
        planned("news", "a", "c3", Action::Suppress),
    ];
    released(store, "a", changes).await;
    assert_eq!(ids(&claim(store, at(0), 1, Openings::Too).await), vec!["c2"]);
    assert_eq!(ids(&claim(store, at(0), 1, Openings::Too).await), vec!["c3"]);
    assert_eq!(ids(&claim(store, at(0), 1, Openings::Too).await), vec!["c1"]);
}

pub async fn a_claim_comes_sorted_by_action_and_scope_and_keeps_to_its_limit(store: &dyn Store) {
    let changes = vec![
        of_list(planned("news", "a", "c1", Action::Suppress), list("b")),
        of_list(planned("news", "a", "c2", Action::MarkInvalid), list("a")),
        of_list(planned("news", "a", "c3", Action::Suppress), list("a")),
        of_list(planned("news", "a", "c4", Action::Suppress), list("b")),
        of_list(planned("news", "a", "c5", Action::Suppress), list("a")),
    ];
    released(store, "a", changes).await;
    assert!(claim(store, at(0), 0, Openings::Too).await.is_empty());
    let claimed = claim(store, at(0), 4, Openings::Too).await;
    assert_eq!(ids(&claimed), vec!["c3", "c5", "c1", "c4"]);
    assert_eq!(claimed[0].change.scope, list("a"));
    assert_eq!(ids(&claim(store, at(0), 4, Openings::Too).await), vec!["c2"]);
}

pub async fn a_claim_takes_only_what_is_due_at_its_instance(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    write(store, commit("r").learn(contact("crm", "b"))).await;
    let b = subject_of(store, "b").await;
    write(store, commit("r").judge(planning(b, vec![planned("crm", "b", "c2", Action::Suppress)]))).await;
    store.release(&"crm".into(), approved()).await.unwrap();
    assert_eq!(ids(&claim(store, at(0), 10, Openings::Not).await), vec!["c1"]);
    write(store, commit("r").settle("c1", Settlement::Later(at(100)))).await;
    assert!(claim(store, at(99), 10, Openings::Not).await.is_empty());
    assert_eq!(ids(&claim(store, at(100), 10, Openings::Not).await), vec!["c1"]);
}

pub async fn every_settlement_leads_to_its_state(store: &dyn Store) {
    for (id, settlement, state) in [
        ("c1", Settlement::Later(at(1)), "later"),
        ("c1", Settlement::InFlight(Ticket("t".to_owned())), "in_flight"),
        ("c1", Settlement::Unknown, "unknown"),
        ("c1", Settlement::Done, "done"),
        ("c2", Settlement::Refused("1".to_owned()), "refused"),
        ("c3", Settlement::Gone, "gone"),
    ] {
        released(store, id, vec![planned("news", id, id, Action::Suppress)]).await;
        claim(store, at(0), 10, Openings::Not).await;
        write(store, commit("r").settle(id, settlement)).await;
        assert!(states(store).await.contains(&(state.to_owned(), 1)), "{state}");
    }
    let ended = ["done", "gone", "refused"].map(|state| (state.to_owned(), 1));
    assert_eq!(states(store).await, ended);
}

/// What the contact shows once it is suppressed.
fn suppressed() -> Replica {
    let mut replica = contact("news", "a").replica;
    replica.slots[0].status = Status::Unsubscribed;
    Replica { digest: Digest::default(), ..replica }
}

pub async fn a_done_change_writes_what_its_record_shows(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    judge_all(store).await;
    claim(store, at(0), 1, Openings::Not).await;
    let mut done = commit("r").settle("c1", Settlement::Done).build();
    done.settled[0].replica = Some(suppressed());
    store.commit(done).await.unwrap();
    assert_eq!(store.replicas(&"news".into(), &["a".into()]).await.unwrap(), vec![Some(suppressed())]);
    assert_eq!(stale(store, at(0)).await.len(), 1);
}

pub async fn a_record_the_platform_does_not_hold_is_gone(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    judge_all(store).await;
    claim(store, at(0), 1, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Gone)).await;
    let replica = store.replicas(&"news".into(), &["a".into()]).await.unwrap().remove(0).unwrap();
    assert_eq!((replica.presence, replica.digest), (Presence::Deleted, Digest::default()));
    assert_eq!(stale(store, at(0)).await.len(), 1);
    assert_eq!(store.contacts(&"news".into()).await.unwrap(), 0);
}

pub async fn a_late_settlement_of_an_ended_change_says_nothing(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    claim(store, at(0), 1, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Done)).await;
    judge_all(store).await;
    let mut late = commit("r").settle("c1", Settlement::Later(at(5))).settle("c2", Settlement::Done).build();
    late.settled[0].replica = Some(suppressed());
    store.commit(late).await.unwrap();
    assert_eq!(states(store).await, one("done"));
    let shown = store.replicas(&"news".into(), &["a".into()]).await.unwrap().remove(0).unwrap();
    assert_eq!(shown.slots[0].status, Status::Subscribed);
    assert_eq!(stale(store, at(0)).await, vec![]);
}

pub async fn a_refused_change_is_not_revived_by_a_late_settlement(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    claim(store, at(0), 1, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Refused("1".to_owned()))).await;
    write(store, commit("r").settle("c1", Settlement::Later(at(0)))).await;
    assert_eq!(states(store).await, one("refused"));
}

pub async fn the_first_of_two_settlements_in_one_commit_counts(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    claim(store, at(0), 1, Openings::Not).await;
    write(store, commit("r").settle("c1", Settlement::Unknown).settle("c1", Settlement::Done)).await;
    assert_eq!(states(store).await, one("unknown"));
}

pub async fn attempts_are_counted_at_every_settlement(store: &dyn Store) {
    released(store, "a", vec![planned("news", "a", "c1", Action::Suppress)]).await;
    for attempts in 0..3 {
        let claimed = claim(store, at(0), 1, Openings::Not).await;
        assert_eq!(claimed[0].attempts, attempts);
        write(store, commit("r").settle("c1", Settlement::Later(at(0)))).await;
    }
}
