//! Letting go what somebody looked at: exactly the changes of a plan, or what the guard held in a run.
//!
//! Both look again first. A plan is refused whole where anything it rests on has moved; an approval is a ceiling, and what is
//! no longer wanted under it is taken back. Nothing is let go here that nobody has seen.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use unisson_connector::ChangeId;
use unisson_consent::SystemId;
use unisson_plan::{PlanId, RunId, Tally, admit, approved};
use unisson_store::outbox::OutboxState;
use unisson_store::{OutboxChange, OutboxCount, StoreError};

use crate::host::{Engine, Order, Run, count, enforce_word};
use crate::plan_file::{PlanFileError, PlanHeader, PlanLine, PlanReader};
use crate::report::{AppliedPlan, ApprovedRun, RunReport};

/// How old a plan may be when it is applied. Whoever looked at it looked at that day's people.
pub const PLAN_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// How far a plan may come from the future: clocks are set.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(2);

/// Who answers for a plan that the guard finds suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Nobody yet: the guard decides.
    Asked,
    /// Somebody who looked at the plan.
    Given,
}

/// Changes of a plan that are not what they were, all for one reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    /// Where.
    pub instance: String,
    /// What the plan says they do.
    pub action: String,
    /// Why the plan says so.
    pub reason: String,
    /// What became of them, in words.
    pub what: &'static str,
    /// How many.
    pub changes: u64,
}

/// Why a plan is not applied. Nothing was sent.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is no plan, or not all of it.
    #[error(transparent)]
    File(#[from] PlanFileError),
    /// It is too old.
    #[error("the plan was made at {0}, more than 24 hours ago: what it rests on may be another by now")]
    Old(Timestamp),
    /// It was made in the future.
    #[error("the plan was made at {0}, which is still to come: a clock is wrong, here or where it was made")]
    Early(Timestamp),
    /// An instance takes part in another way.
    #[error("the plan was made with `{instance}` set to enforce = \"{was}\", and it is {is} now")]
    Enforce {
        /// Which instance.
        instance: String,
        /// What the plan says.
        was: String,
        /// What is set now, in words.
        is: String,
    },
    /// The law is another than when the plan of this id was made.
    #[error("the plan was made under another law: the policy, a list's purpose or an instance's settings have changed")]
    Law(PlanId),
    /// Changes are not what they were.
    #[error("the plan has moved: {} of its changes are not what they were", .0.iter().map(|moved| moved.changes).sum::<u64>())]
    Moved(Vec<Moved>),
}

/// What the second look at a plan found.
#[derive(Debug, Default)]
struct Comparison {
    changes: u64,
    before: u64,
    moved: BTreeMap<(String, String, String, &'static str), u64>,
}

/// What became of a change of a plan.
enum Fate {
    /// It waits as it did.
    Waits,
    /// It was let go when the plan was applied before, and does not wait any more.
    Settled,
    /// It is not what it was.
    Moved(&'static str),
}

impl Engine {
    /// Applies a plan: looks again, refuses it whole where anything it rests on has moved, and delivers exactly its changes.
    /// What was settled when it was applied before is not sent again.
    pub async fn apply<F: Read + Seek>(&self, file: F, approval: Approval) -> Result<RunReport, ApplyError> {
        let mut plan = PlanReader::open(file)?;
        while !plan.page()?.is_empty() {}
        self.accept(plan.header())?;
        let id = PlanId(plan.header().plan.clone());
        let order = Order::default();
        let (run, mut report) = self.begin(&order).await?;
        let run = Run { plan: Some(id.clone()), ..run };
        let outcome = Box::pin(run.apply((plan, &id), approval, &mut report)).await;
        Ok(self.end(&run.watch, report, outcome).await?.0)
    }

    /// Lets go what the guard held under the name of a run, now that somebody looked, and no more than that: what is no
    /// longer wanted is taken back before anything is let go, and what is new passes the guard by itself.
    pub async fn approve(&self, held: &RunId) -> Result<RunReport, StoreError> {
        let order = Order::default();
        let (run, mut report) = self.begin(&order).await?;
        let outcome = run.approve(held, &mut report).await;
        Ok(self.end(&run.watch, report, outcome).await?.0)
    }

    /// Whether a plan was made in this world, and lately.
    fn accept(&self, plan: &PlanHeader) -> Result<(), ApplyError> {
        let age = self.clock.now().duration_since(plan.made_at);
        if age > PLAN_AGE_MAX {
            return Err(ApplyError::Old(plan.made_at));
        }
        if age < -CLOCK_SLACK {
            return Err(ApplyError::Early(plan.made_at));
        }
        for (name, part) in &plan.instances {
            let found = self.instances.iter().find(|instance| instance.id.as_str() == name);
            let is = match found.map(|instance| (instance.enabled, enforce_word(instance.enforce))) {
                Some((true, enforce)) if enforce == part.enforce => continue,
                Some((true, enforce)) => format!("\"{enforce}\""),
                Some((false, _)) => "disabled".to_owned(),
                None => "not configured".to_owned(),
            };
            return Err(ApplyError::Enforce { instance: name.clone(), was: part.enforce.clone(), is });
        }
        if plan.law == self.law_hash { Ok(()) } else { Err(ApplyError::Law(PlanId(plan.plan.clone()))) }
    }
}

impl Run<'_> {
    async fn apply<F: Read + Seek>(
        &self,
        (plan, id): (PlanReader<F>, &PlanId),
        approval: Approval,
        report: &mut RunReport,
    ) -> Result<(), ApplyError> {
        self.look(report).await?;
        let mut plan = plan.rewind()?;
        let found = self.compare(&mut plan, id).await?;
        let (changes, before) = (found.changes, found.before);
        report.applied = Some(AppliedPlan { plan: id.0.clone(), changes, before, others: 0 });
        if !found.moved.is_empty() {
            let moved = found.moved();
            for one in &moved {
                let part = report.instances.entry(one.instance.clone()).or_default();
                part.errors
                    .push(format!("the plan moved: {} {}: {} {}", one.action, one.reason, one.changes, one.what));
            }
            return Err(ApplyError::Moved(moved));
        }
        self.earmark(&mut plan.rewind()?, id).await?;
        self.let_go(id, approval, report).await?;
        Ok(self.send(report).await?)
    }

    /// Looks every change of a plan up.
    async fn compare<F: Read + Seek>(&self, plan: &mut PlanReader<F>, id: &PlanId) -> Result<Comparison, ApplyError> {
        let mut comparison = Comparison::default();
        loop {
            let page = plan.page()?;
            if page.is_empty() {
                return Ok(comparison);
            }
            let found = self.engine.store.changes(&ids(&page)).await?;
            for (line, found) in page.into_iter().zip(found) {
                comparison.add(line, found.as_ref(), id);
            }
        }
    }

    /// Marks the changes of a plan, now that all of them are what they were.
    async fn earmark<F: Read + Seek>(&self, plan: &mut PlanReader<F>, id: &PlanId) -> Result<(), ApplyError> {
        loop {
            let page = plan.page()?;
            if page.is_empty() {
                return Ok(());
            }
            self.engine.store.earmark(id, &ids(&page)).await?;
        }
    }

    /// Lets the changes of a plan go at every instance where the guard does, or where somebody answers for them.
    ///
    /// What a person said himself was let go when it was judged and is never held back, here as in every run.
    async fn let_go(&self, plan: &PlanId, approval: Approval, report: &mut RunReport) -> Result<(), StoreError> {
        let store = &self.engine.store;
        let waiting = store.outbox_of(plan).await?;
        let tallies = store.tally_of(plan).await?;
        let mut instances: BTreeMap<&SystemId, Awaiting> = BTreeMap::new();
        for count in waiting.iter().filter(|count| awaits_the_guard(count)) {
            instances.entry(&count.instance).or_default().add(count);
        }
        for (instance, awaiting) in instances {
            let tally: Vec<Tally> = tallies.iter().filter(|tally| tally.instance == *instance).cloned().collect();
            match (approval, admit(&tally, self.engine.options.guard)) {
                (Approval::Given, _) => drop(store.release_of(plan, instance, approved()).await?),
                // What was held before waits for somebody, however few are left of it.
                (Approval::Asked, Ok(proof)) if awaiting.held.is_empty() => {
                    store.release_of(plan, instance, proof).await?;
                }
                (Approval::Asked, _) => {
                    let part = report.instances.entry(instance.as_str().to_owned()).or_default();
                    part.withheld = awaiting.changes;
                    part.notes.extend(tally.iter().map(|tally| {
                        format!("{} of {} contacts would change: the guard holds this", tally.changes, tally.contacts)
                    }));
                    let held = awaiting.held.iter();
                    part.notes.extend(held.map(|(run, changes)| format!("{changes} of them are held since run {run}")));
                }
            }
        }
        Ok(())
    }

    /// Names what of a plan has no final outcome yet, and counts what waits beside it.
    pub(crate) async fn left_of(&self, plan: &PlanId, report: &mut RunReport) -> Result<(), StoreError> {
        let is_waiting = |count: &&OutboxCount| OutboxState::parse(&count.state).is_ok_and(OutboxState::is_waiting);
        let sum = |counts: &[OutboxCount]| counts.iter().filter(is_waiting).map(|count| count.changes).sum::<u64>();
        let (all, of_plan) = (self.engine.store.outbox().await?, self.engine.store.outbox_of(plan).await?);
        if let Some(applied) = &mut report.applied {
            applied.others = sum(&all).saturating_sub(sum(&of_plan));
        }
        for waiting in of_plan.iter().filter(|count| !awaits_the_guard(count)) {
            let has_ended = matches!(waiting.state.as_str(), "done" | "gone" | "cancelled");
            if !has_ended {
                let part = report.instances.entry(waiting.instance.as_str().to_owned()).or_default();
                let what = format!("{} {}", waiting.action.as_str(), waiting.state.replace('_', " "));
                count(&mut part.waiting, what, waiting.changes);
            }
        }
        Ok(())
    }

    async fn approve(&self, held: &RunId, report: &mut RunReport) -> Result<(), StoreError> {
        let store = &self.engine.store;
        let counts = store.outbox().await?;
        let before = counts.iter().filter(|count| count.run.as_ref() == Some(held)).map(|count| count.changes).sum();
        self.look(report).await?;
        // What is no longer wanted is not held any more: the approval reaches what is left of it.
        let wanted = store.approve(held, approved()).await?;
        report.approved = Some(ApprovedRun { run: held.0.clone(), held: before, wanted });
        self.release(report).await?;
        self.send(report).await
    }
}

/// What of a plan nobody let go yet at one instance.
#[derive(Debug, Default)]
struct Awaiting {
    changes: u64,
    held: BTreeMap<String, u64>,
}

impl Awaiting {
    fn add(&mut self, counted: &OutboxCount) {
        self.changes += counted.changes;
        if let Some(run) = &counted.run {
            count(&mut self.held, run.0.clone(), counted.changes);
        }
    }
}

impl Comparison {
    fn add(&mut self, line: PlanLine, found: Option<&OutboxChange>, plan: &PlanId) {
        self.changes += 1;
        match fate(&line, found, plan) {
            Fate::Waits => {}
            Fate::Settled => self.before += 1,
            Fate::Moved(what) => {
                *self.moved.entry((line.instance, line.action, line.reason, what)).or_default() += 1;
            }
        }
    }

    fn moved(self) -> Vec<Moved> {
        let moved = self.moved.into_iter();
        moved
            .map(|((instance, action, reason, what), changes)| Moved { instance, action, reason, what, changes })
            .collect()
    }
}

fn fate(line: &PlanLine, found: Option<&OutboxChange>, plan: &PlanId) -> Fate {
    let Some(found) = found else { return Fate::Moved("unknown to this store") };
    let says = (line.instance.as_str(), line.action.as_str(), line.reason.as_str());
    if says != (found.instance.as_str(), found.action.as_str(), found.reason.as_str()) {
        return Fate::Moved("something else than the plan says");
    }
    let is_own = found.plan.as_ref() == Some(plan);
    match found.state {
        OutboxState::Draft | OutboxState::Held | OutboxState::Pending | OutboxState::Later => Fate::Waits,
        // What was let go and then taken back was undone by what the plan did itself, or has moved since: either way
        // there is nothing left to send.
        _ if is_own => Fate::Settled,
        OutboxState::Cancelled => Fate::Moved("no longer wanted, or for another reason"),
        OutboxState::Leased | OutboxState::InFlight | OutboxState::Unknown => {
            Fate::Moved("on their way by another run")
        }
        OutboxState::Done => Fate::Moved("sent by another run"),
        OutboxState::Gone => Fate::Moved("of a contact that the platform no longer holds"),
        OutboxState::Refused => Fate::Moved("refused by the platform"),
    }
}

fn ids(page: &[PlanLine]) -> Vec<ChangeId> {
    page.iter().map(|line| ChangeId(line.change.clone())).collect()
}

/// Whether nobody has let them go yet.
fn awaits_the_guard(count: &OutboxCount) -> bool {
    matches!(count.state.as_str(), "draft" | "held")
}

#[cfg(test)]
mod tests;
