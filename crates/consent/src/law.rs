//! What a fold needs beside the facts: the policy, the systems, the keys of tombstones, and what the host itself wrote.

use jiff::Timestamp;

use crate::address::Address;
use crate::channel::Channel;
use crate::fact::Scope;
use crate::hashed::Keyring;
use crate::policy::Policy;
use crate::system::Systems;
use crate::text::{PersonId, PurposeId, PushId, SystemId};

/// The policy with everything it is read against. The same facts under the same law give the same answer.
#[derive(Debug, Clone)]
pub struct Law {
    /// What counsel decided.
    pub policy: Policy,
    /// How far each source can be trusted.
    pub systems: Systems,
    /// Keys of tombstones.
    pub keyring: Keyring,
}

/// What must be done next in a system (consent model 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Opt out: denied and believed subscribed, or a negative that the system has not recorded.
    Suppress,
    /// The consent is fine, the address is dead.
    MarkInvalid,
    /// Opt in: only on a live consent.
    Subscribe,
    /// Let the vendor ask the person.
    Reconfirm,
    /// The vendor refuses for good: tell the operator. Dodging the block is forbidden.
    ReportVendorBlock,
    /// Keep out of normal sends, in the segment that is asked to requalify.
    RequalOnly,
    /// Store only (art. 18).
    Restrict,
    /// Erase.
    Erase,
    /// Erase again: the person was brought back.
    ReErase,
    /// Erase all but what a hold keeps.
    EraseExceptHold,
}

impl Verb {
    /// Every verb with the name used in scenarios and output.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Suppress, "suppress"),
        (Self::MarkInvalid, "mark_invalid"),
        (Self::Subscribe, "subscribe"),
        (Self::Reconfirm, "reconfirm"),
        (Self::ReportVendorBlock, "report_vendor_block"),
        (Self::RequalOnly, "requal_only"),
        (Self::Restrict, "restrict"),
        (Self::Erase, "erase"),
        (Self::ReErase, "re_erase"),
        (Self::EraseExceptHold, "erase_except_hold"),
    ];

    /// The name used in scenarios and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Reads a name; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(verb, _)| verb)
    }
}

/// A write the host made: what comes back of it is an echo and no fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPush {
    /// Its id.
    pub id: PushId,
    /// Where it was written.
    pub system: SystemId,
    /// When.
    pub at: Timestamp,
    /// Which purposes and channels.
    pub scope: Scope,
    /// What was done.
    pub verb: Verb,
    /// Whether the system said that it is done.
    pub acknowledged: bool,
}

/// What a decision is about. The subject follows from the identity graph; `person` tells people apart who share a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The address that would be used.
    pub address: Address,
    /// For what.
    pub purpose: PurposeId,
    /// Over which channel.
    pub channel: Channel,
    /// Whose, where people share the address.
    pub person: Option<PersonId>,
}
