//! Single words and codes in columns: what an action, a presence, a reason and the state of a run are called there.

use unisson_connector::{Action, Presence};
use unisson_consent::{Basis, Reason};

use super::envelope::corrupt;
use crate::error::Result;
use crate::store::RunState;

/// The code of an action. What shuts somebody out has the smaller codes, so that it sorts first.
pub fn action_code(action: Action) -> u8 {
    match action {
        Action::Suppress => 0,
        Action::MarkInvalid => 1,
        Action::Subscribe => 2,
        Action::Reconfirm => 3,
    }
}

/// The action of a code.
pub fn action(code: u8) -> Result<Action> {
    [Action::Suppress, Action::MarkInvalid, Action::Subscribe, Action::Reconfirm]
        .into_iter()
        .find(|action| action_code(*action) == code)
        .ok_or_else(|| corrupt("read a planned change", "its action is none"))
}

/// The code of a presence.
pub fn presence_code(presence: Presence) -> u8 {
    match presence {
        Presence::Present => 0,
        Presence::Archived => 1,
        Presence::Deleted => 2,
    }
}

/// The presence of a code.
pub fn presence(code: u8) -> Result<Presence> {
    [Presence::Present, Presence::Archived, Presence::Deleted]
        .into_iter()
        .find(|presence| presence_code(*presence) == code)
        .ok_or_else(|| corrupt("decode a replica", "its presence is none"))
}

/// The reasons that carry no further word.
pub(super) const REASONS: [Reason; 19] = [
    Reason::Consent,
    Reason::Erased,
    Reason::Restricted,
    Reason::OperatorBlock,
    Reason::IdentityConflict,
    Reason::AddressRetired,
    Reason::Undeliverable,
    Reason::Complaint,
    Reason::Objected,
    Reason::Withdrawn,
    Reason::Refused,
    Reason::Reassigned,
    Reason::Invalidated,
    Reason::Expired,
    Reason::Lapsed,
    Reason::MinorGuardianMissing,
    Reason::Unqualified,
    Reason::Requested,
    Reason::Unknown,
];

/// The reason of its word.
pub fn reason(word: &str) -> Result<Reason> {
    let bases = Basis::ALL.into_iter().map(|(basis, _)| Reason::Basis(basis));
    REASONS
        .into_iter()
        .chain(bases)
        .find(|reason| reason.as_str() == word)
        .ok_or_else(|| corrupt("read a planned change", "its reason is none"))
}

/// The state of a run of its word.
pub fn run_state(word: &str) -> Result<RunState> {
    RunState::ALL
        .into_iter()
        .find(|(_, known)| *known == word)
        .map(|(state, _)| state)
        .ok_or_else(|| corrupt("read a run", "its state is none"))
}
