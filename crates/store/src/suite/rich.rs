//! Facts and replicas in which everything is said that can be.

use jiff::civil::{Date, DateTime};
use unisson_connector::{Presence, StreamId};
use unisson_consent::{
    Activity, Actor, Address, Algorithm, Audience, Bounce, Country, CustomerNo, Evidence, Fact, FactId, HashedAddress,
    HoldBasis, Kind, Normalisation, Occurred, PersonId, Relation, Status, Via, Who,
};
use unisson_plan::{Digest, Replica, ReplicaSlot, Wrote};

use super::fixture::{at, contact, email, fact, list, record};

/// Every kind with every field used.
pub fn kinds() -> Vec<Kind> {
    let evidence = Evidence {
        capture: true,
        notice: Some("N3".into()),
        controller_named: true,
        purpose_specific: false,
        affirmative: true,
        pre_ticked: Some(false),
        bundled: false,
        inferred: true,
        doi: true,
        authenticated: false,
        signed: true,
        document: false,
    };
    let mut kinds = vec![
        Kind::Grant { evidence: evidence.clone(), valid_until: Some(jiff::Timestamp::MAX) },
        Kind::Grant { evidence: Evidence { pre_ticked: Some(true), ..Evidence::default() }, valid_until: None },
        Kind::Request,
        Kind::Refuse,
        Kind::Withdraw,
        Kind::Object,
        Kind::Complaint,
        Kind::EraseRequest { verified: true },
        Kind::EraseRequest { verified: false },
        Kind::Attribute,
        Kind::Delivered,
        Kind::ControlProof,
        Kind::Relationship { what: Relation::Sale, opt_out_offered: true, similar: false },
        Kind::Invite,
        Kind::Invalidate { notices: vec!["N1".into()], targets: vec![FactId([1; 16])] },
        Kind::Annul { targets: vec![FactId([2; 16])], approvers: vec!["one".to_owned(), "two".to_owned()] },
        Kind::Restrict,
        Kind::Unrestrict,
        Kind::OperatorBlock,
        Kind::OperatorUnblock,
        Kind::Link { records: vec![record("news", "a"), record("crm", "b")] },
        Kind::Split { groups: vec![vec![record("news", "a")], vec![record("crm", "b"), record("crm", "c")]] },
        Kind::AddressChange { from: email("old@example.org"), to: email("New@example.org"), verified: true },
        Kind::Hold { basis: HoldBasis::LegalClaims, until: at(1) },
    ];
    kinds.extend(Status::ALL.map(|(status, _)| Kind::Snapshot { status, evidence: evidence.clone(), turn: Some(3) }));
    kinds.extend(Activity::ALL.map(|(activity, _)| Kind::Activity(activity)));
    kinds.extend([Bounce::Hard, Bounce::Soft, Bounce::Reassigned, Bounce::Sender].map(Kind::Bounce));
    kinds
}

/// The same fact with everything said that can be.
pub fn rich(fact: Fact) -> Fact {
    let hashed = HashedAddress::of(&email("h@example.org"), &Algorithm::Md5(Normalisation::TrimLower)).unwrap();
    Fact {
        who: Who {
            addresses: vec![email(" Ada@Example.ORG"), Address::postal("1 rue de la Paix, 75002 Paris").unwrap()],
            hashes: vec![hashed],
            customer: Some(CustomerNo::new("C1")),
            person: Some(PersonId::new("P1")),
            country: Country::parse("FR"),
            audience: Some(Audience::B2b),
            professional: Some(true),
            birth: Some(Date::constant(1990, 2, 28)),
        },
        occurred: Occurred::Local(DateTime::constant(2026, 5, 2, 20, 1, 2, 3)),
        seq: Some(u64::MAX),
        actor: Actor::MailboxProvider,
        via: Via::Account,
        echo_of: Some("push-1".into()),
        ..fact
    }
}

/// A replica with everything in it, of the record `a` of `news`.
pub fn replica() -> Replica {
    let slot = |since, wrote| ReplicaSlot {
        scope: list("weekly"),
        status: Status::Complained,
        since,
        proof: 7,
        turn: 7,
        wrote,
    };
    let wrote = Wrote { before: Status::Subscribed, status: Status::Unsubscribed, at: at(1) };
    Replica {
        stream: StreamId("audience/1".to_owned()),
        presence: Presence::Archived,
        who: rich(fact("news", Some("a"), Kind::Attribute)).who,
        slots: vec![
            slot(Occurred::Unknown, None),
            slot(Occurred::Instant(jiff::Timestamp::MIN), Some(wrote)),
            slot(Occurred::Day(Date::constant(-1, 1, 1)), None),
        ],
        digest: Digest([3; 16]),
        ..contact("news", "a").replica
    }
}
