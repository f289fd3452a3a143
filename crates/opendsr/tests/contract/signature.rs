//! Who is believed, and everybody who must not be.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use proptest::prelude::*;
use rcgen::KeyPair;
use unisson_opendsr::{
    Answer, DOMAIN_HEADER, Forged, Outcome, Receiver, RequestId, SIGNATURE_HEADER, Signer, SignerError, Status, Trust,
    Unreadable, forbidden,
};
use url::Url;

use crate::support::{CASE, WORLD, chain, domain, forged, now, ours, pem, signed, signer, trust};

#[test]
fn only_the_processor_itself_is_believed() {
    let message = signed("{}");
    let good = trust().authenticate((&domain(), &chain(&WORLD.good)), &message.0, &message.1, now());
    assert!(good.is_ok());
    assert_eq!(forged(&WORLD.elsewhere, &message), Forged::CertificateDomain);
    assert_eq!(forged(&WORLD.ended, &message), Forged::NotNow);
    assert_eq!(forged(&WORLD.own, &message), Forged::SelfSigned);
    assert_eq!(forged(&WORLD.stranger, &message), Forged::Untrusted);
    let early: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
    let before = trust().authenticate((&domain(), &chain(&WORLD.good)), &message.0, &message.1, early);
    assert_eq!(before.unwrap_err(), Forged::NotNow);
}

#[test]
fn a_self_signed_certificate_is_refused_even_as_a_root() {
    let trust = Trust::from_pem(WORLD.own.as_bytes()).unwrap();
    let (headers, body) = signed("{}");
    let error = trust.authenticate((&domain(), &chain(&WORLD.own)), &headers, &body, now()).unwrap_err();
    assert_eq!(error, Forged::SelfSigned);
}

#[test]
fn a_tampered_message_is_refused_before_it_is_read() {
    let (headers, _) = signed("{}");
    assert_eq!(forged(&WORLD.good, &(headers.clone(), Bytes::from_static(b"{]"))), Forged::Signature);
    let with = |name: &http::HeaderName, value: &'static str| {
        let mut headers = headers.clone();
        headers.insert(name, HeaderValue::from_static(value));
        forged(&WORLD.good, &(headers, Bytes::from_static(b"{}")))
    };
    assert_eq!(with(&DOMAIN_HEADER, "dsr.example.net"), Forged::OtherDomain);
    assert_eq!(with(&DOMAIN_HEADER, "no domain"), Forged::Headers);
    assert_eq!(with(&SIGNATURE_HEADER, "no base64!"), Forged::Headers);
    assert_eq!(with(&SIGNATURE_HEADER, "AAAA"), Forged::Signature);
    for name in [DOMAIN_HEADER, SIGNATURE_HEADER] {
        let mut missing = headers.clone();
        missing.remove(&name);
        assert_eq!(forged(&WORLD.good, &(missing, Bytes::from_static(b"{}"))), Forged::Headers);
        let mut twice = headers.clone();
        twice.append(&name, headers[&name].clone());
        assert_eq!(forged(&WORLD.good, &(twice, Bytes::from_static(b"{}"))), Forged::Headers);
    }
    let huge = Bytes::from(vec![b' '; unisson_opendsr::BODY_BYTES_MAX + 1]);
    assert_eq!(forged(&WORLD.good, &(headers, huge)), Forged::TooLarge);
}

#[test]
fn a_callback_counts_only_where_it_was_sent_to() {
    let signer = signer();
    let us = Receiver { signer: &signer, controller: "controller-1", callback_domains: &[] };
    let id = RequestId::of(CASE, &domain(), 1);
    let answer = Answer { id, outcome: Outcome::Completed, expected_at: now(), results: None };
    let callback = us.callback(&ours(), &answer).unwrap();
    assert_eq!((callback.method(), callback.uri().to_string()), (&Method::POST, ours().to_string()));
    let known = (&domain(), &chain(&WORLD.good));
    let authentic = trust().authenticate(known, callback.headers(), callback.body(), now()).unwrap();
    assert_eq!(authentic.callback(&[ours()]).unwrap().request_status, Status::Completed);
    let other = Url::parse("https://other.example.org/callbacks").unwrap();
    assert_eq!(authentic.callback(&[other]).unwrap_err(), Unreadable::OtherCallback);
    assert_eq!(authentic.created().unwrap_err(), Unreadable::Form);
    assert_eq!(forbidden().status(), StatusCode::FORBIDDEN);
}

#[test]
fn a_key_that_is_too_weak_or_no_rsa_key_signs_nothing() {
    let curve = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_der();
    let signer = Signer::from_pem(domain(), pem("PRIVATE KEY", &curve).as_bytes());
    assert_eq!(signer.unwrap_err(), SignerError::Key);
    assert_eq!(Signer::from_pem(domain(), b"nothing").unwrap_err(), SignerError::Key);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_of_a_signed_body_is_found(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (headers, body) = signed("{\"request_status\":\"in_progress\"}");
        let mut bytes = body.to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(forged(&WORLD.good, &(headers, Bytes::from(bytes))), Forged::Signature);
    }
}
