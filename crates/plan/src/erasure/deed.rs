//! What must be done next, as far as a case alone can tell.

use jiff::Timestamp;
use unisson_connector::Ticket;
use unisson_consent::SystemId;

use super::case::{Case, CaseState, Part, Survey};
use super::task::{Task, TaskState};
use crate::replica::RecordNo;

/// One thing to do. What became of it is told to the case by [`Case::step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Search a system for the person.
    Survey {
        /// Which.
        system: SystemId,
    },
    /// Write the tombstones.
    Freeze,
    /// Put the tombstones into the journal: only then may anything be deleted.
    Dispatch,
    /// Ask a system to erase a record.
    Erase {
        /// Which system.
        system: SystemId,
        /// Which record.
        record: RecordNo,
        /// The groups of fields that a hold keeps; empty where everything goes.
        keep: Vec<String>,
    },
    /// Look whether a record is gone.
    Read {
        /// Which system.
        system: SystemId,
        /// Which record.
        record: RecordNo,
        /// The vendor's id for its work.
        ticket: Option<Ticket>,
    },
    /// Begin the erasure of what a hold kept until now.
    Release {
        /// Which system.
        system: SystemId,
        /// Which record.
        record: RecordNo,
    },
    /// Purge our own memory of the person and end the case.
    Close,
}

impl Case {
    /// What is due now. Deeds of different systems may be done side by side; a [`Deed::Freeze`], [`Deed::Dispatch`] or
    /// [`Deed::Close`] comes alone.
    pub fn deeds(&self, now: Timestamp) -> Vec<Deed> {
        match self.state {
            CaseState::Accepted if self.is_searched() => vec![Deed::Freeze],
            CaseState::Accepted => self.surveys(now).collect(),
            CaseState::Frozen => vec![Deed::Dispatch],
            CaseState::Dispatched if self.is_settled() => vec![Deed::Close],
            CaseState::Dispatched => self.surveys(now).chain(self.calls(now)).collect(),
            CaseState::CompletedWithHolds if self.is_settled() && !self.is_held() => vec![Deed::Close],
            CaseState::CompletedWithHolds => self.calls(now).collect(),
            CaseState::Received
            | CaseState::AwaitingIdentity
            | CaseState::Completed
            | CaseState::Rejected
            | CaseState::WithdrawnByPerson => Vec::new(),
        }
    }

    fn surveys(&self, now: Timestamp) -> impl Iterator<Item = Deed> {
        let due = move |part: &Part| match part.survey {
            Survey::Due { not_before, .. } => not_before.is_none_or(|at| at <= now),
            Survey::Answered { .. } | Survey::Blind { .. } => false,
        };
        let parts = self.parts.iter().filter(move |(_, part)| due(part));
        parts.map(|(system, _)| Deed::Survey { system: system.clone() })
    }

    fn calls(&self, now: Timestamp) -> impl Iterator<Item = Deed> {
        self.parts.iter().flat_map(move |(system, part)| {
            part.tasks.iter().filter_map(move |(record, task)| call(system, part, (*record, task), now))
        })
    }
}

fn call(system: &SystemId, part: &Part, (record, task): (RecordNo, &Task), now: Timestamp) -> Option<Deed> {
    let system = system.clone();
    if let TaskState::Held { until } = task.state {
        return (until <= now).then_some(Deed::Release { system, record });
    }
    if part.by_hand || task.due_at.is_none_or(|at| at > now) {
        return None;
    }
    match &task.state {
        TaskState::Pending | TaskState::Sent | TaskState::Unreachable => {
            let kept = part.hold.as_ref().filter(|hold| hold.until > now);
            Some(Deed::Erase { system, record, keep: kept.map(|hold| hold.fields.clone()).unwrap_or_default() })
        }
        TaskState::Accepted(ticket) => Some(Deed::Read { system, record, ticket: ticket.clone() }),
        TaskState::Done => Some(Deed::Read { system, record, ticket: None }),
        TaskState::Refused(_) | TaskState::VerifiedAbsent | TaskState::Impossible(_) | TaskState::Held { .. } => None,
    }
}
