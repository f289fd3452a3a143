//! A case and its parts.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use unisson_consent::{FactId, SystemId};

use super::task::{Task, TaskState};
use crate::replica::RecordNo;

/// The id of a case: sortable by time, random beyond it, never derived from anybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a case came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The person asked, or somebody for the person.
    Request,
    /// A system showed the person again after an erasure.
    Reappearance {
        /// Which system.
        system: SystemId,
        /// What of it showed the person: the stream of the import.
        stream: String,
    },
}

/// How far a case has come (consent model 6.1). The order is the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseState {
    /// The request is there, and its clock runs. Marketing has stopped.
    Received,
    /// There is reasonable doubt who asked (art. 12(6)).
    AwaitingIdentity,
    /// It is certain who asked.
    Accepted,
    /// Every system was searched, and the tombstone is written: nobody can come back while records are deleted.
    Frozen,
    /// Records are being erased.
    Dispatched,
    /// Everything is erased except what a legal hold keeps; our own memory is purged.
    CompletedWithHolds,
    /// Everything is erased, and our own memory is purged.
    Completed,
    /// Refused, with a reason that the person was told (art. 12(4)).
    Rejected,
    /// The person took the request back.
    WithdrawnByPerson,
}

impl CaseState {
    /// Every state with the name used in stores and output.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Received, "received"),
        (Self::AwaitingIdentity, "awaiting_identity"),
        (Self::Accepted, "accepted"),
        (Self::Frozen, "frozen"),
        (Self::Dispatched, "dispatched"),
        (Self::CompletedWithHolds, "completed_with_holds"),
        (Self::Completed, "completed"),
        (Self::Rejected, "rejected"),
        (Self::WithdrawnByPerson, "withdrawn_by_person"),
    ];

    /// The name used in stores and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(state, _)| state)
    }

    /// Whether the person still waits for an answer.
    pub fn is_open(self) -> bool {
        self < Self::CompletedWithHolds
    }
}

/// More time, decided within the first month and told to the person with its reason (art. 12(3)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Whether a system was searched for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Survey {
    /// Not yet; so many tries failed.
    Due {
        /// How many.
        failures: u32,
        /// When it may be tried again.
        not_before: Option<Timestamp>,
    },
    /// It answered.
    Answered {
        /// When.
        at: Timestamp,
    },
    /// It cannot be searched: only what its last sync showed is known. The certificate says so.
    Blind {
        /// Why.
        why: String,
    },
}

/// One system's part in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whether it was searched.
    pub survey: Survey,
    /// Whether somebody has to erase there by hand, because its connector cannot.
    pub by_hand: bool,
    /// Places that nobody could look at, in words: the certificate lists them.
    pub unseen: Vec<String>,
    /// The hold that keeps some of it.
    pub hold: Option<PartHold>,
    /// For how many seconds the vendor may keep backups after it said that a record is gone.
    pub residual_secs: u64,
    /// One task for each record.
    pub tasks: BTreeMap<RecordNo, Task>,
}

/// What a legal hold keeps of a system's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHold {
    /// Its name in the policy.
    pub name: String,
    /// The groups of fields that stay.
    pub fields: Vec<String>,
    /// Until when.
    pub until: Timestamp,
}

/// The erasure of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// How it came to be.
    pub origin: Origin,
    /// How far it has come.
    pub state: CaseState,
    /// When the request was received: its clock runs from there.
    pub received_at: Timestamp,
    /// Until when it must be answered.
    pub due_at: Timestamp,
    /// More time that was taken.
    pub extension: Option<Extension>,
    /// How it was made certain who asked, in the operator's words. Nothing personal.
    pub verified_by: Option<String>,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// The facts of the ledger that belong to it: requests and tombstones.
    pub facts: Vec<FactId>,
    /// What each system has to do.
    pub parts: BTreeMap<SystemId, Part>,
    /// When it was frozen.
    pub frozen_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Digests that let the person, and nobody else, prove later that the certificate is theirs: `SHA-256(salt ‖ address)`
    /// for each address that was erased.
    pub commitments: Vec<[u8; 32]>,
    /// The salt of the commitments, until the person's copy was written; then it stands in that copy only.
    pub salt: Option<[u8; 32]>,
}

impl Case {
    /// A case that begins now.
    pub fn open(id: CaseId, origin: Origin, received_at: Timestamp, due_at: Timestamp) -> Self {
        Self {
            id,
            origin,
            state: CaseState::Received,
            received_at,
            due_at,
            extension: None,
            verified_by: None,
            reason: None,
            facts: Vec::new(),
            parts: BTreeMap::new(),
            frozen_at: None,
            ended_at: None,
            commitments: Vec::new(),
            salt: None,
        }
    }

    /// Its tasks, system by system.
    pub fn tasks(&self) -> impl Iterator<Item = (&SystemId, RecordNo, &Task)> {
        self.parts
            .iter()
            .flat_map(|(system, part)| part.tasks.iter().map(move |(record, task)| (system, *record, task)))
    }

    /// Whether every system has answered and every task is settled, so that the person can be told (I27).
    pub fn is_settled(&self) -> bool {
        self.parts.values().all(Part::is_settled)
    }

    /// Whether a hold keeps something.
    pub fn is_held(&self) -> bool {
        self.tasks().any(|(_, _, task)| matches!(task.state, TaskState::Held { .. }))
    }

    /// When it wants to be looked at again; `None` where nothing will happen by itself.
    pub fn next_at(&self) -> Option<Timestamp> {
        let at_once = Some(Timestamp::MIN);
        let surveys = self.parts.values().filter_map(Part::next_survey);
        let calls = self.parts.values().filter_map(Part::next_call);
        let holds = self.tasks().filter_map(|(_, _, task)| task.held_until());
        match self.state {
            CaseState::Accepted if self.is_searched() => at_once,
            CaseState::Accepted => surveys.min(),
            CaseState::Frozen => at_once,
            CaseState::Dispatched if self.is_settled() => at_once,
            CaseState::Dispatched => surveys.chain(calls).chain(holds).min(),
            CaseState::CompletedWithHolds if !self.is_held() && self.is_settled() => at_once,
            CaseState::CompletedWithHolds => calls.chain(holds).min(),
            CaseState::Received
            | CaseState::AwaitingIdentity
            | CaseState::Completed
            | CaseState::Rejected
            | CaseState::WithdrawnByPerson => None,
        }
    }

    /// Whether every system was asked at least once what it holds. One that does not answer keeps no other waiting.
    pub fn is_searched(&self) -> bool {
        self.parts.values().all(|part| !matches!(part.survey, Survey::Due { failures: 0, .. }))
    }
}

impl Part {
    /// A part about which nothing is known yet.
    pub fn new(by_hand: bool) -> Self {
        Self {
            survey: Survey::Due { failures: 0, not_before: None },
            by_hand,
            unseen: Vec::new(),
            hold: None,
            residual_secs: 0,
            tasks: BTreeMap::new(),
        }
    }

    /// Whether it is known what the system holds, as far as it can be known.
    pub fn is_surveyed(&self) -> bool {
        !matches!(self.survey, Survey::Due { .. })
    }

    /// Whether nothing is left to do or to look at there.
    pub fn is_settled(&self) -> bool {
        self.is_surveyed() && self.tasks.values().all(Task::is_settled)
    }

    /// When it is searched next.
    fn next_survey(&self) -> Option<Timestamp> {
        match self.survey {
            Survey::Due { not_before, .. } => Some(not_before.unwrap_or(Timestamp::MIN)),
            Survey::Answered { .. } | Survey::Blind { .. } => None,
        }
    }

    /// When the next call about one of its records is due. Where somebody works by hand, none is.
    fn next_call(&self) -> Option<Timestamp> {
        let tasks = self.tasks.values().filter(|_| !self.by_hand);
        tasks.filter(|task| task.held_until().is_none()).filter_map(|task| task.due_at).min()
    }
}
