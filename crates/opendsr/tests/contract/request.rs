//! What is sent to a processor, and what cannot be.

use proptest::prelude::*;
use unisson_opendsr::{Base, IdentityFormat, IdentityType, RequestError, RequestId, RequestType, Wish};
use url::Url;

use crate::support::{domain, ours, raw_request, request_for, request_of, signer};

#[test]
fn the_form_of_a_request_does_not_change() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&raw_request()).unwrap());
}

#[test]
fn a_digest_is_sent_only_where_the_address_is_not_taken() {
    use IdentityFormat::{Md5, Raw, Sha1, Sha256};
    let sent = |formats: &[IdentityFormat]| {
        let found_by: Vec<_> = formats.iter().map(|format| (IdentityType::Email, *format)).collect();
        let request = request_for(&found_by).unwrap();
        let [identity] = request.subject_identities.as_slice() else { panic!("one identity") };
        (identity.identity_format, identity.identity_value.clone())
    };
    assert_eq!(sent(&[Md5, Raw]), (Raw, "Zed@Example.com".to_owned()));
    assert_eq!(sent(&[Md5, Sha1]).0, Sha1);
    assert_eq!(sent(&[Sha1, Md5, Sha256]).0, Sha256);
    assert_eq!(sent(&[Md5]).1, "0af3c3316e8990df892d23fca7707ea4");
}

#[test]
fn what_the_protocol_cannot_carry_is_refused() {
    let by_email = [(IdentityType::Email, IdentityFormat::Raw)];
    assert_eq!(request_for(&[(IdentityType::AndroidId, IdentityFormat::Raw)]), Err(RequestError::NoIdentity));
    assert_eq!(request_of(RequestType::Access, &ours(), &by_email), Err(RequestError::Type));
    let plain = Url::parse("http://unisson.example.org/").unwrap();
    assert_eq!(request_of(RequestType::Erasure, &plain, &by_email), Err(RequestError::Callback));
    assert_eq!(RequestType::of(Wish::Objection), None);
    assert_eq!(RequestType::of(Wish::Restriction), None);
    assert_eq!(RequestType::of(Wish::Erasure), Some(RequestType::Erasure));
}

#[test]
fn a_base_is_https_with_a_domain() {
    for text in [
        "http://dsr.example.com/",
        "https://192.0.2.1/",
        "https://dsr.example.com:8443/",
        "dsr.example.com",
        "https://user@dsr.example.com/",
        "https://dsr.example.com/?x",
        "https://localhost/",
    ] {
        assert!(Base::parse(text).is_err(), "{text}");
    }
    assert_eq!(Base::parse("https://DSR.example.com/v3/").unwrap(), Base::parse("https://dsr.example.com/v3").unwrap());
}

#[test]
fn nobody_is_shown_for_debugging() {
    let request = raw_request();
    let shown = format!("{request:?} {:?} {:?}", request.subject_identities, signer());
    assert!(!shown.to_lowercase().contains("zed"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_id_is_a_uuid_of_version_4(case in ".{0,50}", round in any::<u32>()) {
        let id = RequestId::of(&case, &domain(), round);
        prop_assert_eq!(RequestId::parse(id.as_str()), Some(id));
    }
}
