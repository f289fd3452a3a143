//! The outlook: what waits to be written to each platform, grouped by what and why, with the sources behind it and a few
//! samples, what it takes, and what the guard says.
//!
//! It is told page by page over the outbox, so memory does not grow with the plan. It decides nothing: every reason in it is
//! the decision's own. It names nobody: addresses are masked, and native ids stay in the store.

mod gather;

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;
use unisson_store::{OutboxChange, StoreError};

use crate::host::{Engine, Order};
use crate::plan_file::{PLAN_FORMAT, PlanHeader, PlanInstance, PlanLine, PlanWriter};
use crate::report::{InstanceReport, RunReport};

/// How many changes are looked at together.
const PAGE: usize = 500;
/// Whether a plan can be applied as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutlookVerdict {
    /// Everything was reached, and the guard lets it pass.
    Ready,
    /// Something was not reached; what is planned can be applied.
    Partial,
    /// The guard would hold it until somebody answers for it.
    Held,
}

/// What a sync would do.
#[derive(Debug, Clone, Serialize)]
pub struct Outlook {
    /// The plan's id: that of the run that made it.
    pub plan: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether it can be applied as it is.
    pub verdict: OutlookVerdict,
    /// How many changes it has.
    pub changes: u64,
    /// Each instance that takes part, by its name.
    pub instances: BTreeMap<String, InstanceOutlook>,
    /// The run that made it, with what was not reached.
    pub run: RunReport,
}

/// What a sync would do at one instance.
#[derive(Debug, Clone, Serialize)]
pub struct InstanceOutlook {
    /// The platform's own name.
    pub platform: &'static str,
    /// How much of a decision is pushed: `observe`, `negatives` or `full`.
    pub enforce: String,
    /// Whether every stream was read to its proven end.
    pub complete: bool,
    /// How many changes wait.
    pub changes: u64,
    /// The changes by what they do and why, suppressions first, the most frequent reason first.
    pub groups: Vec<OutlookGroup>,
    /// What delivering them takes.
    pub effort: EffortOutlook,
    /// What the guard says of them.
    pub guard: GuardOutlook,
}

/// Changes that do the same for the same reason.
#[derive(Debug, Clone, Serialize)]
pub struct OutlookGroup {
    /// What they do.
    pub action: &'static str,
    /// Why, in the word of the decision.
    pub reason: &'static str,
    /// How many.
    pub changes: u64,
    /// How many of them a person said himself: they are never held back.
    pub by_person: u64,
    /// How far they have come: `draft`, `held`, `pending` or `later`.
    pub states: BTreeMap<&'static str, u64>,
    /// What they rest on, the most frequent first, an opt-in that is outweighed last. A change can rest on several.
    pub sources: Vec<OutlookSource>,
    /// How many are about to be taken back, since time alone has moved the decision.
    pub outdated: u64,
    /// A few of them, chosen by chance that is the same each time.
    pub samples: Vec<OutlookSample>,
}

/// A kind of fact that changes rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutlookSource {
    /// Who told it; `null` where nobody said anything.
    pub system: Option<String>,
    /// What happened, in words.
    pub what: String,
    /// The level of evidence, for an opt-in.
    pub level: Option<u8>,
    /// How many changes rest on it.
    pub changes: u64,
    /// When the first of these facts happened at the latest.
    pub first: Option<Timestamp>,
    /// When the last of them happened at the latest.
    pub last: Option<Timestamp>,
}

/// One change, told so that a person can judge it.
#[derive(Debug, Clone, Serialize)]
pub struct OutlookSample {
    /// Its id, as a plan file has it.
    pub change: String,
    /// Whose address, masked.
    pub address: String,
    /// Which slot, in words.
    pub slot: String,
    /// What the slot shows now.
    pub shows: &'static str,
    /// Where the permission stands.
    pub status: &'static str,
    /// Why, in one sentence.
    pub sentence: String,
    /// The facts behind it, the latest first.
    pub because: Vec<OutlookFact>,
    /// How many more facts there are.
    pub more: usize,
}

/// A fact behind a sample.
#[derive(Debug, Clone, Serialize)]
pub struct OutlookFact {
    /// Who told it.
    pub system: String,
    /// What happened, in words.
    pub what: String,
    /// What it was about, in words; empty where that is everything.
    pub scope: String,
    /// When it happened at the earliest, where that is known.
    pub not_before: Option<Timestamp>,
    /// When it happened at the latest.
    pub not_after: Timestamp,
    /// When the host learnt of it.
    pub observed_at: Timestamp,
    /// Who did it.
    pub actor: &'static str,
    /// The level of evidence, for an opt-in.
    pub level: Option<u8>,
}

/// What delivering takes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EffortOutlook {
    /// Calls to the platform, retries left out.
    pub calls: u64,
    /// The name of the allowance that slows them down most; `null` where the platform states none.
    pub limit: Option<&'static str>,
    /// So many calls …
    pub limit_calls: Option<u64>,
    /// … in so many seconds; `null` where the limit is on calls at the same time.
    pub limit_seconds: Option<f64>,
    /// How long they take at least under it.
    pub seconds: Option<u64>,
    /// How long one call was taken to last, where the limit is on calls at the same time.
    pub assumed_call_ms: Option<u64>,
}

/// What the guard says.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GuardOutlook {
    /// Whether it would hold the changes.
    pub holds: bool,
    /// Contacts that would change, those left out that said so themselves.
    pub contacts: u64,
    /// Of how many that the instance holds.
    pub of: u64,
    /// It holds more than so many …
    pub count: u64,
    /// … and more than this share.
    pub share: f64,
    /// What it holds already, by run.
    pub held: BTreeMap<String, u64>,
}

/// Why a plan could not be written.
#[derive(Debug, Error)]
pub enum WritePlanError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be written.
    #[error("write the plan")]
    Write(#[from] io::Error),
    /// The outbox is another than when the plan was made.
    #[error("write the plan: the changes that wait are no longer those it was made of")]
    Moved,
}

impl Engine {
    /// Pulls and judges like a dry run, and tells what a sync would do, with so many samples of each group.
    pub async fn plan(&self, order: &Order, samples: usize) -> Result<Outlook, StoreError> {
        let order = Order { dry_run: true, ..order.clone() };
        let (run, mut report) = self.begin(&order).await?;
        let outcome = run.plan(samples, &mut report).await;
        let (run, instances) = self.end(&run.watch, report, outcome).await?;
        let holds = instances.values().any(|part| part.guard.holds);
        let whole = run.instances.values().all(InstanceReport::is_whole);
        Ok(Outlook {
            plan: run.run.clone(),
            made_at: run.started_at,
            verdict: match (holds, whole) {
                (true, _) => OutlookVerdict::Held,
                (false, false) => OutlookVerdict::Partial,
                (false, true) => OutlookVerdict::Ready,
            },
            changes: instances.values().map(|part| part.changes).sum(),
            instances,
            run,
        })
    }

    /// Writes a plan that was just made: nothing may have touched the store since. Answers how many changes it has.
    pub async fn write_plan(&self, outlook: &Outlook, out: impl Write) -> Result<u64, WritePlanError> {
        let header = header(outlook, &self.law_hash);
        let announced = header.changes();
        let mut plan = PlanWriter::begin(out, header)?;
        let mut after = None;
        loop {
            let page = self.store.planned(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.no);
            for change in page.into_iter().filter(|change| outlook.instances.contains_key(change.instance.as_str())) {
                plan.change(line(change))?;
            }
        }
        let written = plan.finish()?;
        if written == announced { Ok(written) } else { Err(WritePlanError::Moved) }
    }
}

fn header(outlook: &Outlook, law: &str) -> PlanHeader {
    let instances = outlook.instances.iter().map(|(name, part)| {
        let kinds = part.groups.iter().map(|group| (format!("{} {}", group.action, group.reason), group.changes));
        let part = PlanInstance { enforce: part.enforce.clone(), complete: part.complete, changes: kinds.collect() };
        (name.clone(), part)
    });
    PlanHeader {
        format: PLAN_FORMAT.to_owned(),
        plan: outlook.plan.clone(),
        made_at: outlook.made_at,
        law: law.to_owned(),
        instances: instances.collect(),
    }
}

fn line(change: OutboxChange) -> PlanLine {
    PlanLine {
        change: change.id.0,
        instance: change.instance.as_str().to_owned(),
        action: change.action.as_str().to_owned(),
        reason: change.reason.as_str().to_owned(),
    }
}
