//! Erasure cases, and the records that a hold keeps. A case names nobody; what is held names one person, and its row goes
//! when the hold ends.

use serde::{Deserialize, Serialize};
use unisson_connector::Ticket;
use unisson_consent::{Address, FactId, RecordRef, SystemId};
use unisson_plan::RecordNo;
use unisson_plan::erasure::{
    Case, CaseId, CaseState, Extension, Held, Locker, Origin, Part, PartHold, Survey, Task, TaskState,
};

use super::envelope::{self, corrupt};
use super::time::InstantBody;
use crate::error::Result;
use crate::identifier::{Columns, Identifier};

const READING: &str = "decode an erasure case";

/// The stored form of [`Case`]. Its id is the row's key and stands apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CaseBody {
    origin: OriginBody,
    state: StateBody,
    received_at: InstantBody,
    due_at: InstantBody,
    extension: Option<ExtensionBody>,
    verified_by: Option<String>,
    reason: Option<String>,
    facts: Vec<[u8; 16]>,
    parts: Vec<PartBody>,
    frozen_at: Option<InstantBody>,
    ended_at: Option<InstantBody>,
    commitments: Vec<[u8; 32]>,
    salt: Option<[u8; 32]>,
}

/// The stored form of [`Origin`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum OriginBody {
    Request,
    Reappearance { system: String, stream: String },
}

/// The stored form of [`CaseState`]. The order is part of the format: add at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum StateBody {
    Received,
    AwaitingIdentity,
    Accepted,
    Frozen,
    Dispatched,
    CompletedWithHolds,
    Completed,
    Rejected,
    WithdrawnByPerson,
}

/// The stored form of [`Extension`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ExtensionBody {
    decided_at: InstantBody,
    reason: String,
}

/// The stored form of [`Part`], with its system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PartBody {
    system: String,
    survey: SurveyBody,
    by_hand: bool,
    unseen: Vec<String>,
    hold: Option<HoldBody>,
    residual_secs: u64,
    tasks: Vec<TaskBody>,
}

/// The stored form of [`Survey`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum SurveyBody {
    Due { failures: u32, not_before: Option<InstantBody> },
    Answered(InstantBody),
    Blind(String),
}

/// The stored form of [`PartHold`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct HoldBody {
    name: String,
    fields: Vec<String>,
    until: InstantBody,
}

/// The stored form of [`Task`], with its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TaskBody {
    record: u64,
    state: TaskStateBody,
    round: u32,
    attempts: u32,
    due_at: Option<InstantBody>,
    told_at: Option<InstantBody>,
    absent_at: Option<InstantBody>,
    receipt: Option<[u8; 32]>,
    note: Option<String>,
}

/// The stored form of [`TaskState`]. The order is part of the format: add at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum TaskStateBody {
    Pending,
    Sent,
    Accepted(Option<String>),
    Done,
    VerifiedAbsent,
    Held(InstantBody),
    Refused(String),
    Unreachable,
    Impossible(String),
}

/// The stored form of [`Held`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct HeldBody {
    system: String,
    record: String,
    addresses: Vec<AddressBody>,
}

/// The stored form of an address: the columns of an identifier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AddressBody {
    kind: u8,
    raw: String,
    grant: Option<String>,
    suppress: Option<String>,
    defect: Option<u8>,
}

/// The bytes of a case.
pub fn encode_case(case: &Case) -> Result<Vec<u8>> {
    envelope::seal(&CaseBody {
        origin: OriginBody::of(&case.origin),
        state: case.state.into(),
        received_at: case.received_at.into(),
        due_at: case.due_at.into(),
        extension: case.extension.as_ref().map(|extension| ExtensionBody {
            decided_at: extension.decided_at.into(),
            reason: extension.reason.clone(),
        }),
        verified_by: case.verified_by.clone(),
        reason: case.reason.clone(),
        facts: case.facts.iter().map(|id| id.0).collect(),
        parts: case.parts.iter().map(|(system, part)| PartBody::of(system, part)).collect(),
        frozen_at: case.frozen_at.map(Into::into),
        ended_at: case.ended_at.map(Into::into),
        commitments: case.commitments.clone(),
        salt: case.salt,
    })
}

/// The case of some bytes, which has this id.
pub fn decode_case(id: CaseId, bytes: &[u8]) -> Result<Case> {
    let body: CaseBody = envelope::open(bytes, READING)?;
    let extension = body
        .extension
        .map(|extension| Ok(Extension { decided_at: extension.decided_at.build()?, reason: extension.reason }));
    Ok(Case {
        id,
        origin: body.origin.build(),
        state: body.state.into(),
        received_at: body.received_at.build()?,
        due_at: body.due_at.build()?,
        extension: extension.transpose()?,
        verified_by: body.verified_by,
        reason: body.reason,
        facts: body.facts.into_iter().map(FactId).collect(),
        parts: body.parts.into_iter().map(PartBody::build).collect::<Result<_>>()?,
        frozen_at: body.frozen_at.map(InstantBody::build).transpose()?,
        ended_at: body.ended_at.map(InstantBody::build).transpose()?,
        commitments: body.commitments,
        salt: body.salt,
    })
}

/// The bytes of what a hold keeps.
pub fn encode_held(held: &Held) -> Result<Vec<u8>> {
    let (record, addresses) = held.parts(&Locker::of_a_store());
    envelope::seal(&HeldBody {
        system: record.system.as_str().to_owned(),
        record: record.record.as_str().to_owned(),
        addresses: addresses.iter().map(AddressBody::of).collect(),
    })
}

/// What a hold keeps, of some bytes.
pub fn decode_held(bytes: &[u8]) -> Result<Held> {
    let body: HeldBody = envelope::open(bytes, "decode what a hold keeps")?;
    let record = RecordRef { system: SystemId::new(body.system), record: body.record.as_str().into() };
    Ok(Held::lock(record, body.addresses.into_iter().map(AddressBody::build).collect::<Result<_>>()?))
}

/// Whose record a locked one is, for the row it is kept in.
pub fn held_record(held: &Held) -> &RecordRef {
    held.parts(&Locker::of_a_store()).0
}

impl OriginBody {
    fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Request => Self::Request,
            Origin::Reappearance { system, stream } => {
                Self::Reappearance { system: system.as_str().to_owned(), stream: stream.clone() }
            }
        }
    }

    fn build(self) -> Origin {
        match self {
            Self::Request => Origin::Request,
            Self::Reappearance { system, stream } => Origin::Reappearance { system: SystemId::new(system), stream },
        }
    }
}

impl PartBody {
    fn of(system: &SystemId, part: &Part) -> Self {
        let survey = match &part.survey {
            Survey::Due { failures, not_before } => {
                SurveyBody::Due { failures: *failures, not_before: not_before.map(Into::into) }
            }
            Survey::Answered { at } => SurveyBody::Answered((*at).into()),
            Survey::Blind { why } => SurveyBody::Blind(why.clone()),
        };
        let hold = part.hold.as_ref().map(|hold| HoldBody {
            name: hold.name.clone(),
            fields: hold.fields.clone(),
            until: hold.until.into(),
        });
        Self {
            system: system.as_str().to_owned(),
            survey,
            by_hand: part.by_hand,
            unseen: part.unseen.clone(),
            hold,
            residual_secs: part.residual_secs,
            tasks: part.tasks.iter().map(|(record, task)| TaskBody::of(*record, task)).collect(),
        }
    }

    fn build(self) -> Result<(SystemId, Part)> {
        let survey = match self.survey {
            SurveyBody::Due { failures, not_before } => {
                Survey::Due { failures, not_before: not_before.map(InstantBody::build).transpose()? }
            }
            SurveyBody::Answered(at) => Survey::Answered { at: at.build()? },
            SurveyBody::Blind(why) => Survey::Blind { why },
        };
        let hold =
            self.hold.map(|hold| Ok(PartHold { name: hold.name, fields: hold.fields, until: hold.until.build()? }));
        let part = Part {
            survey,
            by_hand: self.by_hand,
            unseen: self.unseen,
            hold: hold.transpose()?,
            residual_secs: self.residual_secs,
            tasks: self.tasks.into_iter().map(TaskBody::build).collect::<Result<_>>()?,
        };
        Ok((SystemId::new(self.system), part))
    }
}

impl TaskBody {
    fn of(record: RecordNo, task: &Task) -> Self {
        let state = match &task.state {
            TaskState::Pending => TaskStateBody::Pending,
            TaskState::Sent => TaskStateBody::Sent,
            TaskState::Accepted(ticket) => TaskStateBody::Accepted(ticket.as_ref().map(|ticket| ticket.0.clone())),
            TaskState::Done => TaskStateBody::Done,
            TaskState::VerifiedAbsent => TaskStateBody::VerifiedAbsent,
            TaskState::Held { until } => TaskStateBody::Held((*until).into()),
            TaskState::Refused(code) => TaskStateBody::Refused(code.clone()),
            TaskState::Unreachable => TaskStateBody::Unreachable,
            TaskState::Impossible(why) => TaskStateBody::Impossible(why.clone()),
        };
        Self {
            record: record.0,
            state,
            round: task.round,
            attempts: task.attempts,
            due_at: task.due_at.map(Into::into),
            told_at: task.told_at.map(Into::into),
            absent_at: task.absent_at.map(Into::into),
            receipt: task.receipt,
            note: task.note.clone(),
        }
    }

    fn build(self) -> Result<(RecordNo, Task)> {
        let state = match self.state {
            TaskStateBody::Pending => TaskState::Pending,
            TaskStateBody::Sent => TaskState::Sent,
            TaskStateBody::Accepted(ticket) => TaskState::Accepted(ticket.map(Ticket)),
            TaskStateBody::Done => TaskState::Done,
            TaskStateBody::VerifiedAbsent => TaskState::VerifiedAbsent,
            TaskStateBody::Held(until) => TaskState::Held { until: until.build()? },
            TaskStateBody::Refused(code) => TaskState::Refused(code),
            TaskStateBody::Unreachable => TaskState::Unreachable,
            TaskStateBody::Impossible(why) => TaskState::Impossible(why),
        };
        let task = Task {
            state,
            round: self.round,
            attempts: self.attempts,
            due_at: self.due_at.map(InstantBody::build).transpose()?,
            told_at: self.told_at.map(InstantBody::build).transpose()?,
            absent_at: self.absent_at.map(InstantBody::build).transpose()?,
            receipt: self.receipt,
            note: self.note,
        };
        Ok((RecordNo(self.record), task))
    }
}

impl AddressBody {
    fn of(address: &Address) -> Self {
        let Columns { kind, raw, grant, suppress, defect } = Identifier::from(address).columns();
        Self { kind, raw, grant, suppress, defect }
    }

    fn build(self) -> Result<Address> {
        let Self { kind, raw, grant, suppress, defect } = self;
        let columns = Columns { kind, raw, grant, suppress, defect };
        let address = Identifier::from_columns(columns, 0).and_then(|identifier| identifier.address());
        address.map_err(|error| corrupt("decode what a hold keeps", "an address is none").because(error))
    }
}

impl From<CaseState> for StateBody {
    fn from(state: CaseState) -> Self {
        match state {
            CaseState::Received => Self::Received,
            CaseState::AwaitingIdentity => Self::AwaitingIdentity,
            CaseState::Accepted => Self::Accepted,
            CaseState::Frozen => Self::Frozen,
            CaseState::Dispatched => Self::Dispatched,
            CaseState::CompletedWithHolds => Self::CompletedWithHolds,
            CaseState::Completed => Self::Completed,
            CaseState::Rejected => Self::Rejected,
            CaseState::WithdrawnByPerson => Self::WithdrawnByPerson,
        }
    }
}

impl From<StateBody> for CaseState {
    fn from(state: StateBody) -> Self {
        match state {
            StateBody::Received => Self::Received,
            StateBody::AwaitingIdentity => Self::AwaitingIdentity,
            StateBody::Accepted => Self::Accepted,
            StateBody::Frozen => Self::Frozen,
            StateBody::Dispatched => Self::Dispatched,
            StateBody::CompletedWithHolds => Self::CompletedWithHolds,
            StateBody::Completed => Self::Completed,
            StateBody::Rejected => Self::Rejected,
            StateBody::WithdrawnByPerson => Self::WithdrawnByPerson,
        }
    }
}

#[cfg(test)]
mod tests;
