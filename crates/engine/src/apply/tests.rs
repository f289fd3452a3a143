//! What became of a change of a plan, from what the outbox says of it.

use super::*;

#[test]
fn a_change_of_a_plan_waits_is_settled_or_has_moved() {
    let plan = PlanId("p".to_owned());
    let [change, instance, action, reason] = ["id", "news", "suppress", "withdrawn"].map(str::to_owned);
    let line = PlanLine { change, instance, action, reason };
    let found = |state, plan: Option<&PlanId>| OutboxChange {
        no: unisson_store::OutboxNo(1),
        id: ChangeId("id".to_owned()),
        instance: "news".into(),
        action: unisson_connector::Action::Suppress,
        reason: unisson_consent::Reason::Withdrawn,
        by_person: false,
        state,
        plan: plan.cloned(),
        subject: unisson_plan::SubjectNo(1),
    };
    let other = PlanId("q".to_owned());
    for (state, _) in OutboxState::ALL {
        let own = fate(&line, Some(&found(state, Some(&plan))), &plan);
        let strange = [None, Some(&other)].map(|marked| fate(&line, Some(&found(state, marked)), &plan));
        match state {
            OutboxState::Draft | OutboxState::Held | OutboxState::Pending | OutboxState::Later => {
                assert!(matches!(own, Fate::Waits) && strange.iter().all(|fate| matches!(fate, Fate::Waits)));
            }
            _ => assert!(matches!(own, Fate::Settled) && strange.iter().all(|fate| matches!(fate, Fate::Moved(_)))),
        }
    }
    assert!(matches!(fate(&line, None, &plan), Fate::Moved("unknown to this store")));
    let lies = PlanLine { reason: "complaint".to_owned(), ..line };
    assert!(matches!(fate(&lies, Some(&found(OutboxState::Draft, None)), &plan), Fate::Moved(_)));
}
