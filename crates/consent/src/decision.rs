//! Decisions: the answer, its status, its one primary reason, and the facts behind it.

use jiff::Timestamp;

use crate::evidence::Level;
use crate::fact::FactId;
use crate::policy::Basis;

/// Whether the person may be contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No.
    Deny,
    /// Only to ask whether an old opt-in still holds.
    Ask,
    /// Yes.
    Allow,
}

impl Verdict {
    /// The name used in scenarios and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Allow => "allow",
        }
    }
}

/// Where the permission stands (consent model 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentStatus {
    /// Nobody said anything.
    Unknown,
    /// A confirmation is due.
    Requested,
    /// Somebody says they opted in; it cannot be demonstrated.
    Unqualified,
    /// A consent that can be demonstrated lives.
    Granted,
    /// Another legal basis carries the contact.
    NotRequired,
    /// The consent is too old.
    Expired,
    /// The opt-in was not requalified before the deadline.
    Lapsed,
    /// The consent was void, or somebody else has the address now.
    Invalidated,
    /// The person said no when asked.
    Refused,
    /// The person withdrew.
    Withdrawn,
    /// The person objected or complained.
    Objected,
    /// The person was erased.
    Erased,
}

impl ConsentStatus {
    /// The name used in scenarios and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Requested => "requested",
            Self::Unqualified => "unqualified",
            Self::Granted => "granted",
            Self::NotRequired => "not_required",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Invalidated => "invalidated",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Objected => "objected",
            Self::Erased => "erased",
        }
    }
}

/// The primary reason: the first that applies, in this order after the two that allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A live consent.
    Consent,
    /// Another legal basis.
    Basis(Basis),
    /// Erased (art. 17).
    Erased,
    /// Restricted (art. 18).
    Restricted,
    /// Blocked by staff.
    OperatorBlock,
    /// Two people share the address and one of them said no for himself.
    IdentityConflict,
    /// The person moved to another address.
    AddressRetired,
    /// Allowed, but the address is dead.
    Undeliverable,
    /// Reported as spam.
    Complaint,
    /// Objected (art. 21).
    Objected,
    /// Withdrawn (art. 7(3)).
    Withdrawn,
    /// Refused when asked.
    Refused,
    /// Somebody else has the address now.
    Reassigned,
    /// The notice was void.
    Invalidated,
    /// Too old.
    Expired,
    /// Not requalified before the deadline.
    Lapsed,
    /// A child without a guardian's consent (art. 8).
    MinorGuardianMissing,
    /// An opt-in that cannot be demonstrated.
    Unqualified,
    /// A confirmation is due.
    Requested,
    /// Nobody said anything.
    Unknown,
}

impl Reason {
    /// The name used in scenarios and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "ok_consent",
            Self::Basis(Basis::SoftOptIn) => "ok_soft_opt_in",
            Self::Basis(Basis::LegitimateInterest) => "ok_legitimate_interest",
            Self::Basis(Basis::Contract) => "ok_contract",
            Self::Basis(Basis::ContractInProgress) => "ok_contract_in_progress",
            Self::Basis(Basis::LegalObligation) => "ok_legal_obligation",
            Self::Basis(Basis::ImpliedConsent) => "ok_implied_consent",
            Self::Basis(Basis::OptOutRegime) => "ok_opt_out_regime",
            Self::Erased => "erased",
            Self::Restricted => "restricted",
            Self::OperatorBlock => "operator_block",
            Self::IdentityConflict => "identity_conflict",
            Self::AddressRetired => "address_retired",
            Self::Undeliverable => "undeliverable",
            Self::Complaint => "complaint",
            Self::Objected => "objected",
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
            Self::Reassigned => "reassigned",
            Self::Invalidated => "invalidated",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::MinorGuardianMissing => "minor_guardian_missing",
            Self::Unqualified => "unqualified",
            Self::Requested => "requested",
            Self::Unknown => "unknown",
        }
    }
}

/// The answer for one key. A cache entry at most, never a source of truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// May the person be contacted?
    pub verdict: Verdict,
    /// Where the permission stands.
    pub status: ConsentStatus,
    /// Why, in one word.
    pub reason: Reason,
    /// The rule of the policy that gives the basis, where it is not consent.
    pub rule: Option<String>,
    /// The facts the answer rests on, in the order of their ids.
    pub facts: Vec<FactId>,
    /// The best evidence level of any opt-in for the key, standing or not.
    pub level: Level,
    /// Whether a negative covers the key, lifted or not.
    pub negative: bool,
    /// Whether a negative that still stands was performed by the person, a guardian or the person's mailbox provider.
    pub refused_by_person: bool,
    /// The next instant at which time alone may change the answer.
    pub valid_until: Option<Timestamp>,
}

impl Decision {
    /// The strictest of several answers about one address; it holds until the first of theirs may change.
    pub(crate) fn strictest(answers: Vec<Self>) -> Option<Self> {
        let valid_until = answers.iter().filter_map(|answer| answer.valid_until).min();
        let strictest = answers.into_iter().min_by_key(|answer| (answer.verdict, answer.reason))?;
        Some(Self { valid_until, ..strictest })
    }
}
