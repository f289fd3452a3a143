//! Facts: what a source told us, immutable, never deleted except by an erasure.
//!
//! A fact keeps the words of its source: its list, its time, its status. What it *means* follows from the policy when
//! facts are folded into a [`Standing`](crate::Standing), so a corrected mapping corrects every decision.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::Digest as _;

use crate::address::Address;
use crate::channel::{Channel, Channels};
use crate::evidence::Evidence;
use crate::hashed::HashedAddress;
use crate::term::{Activity, Actor, Bounce, HoldBasis, Relation, Status, Via};
use crate::text::{CustomerNo, ListId, NoticeId, PersonId, PurposeId, PushId, RecordId, SystemId};
use crate::time::Occurred;

/// The identity of a fact: a digest of what happened, never of when we heard of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(pub [u8; 16]);

impl FactId {
    /// The id of something that `system` told, from the parts that make it what it is.
    ///
    /// The same parts give the same id however often, and whenever, they are delivered.
    ///
    /// ```
    /// use unisson_consent::FactId;
    /// assert_eq!(FactId::of(&["esp", "ev-77"]), FactId::of(&["esp", "ev-77"]));
    /// assert_ne!(FactId::of(&["esp", "ev-77"]), FactId::of(&["es", "pev-77"]));
    /// ```
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = sha2::Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}

impl fmt::Debug for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FactId({self})")
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Identifiers and attributes seen on a record or stated by an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// Addresses of any kind.
    pub addresses: Vec<Address>,
    /// Addresses known by a digest only.
    pub hashes: Vec<HashedAddress>,
    /// The customer number.
    pub customer: Option<CustomerNo>,
    /// The person's id, where people share a mailbox.
    pub person: Option<PersonId>,
    /// ISO 3166-1 alpha-2, upper-case.
    pub country: Option<Country>,
    /// Consumer or business.
    pub audience: Option<Audience>,
    /// Whether the address is a professional one.
    pub professional: Option<bool>,
    /// The day of birth.
    pub birth: Option<Date>,
}

/// A country, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Reads two letters in any case; `None` for anything else.
    ///
    /// ```
    /// use unisson_consent::Country;
    /// assert_eq!(Country::parse("fr").unwrap().as_str(), "FR");
    /// assert_eq!(Country::parse("France"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

/// Whom the relation is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Consumers.
    B2c,
    /// Businesses.
    B2b,
}

/// Which purposes an act names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purposes {
    /// All direct marketing.
    AllMarketing,
    /// These purposes.
    Named(Vec<PurposeId>),
    /// A list of the system that told us; the policy maps it to a purpose.
    List(ListId),
}

/// What an act covers. Grants are read narrowly, negatives widely.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// For what.
    pub purposes: Purposes,
    /// Over which channels.
    pub channels: Channels,
}

impl Default for Scope {
    /// What a negative without a scope covers: all direct marketing by e-mail.
    fn default() -> Self {
        Self { purposes: Purposes::AllMarketing, channels: Channels::one(Channel::Email) }
    }
}

/// A node of the identity graph: a record of a system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// Whose record.
    pub system: SystemId,
    /// Its native id there.
    pub record: RecordId,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The person said yes, and this is the proof.
    Grant {
        /// The proof.
        evidence: Evidence,
        /// When it ends by its own words.
        valid_until: Option<Timestamp>,
    },
    /// A confirmation was asked for and is still due.
    Request,
    /// The person said no when asked.
    Refuse,
    /// The person withdrew a consent (art. 7(3)).
    Withdraw,
    /// The person objected (art. 21).
    Object,
    /// The person reported spam.
    Complaint,
    /// The person asked to be erased (art. 17).
    EraseRequest {
        /// Whether it is certain who asked. Unverified, it counts as an objection.
        verified: bool,
    },
    /// A system without history shows its present state.
    Snapshot {
        /// What it shows.
        status: Status,
        /// What it can show for it.
        evidence: Evidence,
        /// How often the state had changed before, where the host counted: then each change is an event of its own.
        /// `None` for single polls: then the fold finds the runs.
        turn: Option<u32>,
    },
    /// Identifiers or attributes were seen, and nothing else is known.
    Attribute,
    /// A message came back.
    Bounce(Bounce),
    /// A message was delivered.
    Delivered,
    /// The person proved to control the address.
    ControlProof,
    /// A relation that may carry another basis.
    Relationship {
        /// Which.
        what: Relation,
        /// Whether an opt-out was offered when the address was collected.
        opt_out_offered: bool,
        /// Whether the offers are similar to what was sold.
        similar: bool,
    },
    /// A sign of life.
    Activity(Activity),
    /// The person was asked to requalify an old opt-in.
    Invite,
    /// A notice or single facts were declared void by an authority, a court or an audit.
    Invalidate {
        /// Void notices.
        notices: Vec<NoticeId>,
        /// Void facts.
        targets: Vec<FactId>,
    },
    /// A negative that no person made is taken back.
    Annul {
        /// Which.
        targets: Vec<FactId>,
        /// Who approved; two different people are needed.
        approvers: Vec<String>,
    },
    /// Processing is restricted (art. 18).
    Restrict,
    /// The restriction is lifted.
    Unrestrict,
    /// Staff blocked the contact.
    OperatorBlock,
    /// Staff lifted the block.
    OperatorUnblock,
    /// These records are one person.
    Link {
        /// Which.
        records: Vec<RecordRef>,
    },
    /// These groups are different people.
    Split {
        /// Which.
        groups: Vec<Vec<RecordRef>>,
    },
    /// The person moved from one address to another.
    AddressChange {
        /// The old one.
        from: Address,
        /// The new one.
        to: Address,
        /// Whether the person confirmed it from the new one.
        verified: bool,
    },
    /// Some data of the record must stay after an erasure (art. 17(3)).
    Hold {
        /// Why.
        basis: HoldBasis,
        /// Until when.
        until: Timestamp,
    },
}

/// One thing that happened, as one source told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its identity, which excludes when we heard of it.
    pub id: FactId,
    /// Who told us.
    pub system: SystemId,
    /// On which of its records.
    pub record: Option<RecordId>,
    /// Identifiers and attributes it named.
    pub who: Who,
    /// When the host first learnt of it. Bounds the time of the event, never orders it.
    pub observed_at: Timestamp,
    /// When it happened, in the source's words.
    pub occurred: Occurred,
    /// Its place in the source's own ordered log.
    pub seq: Option<u64>,
    /// Who performed the act.
    pub actor: Actor,
    /// Where it was performed.
    pub via: Via,
    /// What it covers.
    pub scope: Scope,
    /// What happened.
    pub kind: Kind,
    /// Our own write that it shows, if it is an echo.
    pub echo_of: Option<PushId>,
}
