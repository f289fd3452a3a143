//! Requests of controllers, and what is answered to them.

use bytes::Bytes;
use http::StatusCode;
use proptest::prelude::*;
use unisson_opendsr::{Answer, Domain, Outcome, Receiver, Refusal, RequestId, Status, StatusReport};
use url::Url;

use crate::support::{CASE, HOST, domain, now, ours, raw_request, signer};

#[test]
fn the_form_of_the_answers_does_not_change() {
    let signer = signer();
    let domains = [Domain::parse("unisson.example.org").unwrap()];
    let us = Receiver { signer: &signer, controller: "controller-1", callback_domains: &domains };
    let answer = |outcome| {
        let results = Some(Url::parse("https://dsr.example.com/results/1").unwrap());
        Answer { id: RequestId::of(CASE, &domain(), 1), outcome, expected_at: now(), results }
    };
    let incoming = us.read(&Bytes::from(serde_json::to_vec(&raw_request()).unwrap()), now()).unwrap();
    let bodies = [
        us.created(&incoming, now(), now()).unwrap().into_body(),
        us.status(&answer(Outcome::CompletedWithHolds)).unwrap().into_body(),
        us.callback(&ours(), &answer(Outcome::Rejected)).unwrap().into_body(),
        us.cancel(&answer(Outcome::Waiting), now()).unwrap().into_body(),
        us.cancel(&answer(Outcome::UnderWay), now()).unwrap().into_body(),
        Refusal::Type.response().into_body(),
    ];
    insta::assert_snapshot!(bodies.map(|body| String::from_utf8(body.to_vec()).unwrap()).join("\n"));
}

#[test]
fn what_the_protocol_has_no_word_for_stands_in_our_extension() {
    let signer = signer();
    let us = Receiver { signer: &signer, controller: "controller-1", callback_domains: &[] };
    let said = |outcome| {
        let id = RequestId::of(CASE, &domain(), 1);
        let response = us.status(&Answer { id, outcome, expected_at: now(), results: None }).unwrap();
        let report: StatusReport = serde_json::from_slice(response.body()).unwrap();
        let word = report.extensions.get(HOST).map(|extension| extension["outcome"].as_str().unwrap().to_owned());
        (report.request_status, word)
    };
    assert_eq!(said(Outcome::Rejected), (Status::Cancelled, Some("rejected".to_owned())));
    assert_eq!(said(Outcome::CompletedWithHolds), (Status::Completed, Some("completed_with_holds".to_owned())));
    assert_eq!(said(Outcome::Completed), (Status::Completed, None));
}

#[test]
fn a_request_that_cannot_be_worked_on_is_refused_without_repeating_it() {
    let signer = signer();
    let domains = [Domain::parse("unisson.example.org").unwrap()];
    let us = Receiver { signer: &signer, controller: "controller-1", callback_domains: &domains };
    let text = serde_json::to_string(&raw_request()).unwrap();
    let read = |text: &str| us.read(&Bytes::from(text.to_owned()), now());
    assert_eq!(read(&text).unwrap().callbacks, [ours()]);
    for (from, to, refusal) in [
        ("\"erasure\"", "\"opt_out\"", Refusal::Type),
        ("unisson.example.org", "intranet.example.net", Refusal::Callback),
        ("https://unisson", "http://unisson", Refusal::Callback),
        ("https://unisson.example.org/", "https://unisson.example.org:8443/", Refusal::Callback),
        ("2027-01-31", "2028-01-31", Refusal::Future),
        ("\"email\"", "\"shoe_size\"", Refusal::NoIdentity),
        ("\"subject_request_id\":\"", "\"subject_request_id\":\"X", Refusal::Form),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(read(&changed).unwrap_err(), refusal, "{to}");
    }
    let response = Refusal::NoIdentity.response();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(!String::from_utf8(response.body().to_vec()).unwrap().contains('@'));
}

#[test]
fn what_is_not_known_in_a_request_is_left_out_and_counted() {
    let signer = signer();
    let us = Receiver { signer: &signer, controller: "controller-1", callback_domains: &[] };
    let mut request = serde_json::to_value(raw_request()).unwrap();
    request["status_callback_urls"] = serde_json::json!([]);
    request["more"] = serde_json::json!({"x": 1.5});
    let stranger = serde_json::json!({"identity_type": "x", "identity_format": "raw", "identity_value": "1"});
    request["subject_identities"].as_array_mut().unwrap().push(stranger);
    let incoming = us.read(&Bytes::from(request.to_string()), now()).unwrap();
    assert_eq!((incoming.left_out, incoming.request.subject_identities.len()), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_body_makes_the_receiver_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let signer = signer();
        let us = Receiver { signer: &signer, controller: "c", callback_domains: &[] };
        prop_assert!(us.read(&Bytes::from(bytes), now()).is_err());
    }
}
