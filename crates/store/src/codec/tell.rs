//! Facts in words, as they stand in an export: a function of their bytes alone, so that whoever has the bytes can tell
//! whether the words are true. Records and identifiers stay the numbers they are.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::Serialize;
use unisson_consent::{Actor, Audience, Bounce, Evidence, HoldBasis, Occurred, Purposes, Relation, Scope, Status, Via};

use super::fact::StoredFact;
use super::kind::KindBody;
use super::who::WhoBody;
use super::{About, mirror};
use crate::error::Result;

/// A fact in words, to be written as JSON; LEDGER-EXPORT.md describes its keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// What happened, such as `withdraw`.
    kind: &'static str,
    /// What the kind carries beside its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
    /// The number of the record it is told on, where it is kept with another.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    /// When the host learnt of it.
    observed_at: Timestamp,
    /// When it happened, in the source's words; `None` where it gave no time.
    occurred: Option<ToldTime>,
    /// Its place in the source's own log.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_seq: Option<u64>,
    /// Who performed the act.
    actor: &'static str,
    /// Where it was performed.
    via: &'static str,
    /// For what.
    purposes: ToldPurposes,
    /// Over which channels.
    channels: Vec<&'static str>,
    /// The numbers of the identifiers that it names, and what else it says of the person.
    who: ToldWho,
    /// The host's own write that it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    echo_of: Option<String>,
}

/// A source's word on time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ToldTime {
    /// An instant.
    Instant(Timestamp),
    /// A local time without a zone.
    Local(DateTime),
    /// A calendar day.
    Day(Date),
}

/// For what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ToldPurposes {
    /// All direct marketing.
    AllMarketing,
    /// These purposes.
    Named(Vec<String>),
    /// Whatever this list of the source is for.
    List(String),
}

/// The person, by numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
struct ToldWho {
    /// Addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<u64>,
    /// Addresses of which a digest is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<u64>,
    /// The customer number.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<u64>,
    /// The person's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<u64>,
    /// The day of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    birth: Option<u64>,
    /// The country, as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// `b2c` or `b2b`.
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'static str>,
    /// Whether the address is a professional one.
    #[serde(skip_serializing_if = "Option::is_none")]
    professional: Option<bool>,
}

/// The proof of an opt-in, with the level that its predicates reach by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the predicates of evidence, each with its own meaning")]
struct ToldEvidence {
    level: u8,
    capture: bool,
    notice: Option<String>,
    controller_named: bool,
    purpose_specific: bool,
    affirmative: bool,
    pre_ticked: Option<bool>,
    bundled: bool,
    inferred: bool,
    doi: bool,
    authenticated: bool,
    signed: bool,
    document: bool,
}

/// What a kind of fact carries; the fields are described with `unisson_consent::Kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Detail {
    Grant { evidence: ToldEvidence, valid_until: Option<Timestamp> },
    Erase { verified: bool },
    Snapshot { status: &'static str, evidence: ToldEvidence, turn: Option<u32> },
    Bounce { bounce: &'static str },
    Relationship { relation: &'static str, opt_out_offered: bool, similar: bool },
    Activity { activity: &'static str },
    Invalidate { notices: Vec<String>, targets: Vec<String> },
    Annul { targets: Vec<String>, approvers: usize },
    Link { records: Vec<u64> },
    Split { groups: Vec<Vec<u64>> },
    Moved { from: u64, to: u64, verified: bool },
    Hold { basis: &'static str, until: Timestamp },
}

impl StoredFact {
    /// The fact in words.
    pub fn tell(&self) -> Result<Told> {
        let body = self.body();
        let (kind, detail) = kind(&body.kind)?;
        let scope: Scope = body.scope.clone().into();
        Ok(Told {
            kind,
            detail,
            record: match self.about() {
                About::Record(number) => Some(number),
                About::Row | About::Nothing => None,
            },
            observed_at: body.observed_at.build()?,
            occurred: match body.occurred.build()? {
                Occurred::Unknown => None,
                Occurred::Instant(at) => Some(ToldTime::Instant(at)),
                Occurred::Local(local) => Some(ToldTime::Local(local)),
                Occurred::Day(day) => Some(ToldTime::Day(day)),
            },
            source_seq: body.seq,
            actor: Actor::from(body.actor).as_str(),
            via: match body.via.into() {
                Via::Message => "message",
                Via::Account => "account",
            },
            channels: scope.channels.iter().map(unisson_consent::Channel::as_str).collect(),
            purposes: purposes(scope.purposes),
            who: who(&body.who),
            echo_of: body.echo_of.clone(),
        })
    }

    /// Whether its bytes name somebody: the people who approved an annulment stand in them as they were written.
    pub fn names_somebody(&self) -> bool {
        matches!(&self.body().kind, KindBody::Annul { approvers, .. } if !approvers.is_empty())
    }
}

fn purposes(purposes: Purposes) -> ToldPurposes {
    match purposes {
        Purposes::AllMarketing => ToldPurposes::AllMarketing,
        Purposes::Named(named) => {
            ToldPurposes::Named(named.iter().map(|purpose| purpose.as_str().to_owned()).collect())
        }
        Purposes::List(list) => ToldPurposes::List(list.as_str().to_owned()),
    }
}

fn who(who: &WhoBody) -> ToldWho {
    ToldWho {
        addresses: who.addresses.clone(),
        hashes: who.hashes.clone(),
        customer: who.customer,
        person: who.person,
        birth: who.birth,
        country: who.country.map(|letters| String::from_utf8_lossy(&letters).into_owned()),
        audience: who.audience.map(|audience| match audience.into() {
            Audience::B2c => "b2c",
            Audience::B2b => "b2b",
        }),
        professional: who.professional,
    }
}

fn evidence(evidence: &Evidence) -> ToldEvidence {
    ToldEvidence {
        level: evidence.level().number(),
        capture: evidence.capture,
        notice: evidence.notice.as_ref().map(|notice| notice.as_str().to_owned()),
        controller_named: evidence.controller_named,
        purpose_specific: evidence.purpose_specific,
        affirmative: evidence.affirmative,
        pre_ticked: evidence.pre_ticked,
        bundled: evidence.bundled,
        inferred: evidence.inferred,
        doi: evidence.doi,
        authenticated: evidence.authenticated,
        signed: evidence.signed,
        document: evidence.document,
    }
}

fn kind(body: &KindBody) -> Result<(&'static str, Option<Detail>)> {
    let until = |until: &super::time::InstantBody| until.build();
    Ok(match body {
        KindBody::Grant { evidence: proof, valid_until } => {
            let valid_until = valid_until.as_ref().map(until).transpose()?;
            ("grant", Some(Detail::Grant { evidence: evidence(&proof.clone().build()), valid_until }))
        }
        KindBody::Request => ("request", None),
        KindBody::Refuse => ("refuse", None),
        KindBody::Withdraw => ("withdraw", None),
        KindBody::Object => ("object", None),
        KindBody::Complaint => ("complaint", None),
        KindBody::EraseRequest { verified } => ("erase_request", Some(Detail::Erase { verified: *verified })),
        KindBody::Snapshot { status, evidence: proof, turn } => {
            let status = Status::from(*status).as_str();
            let evidence = evidence(&proof.clone().build());
            ("snapshot", Some(Detail::Snapshot { status, evidence, turn: *turn }))
        }
        KindBody::Attribute => ("attribute", None),
        KindBody::Bounce(bounce) => ("bounce", Some(Detail::Bounce { bounce: bounced(*bounce) })),
        KindBody::Delivered => ("delivered", None),
        KindBody::ControlProof => ("control_proof", None),
        KindBody::Relationship { what, opt_out_offered, similar } => {
            let relation = Relation::from(*what).as_str();
            let (opt_out_offered, similar) = (*opt_out_offered, *similar);
            ("relationship", Some(Detail::Relationship { relation, opt_out_offered, similar }))
        }
        KindBody::Activity(what) => {
            ("activity", Some(Detail::Activity { activity: unisson_consent::Activity::from(*what).as_str() }))
        }
        KindBody::Invite => ("invite", None),
        KindBody::Invalidate { notices, targets } => {
            ("invalidate", Some(Detail::Invalidate { notices: notices.clone(), targets: ids(targets) }))
        }
        KindBody::Annul { targets, approvers } => {
            ("annul", Some(Detail::Annul { targets: ids(targets), approvers: approvers.len() }))
        }
        KindBody::Restrict => ("restrict", None),
        KindBody::Unrestrict => ("unrestrict", None),
        KindBody::OperatorBlock => ("operator_block", None),
        KindBody::OperatorUnblock => ("operator_unblock", None),
        KindBody::Link { records } => ("link", Some(Detail::Link { records: records.clone() })),
        KindBody::Split { groups } => ("split", Some(Detail::Split { groups: groups.clone() })),
        KindBody::AddressChange { from, to, verified } => {
            ("address_change", Some(Detail::Moved { from: *from, to: *to, verified: *verified }))
        }
        KindBody::Hold { basis, until } => ("hold", Some(Detail::Hold { basis: held(*basis), until: until.build()? })),
    })
}

fn bounced(bounce: mirror::BounceBody) -> &'static str {
    match bounce.into() {
        Bounce::Hard => "hard",
        Bounce::Soft => "soft",
        Bounce::Reassigned => "reassigned",
        Bounce::Sender => "sender",
    }
}

fn held(basis: mirror::HoldBasisBody) -> &'static str {
    match basis.into() {
        HoldBasis::LegalObligation => "legal_obligation",
        HoldBasis::LegalClaims => "legal_claims",
        HoldBasis::Contract => "contract",
    }
}

fn ids(ids: &[[u8; 16]]) -> Vec<String> {
    ids.iter().map(|id| unisson_consent::FactId(*id).to_string()).collect()
}
