//! `consents.json`: the shape of ISO/IEC TS 27560, the terms of the vocabulary.

use std::collections::BTreeSet;

use serde_json::Value;
use unisson_consent::{Basis, ConsentStatus, Reason, Verdict};

use crate::document;
use crate::example::{ada, empty};

fn records(portrait: &unisson_portrait::Portrait) -> Vec<Value> {
    let data: Value = serde_json::from_str(&document(portrait, "consents.json")).expect("JSON");
    data["records"].as_array().expect("records").clone()
}

/// The record of this purpose, channel and address.
fn record(portrait: &unisson_portrait::Portrait, purpose: &str, channel: &str) -> Value {
    let found: Vec<Value> = records(portrait)
        .into_iter()
        .filter(|record| {
            let processing = &record["pii_processing"];
            processing["purpose"] == purpose && processing["channel"] == channel
        })
        .collect();
    assert_eq!(found.len(), 1, "one record of {purpose} by {channel}");
    found[0].clone()
}

#[test]
fn the_records_of_a_rich_portrait() {
    insta::assert_snapshot!(document(&ada(), "consents.json"));
}

#[test]
fn every_mandatory_field_says_something() {
    let header = ["schema_version", "record_id", "pii_principal_id"];
    let processing = [
        "privacy_notice",
        "language",
        "purpose",
        "lawful_basis",
        "pii_information",
        "pii_controllers",
        "storage_locations",
        "retention_period",
        "jurisdiction",
        "withdrawal_method",
    ];
    let party = ["party_id", "party_address", "party_name", "party_contact", "party_type"];
    let event = ["event_time", "validity_duration", "entity_id", "event_type", "event_state"];
    let says = |value: &Value| match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    let records = records(&ada());
    assert!(records.len() > 5);
    let mut ids = BTreeSet::new();
    for record in &records {
        let fields = header.iter().map(|key| &record[*key]);
        let fields = fields.chain(processing.iter().map(|key| &record["pii_processing"][*key]));
        let fields = fields.chain(party.iter().map(|key| &record["party_identification"][0][*key]));
        assert!(fields.into_iter().all(says), "{record:#}");
        assert!(record["pii_processing"]["recipient_third_parties"].is_array());
        let events = record["events"].as_array().expect("events");
        assert!(!events.is_empty());
        assert!(events.iter().all(|it| event.iter().all(|key| says(&it[*key]))), "{record:#}");
        assert!(ids.insert(record["record_id"].to_string()), "each record has its own id");
    }
}

#[test]
fn a_second_proven_yes_renews_the_first() {
    let record = record(&ada(), "Newsletter", "email");
    assert_eq!(record["consent_status"][0], "dpv:RenewedConsentGiven");
    let states: Vec<&str> =
        record["events"].as_array().unwrap().iter().filter_map(|event| event["event_state"][0].as_str()).collect();
    assert_eq!(states, ["dpv:ConsentGiven", "dpv:ConsentRequested", "dpv:RenewedConsentGiven"]);
    assert_eq!(record["pii_processing"]["lawful_basis"][1], "eu-gdpr:A6-1-a-non-explicit-consent");
    assert_eq!(record["pii_processing"]["privacy_notice"][0], "newsletter-2026-01");
    assert_eq!(record["events"][2]["event_time"], "2026-02-11T18:22:09Z");
}

#[test]
fn refusals_and_objections_are_records_like_any_other() {
    let portrait = ada();
    let refused = record(&portrait, "Partners", "email");
    assert_eq!(refused["consent_status"], serde_json::json!(["dpv:ConsentRefused"]));
    assert_eq!(refused["events"][0]["event_type"], "dpv:RefuseConsent");
    let objected = record(&portrait, "Promotions", "sms");
    assert_eq!(
        objected["consent_status"],
        serde_json::json!(["dpv:LegitimateInterestObjected", "dpv:ConsentWithdrawn"])
    );
    assert_eq!(objected["events"].as_array().unwrap().len(), 2, "the withdrawal before it is told too");
}

#[test]
fn every_status_has_the_term_that_the_vocabulary_has_for_it() {
    let given = |reason| (ConsentStatus::NotRequired, Reason::Basis(reason));
    let table: [((ConsentStatus, Reason), &[&str]); 16] = [
        ((ConsentStatus::Requested, Reason::Requested), &["dpv:ConsentRequested"]),
        ((ConsentStatus::Unqualified, Reason::Unqualified), &["dpv:ConsentUnknown"]),
        ((ConsentStatus::Unknown, Reason::Unknown), &["dpv:ConsentUnknown"]),
        ((ConsentStatus::Refused, Reason::Refused), &["dpv:ConsentRefused"]),
        ((ConsentStatus::Withdrawn, Reason::Withdrawn), &["dpv:ConsentWithdrawn"]),
        ((ConsentStatus::Expired, Reason::Expired), &["dpv:ConsentExpired"]),
        ((ConsentStatus::Invalidated, Reason::Invalidated), &["dpv:ConsentInvalidated"]),
        ((ConsentStatus::Lapsed, Reason::Lapsed), &["dpv:ConsentRevoked"]),
        ((ConsentStatus::Objected, Reason::Objected), &["dpv:LegitimateInterestObjected", "dpv:ConsentWithdrawn"]),
        ((ConsentStatus::Erased, Reason::Erased), &["dpv:LegitimateInterestObjected", "dpv:ConsentWithdrawn"]),
        (given(Basis::LegitimateInterest), &["dpv:LegitimateInterestNotObjected"]),
        (given(Basis::SoftOptIn), &["dpv:LegitimateInterestNotObjected"]),
        (given(Basis::Contract), &["dpv:ContractPerformance"]),
        (given(Basis::ContractInProgress), &["dpv:Contract"]),
        (given(Basis::LegalObligation), &["dpv:LegalObligation"]),
        ((ConsentStatus::Granted, Reason::Consent), &["dpv:RenewedConsentGiven"]),
    ];
    for ((status, reason), terms) in table {
        let mut portrait = ada();
        let decisions = &mut portrait.known[0].explanation.decisions;
        let newsletter = decisions.iter_mut().find(|it| it.purpose.as_str() == "newsletter").expect("the decision");
        newsletter.decision.status = status;
        newsletter.decision.reason = reason;
        newsletter.decision.verdict = Verdict::Deny;
        assert_eq!(record(&portrait, "Newsletter", "email")["consent_status"], serde_json::json!(terms), "{status:?}");
    }
}

#[test]
fn a_basis_that_no_act_gave_is_recorded_as_decided() {
    let mut portrait = ada();
    let known = &mut portrait.known[0];
    known.explanation.facts.clear();
    let decision = &mut known.explanation.decisions[0].decision;
    decision.status = ConsentStatus::NotRequired;
    decision.reason = Reason::Basis(Basis::LegitimateInterest);
    let records = records(&portrait);
    assert_eq!(records[0]["events"][0]["event_type"], "decided from what is held");
    assert_eq!(records[0]["events"][0]["event_state"][0], "dpv:LegitimateInterestNotObjected");
    assert_eq!(records[0]["pii_processing"]["lawful_basis"][0], "dpv:LegitimateInterestOfController");
}

#[test]
fn where_nobody_said_anything_there_is_no_record() {
    assert_eq!(records(&empty()), Vec::<Value>::new());
}

#[test]
fn a_term_that_the_vocabulary_is_not_known_to_have_becomes_its_family() {
    let mut portrait = ada();
    for purpose in &mut portrait.purposes {
        purpose.dpv = Some("https://w3id.org/dpv#NoSuchTerm".to_owned());
    }
    assert_eq!(record(&portrait, "Newsletter", "email")["pii_processing"]["purpose_type"], "dpv:Marketing");
}
