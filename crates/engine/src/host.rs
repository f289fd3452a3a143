//! The engine: what it works with, and the whole of a sync in reading order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use unisson_connector::Connector;
use unisson_consent::{Law, SystemId};
use unisson_plan::{Enforce, GuardRule, RunId, admit, approved};
use unisson_store::{RunRecord, RunState, Store, StoreError};

use crate::clock::Clock;
use crate::report::{InstanceReport, RunReport};

/// One configured account.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its name in the configuration: the law's system.
    pub id: SystemId,
    /// What talks to it.
    pub connector: Arc<dyn Connector>,
    /// Whether it takes part.
    pub enabled: bool,
    /// How much of a decision is pushed to it.
    pub enforce: Enforce,
}

/// What an operator can set for every run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// When a run is suspicious.
    pub guard: GuardRule,
    /// How old the last full sweep may be before an incremental pass becomes a sweep again.
    pub sweep_every: SignedDuration,
    /// How many subjects are judged in one commit.
    pub judge_batch: usize,
    /// For how long delivered changes are leased.
    pub lease: SignedDuration,
}

/// What a run was asked to do.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Only these instances; empty means all.
    pub only: BTreeSet<SystemId>,
    /// Read, judge and plan, but write to no platform.
    pub dry_run: bool,
    /// Sweep every stream in full, whatever its position.
    pub sweep: bool,
}

/// What a run tells while it works, for a progress display.
pub trait Progress: Send + Sync + Debug {
    /// A page of this instance was absorbed.
    fn pulled(&self, instance: &SystemId, contacts: u64);
    /// So many subjects were judged.
    fn judged(&self, subjects: u64);
    /// So many changes of this instance were answered.
    fn delivered(&self, instance: &SystemId, changes: u64);
}

/// A display that shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn pulled(&self, _: &SystemId, _: u64) {}
    fn judged(&self, _: u64) {}
    fn delivered(&self, _: &SystemId, _: u64) {}
}

/// The shell around the judgement: it reads, writes and waits, and decides nothing.
#[derive(Debug)]
pub struct Engine {
    /// The memory.
    pub store: Arc<dyn Store>,
    /// The law.
    pub law: Arc<Law>,
    /// A digest of everything the law says: under another one, every standing is made anew.
    pub law_hash: String,
    /// The configured accounts.
    pub instances: Vec<Instance>,
    /// What an operator set.
    pub options: Options,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub progress: Arc<dyn Progress>,
}

/// One run under way.
pub(crate) struct Run<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) id: RunId,
    pub(crate) order: &'e Order,
}

impl Engine {
    /// Pulls, judges, guards and delivers. The report says what was not reached; an error means the store failed.
    pub async fn sync(&self, order: &Order) -> Result<RunReport, StoreError> {
        let started_at = self.clock.now();
        let run = Run { engine: self, id: RunId(uuid::Uuid::now_v7().to_string()), order };
        let mut report = RunReport::new(&run.id, started_at, order.dry_run);
        self.store.save_run(record(&report, RunState::Running)).await?;
        let outcome = run.work(&mut report).await;
        let state = if outcome.is_ok() { report.outcome() } else { RunState::Failed };
        state.as_str().clone_into(&mut report.state);
        report.ended_at = Some(self.clock.now());
        // The first failure is the one to tell; that the record of it may fail too is no news.
        let saved = self.store.save_run(record(&report, state)).await;
        outcome?;
        saved?;
        Ok(report)
    }

    /// Delivers what the guard held under the name of a run, now that somebody looked. At most what was held then.
    pub async fn approve(&self, held: &RunId) -> Result<RunReport, StoreError> {
        let order = Order::default();
        let run = Run { engine: self, id: RunId(uuid::Uuid::now_v7().to_string()), order: &order };
        let mut report = RunReport::new(&run.id, self.clock.now(), false);
        for instance in &self.instances {
            report
                .instances
                .insert(instance.id.as_str().to_owned(), InstanceReport { complete: true, ..blank(instance) });
        }
        report.judged = 0;
        self.store.approve(held, approved()).await?;
        run.deliver(&mut report).await?;
        run.left_over(&mut report).await?;
        let state = report.outcome();
        state.as_str().clone_into(&mut report.state);
        report.ended_at = Some(self.clock.now());
        self.store.save_run(record(&report, state)).await?;
        Ok(report)
    }
}

impl Run<'_> {
    async fn work(&self, report: &mut RunReport) -> Result<(), StoreError> {
        self.engine.store.adopt_law(&self.engine.law_hash).await?;
        self.pull(report).await?;
        self.judge(report).await?;
        if self.order.dry_run {
            return Ok(());
        }
        self.release(report).await?;
        self.deliver(report).await?;
        self.left_over(report).await
    }

    /// Names what is held, and what was released and has no final outcome yet.
    async fn left_over(&self, report: &mut RunReport) -> Result<(), StoreError> {
        for waiting in self.engine.store.outbox().await? {
            let part = report.instances.entry(waiting.instance.as_str().to_owned()).or_default();
            match (waiting.state.as_str(), &waiting.run) {
                ("held", Some(run)) => count(&mut part.held, run.0.clone(), waiting.changes),
                ("pending" | "leased" | "later" | "in_flight" | "unknown", _) => {
                    let what = format!("{} {}", waiting.action.as_str(), waiting.state.replace('_', " "));
                    count(&mut part.waiting, what, waiting.changes);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets the drafts of each instance go, or holds them.
    async fn release(&self, report: &mut RunReport) -> Result<(), StoreError> {
        let store = &self.engine.store;
        for tally in store.tally().await? {
            if let Ok(proof) = admit(std::slice::from_ref(&tally), self.engine.options.guard) {
                store.release(&tally.instance, proof).await?;
                continue;
            }
            store.hold(&tally.instance, &self.id).await?;
            let name = tally.instance.as_str().to_owned();
            report.instances.entry(name).or_default().notes.push(format!(
                "{} of {} contacts would change: more than the guard lets pass",
                tally.changes, tally.contacts
            ));
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    /// Whether the order leaves an instance in.
    pub(crate) fn includes(&self, instance: &Instance) -> bool {
        self.order.only.is_empty() || self.order.only.contains(&instance.id)
    }
}

/// The report of an instance before anything happened.
pub(crate) fn blank(instance: &Instance) -> InstanceReport {
    InstanceReport {
        connector: instance.connector.info().kind.to_owned(),
        enforce: match instance.enforce {
            Enforce::Observe => "observe",
            Enforce::Negatives => "negatives",
            Enforce::Full => "full",
        }
        .to_owned(),
        ..InstanceReport::default()
    }
}

fn record(report: &RunReport, state: RunState) -> RunRecord {
    RunRecord {
        id: RunId(report.run.clone()),
        started_at: report.started_at,
        ended_at: report.ended_at,
        state,
        report: serde_json::to_string(report).unwrap_or_default(),
    }
}

/// Counts by a name that is only made when needed.
pub(crate) fn count(map: &mut BTreeMap<String, u64>, name: String, by: u64) {
    *map.entry(name).or_default() += by;
}
