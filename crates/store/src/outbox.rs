//! The life of a planned change, from draft to its end. Every store moves its rows by these rules.

use unisson_plan::{OpenState, Settlement};

use crate::error::{Result, StoreError, StoreErrorKind};

/// How far a planned change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutboxState {
    /// Planned; the guard has not seen its run yet.
    Draft,
    /// Held by the guard until somebody approves its run.
    Held,
    /// Released, waiting for delivery.
    Pending,
    /// Being delivered.
    Leased,
    /// To be tried again from some time on.
    Later,
    /// The platform works on it.
    InFlight,
    /// The answer was lost.
    Unknown,
    /// Refused for good.
    Refused,
    /// Done.
    Done,
    /// The platform holds no such record.
    Gone,
    /// No longer wanted before it left the host.
    Cancelled,
}

impl OutboxState {
    /// Every state with the name used in stores and output.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Draft, "draft"),
        (Self::Held, "held"),
        (Self::Pending, "pending"),
        (Self::Leased, "leased"),
        (Self::Later, "later"),
        (Self::InFlight, "in_flight"),
        (Self::Unknown, "unknown"),
        (Self::Refused, "refused"),
        (Self::Done, "done"),
        (Self::Gone, "gone"),
        (Self::Cancelled, "cancelled"),
    ];

    /// The name used in stores and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(state, _)| state).ok_or_else(|| {
            StoreError::new(StoreErrorKind::Corrupt, "read a planned change", "its state is none: restore a backup")
        })
    }

    /// The state in which a change begins. What the person said is never held back.
    pub fn planned(by_person: bool) -> Self {
        if by_person { Self::Pending } else { Self::Draft }
    }

    /// How the planner sees it; `None` once it has ended.
    pub fn open(self) -> Option<OpenState> {
        match self {
            Self::Draft => Some(OpenState::Draft),
            Self::Held => Some(OpenState::Held),
            Self::Pending | Self::Later => Some(OpenState::Pending),
            Self::Leased => Some(OpenState::Leased),
            Self::InFlight => Some(OpenState::InFlight),
            Self::Unknown => Some(OpenState::Unknown),
            Self::Refused => Some(OpenState::Refused),
            Self::Done | Self::Gone | Self::Cancelled => None,
        }
    }

    /// Whether it waits to be let go or to be delivered: nothing of it is on its way, and nobody refused it.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Draft | Self::Held | Self::Pending | Self::Later)
    }

    /// Whether a settlement has ended it, so that a late one says nothing new.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Gone | Self::Cancelled | Self::Refused)
    }

    /// Whether it may be taken back.
    pub fn is_recallable(self) -> bool {
        self.open().is_some_and(OpenState::is_recallable)
    }

    /// The state after a settlement.
    pub fn after(settlement: &Settlement) -> Self {
        match settlement {
            Settlement::Done => Self::Done,
            Settlement::Gone => Self::Gone,
            Settlement::InFlight(_) => Self::InFlight,
            Settlement::Later(_) => Self::Later,
            Settlement::Refused(_) => Self::Refused,
            Settlement::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_name_and_reads_back() {
        for (state, name) in OutboxState::ALL {
            assert_eq!(state.as_str(), name);
            assert_eq!(OutboxState::parse(name).unwrap(), state);
        }
        assert!(OutboxState::parse("lost").is_err());
    }

    #[test]
    fn the_open_states_of_the_planner_have_the_same_names_here() {
        for (open, name) in OpenState::ALL {
            assert_eq!(OutboxState::parse(name).unwrap().open(), Some(open));
        }
    }
}
