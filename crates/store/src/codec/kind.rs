//! What happened: the kinds of fact with their evidence.

use serde::{Deserialize, Serialize};
use unisson_consent::{Evidence, FactId, Kind, NoticeId, RecordRef};

use super::mirror::{ActivityBody, BounceBody, HoldBasisBody, RelationBody, StatusBody};
use super::time::InstantBody;
use super::{Names, Needs, Numbers};
use crate::error::Result;

/// The stored form of [`Kind`]. The order of the variants is part of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KindBody {
    Grant { evidence: EvidenceBody, valid_until: Option<InstantBody> },
    Request,
    Refuse,
    Withdraw,
    Object,
    Complaint,
    EraseRequest { verified: bool },
    Snapshot { status: StatusBody, evidence: EvidenceBody, turn: Option<u32> },
    Attribute,
    Bounce(BounceBody),
    Delivered,
    ControlProof,
    Relationship { what: RelationBody, opt_out_offered: bool, similar: bool },
    Activity(ActivityBody),
    Invite,
    Invalidate { notices: Vec<String>, targets: Vec<[u8; 16]> },
    Annul { targets: Vec<[u8; 16]>, approvers: Vec<String> },
    Restrict,
    Unrestrict,
    OperatorBlock,
    OperatorUnblock,
    Link { records: Vec<u64> },
    Split { groups: Vec<Vec<u64>> },
    AddressChange { from: u64, to: u64, verified: bool },
    Hold { basis: HoldBasisBody, until: InstantBody },
}

/// The stored form of [`Evidence`]: its predicates as bits, then the notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EvidenceBody(u16, Option<String>);

const CAPTURE: u16 = 1;
const CONTROLLER_NAMED: u16 = 1 << 1;
const PURPOSE_SPECIFIC: u16 = 1 << 2;
const AFFIRMATIVE: u16 = 1 << 3;
const PRE_TICKED_KNOWN: u16 = 1 << 4;
const PRE_TICKED: u16 = 1 << 5;
const BUNDLED: u16 = 1 << 6;
const INFERRED: u16 = 1 << 7;
const DOI: u16 = 1 << 8;
const AUTHENTICATED: u16 = 1 << 9;
const SIGNED: u16 = 1 << 10;
const DOCUMENT: u16 = 1 << 11;

impl From<&Evidence> for EvidenceBody {
    fn from(evidence: &Evidence) -> Self {
        let predicates = [
            (evidence.capture, CAPTURE),
            (evidence.controller_named, CONTROLLER_NAMED),
            (evidence.purpose_specific, PURPOSE_SPECIFIC),
            (evidence.affirmative, AFFIRMATIVE),
            (evidence.pre_ticked.is_some(), PRE_TICKED_KNOWN),
            (evidence.pre_ticked == Some(true), PRE_TICKED),
            (evidence.bundled, BUNDLED),
            (evidence.inferred, INFERRED),
            (evidence.doi, DOI),
            (evidence.authenticated, AUTHENTICATED),
            (evidence.signed, SIGNED),
            (evidence.document, DOCUMENT),
        ];
        let bits = predicates.into_iter().filter(|(holds, _)| *holds).fold(0, |bits, (_, bit)| bits | bit);
        Self(bits, evidence.notice.as_ref().map(|notice| notice.as_str().to_owned()))
    }
}

impl EvidenceBody {
    pub(super) fn build(self) -> Evidence {
        let holds = |bit| self.0 & bit != 0;
        Evidence {
            capture: holds(CAPTURE),
            notice: self.1.as_deref().map(NoticeId::new),
            controller_named: holds(CONTROLLER_NAMED),
            purpose_specific: holds(PURPOSE_SPECIFIC),
            affirmative: holds(AFFIRMATIVE),
            pre_ticked: holds(PRE_TICKED_KNOWN).then_some(holds(PRE_TICKED)),
            bundled: holds(BUNDLED),
            inferred: holds(INFERRED),
            doi: holds(DOI),
            authenticated: holds(AUTHENTICATED),
            signed: holds(SIGNED),
            document: holds(DOCUMENT),
        }
    }
}

impl KindBody {
    pub(super) fn of(kind: &Kind, numbers: &Numbers) -> Result<Self> {
        Ok(match kind {
            Kind::Grant { evidence, valid_until } => {
                Self::Grant { evidence: evidence.into(), valid_until: valid_until.map(Into::into) }
            }
            Kind::Request => Self::Request,
            Kind::Refuse => Self::Refuse,
            Kind::Withdraw => Self::Withdraw,
            Kind::Object => Self::Object,
            Kind::Complaint => Self::Complaint,
            Kind::EraseRequest { verified } => Self::EraseRequest { verified: *verified },
            Kind::Snapshot { status, evidence, turn } => {
                Self::Snapshot { status: (*status).into(), evidence: evidence.into(), turn: *turn }
            }
            Kind::Attribute => Self::Attribute,
            Kind::Bounce(bounce) => Self::Bounce((*bounce).into()),
            Kind::Delivered => Self::Delivered,
            Kind::ControlProof => Self::ControlProof,
            Kind::Relationship { what, opt_out_offered, similar } => {
                Self::Relationship { what: (*what).into(), opt_out_offered: *opt_out_offered, similar: *similar }
            }
            Kind::Activity(activity) => Self::Activity((*activity).into()),
            Kind::Invite => Self::Invite,
            Kind::Invalidate { notices, targets } => Self::Invalidate {
                notices: notices.iter().map(|notice| notice.as_str().to_owned()).collect(),
                targets: targets.iter().map(|id| id.0).collect(),
            },
            Kind::Annul { targets, approvers } => {
                Self::Annul { targets: targets.iter().map(|id| id.0).collect(), approvers: approvers.clone() }
            }
            Kind::Restrict => Self::Restrict,
            Kind::Unrestrict => Self::Unrestrict,
            Kind::OperatorBlock => Self::OperatorBlock,
            Kind::OperatorUnblock => Self::OperatorUnblock,
            Kind::Link { records } => Self::Link { records: numbered(records, numbers)? },
            Kind::Split { groups } => {
                Self::Split { groups: groups.iter().map(|group| numbered(group, numbers)).collect::<Result<_>>()? }
            }
            Kind::AddressChange { from, to, verified } => Self::AddressChange {
                from: numbers.identifier(&from.into())?,
                to: numbers.identifier(&to.into())?,
                verified: *verified,
            },
            Kind::Hold { basis, until } => Self::Hold { basis: (*basis).into(), until: (*until).into() },
        })
    }

    /// Adds the numbers it speaks of.
    pub(super) fn needs(&self, needs: &mut Needs) {
        match self {
            Self::Link { records } => needs.records.extend(records),
            Self::Split { groups } => needs.records.extend(groups.iter().flatten()),
            Self::AddressChange { from, to, .. } => needs.identifiers.extend([*from, *to]),
            _ => {}
        }
    }

    pub(super) fn build(self, names: &Names) -> Result<Kind> {
        Ok(match self {
            Self::Grant { evidence, valid_until } => Kind::Grant {
                evidence: evidence.build(),
                valid_until: valid_until.map(InstantBody::build).transpose()?,
            },
            Self::Request => Kind::Request,
            Self::Refuse => Kind::Refuse,
            Self::Withdraw => Kind::Withdraw,
            Self::Object => Kind::Object,
            Self::Complaint => Kind::Complaint,
            Self::EraseRequest { verified } => Kind::EraseRequest { verified },
            Self::Snapshot { status, evidence, turn } => {
                Kind::Snapshot { status: status.into(), evidence: evidence.build(), turn }
            }
            Self::Attribute => Kind::Attribute,
            Self::Bounce(bounce) => Kind::Bounce(bounce.into()),
            Self::Delivered => Kind::Delivered,
            Self::ControlProof => Kind::ControlProof,
            Self::Relationship { what, opt_out_offered, similar } => {
                Kind::Relationship { what: what.into(), opt_out_offered, similar }
            }
            Self::Activity(activity) => Kind::Activity(activity.into()),
            Self::Invite => Kind::Invite,
            Self::Invalidate { notices, targets } => Kind::Invalidate {
                notices: notices.into_iter().map(NoticeId::new).collect(),
                targets: targets.into_iter().map(FactId).collect(),
            },
            Self::Annul { targets, approvers } => {
                Kind::Annul { targets: targets.into_iter().map(FactId).collect(), approvers }
            }
            Self::Restrict => Kind::Restrict,
            Self::Unrestrict => Kind::Unrestrict,
            Self::OperatorBlock => Kind::OperatorBlock,
            Self::OperatorUnblock => Kind::OperatorUnblock,
            Self::Link { records } => Kind::Link { records: named(&records, names)? },
            Self::Split { groups } => {
                Kind::Split { groups: groups.iter().map(|group| named(group, names)).collect::<Result<_>>()? }
            }
            Self::AddressChange { from, to, verified } => Kind::AddressChange {
                from: names.identifier(from)?.address()?,
                to: names.identifier(to)?.address()?,
                verified,
            },
            Self::Hold { basis, until } => Kind::Hold { basis: basis.into(), until: until.build()? },
        })
    }
}

fn numbered(records: &[RecordRef], numbers: &Numbers) -> Result<Vec<u64>> {
    records.iter().map(|record| numbers.record(record)).collect()
}

fn named(records: &[u64], names: &Names) -> Result<Vec<RecordRef>> {
    records.iter().map(|number| names.record(*number).cloned()).collect()
}
