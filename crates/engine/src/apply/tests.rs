//! What a plan is refused for before anything is read.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use unisson_plan::GuardRule;
use unisson_store::MemoryStore;

use super::*;
use crate::host::{Options, Silent};
use crate::plan_file::{PLAN_FORMAT, PlanInstance, PlanWriter};

#[path = "../../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need its law")]
mod support;

const NOW: &str = "2026-11-24T12:00:00Z";

#[derive(Debug)]
struct Stopped;

impl crate::Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }
}

/// An engine without any instance.
fn engine() -> Engine {
    Engine {
        store: Arc::new(MemoryStore::new()),
        law: Arc::new(support::law()),
        law_hash: "law".to_owned(),
        setup: BTreeMap::new(),
        instances: Vec::new(),
        options: Options {
            guard: GuardRule { count: 100, share: 0.05 },
            sweep_every: SignedDuration::from_hours(24),
            judge_batch: 100,
            lease: SignedDuration::from_mins(2),
        },
        clock: Arc::new(Stopped),
        progress: Arc::new(Silent),
    }
}

fn header(made_at: &str) -> PlanHeader {
    PlanHeader {
        format: PLAN_FORMAT.to_owned(),
        plan: "run".to_owned(),
        made_at: made_at.parse().unwrap(),
        law: "law".to_owned(),
        instances: BTreeMap::new(),
    }
}

/// Applies a plan without changes.
async fn apply(engine: &Engine, header: PlanHeader) -> Result<RunReport, ApplyError> {
    let mut text = Vec::new();
    PlanWriter::begin(&mut text, header).unwrap().finish().unwrap();
    engine.apply(Cursor::new(text), Approval::Asked).await
}

#[tokio::test]
async fn a_plan_is_applied_for_a_day() {
    let engine = engine();
    for (made_at, is_refused) in [
        (NOW, false),
        ("2026-11-23T12:00:00Z", false),
        ("2026-11-23T11:59:59Z", true),
        ("2026-11-24T12:02:00Z", false),
        ("2026-11-24T12:02:01Z", true),
    ] {
        let applied = apply(&engine, header(made_at)).await;
        assert_eq!(applied.is_err(), is_refused, "{made_at}");
    }
    let old = apply(&engine, header("2026-11-01T00:00:00Z")).await.unwrap_err();
    assert!(matches!(old, ApplyError::Old(_)) && old.to_string().contains("24 hours"), "{old}");
    assert!(matches!(apply(&engine, header("2027-01-01T00:00:00Z")).await, Err(ApplyError::Early(_))));
}

#[tokio::test]
async fn a_plan_of_another_law_or_of_other_instances_is_refused_before_a_run_begins() {
    let engine = engine();
    let other = PlanHeader { law: "another".to_owned(), ..header(NOW) };
    assert!(matches!(apply(&engine, other).await, Err(ApplyError::Law(plan)) if plan.0 == "run"));
    let news = PlanInstance { enforce: "negatives".to_owned(), complete: true, changes: BTreeMap::new() };
    let elsewhere = PlanHeader { instances: BTreeMap::from([("news".to_owned(), news)]), ..header(NOW) };
    let error = apply(&engine, elsewhere).await.unwrap_err();
    assert!(matches!(&error, ApplyError::Enforce { instance, .. } if instance == "news"), "{error}");
    assert!(error.to_string().contains("not configured"), "{error}");
    assert!(engine.store.runs(10).await.unwrap().is_empty());
}

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
