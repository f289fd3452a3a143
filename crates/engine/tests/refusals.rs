//! What a plan is refused for before anything is read: its age, its law, its instances.

#![expect(clippy::unwrap_used, reason = "a fixture that fails is a failed test")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use unisson_engine::{ApplyError, Approval, Clock, Engine, Options, Order, RunReport, Silent};
use unisson_plan::GuardRule;
use unisson_store::MemoryStore;

#[path = "../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need its law")]
mod support;

#[derive(Debug)]
struct Watch(Mutex<Timestamp>);

impl Watch {
    fn pass(&self, time: SignedDuration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// An engine without any instance, and the plan that it makes.
struct World {
    engine: Engine,
    watch: Arc<Watch>,
    plan: String,
}

impl World {
    async fn new() -> Self {
        let watch = Arc::new(Watch(Mutex::new(support::now())));
        let engine = Engine {
            store: Arc::new(MemoryStore::new()),
            law: Arc::new(support::law()),
            law_hash: "one".to_owned(),
            setup: BTreeMap::new(),
            instances: Vec::new(),
            options: Options {
                guard: GuardRule { count: 100, share: 0.05 },
                sweep_every: SignedDuration::from_hours(24),
                judge_batch: 100,
                lease: SignedDuration::from_mins(2),
            },
            erasures: unisson_engine::Erasures::default(),
            clock: Arc::clone(&watch) as Arc<dyn Clock>,
            progress: Arc::new(Silent),
        };
        let outlook = engine.plan(&Order::default(), 0).await.unwrap();
        let mut text = Vec::new();
        engine.write_plan(&outlook, &mut text).await.unwrap();
        Self { engine, watch, plan: String::from_utf8(text).unwrap() }
    }

    async fn apply(&self, plan: &str) -> Result<RunReport, ApplyError> {
        self.engine.apply(Cursor::new(plan.as_bytes()), Approval::Asked).await
    }
}

/// The same plan with another first line, vouched for anew.
fn with_header(plan: &str, from: &str, to: &str) -> String {
    let header = plan.lines().next().unwrap();
    assert!(header.contains(from), "{header}");
    let body = format!("{}\n", header.replacen(from, to, 1));
    let sha256 = Sha256::digest(&body).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    format!("{body}{{\"line\":\"end\",\"changes\":0,\"sha256\":\"{sha256}\"}}\n")
}

#[tokio::test]
async fn a_plan_is_applied_for_a_day_and_not_before_it_was_made() {
    let world = World::new().await;
    world.apply(&world.plan).await.unwrap();
    world.watch.pass(SignedDuration::from_hours(24));
    world.apply(&world.plan).await.unwrap();
    world.watch.pass(SignedDuration::from_secs(1));
    let old = world.apply(&world.plan).await.unwrap_err();
    assert!(matches!(old, ApplyError::Old(_)) && old.to_string().contains("24 hours"), "{old}");
    // The clock was set back by more than a clock is.
    world.watch.pass(SignedDuration::from_hours(-25));
    assert!(matches!(world.apply(&world.plan).await, Err(ApplyError::Early(_))));
    world.watch.pass(SignedDuration::from_mins(58));
    world.apply(&world.plan).await.unwrap();
}

#[tokio::test]
async fn a_plan_of_another_law_or_of_other_instances_is_refused_before_a_run_begins() {
    let mut world = World::new().await;
    let runs = world.engine.store.runs(10).await.unwrap().len();
    let news = "\"instances\":{\"news\":{\"enforce\":\"negatives\",\"complete\":true,\"changes\":{}}}";
    let elsewhere = with_header(&world.plan, "\"instances\":{}", news);
    let error = world.apply(&elsewhere).await.unwrap_err();
    assert!(matches!(&error, ApplyError::Enforce { instance, .. } if instance == "news"), "{error}");
    assert!(error.to_string().contains("not configured"), "{error}");
    world.engine.law_hash = "two".to_owned();
    assert!(matches!(world.apply(&world.plan).await, Err(ApplyError::Law(_))));
    assert_eq!(world.engine.store.runs(10).await.unwrap().len(), runs);
}

#[tokio::test]
async fn a_plan_without_changes_is_applied_and_sends_nothing() {
    let world = World::new().await;
    let report = world.apply(&world.plan).await.unwrap();
    assert_eq!(report.applied.map(|applied| (applied.changes, applied.before, applied.others)), Some((0, 0, 0)));
}
