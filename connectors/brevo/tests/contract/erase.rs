//! Erasing: for good, and gone only when the platform itself no longer knows the person.

use serde_json::json;
use unisson_connector::{Erasing, ErrorKind, KEPT_SUPPRESSION, Result, Sighting, Target};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, Fake, always, connect, contact, lines, ok, problem, unknown_contact};
use crate::push::target;

async fn erase(server: &MockServer, who: &Target) -> Result<Erasing> {
    connect(server, json!({})).erase().unwrap().erase(&CX, who).await
}

async fn verify(server: &MockServer, who: &Target) -> Result<Sighting> {
    connect(server, json!({})).erase().unwrap().verify(&CX, who, None).await
}

fn ada() -> Target {
    target("7", "Ada@example.org")
}

#[tokio::test]
async fn an_erasure_deletes_one_contact_by_its_id() {
    let fake = Fake::holding([contact(7, 0), contact(8, 0)]);
    let server = fake.serve().await;
    assert_eq!(erase(&server, &ada()).await.unwrap(), Erasing::Done);
    assert_eq!(lines(&server).await, ["DELETE /v3/contacts/7 identifierType=contact_id"]);
    assert_eq!(fake.contacts(), [contact(8, 0)]);
    assert_eq!(erase(&server, &ada()).await.unwrap(), Erasing::AlreadyAbsent);
    let spec = *connect(&server, json!({})).erase().unwrap().spec();
    assert!(!spec.asynchronous && !spec.keeps_tombstone, "the address can come back, so the host must remember");
}

#[tokio::test]
async fn what_is_not_erased_is_never_called_done() {
    let refused = |code: &str| Ok(Erasing::Refused(code.to_owned()));
    let table = [
        (problem(405, "method_not_allowed", ""), refused("address_of_the_account_itself")),
        (problem(400, "invalid_parameter", "ada@example.org"), refused("invalid_parameter")),
        (ResponseTemplate::new(404), Err(ErrorKind::Contract)),
        (ok(&json!({})), Err(ErrorKind::Contract)),
        (ResponseTemplate::new(425), Err(ErrorKind::RateLimited(None))),
        (problem(403, "permission_denied", ""), Err(ErrorKind::Scope)),
    ];
    for (answer, wanted) in table {
        let server = always(answer).await;
        assert_eq!(erase(&server, &ada()).await.map_err(|error| error.kind()), wanted);
    }
}

#[tokio::test]
async fn a_blocked_address_stays_blocked_and_is_said_to_stay() {
    let server = always(ResponseTemplate::new(204)).await;
    for (record, code) in [("blocked/00ff", KEPT_SUPPRESSION), ("", "no_contact"), ("ada@example.org", "no_contact")] {
        let who = target(record, "ada@example.org");
        assert_eq!(erase(&server, &who).await.unwrap(), Erasing::Refused(code.to_owned()), "{record}");
        assert_eq!(verify(&server, &who).await.unwrap(), Sighting::Unverified, "{record}");
    }
    assert!(lines(&server).await.is_empty());
}

#[tokio::test]
async fn a_read_back_says_what_it_sees() {
    let table = [
        (unknown_contact(), Ok(Sighting::Absent), 2),
        (ok(&contact(7, 0)), Ok(Sighting::Present), 1),
        (problem(403, "permission_denied", ""), Ok(Sighting::Unverified), 1),
        (ResponseTemplate::new(404), Err(ErrorKind::Contract), 1),
    ];
    for (answer, wanted, calls) in table {
        let server = always(answer).await;
        assert_eq!(verify(&server, &ada()).await.map_err(|error| error.kind()), wanted);
        let sent = lines(&server).await;
        let looks = [
            "GET /v3/contacts/7 identifierType=contact_id",
            "GET /v3/contacts/Ada%40example.org identifierType=email_id",
        ];
        assert_eq!(sent, looks[..calls]);
    }
}

#[tokio::test]
async fn a_person_who_was_imported_again_is_not_absent() {
    let server = MockServer::start().await;
    let again = path("/v3/contacts/Ada%40example.org");
    Mock::given(again).respond_with(ok(&contact(9, 0))).mount(&server).await;
    Mock::given(any()).respond_with(unknown_contact()).with_priority(9).mount(&server).await;
    assert_eq!(verify(&server, &ada()).await.unwrap(), Sighting::Present);
}
