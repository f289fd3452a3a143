//! Erasing: for good, and gone only when the platform itself no longer knows the person.

use serde_json::json;
use unisson_connector::{Erasing, ErrorKind, Sighting, Target};
use unisson_consent::RecordId;
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, LIST, always, connect, lines, problem};
use crate::push::{ADA, target};

async fn erase(server: &MockServer, who: &Target) -> unisson_connector::Result<Erasing> {
    connect(server, json!({})).erase().unwrap().erase(&CX, who).await
}

async fn verify(server: &MockServer, who: &Target) -> unisson_connector::Result<Sighting> {
    connect(server, json!({})).erase().unwrap().verify(&CX, who, None).await
}

fn ada() -> Target {
    target(Some("Ada@example.org"))
}

#[tokio::test]
async fn an_erasure_is_a_permanent_deletion() {
    let server = always(ResponseTemplate::new(204)).await;
    assert_eq!(erase(&server, &ada()).await.unwrap(), Erasing::Done);
    let deletion = format!("POST /3.0/lists/{LIST}/members/{ADA}/actions/delete-permanent");
    assert_eq!(lines(&server).await, [deletion]);
    let spec = *connect(&server, json!({})).erase().unwrap().spec();
    assert!(!spec.asynchronous && spec.keeps_tombstone);
}

#[tokio::test]
async fn nobody_there_is_success_once_the_lasting_id_is_unknown_too() {
    let server = always(problem(404, "Resource Not Found", "")).await;
    assert_eq!(erase(&server, &ada()).await.unwrap(), Erasing::AlreadyAbsent);
    let members = format!("/3.0/lists/{LIST}/members");
    assert_eq!(
        lines(&server).await,
        [format!("POST {members}/{ADA}/actions/delete-permanent"), format!("GET {members}/c0ffee fields=id,status"),]
    );
}

#[tokio::test]
async fn a_person_who_changed_address_is_found_and_erased() {
    let server = MockServer::start().await;
    let members = format!("/3.0/lists/{LIST}/members");
    let found = ResponseTemplate::new(200).set_body_json(json!({ "id": "feed", "status": "subscribed" }));
    let deleted = ResponseTemplate::new(204);
    let moved = path(format!("{members}/feed/actions/delete-permanent"));
    Mock::given(method("POST")).and(moved).respond_with(deleted).expect(2).mount(&server).await;
    Mock::given(path(format!("{members}/c0ffee"))).respond_with(found).mount(&server).await;
    Mock::given(any()).respond_with(problem(404, "Resource Not Found", "")).with_priority(9).mount(&server).await;
    assert_eq!(erase(&server, &ada()).await.unwrap(), Erasing::Done);
    assert_eq!(erase(&server, &target(None)).await.map_err(|error| error.kind()), Ok(Erasing::Done));
}

#[tokio::test]
async fn a_record_that_cannot_be_named_is_refused_never_skipped() {
    let server = always(ResponseTemplate::new(204)).await;
    for record in ["", "c0ffee", "a6b5da1054/"] {
        let who = Target { record: RecordId::new(record), addresses: ada().addresses };
        assert!(matches!(erase(&server, &who).await.unwrap(), Erasing::Refused(_)), "{record}");
        assert_eq!(verify(&server, &who).await.unwrap(), Sighting::Unverified);
    }
    let report = Target { record: RecordId::new(format!("{LIST}/complaint/42")), addresses: Vec::new() };
    assert_eq!(erase(&server, &report).await.unwrap(), Erasing::Refused("no_address".to_owned()));
    assert_eq!(verify(&server, &report).await.unwrap(), Sighting::Unverified);
    assert!(lines(&server).await.is_empty());
}

#[tokio::test]
async fn a_refusal_or_a_strange_success_is_not_done() {
    let server = always(problem(400, "Invalid Resource", "ada@example.org")).await;
    assert_eq!(erase(&server, &ada()).await.unwrap(), Erasing::Refused("invalid_resource".to_owned()));
    let server = always(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    assert_eq!(erase(&server, &ada()).await.unwrap_err().kind(), ErrorKind::Contract);
}

#[tokio::test]
async fn a_read_back_says_what_it_sees() {
    let seen = |status: &str| ResponseTemplate::new(200).set_body_json(json!({ "id": ADA, "status": status }));
    let table = [
        (problem(404, "Resource Not Found", ""), Sighting::Absent, 2),
        (seen("archived"), Sighting::Archived, 1),
        (seen("unsubscribed"), Sighting::Present, 1),
        (seen("a word of next year"), Sighting::Present, 1),
        (problem(403, "Forbidden", ""), Sighting::Unverified, 1),
    ];
    for (template, wanted, requests) in table {
        let server = always(template).await;
        assert_eq!(verify(&server, &ada()).await.unwrap(), wanted);
        let sent = lines(&server).await;
        assert_eq!(sent.len(), requests);
        assert_eq!(sent[0], format!("GET /3.0/lists/{LIST}/members/{ADA} fields=id,status"));
    }
}

#[tokio::test]
async fn a_person_still_there_under_a_new_address_is_not_absent() {
    let server = MockServer::start().await;
    let lasting = path(format!("/3.0/lists/{LIST}/members/c0ffee"));
    let found = ResponseTemplate::new(200).set_body_json(json!({ "id": "feed", "status": "subscribed" }));
    Mock::given(lasting).respond_with(found).mount(&server).await;
    Mock::given(any()).respond_with(problem(404, "Resource Not Found", "")).with_priority(9).mount(&server).await;
    assert_eq!(verify(&server, &ada()).await.unwrap(), Sighting::Present);
}
