//! Correcting an address: one request about it alone, and every consent as it was.

use serde_json::{Value, json};
use unisson_connector::{ErrorKind, Outcome, Result, Target};
use unisson_consent::{Address, RecordId};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, LIST, connect, lines, problem};
use crate::push::{ADA, target};

fn held(email: &str, status: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "id": ADA, "email_address": email, "status": status }))
}

/// A server that shows this member and answers a change of it with that.
async fn server(shown: ResponseTemplate, changed: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(shown).mount(&server).await;
    Mock::given(any()).respond_with(changed).with_priority(9).mount(&server).await;
    server
}

async fn rectify_as(server: &MockServer, who: &Target, to: Option<Address>) -> Result<Outcome> {
    let from = Address::email("Ada@example.org").unwrap();
    connect(server, json!({})).rectify().unwrap().rectify(&CX, who, &from, &to.unwrap()).await
}

async fn rectify(server: &MockServer) -> Result<Outcome> {
    rectify_as(server, &target(Some("Ada@example.org")), Address::email("Ada@example.net")).await
}

fn refused(code: &str) -> Outcome {
    Outcome::Refused(code.to_owned())
}

#[tokio::test]
async fn the_address_alone_is_changed_where_the_record_holds_the_old_one() {
    let server = server(held("ADA@example.org", "unsubscribed"), held("Ada@example.net", "unsubscribed")).await;
    assert_eq!(rectify(&server).await.unwrap(), Outcome::Applied);
    let members = format!("/3.0/lists/{LIST}/members");
    let patch: Value = json!({ "email_address": "Ada@example.net" });
    assert_eq!(
        lines(&server).await,
        [
            format!("GET {members}/c0ffee fields=id,email_address,status"),
            format!("PATCH {members}/{ADA} skip_merge_validation=true {patch}"),
        ]
    );
}

#[tokio::test]
async fn nothing_is_written_where_nothing_is_to_be_corrected() {
    let never = || ResponseTemplate::new(500);
    let table = [
        (held("ada@EXAMPLE.net", "subscribed"), Outcome::AlreadySo, 1),
        (held("bob@example.org", "subscribed"), refused("address_changed"), 1),
        (problem(404, "Resource Not Found", ""), Outcome::NotFound, 3),
    ];
    for (shown, wanted, looks) in table {
        let server = server(shown, never()).await;
        assert_eq!(rectify(&server).await.unwrap(), wanted);
        let sent = lines(&server).await;
        assert_eq!((sent.len(), sent.iter().all(|line| line.starts_with("GET "))), (looks, true), "{sent:?}");
    }
    let server = server(held("ada@example.org", "subscribed"), never()).await;
    let phone = rectify_as(&server, &target(None), Address::phone("+33600000001", None)).await;
    assert_eq!(phone.unwrap(), refused("no_such_field"));
    let report = Target { record: RecordId::new(format!("{LIST}/complaint/42")), addresses: Vec::new() };
    let report = rectify_as(&server, &report, Address::email("ada@example.net")).await;
    assert_eq!(report.unwrap(), refused("not_a_member"));
    assert!(lines(&server).await.is_empty());
}

#[tokio::test]
async fn an_answer_is_read_for_what_it_says() {
    let table = [
        (problem(400, "Member Exists", "ada@example.net"), Ok(refused("member_exists"))),
        (problem(400, "Forgotten Email Not Subscribed", ""), Ok(refused("forgotten_email_not_subscribed"))),
        (held("ada@example.org", "unsubscribed"), Ok(refused("accepted_but_not_done"))),
        (held("ada@example.net", "subscribed"), Ok(refused("status_changed_with_the_address"))),
        (problem(404, "Resource Not Found", ""), Ok(Outcome::NotFound)),
        (problem(403, "Forbidden", ""), Err(ErrorKind::Scope)),
        (problem(500, "Internal Server Error", ""), Ok(Outcome::Unknown)),
    ];
    for (changed, wanted) in table {
        let server = server(held("ada@example.org", "unsubscribed"), changed).await;
        assert_eq!(rectify(&server).await.map_err(|error| error.kind()), wanted);
    }
}
