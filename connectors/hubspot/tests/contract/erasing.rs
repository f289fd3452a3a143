//! Erasing by id, and looking for what is left.

use serde_json::{Value, json};
use unisson_connector::{Erasing, ErrorKind, Sighting, Ticket};
use wiremock::matchers::{body_json, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{CX, SEARCH, jane, open, seen, target};

const JANES: &str = "/crm/v3/objects/contacts/512";
const GDPR_DELETE: &str = "/crm/v3/objects/contacts/gdpr-delete";

/// A server that answers for contact 512: with the contact held in use, and with the one held archived.
async fn holding(live: Option<Value>, archived: Option<Value>) -> MockServer {
    let server = MockServer::start().await;
    for (flag, held) in [("false", live), ("true", archived)] {
        let answer = match held {
            Some(contact) => ResponseTemplate::new(200).set_body_json(contact),
            None => {
                ResponseTemplate::new(404).set_body_json(json!({"status": "error", "category": "OBJECT_NOT_FOUND"}))
            }
        };
        let get = Mock::given(method("GET")).and(path(JANES)).and(query_param("archived", flag));
        get.and(query_param("properties", "hs_object_id")).respond_with(answer).mount(&server).await;
    }
    server
}

async fn deleting(server: &MockServer, id: &str, answer: ResponseTemplate) {
    let post = Mock::given(method("POST")).and(path(GDPR_DELETE)).and(body_json(json!({"objectId": id})));
    post.respond_with(answer).mount(server).await;
}

async fn finding(server: &MockServer, results: Value) {
    let answer = ResponseTemplate::new(200)
        .set_body_json(json!({"total": results.as_array().unwrap().len(), "results": results}));
    Mock::given(method("POST")).and(path(SEARCH)).respond_with(answer).mount(server).await;
}

async fn erase(server: &MockServer, id: &str) -> unisson_connector::Result<Erasing> {
    open(server, json!({})).erase().unwrap().erase(&CX, &target(id, &["person512@example.org"])).await
}

async fn verify(server: &MockServer) -> unisson_connector::Result<Sighting> {
    let who = target("512", &["Person512@example.org", "old@bücher.example"]);
    let ticket = Ticket("gdpr-delete".to_owned());
    open(server, json!({})).erase().unwrap().verify(&CX, &who, Some(&ticket)).await
}

#[tokio::test]
async fn a_contact_is_erased_by_its_id_alone_and_only_accepted() {
    let server = holding(Some(jane(json!({}))), None).await;
    deleting(&server, "512", ResponseTemplate::new(204)).await;
    let erasing = erase(&server, "512").await.unwrap();
    assert_eq!(erasing, Erasing::Accepted(Ticket("gdpr-delete".to_owned())));
    let all = server.received_requests().await.unwrap();
    assert!(all.iter().all(|request| !String::from_utf8_lossy(&request.body).contains('@')), "no address is sent");

    let hubspot = open(&server, json!({}));
    let spec = hubspot.erase().unwrap().spec();
    assert_eq!((spec.asynchronous, spec.residual_max.as_secs(), spec.keeps_tombstone), (true, 30 * 24 * 3600, false));
}

#[tokio::test]
async fn a_merged_contact_is_erased_under_the_id_it_has_now() {
    let mut merged = jane(json!({}));
    merged["id"] = json!("900");
    let server = holding(Some(merged), None).await;
    deleting(&server, "900", ResponseTemplate::new(204)).await;
    assert!(matches!(erase(&server, "512").await.unwrap(), Erasing::Accepted(_)));
}

#[tokio::test]
async fn an_archived_contact_is_erased_too() {
    let server = holding(None, Some(jane(json!({})))).await;
    deleting(&server, "512", ResponseTemplate::new(204)).await;
    assert!(matches!(erase(&server, "512").await.unwrap(), Erasing::Accepted(_)));
}

#[tokio::test]
async fn what_is_not_there_is_never_named_to_the_platform() {
    let server = holding(None, None).await;
    assert_eq!(erase(&server, "512").await.unwrap(), Erasing::AlreadyAbsent);
    assert_eq!(erase(&server, "person512@example.org").await.unwrap(), Erasing::Refused("no_contact_id".to_owned()));
    assert!(seen(&server, GDPR_DELETE).await.is_empty());
}

#[tokio::test]
async fn the_answers_to_an_erasure_are_read_by_their_class() {
    for (status, category, erasing) in [
        (404, "OBJECT_NOT_FOUND", Erasing::AlreadyAbsent),
        (400, "VALIDATION_ERROR", Erasing::Refused("VALIDATION_ERROR".to_owned())),
        (409, "CONFLICT", Erasing::Refused("CONFLICT".to_owned())),
        (400, "OF_TOMORROW", Erasing::Refused("UNKNOWN".to_owned())),
    ] {
        let server = holding(Some(jane(json!({}))), None).await;
        let body = json!({"status": "error", "category": category, "message": "person512@example.org"});
        deleting(&server, "512", ResponseTemplate::new(status).set_body_json(body)).await;
        assert_eq!(erase(&server, "512").await.unwrap(), erasing, "{category}");
    }
    let server = holding(Some(jane(json!({}))), None).await;
    deleting(&server, "512", ResponseTemplate::new(403)).await;
    assert_eq!(erase(&server, "512").await.unwrap_err().kind(), ErrorKind::Scope);
}

#[tokio::test]
async fn a_contact_is_absent_only_when_neither_id_nor_address_finds_it() {
    let server = holding(None, None).await;
    finding(&server, json!([])).await;
    assert_eq!(verify(&server).await.unwrap(), Sighting::Absent);
    let searches = seen(&server, SEARCH).await;
    assert_eq!(searches.len(), 1);
    let by = |email: &str| json!({"filters": [{"propertyName": "email", "operator": "EQ", "value": email}]});
    let groups = json!([by("old@bücher.example"), by("old@xn--bcher-kva.example"), by("person512@example.org")]);
    let body = json!({"filterGroups": groups, "properties": ["hs_object_id"], "limit": 10});
    assert_eq!(searches[0].body_json::<Value>().unwrap(), body);
}

#[tokio::test]
async fn what_is_still_there_is_told_apart_by_where_it_is() {
    assert_eq!(verify(&holding(Some(jane(json!({}))), None).await).await.unwrap(), Sighting::Present);
    assert_eq!(verify(&holding(None, Some(jane(json!({})))).await).await.unwrap(), Sighting::Archived);

    let back = holding(None, None).await;
    finding(&back, json!([{"id": "777", "properties": {}}])).await;
    assert_eq!(verify(&back).await.unwrap(), Sighting::Present, "the address came back under another id");

    let stale = holding(None, None).await;
    finding(&stale, json!([jane(json!({}))])).await;
    assert_eq!(verify(&stale).await.unwrap(), Sighting::Unverified, "the index lags behind the erasure");
}

#[tokio::test]
async fn a_platform_that_will_not_say_proves_nothing() {
    let server = holding(None, None).await;
    Mock::given(method("POST")).and(path(SEARCH)).respond_with(ResponseTemplate::new(403)).mount(&server).await;
    assert_eq!(verify(&server).await.unwrap(), Sighting::Unverified);

    let broken = holding(None, None).await;
    let html = ResponseTemplate::new(200).set_body_raw("<html></html>", "text/html");
    Mock::given(method("POST")).and(path(SEARCH)).respond_with(html).mount(&broken).await;
    assert_eq!(verify(&broken).await.unwrap_err().kind(), ErrorKind::Contract);
}
