//! A certificate from a finished case to the hands of the person, and everything that must not pass for one.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use unisson_connector::{Erasing, Sighting};
use unisson_consent::{Address, FactId, HoldBasis, SystemId};
use unisson_plan::RecordNo;
use unisson_plan::erasure::{Case, CaseId, CaseState, HoldRule, Origin, Part, Step};
use unisson_proof::{
    Certificate, CertificateError, Context, Outcome, PublicKey, RecipientTold, Salt, SigningKey, TaskResult, Verb,
    Verified, VerifyError, commit, letter, lines, verify,
};

const SALT: Salt = Salt([9; 32]);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ada() -> Address {
    Address::email("ada@example.org").unwrap()
}

fn invoices() -> HoldRule {
    HoldRule {
        name: "invoices".to_owned(),
        system: "shop".into(),
        fields: vec!["invoice".to_owned(), "billing address".to_owned()],
        ground: HoldBasis::LegalObligation,
        provision: "C. com. L123-22".to_owned(),
        keeps_for: SignedDuration::from_hours(24 * 365),
        always: true,
    }
}

/// A case at work: a platform that erases, a shop whose invoices a hold keeps, a printer that is done by hand.
fn dispatched() -> Case {
    let received = at("2027-01-31T09:00:00Z");
    let id = CaseId("0194ba00-0000-7000-8000-000000000001".to_owned());
    let mut case = Case::open(id, Origin::Request, received, at("2027-03-01T23:59:59.999999999Z"));
    for (name, by_hand) in [("esp", false), ("print", true), ("shop", false)] {
        case.parts.insert(name.into(), Part::new(by_hand));
    }
    let hold = invoices().applied(received);
    case.parts.get_mut(&SystemId::from("shop")).unwrap().hold = Some(hold);
    case.parts.get_mut(&SystemId::from("esp")).unwrap().residual_secs = 30 * 86_400;
    let mut step = |step, when: &str| case.step(step, at(when)).unwrap();
    step(Step::Verified { by: "a click on a link".to_owned() }, "2027-01-31T10:00:00Z");
    let surveyed = |system: &str, record, unseen: &[&str]| Step::Surveyed {
        system: system.into(),
        records: vec![RecordNo(record)],
        unseen: unseen.iter().map(|place| (*place).to_owned()).collect(),
    };
    step(surveyed("esp", 1, &["logs of transactional messages"]), "2027-01-31T10:01:00Z");
    step(surveyed("shop", 2, &[]), "2027-01-31T10:02:00Z");
    let blind = "it has no interface; ask ada@example.org or +33 6 12 34 56 78".to_owned();
    step(Step::Blind { system: "print".into(), why: blind, records: vec![RecordNo(3)] }, "2027-01-31T10:03:00Z");
    let (tombstones, commitments) = (vec![FactId([1; 16])], vec![commit(&SALT, &ada()).0]);
    step(Step::Frozen { tombstones, commitments, salt: SALT.0 }, "2027-01-31T10:04:00Z");
    step(Step::Dispatched, "2027-01-31T10:05:00Z");
    case
}

/// The same when everything is settled and our own memory is purged.
fn finished() -> Case {
    let mut case = dispatched();
    let mut step = |step, when: &str| case.step(step, at(when)).unwrap();
    for (system, record) in [("esp", 1), ("shop", 2)] {
        let (system, record) = (SystemId::from(system), RecordNo(record));
        step(Step::Answered { system, record, erasing: Erasing::Done, receipt: [7; 32] }, "2027-01-31T10:06:00Z");
    }
    let read = |sighting| Step::Read {
        system: "esp".into(),
        record: RecordNo(1),
        sighting,
        settles_in: SignedDuration::from_hours(1),
    };
    step(read(Sighting::Absent), "2027-01-31T10:07:00Z");
    step(read(Sighting::Absent), "2027-01-31T12:00:00Z");
    step(Step::ByHand { system: "print".into(), receipt: [8; 32], verified: false }, "2027-02-02T08:00:00Z");
    step(Step::Closed, "2027-02-02T09:00:00Z");
    case
}

/// The certificate of a case, with everything around it as these tests have it.
fn certificate_of(case: &Case, holds: &[HoldRule]) -> Result<Certificate, CertificateError> {
    let titles = BTreeMap::from([
        ("esp".into(), "Newsletter".to_owned()),
        ("shop".into(), "Shop".to_owned()),
        ("print".into(), "Print shop".to_owned()),
    ]);
    let recipients = [RecipientTold {
        name: "Mailing House".to_owned(),
        received: "a file of 2026-12-01 with name and address".to_owned(),
        told: Some(at("2027-02-01T08:00:00Z")),
    }];
    Certificate::of(
        case,
        &Context {
            controller: "Example SAS",
            policy_version: "2027-01",
            policy_hash: [5; 32],
            software: "unisson 0.1.0",
            holds,
            titles: &titles,
            recipients: &recipients,
            issued_at: at("2027-02-02T09:00:01Z"),
        },
    )
}

fn certificate() -> Certificate {
    certificate_of(&finished(), &[invoices()]).unwrap()
}

fn key() -> SigningKey {
    SigningKey::parse(&"5a".repeat(32)).unwrap()
}

fn copies() -> (String, String) {
    let signed = certificate().sign(&key()).unwrap();
    (signed.for_controller().unwrap(), signed.for_person(&SALT).unwrap())
}

fn checked(text: &str) -> Result<Verified, VerifyError> {
    verify(text.as_bytes(), Some(&key().public()))
}

#[test]
fn the_form_of_the_file_does_not_change() {
    let (_, person) = copies();
    insta::assert_snapshot!(person);
}

#[test]
fn the_words_for_the_operator_and_for_the_person() {
    insta::assert_snapshot!("lines", lines(&certificate()).join("\n"));
    insta::assert_snapshot!("letter", letter(&certificate()).join("\n"));
}

#[test]
fn each_task_stands_in_it_with_its_verb_and_result() {
    let certificate = certificate();
    let told: Vec<_> = certificate
        .systems
        .iter()
        .flat_map(|system| system.records.iter().map(|line| (system.system.as_str(), line.verb, line.result.clone())))
        .collect();
    let until = invoices().applied(certificate.received).until;
    assert_eq!(
        told,
        [
            ("esp", Verb::Erase, TaskResult::VerifiedAbsent),
            ("print", Verb::ByHand, TaskResult::Done),
            ("shop", Verb::EraseExceptHold, TaskResult::Held { until }),
        ]
    );
    assert_eq!(certificate.outcome, Outcome::CompletedWithHolds);
    let residual = certificate.systems[0].records[0].residual_until;
    assert_eq!(residual, Some(at("2027-03-02T10:06:00Z")));
}

#[test]
fn what_somebody_answers_for_stands_with_its_reason() {
    let mut case = dispatched();
    for (system, reason) in [("esp", "the account is closed"), ("print", "it went out of business"), ("shop", "no")] {
        let step = Step::Impossible { system: system.into(), reason: reason.to_owned() };
        case.step(step, at("2027-02-01T00:00:00Z")).unwrap();
    }
    case.step(Step::Closed, at("2027-02-01T00:00:01Z")).unwrap();
    let certificate = certificate_of(&case, &[]).unwrap();
    let line = &certificate.systems[0].records[0];
    assert_eq!(line.result, TaskResult::Impossible { reason: "the account is closed".to_owned() });
    assert_eq!((line.at, line.residual_until), (None, None));
    assert!(letter(&certificate).iter().any(|line| line.contains("could not be erased: the account is closed")));
}

#[test]
fn a_case_that_is_not_settled_gets_none() {
    let unsettled = |case: &Case| {
        let error = certificate_of(case, &[invoices()]).unwrap_err();
        assert!(matches!(error, CertificateError::Unsettled { .. }), "{error}");
    };
    unsettled(&dispatched());
    for state in [CaseState::Received, CaseState::Rejected, CaseState::WithdrawnByPerson, CaseState::Frozen] {
        unsettled(&Case { state, ..finished() });
    }
    unsettled(&Case { ended_at: None, ..finished() });
    let mut released = finished();
    released.step(Step::Released { system: "shop".into(), record: RecordNo(2) }, at("2029-01-01T00:00:00Z")).unwrap();
    unsettled(&released);
}

#[test]
fn a_hold_without_its_ground_gets_none() {
    let error = certificate_of(&finished(), &[]).unwrap_err();
    assert_eq!(error, CertificateError::HoldUnknown { system: "shop".into(), hold: "invoices".to_owned() });
}

#[test]
fn no_address_and_no_number_is_in_it() {
    let (controller, person) = copies();
    let words = [lines(&certificate()), letter(&certificate())].concat().join("\n");
    for text in [controller, person, words] {
        for trace in ["ada", "example.org", "@", "12 34 56"] {
            assert!(!text.to_lowercase().contains(trace), "{trace} is in {text}");
        }
    }
}

#[test]
fn both_copies_verify_and_only_the_persons_identifies() {
    let (controller, person) = copies();
    let (controller, person) = (checked(&controller).unwrap(), checked(&person).unwrap());
    assert_eq!(controller.certificate, person.certificate);
    assert!(person.is_trusted);
    assert_eq!(controller.is_about(&ada()), None);
    assert_eq!(person.is_about(&Address::email(" ADA@Example.org").unwrap()), Some(true));
    assert_eq!(person.is_about(&Address::email("bob@example.org").unwrap()), Some(false));
    assert!(!format!("{person:?}").contains("0909"), "the salt is not shown");
}

#[test]
fn a_wrong_salt_identifies_nobody() {
    let signed = certificate().sign(&key()).unwrap();
    let person = checked(&signed.for_person(&Salt([1; 32])).unwrap()).unwrap();
    assert_eq!(person.is_about(&ada()), Some(false));
}

#[test]
fn another_key_is_told_from_no_key() {
    let (controller, _) = copies();
    let other = SigningKey::parse(&"5b".repeat(32)).unwrap().public();
    let error = verify(controller.as_bytes(), Some(&other)).unwrap_err();
    assert!(matches!(error, VerifyError::OtherKey { key: signer } if signer == key().public()), "{error}");
    assert!(!verify(controller.as_bytes(), None).unwrap().is_trusted);
}

#[test]
fn white_space_between_members_is_no_change() {
    let (_, person) = copies();
    let spaced = person.replace("\":", "\" :\n ").replace(",\"", " , \"");
    assert_ne!(spaced, person);
    assert!(checked(&spaced).is_ok());
}

#[test]
fn what_was_changed_is_told_apart() {
    let (controller, person) = copies();
    let change = |from: &str, to: &str| {
        let changed = person.replacen(from, to, 1);
        assert_ne!(changed, person, "{from}");
        checked(&changed).unwrap_err()
    };
    assert!(matches!(change("Example SAS", "Example SA"), VerifyError::Signature));
    assert!(matches!(change("2027-01-31T09:00:00Z", "2027-01-30T09:00:00Z"), VerifyError::Signature));
    assert!(matches!(change("2027-01-31T09:00:00Z", "2027-01-31T10:00:00+01:00"), VerifyError::Spelling));
    assert!(matches!(change("{\"certificate\"", "{\"more\":1,\"certificate\""), VerifyError::Form));
    assert!(matches!(change("\"case\":", "\"casa\":1,\"case\":"), VerifyError::Form));
    assert!(matches!(change("\"case\":", "\"case\":\"x\",\"case\":"), VerifyError::Unreadable { .. }));
    assert!(matches!(change("\"searched\":{", "\"searched\":{\"more\":1,"), VerifyError::Spelling));
    assert!(matches!(change("\"Ed25519\"", "\"none\""), VerifyError::Form));
    assert!(matches!(change("unisson-erasure-certificate/1", "other/1"), VerifyError::Form));
    assert!(matches!(change("\"value\":\"", "\"value\":\"AAAA"), VerifyError::Malformed));
    let upper = controller.replace(&"05".repeat(32), &"0A".repeat(32));
    assert!(matches!(checked(&upper), Err(VerifyError::Form)));
    assert!(matches!(verify(&vec![b' '; 9 << 20], None), Err(VerifyError::TooLarge)));
    assert!(matches!(checked("[1, 2]"), Err(VerifyError::Form)));
    assert!(matches!(checked(&controller[..controller.len() / 2]), Err(VerifyError::Unreadable { .. })));
}

#[test]
fn the_public_key_that_signed_is_spelt_once() {
    let (controller, _) = copies();
    let text = key().public().to_string();
    assert!(controller.contains(&text));
    assert_eq!(PublicKey::parse(&text).unwrap(), key().public());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_byte_of_a_copy_can_be_changed_unnoticed(place in any::<prop::sample::Index>(), flip in 1_u8..) {
        let (controller, _) = copies();
        let mut bytes = controller.clone().into_bytes();
        let place = place.index(bytes.len() - 1);
        bytes[place] ^= flip;
        let is_told = verify(&bytes, Some(&key().public())).is_err();
        // White space may stand between members; nothing else changes without being told.
        prop_assert!(is_told || verify(&bytes, None).unwrap().certificate == certificate());
    }

    #[test]
    fn whatever_operators_write_the_certificate_verifies(reason in any::<String>(), title in any::<String>()) {
        let mut certificate = certificate();
        certificate.controller = title;
        certificate.policy.version = reason;
        let copy = certificate.clone().sign(&key()).unwrap().for_controller().unwrap();
        prop_assert_eq!(checked(&copy).unwrap().certificate, certificate);
    }

    #[test]
    fn no_file_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verify(&bytes, None).is_err());
    }
}
