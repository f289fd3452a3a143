//! Standings: the decisions of one subject, cached until something changes.

use serde::{Deserialize, Serialize};
use unisson_consent::{Channels, Decision, FactId, Key, PurposeId, Reason};
use unisson_plan::KeyDecision;

use super::envelope::{self, corrupt};
use super::mirror::{BasisBody, ConsentStatusBody, LevelBody, VerdictBody};
use super::time::InstantBody;
use super::{Names, Needs, Numbers};
use crate::error::Result;

/// The decisions of a subject as they are kept, before their numbers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStanding(Vec<DecisionBody>);

/// The stored form of [`KeyDecision`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct DecisionBody {
    address: u64,
    person: Option<u64>,
    purpose: String,
    /// One channel, as the only bit of a set.
    channel: u16,
    verdict: VerdictBody,
    status: ConsentStatusBody,
    reason: ReasonBody,
    rule: Option<String>,
    facts: Vec<[u8; 16]>,
    level: LevelBody,
    negative: bool,
    refused_by_person: bool,
    valid_until: Option<InstantBody>,
    since: Option<InstantBody>,
}

/// The stored form of [`Reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ReasonBody {
    Consent,
    Basis(BasisBody),
    Erased,
    Restricted,
    OperatorBlock,
    IdentityConflict,
    AddressRetired,
    Undeliverable,
    Complaint,
    Objected,
    Withdrawn,
    Refused,
    Reassigned,
    Invalidated,
    Expired,
    Lapsed,
    MinorGuardianMissing,
    Unqualified,
    Requested,
    Unknown,
}

/// The bytes of the decisions of one subject.
pub fn encode_standing(decisions: &[KeyDecision], numbers: &Numbers) -> Result<Vec<u8>> {
    let bodies: Vec<DecisionBody> =
        decisions.iter().map(|known| DecisionBody::of(known, numbers)).collect::<Result<_>>()?;
    envelope::seal(&bodies)
}

impl StoredStanding {
    /// Reads the bytes of a standing.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        envelope::open(bytes, "decode a standing").map(Self)
    }

    /// Adds the numbers it speaks of.
    pub fn needs(&self, needs: &mut Needs) {
        for decision in &self.0 {
            needs.identifiers.insert(decision.address);
            needs.identifiers.extend(decision.person);
        }
    }

    /// The decisions, given what their numbers stand for.
    pub fn build(self, names: &Names) -> Result<Vec<KeyDecision>> {
        self.0.into_iter().map(|decision| decision.build(names)).collect()
    }
}

impl DecisionBody {
    fn of(known: &KeyDecision, numbers: &Numbers) -> Result<Self> {
        let (key, decision) = (&known.key, &known.decision);
        Ok(Self {
            address: numbers.identifier(&(&key.address).into())?,
            person: key.person.as_ref().map(|person| numbers.identifier(&person.into())).transpose()?,
            purpose: key.purpose.as_str().to_owned(),
            channel: Channels::one(key.channel).bits(),
            verdict: decision.verdict.into(),
            status: decision.status.into(),
            reason: decision.reason.into(),
            rule: decision.rule.clone(),
            facts: decision.facts.iter().map(|id| id.0).collect(),
            level: decision.level.into(),
            negative: decision.negative,
            refused_by_person: decision.refused_by_person,
            valid_until: decision.valid_until.map(Into::into),
            since: known.since.map(Into::into),
        })
    }

    fn build(self, names: &Names) -> Result<KeyDecision> {
        let channel = Channels::from_bits(self.channel).iter().next();
        let key = Key {
            address: names.identifier(self.address)?.address()?,
            purpose: PurposeId::new(self.purpose),
            channel: channel.ok_or_else(|| corrupt("decode a standing", "a channel is none"))?,
            person: self.person.map(|number| names.identifier(number)?.person()).transpose()?,
        };
        let decision = Decision {
            verdict: self.verdict.into(),
            status: self.status.into(),
            reason: self.reason.into(),
            rule: self.rule,
            facts: self.facts.into_iter().map(FactId).collect(),
            level: self.level.into(),
            negative: self.negative,
            refused_by_person: self.refused_by_person,
            valid_until: self.valid_until.map(InstantBody::build).transpose()?,
        };
        Ok(KeyDecision { key, decision, since: self.since.map(InstantBody::build).transpose()? })
    }
}

impl From<Reason> for ReasonBody {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Consent => Self::Consent,
            Reason::Basis(basis) => Self::Basis(basis.into()),
            Reason::Erased => Self::Erased,
            Reason::Restricted => Self::Restricted,
            Reason::OperatorBlock => Self::OperatorBlock,
            Reason::IdentityConflict => Self::IdentityConflict,
            Reason::AddressRetired => Self::AddressRetired,
            Reason::Undeliverable => Self::Undeliverable,
            Reason::Complaint => Self::Complaint,
            Reason::Objected => Self::Objected,
            Reason::Withdrawn => Self::Withdrawn,
            Reason::Refused => Self::Refused,
            Reason::Reassigned => Self::Reassigned,
            Reason::Invalidated => Self::Invalidated,
            Reason::Expired => Self::Expired,
            Reason::Lapsed => Self::Lapsed,
            Reason::MinorGuardianMissing => Self::MinorGuardianMissing,
            Reason::Unqualified => Self::Unqualified,
            Reason::Requested => Self::Requested,
            Reason::Unknown => Self::Unknown,
        }
    }
}

impl From<ReasonBody> for Reason {
    fn from(reason: ReasonBody) -> Self {
        match reason {
            ReasonBody::Consent => Self::Consent,
            ReasonBody::Basis(basis) => Self::Basis(basis.into()),
            ReasonBody::Erased => Self::Erased,
            ReasonBody::Restricted => Self::Restricted,
            ReasonBody::OperatorBlock => Self::OperatorBlock,
            ReasonBody::IdentityConflict => Self::IdentityConflict,
            ReasonBody::AddressRetired => Self::AddressRetired,
            ReasonBody::Undeliverable => Self::Undeliverable,
            ReasonBody::Complaint => Self::Complaint,
            ReasonBody::Objected => Self::Objected,
            ReasonBody::Withdrawn => Self::Withdrawn,
            ReasonBody::Refused => Self::Refused,
            ReasonBody::Reassigned => Self::Reassigned,
            ReasonBody::Invalidated => Self::Invalidated,
            ReasonBody::Expired => Self::Expired,
            ReasonBody::Lapsed => Self::Lapsed,
            ReasonBody::MinorGuardianMissing => Self::MinorGuardianMissing,
            ReasonBody::Unqualified => Self::Unqualified,
            ReasonBody::Requested => Self::Requested,
            ReasonBody::Unknown => Self::Unknown,
        }
    }
}
