//! Statuses of the protocol and what they mean for a task or a case of ours (consent model 6.1).

use crate::wire::{RequestType, Status};

/// What a person wants, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To know what is held (art. 15).
    Access,
    /// To take it elsewhere (art. 20).
    Portability,
    /// To be erased (art. 17).
    Erasure,
    /// That something stops (art. 21).
    Objection,
    /// That it is kept and not used (art. 18).
    Restriction,
}

impl RequestType {
    /// The type that carries a wish; `None` where the protocol has no word for it: it must go another way, and is never
    /// made an erasure.
    pub fn of(wish: Wish) -> Option<Self> {
        match wish {
            Wish::Access => Some(Self::Access),
            Wish::Portability => Some(Self::Portability),
            Wish::Erasure => Some(Self::Erasure),
            Wish::Objection | Wish::Restriction => None,
        }
    }
}

/// What a processor's status means for the task that waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The processor took it on.
    Accepted,
    /// The processor says that it is done.
    Done,
    /// The processor will not do it, for a reason that the protocol does not carry: somebody has to look.
    Refused,
    /// It says nothing that is known here: the task stays as it is, and the status is asked again.
    Unclear,
}

impl Status {
    /// What it means for a task of ours.
    ///
    /// ```
    /// use unisson_opendsr::{Progress, Status};
    /// assert_eq!(Status::Completed.progress(), Progress::Done);
    /// let unknown: Status = serde_json::from_str("\"finished\"").unwrap();
    /// assert_eq!(unknown.progress(), Progress::Unclear);
    /// ```
    pub fn progress(self) -> Progress {
        match self {
            Self::Pending | Self::InProgress => Progress::Accepted,
            Self::Completed => Progress::Done,
            Self::Cancelled => Progress::Refused,
            Self::Unknown => Progress::Unclear,
        }
    }

    /// Whether the request may be cancelled: only before it is worked on.
    pub fn may_cancel(self) -> bool {
        self == Self::Pending
    }

    /// Whether nothing more will come.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

/// How far a request of another controller has come with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was received, and nothing is begun.
    Waiting,
    /// It is worked on.
    UnderWay,
    /// Everything was done.
    Completed,
    /// Everything was done except what a hold keeps.
    CompletedWithHolds,
    /// It was rejected. The reason goes to the person, not through this protocol.
    Rejected,
    /// The person, or the controller for the person, took it back.
    WithdrawnByPerson,
}

impl Outcome {
    /// The status that comes nearest.
    pub fn status(self) -> Status {
        match self {
            Self::Waiting => Status::Pending,
            Self::UnderWay => Status::InProgress,
            Self::Completed | Self::CompletedWithHolds => Status::Completed,
            Self::Rejected | Self::WithdrawnByPerson => Status::Cancelled,
        }
    }

    /// The word for our extension, where the status says less; `None` where it says all.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Waiting | Self::UnderWay | Self::Completed => None,
            Self::CompletedWithHolds => Some("completed_with_holds"),
            Self::Rejected => Some("rejected"),
            Self::WithdrawnByPerson => Some("withdrawn_by_person"),
        }
    }
}
