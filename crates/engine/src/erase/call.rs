//! Erasing records and reading back whether they are gone, system by system.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use jiff::SignedDuration;
use sha2::Digest as _;
use unisson_connector::{Cx, Erase, Erasing, Error, Sighting, Target};
use unisson_plan::erasure::{Case, Deed, Step, TaskState};
use unisson_plan::{Commit, RecordNo, Replica};
use unisson_store::StoreError;

use super::person::{Person, by_number};
use super::survey::pause_of;
use super::{Progress, take};
use crate::host::{Instance, Run};

/// How many calls of one case are under way at once. A person with thousands of records does not take all there is.
const CALLS_AT_ONCE: usize = 8;

/// The code of a task whose record nobody knows any more.
const UNKNOWN_RECORD: &str = "record_unknown";

impl Run<'_> {
    /// Makes the calls that are due, and those that they make due, and writes what became of them. Whether there was any.
    pub(super) async fn call(
        &self,
        case: &mut Case,
        deeds: &[Deed],
        progress: &mut Progress,
    ) -> Result<bool, StoreError> {
        let mut called = false;
        let mut due: Vec<Deed> = deeds.to_vec();
        let person = self.person(case).await?;
        loop {
            let calls: Vec<Deed> = due.into_iter().filter(|deed| self.is_reachable(deed)).collect();
            if calls.is_empty() {
                break;
            }
            called = true;
            let targets = self.targets(case, person.as_ref(), &calls).await?;
            let mut answers = futures::stream::iter(calls.iter().map(|deed| self.carry(deed, &targets)))
                .buffer_unordered(CALLS_AT_ONCE);
            while let Some((step, word, failure)) = answers.next().await {
                progress.failures.extend(failure);
                *progress.done.entry(word).or_default() += 1;
                take(case, step, self.now())?;
            }
            due = case.deeds(self.now());
        }
        if !called {
            return Ok(false);
        }
        let mut commit = Commit::new(self.id.clone(), self.heard_at());
        let gone = case.tasks().filter(|(_, _, task)| matches!(task.state, TaskState::VerifiedAbsent));
        commit.absent = gone.map(|(_, record, _)| record).collect();
        commit.cases.push(case.clone());
        self.engine.store.commit(commit).await?;
        Ok(true)
    }

    /// Whether a deed is a call to a system that takes part in this run.
    fn is_reachable(&self, deed: &Deed) -> bool {
        match deed {
            Deed::Erase { system, .. } | Deed::Read { system, .. } => self.instance(system).is_some_and(|instance| {
                instance.enabled && self.includes(instance) && instance.connector.erase().is_some()
            }),
            Deed::Release { .. } => true,
            Deed::Survey { .. } | Deed::Freeze | Deed::Dispatch | Deed::Close => false,
        }
    }

    /// Whose records the calls are about: what the store shows, or what a hold kept and gives back now that it has ended.
    async fn targets(
        &self,
        case: &Case,
        person: Option<&Person>,
        calls: &[Deed],
    ) -> Result<BTreeMap<RecordNo, Target>, StoreError> {
        let wanted: Vec<RecordNo> = calls
            .iter()
            .filter_map(|deed| match deed {
                Deed::Erase { record, .. } | Deed::Read { record, .. } => Some(*record),
                _ => None,
            })
            .collect();
        let shown = by_number(&wanted, self.engine.store.shown(&wanted).await?);
        let mut targets = BTreeMap::new();
        for record in wanted {
            if let Some(replica) = shown.get(&record) {
                targets.insert(record, person.map_or_else(|| own(replica), |person| person.target(replica)));
                continue;
            }
            let system = case.tasks().find(|(_, number, _)| *number == record).map(|(system, _, _)| system);
            let warrant = system.and_then(|system| case.warrant(system, record, self.now()));
            if let (Some(warrant), Some(held)) = (warrant, self.engine.store.held(record).await?) {
                targets.insert(record, held.open(&warrant));
            }
        }
        Ok(targets)
    }

    /// Makes one call and tells what became of it.
    async fn carry(
        &self,
        deed: &Deed,
        targets: &BTreeMap<RecordNo, Target>,
    ) -> (Step, &'static str, Option<(unisson_consent::SystemId, Error)>) {
        let cx = Cx { run: &self.id.0 };
        match deed {
            Deed::Erase { system, record, keep } => {
                let (system, record) = (system.clone(), *record);
                let refused = |code: &str| Ok(Erasing::Refused(code.to_owned()));
                let asked = match (self.eraser(&system), targets.get(&record)) {
                    (Some(erase), Some(target)) if keep.is_empty() => erase.erase(&cx, target).await,
                    (Some(erase), Some(target)) => erase.erase_except(&cx, target, keep).await,
                    _ => refused(UNKNOWN_RECORD),
                };
                match asked {
                    Ok(erasing) => {
                        let word = erased_word(&erasing);
                        let receipt = self.receipt(&system, record, word);
                        (Step::Answered { system, record, erasing, receipt }, word, None)
                    }
                    Err(error) => {
                        let step = Step::Failed { system: system.clone(), record, pause: pause_of(&error) };
                        (step, "not reached", Some((system, error)))
                    }
                }
            }
            Deed::Read { system, record, ticket } => {
                let (system, record) = (system.clone(), *record);
                let seen = match (self.eraser(&system), targets.get(&record)) {
                    (Some(erase), Some(target)) => erase.verify(&cx, target, ticket.as_ref()).await,
                    _ => Ok(Sighting::Unverified),
                };
                let settles_in = self.settles_in(&system);
                match seen {
                    Ok(sighting) => (Step::Read { system, record, sighting, settles_in }, read_word(sighting), None),
                    Err(error) => {
                        let step = Step::Failed { system: system.clone(), record, pause: pause_of(&error) };
                        (step, "not read back", Some((system, error)))
                    }
                }
            }
            Deed::Release { system, record } => {
                (Step::Released { system: system.clone(), record: *record }, "released", None)
            }
            // These are no calls, and never get here.
            Deed::Survey { .. } | Deed::Freeze | Deed::Dispatch | Deed::Close => (Step::Closed, "closed", None),
        }
    }

    fn eraser(&self, system: &unisson_consent::SystemId) -> Option<&dyn Erase> {
        self.instance(system).and_then(|instance: &Instance| instance.connector.erase())
    }

    /// How long a read may show what was erased: as the operator says, else as the vendor does.
    fn settles_in(&self, system: &unisson_consent::SystemId) -> SignedDuration {
        let set = self.engine.erasures.settles_in.get(system).copied();
        let said = || self.eraser(system).map(|erase| erase.spec().settles_in).unwrap_or_default();
        set.unwrap_or_else(|| SignedDuration::try_from(said()).unwrap_or(SignedDuration::MAX))
    }

    /// The digest that stands for a platform's answer on the certificate.
    fn receipt(&self, system: &unisson_consent::SystemId, record: RecordNo, word: &str) -> [u8; 32] {
        let text = format!("{} {system} {} {word} {}", self.id.0, record.0, self.now());
        sha2::Sha256::digest(text).into()
    }
}

fn own(replica: &Replica) -> Target {
    Target { record: replica.record.record.clone(), addresses: replica.who.addresses.clone() }
}

fn erased_word(erasing: &Erasing) -> &'static str {
    match erasing {
        Erasing::Done => "erased",
        Erasing::Accepted(_) => "accepted",
        Erasing::AlreadyAbsent => "already absent",
        Erasing::Refused(_) => "refused",
    }
}

fn read_word(sighting: Sighting) -> &'static str {
    match sighting {
        Sighting::Absent => "read back as absent",
        Sighting::Present => "still there",
        Sighting::Archived => "only archived",
        Sighting::Unverified => "not verified",
    }
}
