//! A task: the erasure of one record.

use jiff::Timestamp;
use unisson_connector::Ticket;

/// How often a record is asked to be erased before somebody has to look.
pub const ATTEMPTS_MAX: u32 = 5;

/// How far the erasure of a record has come (consent model 6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// To be done.
    Pending,
    /// The call is on its way, or its answer was lost.
    Sent,
    /// The platform took it on, or says that it is done; no read has agreed yet.
    Accepted(Option<Ticket>),
    /// A read saw nothing; another one, after the vendor's delay, is due. By hand: somebody showed that it is done.
    Done,
    /// Every read saw nothing.
    VerifiedAbsent,
    /// A legal hold keeps the record, or the named part of it, until then.
    Held {
        /// Until when.
        until: Timestamp,
    },
    /// The platform will not; a code says why. Somebody has to act.
    Refused(String),
    /// The platform does not answer; it is asked again.
    Unreachable,
    /// It cannot be done, and somebody answers for the reason.
    Impossible(String),
}

impl TaskState {
    /// The name used in stores and output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Accepted(_) => "accepted",
            Self::Done => "done",
            Self::VerifiedAbsent => "verified_absent",
            Self::Held { .. } => "held",
            Self::Refused(_) => "refused",
            Self::Unreachable => "unreachable",
            Self::Impossible(_) => "impossible",
        }
    }

    /// Its place in one round. Within a round a task never goes back; what looked done may still turn out to be refused, and
    /// what was refused may be done by hand.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Sent => 1,
            Self::Unreachable => 2,
            Self::Accepted(_) => 3,
            Self::Done | Self::Refused(_) => 4,
            Self::Held { .. } | Self::VerifiedAbsent | Self::Impossible(_) => 5,
        }
    }
}

/// The erasure of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// How far it has come.
    pub state: TaskState,
    /// How often it began: once more where a record was still there, came back, or where a hold ended.
    pub round: u32,
    /// How many calls of this round failed or were in vain.
    pub attempts: u32,
    /// When the next call is due; `None` where none is.
    pub due_at: Option<Timestamp>,
    /// When the platform said that the record is gone.
    pub told_at: Option<Timestamp>,
    /// When a read first saw nothing.
    pub absent_at: Option<Timestamp>,
    /// The digest of the vendor's answer, or of the evidence of what was done by hand.
    pub receipt: Option<[u8; 32]>,
    /// What a reader of the certificate should know: that a read was refused, that the platform archives. Nothing personal.
    pub note: Option<String>,
}

impl Task {
    /// A task that is due.
    pub fn new(now: Timestamp) -> Self {
        Self {
            state: TaskState::Pending,
            round: 1,
            attempts: 0,
            due_at: Some(now),
            told_at: None,
            absent_at: None,
            receipt: None,
            note: None,
        }
    }

    /// Whether nothing is left to do or to look at.
    pub fn is_settled(&self) -> bool {
        match self.state {
            TaskState::VerifiedAbsent | TaskState::Held { .. } | TaskState::Impossible(_) => true,
            TaskState::Done => self.due_at.is_none(),
            TaskState::Pending
            | TaskState::Sent
            | TaskState::Accepted(_)
            | TaskState::Refused(_)
            | TaskState::Unreachable => false,
        }
    }

    /// Whether only a person can bring it further.
    pub fn needs_somebody(&self) -> bool {
        matches!(self.state, TaskState::Refused(_))
    }

    /// Until when a hold keeps it.
    pub fn held_until(&self) -> Option<Timestamp> {
        match self.state {
            TaskState::Held { until } => Some(until),
            _ => None,
        }
    }

    /// Begins anew.
    pub(super) fn again(&mut self, at: Timestamp) {
        self.state = TaskState::Pending;
        self.round += 1;
        self.attempts = 0;
        self.due_at = Some(at);
        (self.told_at, self.absent_at) = (None, None);
    }
}
