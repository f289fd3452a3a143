//! The terms of the Data Privacy Vocabulary (W3C DPV 2.3) that records of consent are told in.
//!
//! Every term stands here and nowhere else. What the vocabulary has no term for is told in words of our own instead.

use unisson_consent::{Basis, ConsentStatus, Evidence, Family, Level, Reason};

use crate::act::Says;
use crate::portrait::ToldPurpose;

/// The vocabulary, and the extension for the GDPR, with the prefixes that stand for them.
pub(crate) const DPV: &str = "https://w3id.org/dpv#";
pub(crate) const EU_GDPR: &str = "https://w3id.org/dpv/legal/eu/gdpr#";

/// The profile that the records keep to.
pub(crate) const PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr";

/// The rights of a person, by article: withdrawal, access to objection, complaint.
pub(crate) const RIGHTS: [&str; 10] = [
    "eu-gdpr:A7-3",
    "eu-gdpr:A15",
    "eu-gdpr:A16",
    "eu-gdpr:A17",
    "eu-gdpr:A18",
    "eu-gdpr:A19",
    "eu-gdpr:A20",
    "eu-gdpr:A21",
    "eu-gdpr:A22",
    "eu-gdpr:A77",
];

const GIVEN: &str = "dpv:ConsentGiven";
const RENEWED: &str = "dpv:RenewedConsentGiven";
const UNKNOWN: &str = "dpv:ConsentUnknown";
const REQUESTED: &str = "dpv:ConsentRequested";
const REFUSED: &str = "dpv:ConsentRefused";
const WITHDRAWN: &str = "dpv:ConsentWithdrawn";
const INVALIDATED: &str = "dpv:ConsentInvalidated";
const OBJECTED: &str = "dpv:LegitimateInterestObjected";
const NOT_OBJECTED: &str = "dpv:LegitimateInterestNotObjected";

/// The purposes that the vocabulary is known to have.
const PURPOSES: [&str; 17] = [
    "Marketing",
    "DirectMarketing",
    "Advertising",
    "PersonalisedAdvertising",
    "TargetedAdvertising",
    "SocialMediaMarketing",
    "CommunicationManagement",
    "CommunicationForCustomerCare",
    "CustomerOrderManagement",
    "CustomerRelationshipManagement",
    "RequestedServiceProvision",
    "PaymentManagement",
    "SellDataToThirdParties",
    "LegalCompliance",
    "FulfilmentOfContractualObligation",
    "RightsFulfilment",
    "RecordManagement",
];

/// Where a permission stands. An objection is told as both: to any other basis, and to a consent. So is an erasure, which
/// the vocabulary has no status for: it is the strongest no there is.
pub(crate) fn states(status: ConsentStatus, reason: Reason, renewed: bool) -> Vec<&'static str> {
    match status {
        ConsentStatus::Granted => vec![if renewed { RENEWED } else { GIVEN }],
        ConsentStatus::Requested => vec![REQUESTED],
        ConsentStatus::Unqualified | ConsentStatus::Unknown => vec![UNKNOWN],
        ConsentStatus::Refused => vec![REFUSED],
        ConsentStatus::Withdrawn => vec![WITHDRAWN],
        ConsentStatus::Expired => vec!["dpv:ConsentExpired"],
        ConsentStatus::Invalidated => vec![INVALIDATED],
        ConsentStatus::Lapsed => vec!["dpv:ConsentRevoked"],
        ConsentStatus::Objected | ConsentStatus::Erased => vec![OBJECTED, WITHDRAWN],
        ConsentStatus::NotRequired => vec![match reason {
            Reason::Basis(Basis::Contract) => "dpv:ContractPerformance",
            Reason::Basis(Basis::ContractInProgress) => "dpv:Contract",
            Reason::Basis(Basis::LegalObligation) => "dpv:LegalObligation",
            _ => NOT_OBJECTED,
        }],
    }
}

/// What one act made of the permission.
pub(crate) fn state_after(says: Says, proven: bool, renewed: bool) -> Vec<&'static str> {
    match says {
        Says::Yes if proven => vec![if renewed { RENEWED } else { GIVEN }],
        Says::Yes => vec![UNKNOWN],
        Says::Asked => vec![REQUESTED],
        Says::Refused => vec![REFUSED],
        Says::Withdrawn => vec![WITHDRAWN],
        Says::Objected => vec![OBJECTED, WITHDRAWN],
        Says::Void => vec![INVALIDATED],
    }
}

/// The kind of consent that an act expressed, or what the act did where it gave none.
pub(crate) fn event_type(says: Says, evidence: Option<&Evidence>) -> &'static str {
    match says {
        Says::Yes => consent_type(evidence),
        Says::Asked => "dpv:ObtainConsent",
        Says::Refused => "dpv:RefuseConsent",
        Says::Withdrawn | Says::Objected => "dpv:WithdrawConsent",
        Says::Void => "dpv:ManageConsent",
    }
}

fn consent_type(evidence: Option<&Evidence>) -> &'static str {
    match evidence {
        Some(evidence) if evidence.pre_ticked == Some(true) || evidence.inferred => "dpv:ImpliedConsent",
        Some(evidence) if evidence.level() == Level::Signed => "dpv:ExplicitlyExpressedConsent",
        Some(evidence) if evidence.affirmative => "dpv:ExpressedConsent",
        Some(evidence) if evidence.notice.is_some() => "dpv:InformedConsent",
        _ => "dpv:UninformedConsent",
    }
}

/// The basis of the processing: terms, or words where there is no term. Where nothing allows it, consent is what it would
/// need.
pub(crate) fn lawful_basis(reason: Reason, level: Level) -> Vec<&'static str> {
    match reason {
        Reason::Consent if level == Level::Signed => vec!["dpv:Consent", "eu-gdpr:A6-1-a-explicit-consent"],
        Reason::Consent => vec!["dpv:Consent", "eu-gdpr:A6-1-a-non-explicit-consent"],
        Reason::Basis(Basis::LegitimateInterest) => {
            vec!["dpv:LegitimateInterestOfController", "eu-gdpr:A6-1-f-controller"]
        }
        Reason::Basis(Basis::Contract) => vec!["dpv:ContractPerformance", "eu-gdpr:A6-1-b-contract-performance"],
        Reason::Basis(Basis::ContractInProgress) => vec!["dpv:Contract"],
        Reason::Basis(Basis::LegalObligation) => vec!["dpv:LegalObligation", "eu-gdpr:A6-1-c"],
        Reason::Basis(basis @ (Basis::SoftOptIn | Basis::ImpliedConsent | Basis::OptOutRegime)) => {
            vec![basis.as_str()]
        }
        _ => vec!["dpv:Consent", "eu-gdpr:A6-1-a"],
    }
}

/// The term of a purpose: the policy's own, where the vocabulary is known to have it, or the family's.
pub(crate) fn purpose(purpose: &ToldPurpose) -> Option<String> {
    let named = purpose.dpv.as_deref().and_then(|iri| iri.strip_prefix(DPV)).filter(|name| PURPOSES.contains(name));
    let family = (purpose.family == Family::Marketing).then_some("Marketing");
    named.or(family).map(|name| format!("dpv:{name}"))
}
