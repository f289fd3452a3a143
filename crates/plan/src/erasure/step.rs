//! What became of a deed, taken in by a case. A case only goes forward.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use unisson_connector::{Erasing, INSEPARABLE, KEPT_SUPPRESSION, Sighting};
use unisson_consent::{FactId, SystemId};

use super::case::{Case, CaseState, Extension, Part, Survey};
use super::task::{ATTEMPTS_MAX, Task, TaskState};
use crate::replica::RecordNo;

/// The pause before a call is made again; each further one is twice as long.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// The longest such pause.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(6);

/// Something that happened to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is doubtful who asked.
    Doubted,
    /// It is certain who asked.
    Verified {
        /// How, in the operator's words.
        by: String,
    },
    /// The request is refused.
    Rejected {
        /// Why, as the person is told.
        reason: String,
    },
    /// The person took the request back.
    Withdrawn,
    /// More time is taken.
    Extended {
        /// Until when.
        due_at: Timestamp,
        /// Why, as the person is told.
        reason: String,
    },
    /// A system was searched, and these of its records are the person's.
    Surveyed {
        /// Which system.
        system: SystemId,
        /// Its records.
        records: Vec<RecordNo>,
        /// Places that it does not show.
        unseen: Vec<String>,
    },
    /// A system did not answer.
    Unsearched {
        /// Which system.
        system: SystemId,
        /// How long it asks to be left alone.
        pause: Option<SignedDuration>,
    },
    /// A system cannot be searched; these records are known from its last sync.
    Blind {
        /// Which system.
        system: SystemId,
        /// Why.
        why: String,
        /// Its records.
        records: Vec<RecordNo>,
    },
    /// The tombstones are written.
    Frozen {
        /// Their facts.
        tombstones: Vec<FactId>,
        /// The commitments for the certificate.
        commitments: Vec<[u8; 32]>,
        /// The salt they were made with.
        salt: [u8; 32],
    },
    /// The tombstones are in the journal.
    Dispatched,
    /// A record of the person was seen.
    Sighted {
        /// In which system.
        system: SystemId,
        /// Which.
        record: RecordNo,
    },
    /// A platform answered a request to erase.
    Answered {
        /// Which system.
        system: SystemId,
        /// Which record.
        record: RecordNo,
        /// What it said.
        erasing: Erasing,
        /// The digest of what it said.
        receipt: [u8; 32],
    },
    /// A platform did not answer.
    Failed {
        /// Which system.
        system: SystemId,
        /// Which record.
        record: RecordNo,
        /// How long it asks to be left alone.
        pause: Option<SignedDuration>,
    },
    /// A read-back saw something, or nothing.
    Read {
        /// Which system.
        system: SystemId,
        /// Which record.
        record: RecordNo,
        /// What it saw.
        sighting: Sighting,
        /// How long a read may show what was erased.
        settles_in: SignedDuration,
    },
    /// Somebody showed that a system was done by hand.
    ByHand {
        /// Which system.
        system: SystemId,
        /// The digest of the evidence.
        receipt: [u8; 32],
        /// Whether the host looked and found nothing.
        verified: bool,
    },
    /// Somebody answers for it that a system cannot be done.
    Impossible {
        /// Which system.
        system: SystemId,
        /// Why.
        reason: String,
    },
    /// Somebody ends a hold before its time.
    Unheld {
        /// In which system.
        system: SystemId,
    },
    /// The hold on a record has ended.
    Released {
        /// Which system.
        system: SystemId,
        /// Which record.
        record: RecordNo,
    },
    /// The person's copy of the certificate was written, and the salt stands in it.
    Given,
    /// Our own memory is purged.
    Closed,
}

/// A step that does not follow from the state of its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfTurn {
    /// The state of the case.
    pub state: CaseState,
    /// What it would have to be, or what is missing, in words.
    pub why: &'static str,
}

impl fmt::Display for OutOfTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the case is {}: {}", self.state.as_str(), self.why)
    }
}

impl std::error::Error for OutOfTurn {}

impl Case {
    /// Takes a step. One that is out of turn changes nothing.
    pub fn step(&mut self, step: Step, now: Timestamp) -> Result<(), OutOfTurn> {
        match step {
            Step::Doubted | Step::Verified { .. } | Step::Rejected { .. } | Step::Withdrawn => self.identify(step, now),
            Step::Extended { due_at, reason } => self.extend(due_at, reason, now),
            Step::Surveyed { system, records, unseen } => self.search(&system, records, now, |part| {
                part.survey = Survey::Answered { at: now };
                part.unseen = unseen;
            }),
            Step::Blind { system, why, records } => {
                self.search(&system, records, now, |part| part.survey = Survey::Blind { why })
            }
            Step::Unsearched { system, pause } => self.search(&system, Vec::new(), now, |part| {
                if let Survey::Due { failures, not_before } = &mut part.survey {
                    *not_before = Some(later(now, pause.unwrap_or_else(|| pause_after(*failures))));
                    *failures += 1;
                }
            }),
            Step::Frozen { tombstones, commitments, salt } => {
                self.only_in(&[CaseState::Accepted], "it is frozen once, after every system was searched")?;
                self.state = CaseState::Frozen;
                self.frozen_at = Some(now);
                self.facts.extend(tombstones);
                self.commitments = commitments;
                self.salt = Some(salt);
                Ok(())
            }
            Step::Dispatched => self.dispatch(),
            Step::Sighted { system, record } => self.sight(system, record, now),
            Step::Answered { system, record, erasing, receipt } => {
                let hold = self.parts.get(&system).and_then(|part| part.hold.as_ref()).filter(|hold| hold.until > now);
                let until = hold.map(|hold| hold.until);
                self.task(&system, record, |task| answer(task, erasing, (receipt, until), now))
            }
            Step::Failed { system, record, pause } => self.task(&system, record, |task| {
                let wait = pause.unwrap_or_else(|| pause_after(task.attempts));
                task.attempts += 1;
                task.due_at = Some(later(now, wait));
                if matches!(task.state, TaskState::Pending | TaskState::Sent) {
                    task.state = TaskState::Unreachable;
                }
            }),
            Step::Read { system, record, sighting, settles_in } => {
                self.task(&system, record, |task| read(task, sighting, settles_in, now))
            }
            Step::ByHand { system, receipt, verified } => self.by_hand(&system, receipt, verified, now),
            Step::Impossible { system, reason } => self.give_up(&system, &reason),
            Step::Unheld { system } => self.unhold(&system, now),
            Step::Released { system, record } => self.task(&system, record, |task| {
                if matches!(task.state, TaskState::Held { until } if until <= now) {
                    task.again(now);
                }
            }),
            Step::Given => {
                let ended = [CaseState::Completed, CaseState::CompletedWithHolds];
                self.only_in(&ended, "there is no certificate before it has ended")?;
                self.salt = None;
                Ok(())
            }
            Step::Closed => self.close(now),
        }
    }

    fn identify(&mut self, step: Step, now: Timestamp) -> Result<(), OutOfTurn> {
        let unfrozen = [CaseState::Received, CaseState::AwaitingIdentity, CaseState::Accepted];
        match step {
            Step::Doubted => {
                self.only_in(&[CaseState::Received], "who asked is doubted at the receipt only")?;
                self.state = CaseState::AwaitingIdentity;
            }
            Step::Verified { by } => {
                self.only_in(&unfrozen[..2], "who asked is settled already")?;
                self.state = CaseState::Accepted;
                self.verified_by = Some(by);
            }
            Step::Rejected { reason } => {
                self.only_in(&unfrozen, "what was begun cannot be refused")?;
                (self.state, self.reason, self.ended_at) = (CaseState::Rejected, Some(reason), Some(now));
            }
            _ => {
                self.only_in(&unfrozen, "what was begun cannot be taken back")?;
                (self.state, self.ended_at) = (CaseState::WithdrawnByPerson, Some(now));
            }
        }
        Ok(())
    }

    fn extend(&mut self, due_at: Timestamp, reason: String, now: Timestamp) -> Result<(), OutOfTurn> {
        let why = match (self.state.is_open(), &self.extension) {
            (false, _) => Some("it has been answered"),
            (true, Some(_)) => Some("it was extended before, and no second time"),
            (true, None) if now > self.due_at => Some("its first month is over (art. 12(3))"),
            (true, None) => None,
        };
        if let Some(why) = why {
            return Err(OutOfTurn { state: self.state, why });
        }
        self.due_at = due_at;
        self.extension = Some(Extension { decided_at: now, reason });
        Ok(())
    }

    fn search(
        &mut self,
        system: &SystemId,
        records: Vec<RecordNo>,
        now: Timestamp,
        found: impl FnOnce(&mut Part),
    ) -> Result<(), OutOfTurn> {
        let under_way = [CaseState::Accepted, CaseState::Frozen, CaseState::Dispatched];
        self.only_in(&under_way, "systems are searched once it is certain who asked")?;
        let part = self.part(system)?;
        found(part);
        for record in records {
            part.tasks.entry(record).or_insert_with(|| Task::new(now));
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Result<(), OutOfTurn> {
        self.only_in(&[CaseState::Frozen], "nothing is deleted before the tombstone is written")?;
        self.state = CaseState::Dispatched;
        let parts = self.parts.values_mut().filter(|part| !part.by_hand);
        for task in parts.flat_map(|part| part.tasks.values_mut()) {
            if task.state == TaskState::Pending {
                task.state = TaskState::Sent;
            }
        }
        Ok(())
    }

    fn give_up(&mut self, system: &SystemId, reason: &str) -> Result<(), OutOfTurn> {
        self.only_in(&[CaseState::Accepted, CaseState::Frozen, CaseState::Dispatched], "it is not under way")?;
        let part = self.part(system)?;
        if !part.is_surveyed() {
            part.survey = Survey::Blind { why: reason.to_owned() };
        }
        for task in part.tasks.values_mut().filter(|task| !task.is_settled()) {
            task.state = TaskState::Impossible(reason.to_owned());
            task.due_at = None;
        }
        Ok(())
    }

    fn sight(&mut self, system: SystemId, record: RecordNo, now: Timestamp) -> Result<(), OutOfTurn> {
        if !self.state.is_open() {
            return Err(OutOfTurn { state: self.state, why: "it has ended: a sighting begins a case of its own" });
        }
        let part = self.parts.entry(system).or_insert_with(|| Part::new(false));
        match part.tasks.get_mut(&record) {
            None => drop(part.tasks.insert(record, Task::new(now))),
            Some(task) if matches!(task.state, TaskState::VerifiedAbsent) => task.again(now),
            Some(task) if task.state == TaskState::Done && task.due_at.is_none() => task.again(now),
            Some(_) => {}
        }
        Ok(())
    }

    fn unhold(&mut self, system: &SystemId, now: Timestamp) -> Result<(), OutOfTurn> {
        let state = self.state;
        let part = self.part(system)?;
        let Some(hold) = part.hold.as_mut().filter(|hold| hold.until > now) else {
            return Err(OutOfTurn { state, why: "no hold keeps anything there" });
        };
        hold.until = now;
        for task in part.tasks.values_mut() {
            if let TaskState::Held { until } = &mut task.state {
                *until = now;
            }
        }
        Ok(())
    }

    fn by_hand(
        &mut self,
        system: &SystemId,
        receipt: [u8; 32],
        verified: bool,
        now: Timestamp,
    ) -> Result<(), OutOfTurn> {
        self.only_in(
            &[CaseState::Frozen, CaseState::Dispatched, CaseState::CompletedWithHolds],
            "nothing is erased before the tombstone is written",
        )?;
        let part = self.part(system)?;
        if !part.is_surveyed() {
            part.survey = Survey::Blind { why: "it was searched by hand".to_owned() };
        }
        let until = part.hold.as_ref().filter(|hold| hold.until > now).map(|hold| hold.until);
        for task in part.tasks.values_mut().filter(|task| !task.is_settled()) {
            task.state = match until {
                Some(until) => TaskState::Held { until },
                None if verified => TaskState::VerifiedAbsent,
                None => TaskState::Done,
            };
            (task.due_at, task.told_at, task.receipt) = (None, Some(now), Some(receipt));
            task.absent_at = verified.then_some(now);
            task.note = Some("done by hand".to_owned());
        }
        Ok(())
    }

    fn close(&mut self, now: Timestamp) -> Result<(), OutOfTurn> {
        self.only_in(&[CaseState::Dispatched, CaseState::CompletedWithHolds], "it is not under way")?;
        if !self.is_settled() {
            let why = "a system has not answered, or a record is not settled";
            return Err(OutOfTurn { state: self.state, why });
        }
        self.state = if self.is_held() { CaseState::CompletedWithHolds } else { CaseState::Completed };
        self.ended_at = self.ended_at.or(Some(now));
        Ok(())
    }

    fn only_in(&self, states: &[CaseState], why: &'static str) -> Result<(), OutOfTurn> {
        if states.contains(&self.state) { Ok(()) } else { Err(OutOfTurn { state: self.state, why }) }
    }

    fn part(&mut self, system: &SystemId) -> Result<&mut Part, OutOfTurn> {
        let state = self.state;
        self.parts.get_mut(system).ok_or(OutOfTurn { state, why: "the system has no part in it" })
    }

    fn task(&mut self, system: &SystemId, record: RecordNo, change: impl FnOnce(&mut Task)) -> Result<(), OutOfTurn> {
        self.only_in(&[CaseState::Dispatched, CaseState::CompletedWithHolds], "nothing is under way in it")?;
        let state = self.state;
        let task = self.part(system)?.tasks.get_mut(&record);
        change(task.ok_or(OutOfTurn { state, why: "the record has no task in it" })?);
        Ok(())
    }
}

fn answer(task: &mut Task, erasing: Erasing, (receipt, held): ([u8; 32], Option<Timestamp>), now: Timestamp) {
    if !matches!(task.state, TaskState::Pending | TaskState::Sent | TaskState::Unreachable) {
        return;
    }
    task.receipt = Some(receipt);
    task.told_at = Some(now);
    (task.state, task.due_at) = match (erasing, held) {
        (Erasing::Refused(code), Some(until)) if code == INSEPARABLE => {
            task.note = Some(
                "the hold cannot be told apart: archive what it keeps elsewhere, then the record can be erased"
                    .to_owned(),
            );
            (TaskState::Held { until }, None)
        }
        (Erasing::Refused(code), _) if code == KEPT_SUPPRESSION => {
            let why = "the platform keeps the address on its own blocklist, so that nobody writes to it";
            (TaskState::Impossible(why.to_owned()), None)
        }
        (Erasing::Refused(code), _) => (TaskState::Refused(code), None),
        // What a hold keeps is there until the hold ends: no read could say that it is gone.
        (Erasing::Done | Erasing::Accepted(_), Some(until)) => (TaskState::Held { until }, None),
        (Erasing::Done | Erasing::AlreadyAbsent, _) => (TaskState::Accepted(None), Some(now)),
        (Erasing::Accepted(ticket), None) => (TaskState::Accepted(Some(ticket)), Some(now)),
    };
    task.attempts = 0;
}

fn read(task: &mut Task, sighting: Sighting, settles_in: SignedDuration, now: Timestamp) {
    if !matches!(task.state, TaskState::Accepted(_) | TaskState::Done) {
        return;
    }
    let settled_at = later(task.told_at.unwrap_or(now), settles_in);
    match sighting {
        Sighting::Absent if now >= settled_at => {
            task.state = TaskState::VerifiedAbsent;
            task.absent_at = task.absent_at.or(Some(now));
            (task.due_at, task.note) = (None, None);
        }
        Sighting::Absent => {
            task.state = TaskState::Done;
            task.absent_at = task.absent_at.or(Some(now));
            (task.due_at, task.attempts, task.note) = (Some(settled_at), 0, None);
        }
        // The platform said that it is gone, and shows it: for as long as its reads may lag, it is looked at again.
        Sighting::Present if now < settled_at => {
            task.due_at = Some(later(now, pause_after(task.attempts)).min(settled_at));
            task.attempts += 1;
        }
        Sighting::Present if task.round >= ATTEMPTS_MAX => {
            task.state = TaskState::Refused("still_there".to_owned());
            task.note = Some("the platform says that the record is erased, and shows it again and again".to_owned());
            task.due_at = None;
        }
        Sighting::Present => task.again(later(now, pause_after(task.round))),
        Sighting::Archived => {
            task.state = TaskState::Refused("archived".to_owned());
            task.note = Some("the platform keeps the record archived, which is no erasure".to_owned());
            task.due_at = None;
        }
        Sighting::Unverified => {
            task.due_at = Some(later(now, pause_after(task.attempts)));
            task.attempts += 1;
            task.note = Some("the platform refuses to be read back: not verified yet".to_owned());
        }
    }
}

fn pause_after(failures: u32) -> SignedDuration {
    PAUSE.checked_mul(1_i32.checked_shl(failures.min(20)).unwrap_or(1)).unwrap_or(PAUSE_MAX).min(PAUSE_MAX)
}

fn later(now: Timestamp, after: SignedDuration) -> Timestamp {
    now.checked_add(after).unwrap_or(Timestamp::MAX)
}
