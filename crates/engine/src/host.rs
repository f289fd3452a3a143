//! The engine: what it works with, and the whole of a sync in reading order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use unisson_connector::Connector;
use unisson_consent::{Law, SystemId};
use unisson_plan::{Enforce, GuardRule, PlanId, RunId, admit};
use unisson_store::{RunRecord, RunState, Store, StoreError};

use crate::clock::Clock;
use crate::erase::Erasures;
use crate::report::{InstanceReport, RunReport};
use crate::watch::{Watch, ahead, recorded};

/// How many runs are looked at for what is still unmapped.
const CARRIED_FROM: usize = 5;

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
    /// What every run is made under, for its report: [`RunReport::setup`].
    pub setup: BTreeMap<String, String>,
    /// The configured accounts.
    pub instances: Vec<Instance>,
    /// What an operator set.
    pub options: Options,
    /// How erasures are carried out.
    pub erasures: Erasures,
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
    /// Only the changes of this plan are delivered.
    pub(crate) plan: Option<PlanId>,
    /// The clock, as the run sees it.
    pub(crate) watch: Watch,
    /// Whether the store turned out to be restored from a backup: then every stream is swept.
    pub(crate) restored: bool,
    /// How many commits the ledger had when the run began.
    pub(crate) ledger_at_start: u64,
    /// Whose turn it is to write to the journal.
    pub(crate) journal: tokio::sync::Mutex<()>,
}

impl Engine {
    /// Pulls, judges, guards and delivers. The report says what was not reached; an error means the store failed.
    pub async fn sync(&self, order: &Order) -> Result<RunReport, StoreError> {
        let (run, mut report) = self.begin(order).await?;
        let outcome = run.work(&mut report).await;
        Ok(self.end(&run.watch, report, outcome).await?.0)
    }

    /// Remembers that a run begins.
    pub(crate) async fn begin<'e>(&'e self, order: &'e Order) -> Result<(Run<'e>, RunReport), StoreError> {
        let recorded = recorded(self.store.as_ref(), self.clock.now()).await?;
        let watch = Watch::start(self.clock.as_ref(), recorded);
        let started_at = watch.started_at();
        let before = self.store.runs(CARRIED_FROM).await?;
        let id = RunId(uuid::Uuid::now_v7().to_string());
        let mut report = RunReport::new(&id, started_at, order.dry_run);
        report.warnings = watch.before(&before, self.options.sweep_every);
        let ledger_at_start = self.store.counts(started_at).await?.commits;
        let journal = tokio::sync::Mutex::new(());
        let mut run = Run { engine: self, id, order, plan: None, watch, restored: false, ledger_at_start, journal };
        if let Some(words) = run.catch_up().await? {
            run.restored = true;
            report.warnings.push(words);
        }
        report.setup.clone_from(&self.setup);
        self.store.save_run(record(&report, RunState::Running)).await?;
        Ok((run, report))
    }

    /// Remembers how a run ended.
    pub(crate) async fn end<T, E>(
        &self,
        watch: &Watch,
        mut report: RunReport,
        outcome: Result<T, E>,
    ) -> Result<(RunReport, T), E>
    where
        E: From<StoreError>,
    {
        report.warnings.extend(watch.during(self.clock.as_ref()));
        for warning in &report.warnings {
            tracing::warn!("{warning}");
        }
        let state = if outcome.is_ok() { report.outcome() } else { RunState::Failed };
        state.as_str().clone_into(&mut report.state);
        report.ended_at = Some(self.clock.now());
        // The first failure is the one to tell; that the record of it may fail too is no news.
        let saved = self.store.save_run(record(&report, state)).await;
        let done = outcome?;
        saved?;
        Ok((report, done))
    }
}

impl Run<'_> {
    async fn work(&self, report: &mut RunReport) -> Result<(), StoreError> {
        self.look(report).await?;
        if self.order.dry_run {
            self.foresee(report).await?;
            return self.left_over(report).await;
        }
        self.release(report).await?;
        self.send(report).await
    }

    /// Pulls and judges under the law in force: what waits afterwards is the plan.
    pub(crate) async fn look(&self, report: &mut RunReport) -> Result<(), StoreError> {
        let before = self.engine.store.runs(CARRIED_FROM).await?;
        self.engine.store.adopt_law(&self.law(&before)).await?;
        self.enter("pulling");
        self.pull(report).await?;
        self.carry_over(&before, report);
        self.enter("judging");
        self.judge(report).await
    }

    /// What standings are made under: the law, and a clock that is right. What was decided while it ran ahead is decided
    /// anew once it was set back, and once more when that moment has come.
    pub(crate) fn law(&self, before: &[RunRecord]) -> String {
        match ahead(before, self.now()) {
            Some(run) => format!("{} before run {}", self.engine.law_hash, run.id.0),
            None => self.engine.law_hash.clone(),
        }
    }

    /// Erases who is to be erased, delivers what was let go, and names what is left.
    pub(crate) async fn send(&self, report: &mut RunReport) -> Result<(), StoreError> {
        // Whoever came back is erased again before anything else is written anywhere.
        self.enter("erasing");
        self.erase(report).await?;
        self.enter("delivering");
        self.deliver(report).await?;
        // What was answered changed what the platforms show: nobody is left without a standing.
        self.enter("judging");
        self.judge(report).await?;
        // Some cases waited for what was delivered: what a hold keeps must take no mail before it is locked away.
        self.enter("erasing");
        self.erase(report).await?;
        self.name_incidents(report).await?;
        self.engine.store.forget_traces().await?;
        self.mark_ledger().await?;
        self.enter("ending");
        match &self.plan {
            Some(plan) => self.left_of(plan, report).await,
            None => self.left_over(report).await,
        }
    }

    /// Tells whoever follows the log how far the run has come.
    pub(crate) fn enter(&self, phase: &'static str) {
        tracing::debug!(run = %self.id.0, phase, "a run goes on");
    }

    /// Lists that an earlier run found unmapped stay named until they are mapped, also where this run read only changes.
    fn carry_over(&self, before: &[RunRecord], report: &mut RunReport) {
        let earlier = before.iter().filter_map(|run| serde_json::from_str::<RunReport>(&run.report).ok());
        let Some(earlier) = earlier.into_iter().find(|earlier| earlier.ended_at.is_some()) else { return };
        for (name, part) in &mut report.instances {
            let Some(known) = earlier.instances.get(name).filter(|_| !part.swept) else { continue };
            for (list, contacts) in &known.unmapped {
                let system = SystemId::new(name);
                if self.engine.law.policy.list_purpose(&system, &list.as_str().into()).is_none() {
                    part.unmapped.entry(list.clone()).or_insert(*contacts);
                }
            }
        }
    }

    /// Says what the guard would hold, without holding it.
    async fn foresee(&self, report: &mut RunReport) -> Result<(), StoreError> {
        for tally in self.engine.store.tally().await? {
            if admit(std::slice::from_ref(&tally), self.engine.options.guard).is_err() {
                let part = report.instances.entry(tally.instance.as_str().to_owned()).or_default();
                part.notes.push(format!(
                    "{} of {} contacts would change: the guard would hold this",
                    tally.changes, tally.contacts
                ));
            }
        }
        Ok(())
    }

    /// Names what is held, and what was released and has no final outcome yet.
    pub(crate) async fn left_over(&self, report: &mut RunReport) -> Result<(), StoreError> {
        for waiting in self.engine.store.outbox().await? {
            let part = report.instances.entry(waiting.instance.as_str().to_owned()).or_default();
            match (waiting.state.as_str(), &waiting.run) {
                ("held", Some(run)) => count(&mut part.held, run.0.clone(), waiting.changes),
                ("draft", _) if self.order.dry_run => {
                    count(&mut part.waiting, format!("{} draft", waiting.action.as_str()), waiting.changes);
                }
                ("pending" | "leased" | "later" | "in_flight" | "unknown" | "refused", _) => {
                    let what = format!("{} {}", waiting.action.as_str(), waiting.state.replace('_', " "));
                    count(&mut part.waiting, what, waiting.changes);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets the drafts of each instance go, or holds them.
    pub(crate) async fn release(&self, report: &mut RunReport) -> Result<(), StoreError> {
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

    /// The date of what is heard now.
    pub(crate) fn heard_at(&self) -> Timestamp {
        self.watch.heard_at(self.now())
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
        enforce: enforce_word(instance.enforce).to_owned(),
        ..InstanceReport::default()
    }
}

/// How much is enforced, in the word of the settings.
pub(crate) fn enforce_word(enforce: Enforce) -> &'static str {
    match enforce {
        Enforce::Observe => "observe",
        Enforce::Negatives => "negatives",
        Enforce::Full => "full",
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

/// Does pure work off the async threads.
pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    }
}

/// Counts by a name that is only made when needed.
pub(crate) fn count(map: &mut BTreeMap<String, u64>, name: String, by: u64) {
    *map.entry(name).or_default() += by;
}
