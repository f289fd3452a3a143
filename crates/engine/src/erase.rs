//! Erasing: every open case is brought as far as it goes now, many side by side, each at the pace of its platforms.
//!
//! A case says by itself what is due; this shell does it and tells the case what became of it. What was done is written
//! before it counts, and everything may be done twice: a case that was killed anywhere goes on from what was written.

mod again;
mod call;
mod close;
mod freeze;
mod gather;
mod person;
mod receive;
mod rectify;
mod restore;
mod survey;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use jiff::SignedDuration;
use unisson_connector::Error;
use unisson_consent::SystemId;
use unisson_plan::Commit;
use unisson_plan::erasure::{Calendar, Case, CaseId, CaseState, Deed, HoldRule, OutOfTurn, Step};
use unisson_store::{Cases, StoreError, StoreErrorKind};

use crate::host::{Instance, Run};
use crate::journal::Journal;
use crate::report::RunReport;

pub use gather::{Gathering, Place};
pub use receive::{Look, Received, Refusal, Request, Undecided, Unseen, find_cases};
pub use rectify::Rectified;

/// How many cases are under way at once. The slowest platform always has somebody waiting for it.
const CASES_AT_ONCE: usize = 64;
/// How many cases are read at once.
const CASES_PER_PAGE: usize = 256;

/// How erasures are carried out.
#[derive(Debug, Clone)]
pub struct Erasures {
    /// The controller's calendar, for deadlines.
    pub calendar: Calendar,
    /// The legal holds that the policy declares.
    pub holds: Vec<HoldRule>,
    /// For these instances, how long a read may show what was erased, where an operator knows better than the vendor.
    pub settles_in: BTreeMap<SystemId, SignedDuration>,
    /// The journal. Without one nothing can be erased.
    pub journal: Option<Arc<dyn Journal>>,
}

impl Default for Erasures {
    fn default() -> Self {
        let calendar = Calendar { zone: jiff::tz::TimeZone::UTC, holidays: std::collections::BTreeSet::new() };
        Self { calendar, holds: Vec::new(), settles_in: BTreeMap::new(), journal: None }
    }
}

/// What became of one case in a run.
#[derive(Debug, Default)]
struct Progress {
    /// What the platforms did not do, by instance.
    failures: Vec<(SystemId, Error)>,
    /// How often each deed was done, in words.
    done: BTreeMap<&'static str, u64>,
    /// How the case stands.
    state: Option<CaseState>,
}

impl Run<'_> {
    /// Brings every case that is due as far as it goes now.
    pub(crate) async fn erase(&self, report: &mut RunReport) -> Result<(), StoreError> {
        let mut after: Option<CaseId> = None;
        if let Some(lack) = self.lack() {
            let due = self.engine.store.cases(Cases::Due(self.now()), None, 1).await?;
            if !due.is_empty() && !report.erasures.errors.iter().any(|known| known == lack) {
                report.erasures.errors.push(lack.to_owned());
            }
            return Ok(());
        }
        loop {
            let due = self.engine.store.cases(Cases::Due(self.now()), after.as_ref(), CASES_PER_PAGE).await?;
            let Some(last) = due.last() else { break };
            after = Some(last.id.clone());
            let mut under_way =
                futures::stream::iter(due.into_iter().map(|case| self.advance(case))).buffer_unordered(CASES_AT_ONCE);
            while let Some(progress) = under_way.next().await {
                note(progress?, report);
            }
        }
        Ok(())
    }

    /// What keeps every erasure from being carried out.
    fn lack(&self) -> Option<&'static str> {
        if self.engine.law.keyring.newest().is_none() {
            return Some(
                "people wait to be erased, and there is no key for tombstones: name one under [erasure] in the settings",
            );
        }
        let lacks =
            "people wait to be erased, and there is no journal of erasures: name one under [erasure] in the settings";
        self.engine.erasures.journal.is_none().then_some(lacks)
    }

    /// Does everything that is due in one case.
    async fn advance(&self, mut case: Case) -> Result<Progress, StoreError> {
        let mut progress = Progress::default();
        let mut saved = true;
        loop {
            let deeds = case.deeds(self.now());
            match deeds.first() {
                None => break,
                Some(Deed::Survey { .. }) if case.state == CaseState::Accepted => {
                    self.survey(&mut case, &deeds, &mut progress).await?;
                }
                Some(Deed::Freeze) => self.freeze(&mut case).await?,
                Some(Deed::Dispatch) => {
                    self.dispatch(&mut case).await?;
                    // The calls that follow are written together with it.
                    saved = false;
                    continue;
                }
                Some(Deed::Close) => {
                    self.close(&mut case).await?;
                    *progress.done.entry("closed").or_default() += 1;
                }
                Some(_) => {
                    let searched = self.survey(&mut case, &deeds, &mut progress).await?;
                    let called = self.call(&mut case, &deeds, &mut progress).await?;
                    // What is due at a system that does not take part in this run waits for the next.
                    if !searched && !called {
                        break;
                    }
                }
            }
            saved = true;
        }
        if !saved {
            self.save(&case).await?;
        }
        progress.state = Some(case.state);
        Ok(progress)
    }

    /// Writes a case as it stands.
    async fn save(&self, case: &Case) -> Result<(), StoreError> {
        let mut commit = Commit::new(self.id.clone(), self.heard_at());
        commit.cases.push(case.clone());
        self.engine.store.commit(commit).await.map(|_| ())
    }

    pub(crate) fn instance(&self, system: &SystemId) -> Option<&Instance> {
        self.engine.instances.iter().find(|instance| instance.id == *system)
    }
}

/// Takes a step that the case itself asked for.
fn take(case: &mut Case, step: Step, now: jiff::Timestamp) -> Result<(), StoreError> {
    case.step(step, now).map_err(|error| out_of_turn(&error))
}

fn out_of_turn(error: &OutOfTurn) -> StoreError {
    let what = format!("a step does not follow from what is stored of the case ({error}): restore a backup");
    StoreError::new(StoreErrorKind::Corrupt, "work on an erasure", what)
}

fn note(progress: Progress, report: &mut RunReport) {
    for (system, error) in progress.failures {
        tracing::warn!(instance.name = %system, error = %error, "an erasure was not carried out");
        report.instances.entry(system.as_str().to_owned()).or_default().fail(&error);
    }
    for (what, times) in progress.done {
        *report.erasures.done.entry(what.to_owned()).or_default() += times;
    }
    if let Some(state) = progress.state {
        *report.erasures.cases.entry(state.as_str().to_owned()).or_default() += 1;
    }
}
