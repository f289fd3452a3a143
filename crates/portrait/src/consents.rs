//! `consents.json`: one record for each purpose, channel and address, in the shape of ISO/IEC TS 27560:2023, as JSON-LD.
//!
//! The fields bear the names of the standard; what they say is in terms of the Data Privacy Vocabulary, as the W3C guide
//! for the standard has it. Refusals, withdrawals and objections are records like any other.

use jiff::Timestamp;
use serde::Serialize;
use unisson_consent::{ConsentStatus, NoticeId};
use unisson_plan::Explained;

use crate::act::Act;
use crate::portrait::{Known, Portrait};
use crate::{term, words};

/// What a mandatory field says where the controller has nothing to say.
const NOT_STATED: &str = "not stated";

/// The edition of the standard.
const STANDARD: &str = "ISO/IEC TS 27560:2023";

/// The party that all records name.
const PARTY: &str = "controller";

/// The whole file.
#[derive(Serialize)]
pub(crate) struct Consents {
    #[serde(rename = "@context")]
    context: Context,
    profile: &'static str,
    issued: Timestamp,
    records: Vec<Record>,
}

/// How the names are to be read: the standard's own, and the properties of the vocabulary.
#[derive(Serialize)]
struct Context {
    #[serde(rename = "@version")]
    version: f32,
    #[serde(rename = "@vocab")]
    vocab: &'static str,
    dpv: &'static str,
    #[serde(rename = "eu-gdpr")]
    eu_gdpr: &'static str,
    profile: Term,
    event_state: Term,
    lawful_basis: Term,
    purpose_type: Term,
    event_type: Term,
    privacy_rights: Term,
    consent_status: Term,
    event_time: Term,
    entity_id: Term,
    privacy_notice: Term,
    indication_method: Term,
}

/// One name of the context.
#[derive(Serialize)]
struct Term {
    #[serde(rename = "@id")]
    id: &'static str,
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

impl Term {
    /// A name whose values are terms.
    const fn of_terms(id: &'static str) -> Self {
        Self { id, kind: Some("@vocab") }
    }

    /// A name whose values are texts.
    const fn of_texts(id: &'static str) -> Self {
        Self { id, kind: None }
    }
}

#[expect(clippy::struct_field_names, reason = "the names of the standard")]
#[derive(Serialize)]
struct Record {
    schema_version: &'static str,
    record_id: String,
    pii_principal_id: String,
    consent_status: Vec<&'static str>,
    pii_processing: Processing,
    party_identification: [Party; 1],
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Processing {
    privacy_notice: Vec<String>,
    language: String,
    purpose: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_description: Option<String>,
    channel: &'static str,
    lawful_basis: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lawful_basis_rule: Option<String>,
    pii_information: [Pii; 1],
    pii_controllers: [&'static str; 1],
    storage_locations: Vec<String>,
    retention_period: Vec<String>,
    jurisdiction: String,
    recipient_third_parties: Vec<String>,
    withdrawal_method: String,
    privacy_rights: [&'static str; 10],
}

#[expect(clippy::struct_field_names, reason = "the names of the standard")]
#[derive(Serialize)]
struct Pii {
    pii_type: &'static str,
    pii_attribute_id: &'static str,
    pii_optional: bool,
    sensitive_pii_category: bool,
    special_pii_category: bool,
}

#[expect(clippy::struct_field_names, reason = "the names of the standard")]
#[derive(Serialize)]
struct Party {
    party_id: &'static str,
    party_address: String,
    party_name: String,
    party_contact: String,
    party_type: &'static str,
    party_role: &'static str,
}

#[expect(clippy::struct_field_names, reason = "the names of the standard")]
#[derive(Serialize)]
struct Event {
    event_time: Timestamp,
    not_before: Option<Timestamp>,
    not_after: Timestamp,
    validity_duration: String,
    entity_id: &'static str,
    event_type: String,
    event_state: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_level: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    indication_method: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    told_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fact: Option<String>,
}

impl Consents {
    pub(crate) fn of(portrait: &Portrait) -> Self {
        let mut records = Vec::new();
        for known in &portrait.known {
            for explained in &known.explanation.decisions {
                let acts = Act::all_about(known, explained, portrait);
                // Where nobody said anything and nothing is decided, there is nothing to record.
                if acts.is_empty() && explained.decision.status == ConsentStatus::Unknown {
                    continue;
                }
                let number = records.len() + 1;
                records.push(Record::of((known, explained), &acts, portrait, number));
            }
        }
        Self { context: CONTEXT, profile: term::PROFILE, issued: portrait.made_at, records }
    }
}

const CONTEXT: Context = Context {
    version: 1.1,
    vocab: "urn:iso:std:iso-iec:ts:27560#",
    dpv: term::DPV,
    eu_gdpr: term::EU_GDPR,
    profile: Term { id: "urn:iso:std:iso-iec:ts:27560#profile", kind: Some("@id") },
    event_state: Term::of_terms("dpv:hasConsentStatus"),
    lawful_basis: Term::of_terms("dpv:hasLegalBasis"),
    purpose_type: Term::of_terms("dpv:hasPurpose"),
    event_type: Term::of_terms("urn:iso:std:iso-iec:ts:27560#event_type"),
    privacy_rights: Term::of_terms("urn:iso:std:iso-iec:ts:27560#privacy_rights"),
    consent_status: Term::of_terms("dpv:hasConsentStatus"),
    event_time: Term::of_texts("dpv:isIndicatedAtTime"),
    entity_id: Term::of_texts("dpv:isIndicatedBy"),
    privacy_notice: Term::of_texts("dpv:hasNotice"),
    indication_method: Term::of_texts("dpv:hasIndicationMethod"),
};

impl Record {
    fn of((known, explained): (&Known, &Explained), acts: &[Act<'_>], portrait: &Portrait, number: usize) -> Self {
        let decision = &explained.decision;
        let renewed = acts.iter().any(|act| is_renewal(act, acts));
        let consent_status = term::states(decision.status, decision.reason, renewed);
        let mut events: Vec<Event> = acts.iter().map(|act| Event::of(act, acts, (portrait, &consent_status))).collect();
        if events.is_empty() {
            events.push(Event::decided(explained, (portrait, &consent_status)));
        }
        Self {
            schema_version: STANDARD,
            record_id: format!("{}-{number}", portrait.made_at.strftime("%Y%m%dT%H%M%SZ")),
            pii_principal_id: known.address.canonical().to_owned(),
            pii_processing: Processing::of((known, explained), acts, portrait),
            party_identification: [Party::of(portrait)],
            events,
            consent_status,
        }
    }
}

/// Whether a proven yes certainly came after an earlier proven one.
fn is_renewal(act: &Act<'_>, acts: &[Act<'_>]) -> bool {
    act.is_proven_yes() && acts.iter().any(|other| other.is_proven_yes() && act.told.at.is_after(&other.told.at))
}

impl Processing {
    fn of((known, explained): (&Known, &Explained), acts: &[Act<'_>], portrait: &Portrait) -> Self {
        let decision = &explained.decision;
        let purpose = portrait.purpose(&explained.purpose);
        let mut notices: Vec<String> =
            acts.iter().filter_map(|act| act.evidence()?.notice.as_ref()).map(NoticeId::to_string).collect();
        notices.sort();
        notices.dedup();
        let mut places: Vec<&str> =
            known.explanation.shows.iter().map(|shown| portrait.title_of(&shown.system)).collect();
        places.extend(acts.iter().map(|act| portrait.title_of(&act.told.system)));
        places.sort_unstable();
        places.dedup();
        Self {
            privacy_notice: or_not_stated(notices),
            language: portrait.languages.first().cloned().unwrap_or_else(|| "en".to_owned()),
            purpose: portrait.purpose_title(&explained.purpose),
            purpose_type: purpose.and_then(term::purpose),
            purpose_description: purpose.and_then(|purpose| purpose.description.clone()),
            channel: explained.channel.as_str(),
            lawful_basis: term::lawful_basis(decision.reason, decision.level),
            lawful_basis_rule: decision.rule.clone(),
            pii_information: [Pii {
                pii_type: words::address_kind(known.address.kind()),
                pii_attribute_id: known.address.kind().as_str(),
                pii_optional: false,
                sensitive_pii_category: false,
                special_pii_category: false,
            }],
            pii_controllers: [PARTY],
            storage_locations: or_not_stated(places.into_iter().map(str::to_owned).collect()),
            retention_period: or_not_stated(portrait.retention.clone()),
            jurisdiction: portrait.jurisdiction.as_str().to_owned(),
            recipient_third_parties: portrait.recipients.iter().map(|recipient| recipient.name.clone()).collect(),
            withdrawal_method: words::withdrawal(&portrait.controller),
            privacy_rights: term::RIGHTS,
        }
    }
}

fn or_not_stated(texts: Vec<String>) -> Vec<String> {
    if texts.is_empty() { vec![NOT_STATED.to_owned()] } else { texts }
}

impl Party {
    fn of(portrait: &Portrait) -> Self {
        let contact = portrait.controller.contact.clone().unwrap_or_else(|| NOT_STATED.to_owned());
        Self {
            party_id: PARTY,
            party_address: contact.clone(),
            party_name: portrait.controller.name.clone(),
            party_contact: contact,
            party_type: "organisation",
            party_role: "data controller",
        }
    }
}

impl Event {
    fn of(act: &Act<'_>, acts: &[Act<'_>], (portrait, standing): (&Portrait, &[&'static str])) -> Self {
        let told = act.told;
        let (event_type, event_state) = match act.says() {
            Some(says) => (
                term::event_type(says, act.evidence()).to_owned(),
                term::state_after(says, act.is_proven_yes(), is_renewal(act, acts)),
            ),
            None => (told.what.clone(), standing.to_vec()),
        };
        let until = act.valid_until().map(|until| format!("until {until}"));
        Self {
            event_time: act.time(),
            not_before: told.at.lo,
            not_after: told.at.hi,
            validity_duration: until.unwrap_or_else(|| "until withdrawn, refused or expired".to_owned()),
            entity_id: told.actor.as_str(),
            event_type,
            event_state,
            evidence_level: told.level.map(unisson_consent::Level::number),
            indication_method: act.evidence().map(words::proofs).unwrap_or_default(),
            told_by: Some(portrait.title_of(&told.system).to_owned()),
            fact: Some(told.id.to_string()),
        }
    }

    /// What a record tells that rests on no single act: the decision itself.
    fn decided(explained: &Explained, (portrait, standing): (&Portrait, &[&'static str])) -> Self {
        let until = explained.decision.valid_until.map(|until| format!("until {until}"));
        Self {
            event_time: portrait.made_at,
            not_before: Some(portrait.made_at),
            not_after: portrait.made_at,
            validity_duration: until.unwrap_or_else(|| "until refused".to_owned()),
            entity_id: PARTY,
            event_type: "decided from what is held".to_owned(),
            event_state: standing.to_vec(),
            evidence_level: None,
            indication_method: Vec::new(),
            told_by: None,
            fact: None,
        }
    }
}
