//! Writing: one request for one change, by the contact's id, and every answer read for what it says.

use std::sync::Arc;

use serde_json::{Value, json};
use unisson_connector::{Action, Batch, Calls, Change, ChangeId, Connector, ErrorKind, Outcome, Result, Target};
use unisson_consent::{Address, Channel, Channels, ListId, Purposes, RecordId, Scope};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, Fake, always, connect, contact, lines, ok, problem, unknown_contact};

pub(crate) fn target(record: &str, email: &str) -> Target {
    Target { record: RecordId::new(record), addresses: Address::email(email).into_iter().collect() }
}

fn change(id: u64, slot: &str, action: Action) -> Change {
    let channel = if slot == "sms-blocklist" { Channel::Sms } else { Channel::Email };
    Change {
        id: ChangeId(id.to_string()),
        target: target(&id.to_string(), &format!(" P{id}@Example.org")),
        scope: Scope { purposes: Purposes::List(ListId::new(slot)), channels: Channels::one(channel) },
        action,
        reason: "withdrawn",
    }
}

async fn push(connector: &Arc<dyn Connector>, changes: Vec<Change>) -> Result<Vec<(String, Outcome)>> {
    let outcomes = connector.push().unwrap().push(&CX, Batch::new(changes)).await?;
    Ok(outcomes.into_iter().map(|(id, outcome)| (id.0, outcome)).collect())
}

async fn one(server: &MockServer, change: Change) -> Outcome {
    push(&connect(server, json!({})), vec![change]).await.unwrap().remove(0).1
}

fn refused(code: &str) -> Outcome {
    Outcome::Refused(code.to_owned())
}

const GET: &str = "GET /v3/contacts/7 identifierType=contact_id";
const PUT: &str = "PUT /v3/contacts/7 identifierType=contact_id";

/// A server that answers a change with this, and shows this contact.
async fn scripted(put: ResponseTemplate, shown: &Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("PUT")).and(path("/v3/contacts/7")).respond_with(put).mount(&server).await;
    Mock::given(method("GET")).and(path("/v3/contacts/7")).respond_with(ok(shown)).mount(&server).await;
    server
}

#[tokio::test]
async fn an_opt_out_is_one_put_of_the_one_thing_it_is_about_and_of_no_attribute() {
    // A changed address would clear the blocklisting: the server's own end is any attribute in a body.
    let table = [
        ("blocklist", r#"{"emailBlacklisted":true}"#, "emailBlacklisted", json!(true)),
        ("sms-blocklist", r#"{"smsBlacklisted":true}"#, "smsBlacklisted", json!(true)),
        ("40", r#"{"unlinkListIds":[40]}"#, "listIds", json!([41])),
    ];
    for (slot, body, field, wanted) in table {
        let mut held = contact(7, 0);
        held["listIds"] = json!([40, 41]);
        let fake = Fake::holding([held.clone()]);
        let server = fake.serve().await;
        assert_eq!(one(&server, change(7, slot, Action::Suppress)).await, Outcome::Applied, "{slot}");
        assert_eq!(lines(&server).await, [format!("{PUT} {body}")]);
        held[field] = wanted;
        assert_eq!(fake.contacts(), [held], "{slot}: nothing else moved");
        assert_eq!(one(&server, change(7, slot, Action::Suppress)).await, Outcome::Applied, "again is harmless");
    }
}

#[tokio::test]
async fn nobody_is_created_and_no_address_is_told() {
    let server = Fake::holding([]).serve().await;
    let connector = connect(&server, json!({}));
    for (slot, action) in [("blocklist", Action::Suppress), ("40", Action::Suppress), ("40", Action::Subscribe)] {
        let outcomes = push(&connector, vec![change(7, slot, action)]).await.unwrap();
        assert_eq!(outcomes[0].1, Outcome::NotFound, "{slot} {action:?}");
    }
    for sent in lines(&server).await {
        assert!(sent.starts_with("PUT ") || sent.starts_with("GET "), "{sent}");
        assert!(!sent.to_lowercase().contains("example.org"), "{sent}");
    }
}

#[tokio::test]
async fn who_left_a_list_is_put_back_after_a_look_and_looked_at_again() {
    let mut held = contact(7, 0);
    (held["listIds"], held["listUnsubscribed"]) = (json!([41]), json!([40, 42]));
    let fake = Fake::holding([held]);
    let server = fake.serve().await;
    assert_eq!(one(&server, change(7, "40", Action::Subscribe)).await, Outcome::Applied);
    assert_eq!(lines(&server).await, [GET.to_owned(), format!("{PUT} {{\"listIds\":[40]}}"), GET.to_owned()]);
    let held = fake.contacts().remove(0);
    assert_eq!((&held["listIds"], &held["listUnsubscribed"]), (&json!([41, 40]), &json!([42])));
    assert_eq!(one(&server, change(7, "40", Action::Subscribe)).await, Outcome::AlreadySo);
    assert_eq!(lines(&server).await.len(), 4, "what is so needs no write");
    let calls = |action| connect(&server, json!({})).push().unwrap().calls(action, 5);
    assert_eq!(calls(Action::Subscribe), Calls { path: "/contacts", count: 15 });
    assert_eq!(calls(Action::Suppress), Calls { path: "/contacts", count: 5 });
}

#[tokio::test]
async fn nothing_opens_a_contact_that_is_shut_or_somebody_elses() {
    let table = [
        ("emailBlacklisted", json!(true), "on_the_blocklist"),
        ("emailBlacklisted", json!(null), "on_the_blocklist"),
        ("email", json!("p8@example.org"), "address_changed"),
        ("email", json!(null), "address_changed"),
    ];
    for (field, value, code) in table {
        let mut held = contact(7, 0);
        (held[field], held["listIds"]) = (value, json!([]));
        let server = Fake::holding([held]).serve().await;
        assert_eq!(one(&server, change(7, "40", Action::Subscribe)).await, refused(code));
        assert_eq!(lines(&server).await, [GET], "{field}");
    }
    let server = Fake::holding([contact(7, 0)]).serve().await;
    for (slot, action, code) in [
        ("blocklist", Action::Subscribe, "blocklist_is_lifted_by_hand"),
        ("sms-blocklist", Action::Subscribe, "blocklist_is_lifted_by_hand"),
        ("blocklist", Action::MarkInvalid, "not_offered"),
        ("40", Action::Reconfirm, "not_offered"),
        ("news", Action::Suppress, "no_such_slot"),
    ] {
        assert_eq!(one(&server, change(7, slot, action)).await, refused(code), "{slot} {action:?}");
    }
    let mut everything = change(7, "blocklist", Action::Suppress);
    everything.scope = Scope::default();
    assert_eq!(one(&server, everything).await, refused("no_such_slot"));
    let mut blocked = change(7, "blocklist", Action::Suppress);
    blocked.target.record = RecordId::new("blocked/00ff");
    assert_eq!(one(&server, blocked).await, refused("no_contact"));
    assert!(lines(&server).await.is_empty());
    let actions = connect(&server, json!({})).push().unwrap().spec().actions.clone();
    assert_eq!(actions, [Action::Suppress, Action::Subscribe]);
}

#[tokio::test]
async fn an_opt_in_that_was_accepted_but_not_done_is_not_called_done() {
    let mut kept_out = contact(7, 0);
    kept_out["listUnsubscribed"] = json!([40]);
    let server = scripted(ResponseTemplate::new(204), &kept_out).await;
    assert_eq!(one(&server, change(7, "40", Action::Subscribe)).await, refused("accepted_but_not_done"));
}

#[tokio::test]
async fn a_lost_answer_is_read_back() {
    let mut out = contact(7, 0);
    (out["emailBlacklisted"], out["listIds"], out["listUnsubscribed"]) = (json!(true), json!([]), json!([40]));
    let mut left = contact(7, 0);
    left["listUnsubscribed"] = json!([40]);
    let html = ResponseTemplate::new(200).set_body_raw("<html>Back soon</html>", "text/html");
    let table = [
        ("blocklist", Action::Suppress, &out, Outcome::Applied),
        ("blocklist", Action::Suppress, &left, Outcome::Later(None)),
        ("40", Action::Suppress, &out, Outcome::Applied),
        ("40", Action::Subscribe, &left, Outcome::Unknown),
    ];
    for (slot, action, shown, wanted) in table {
        let server = scripted(html.clone(), shown).await;
        assert_eq!(one(&server, change(7, slot, action)).await, wanted, "{slot} {action:?}");
        assert_eq!(lines(&server).await.last().unwrap(), GET, "{slot} {action:?}");
    }
    let server = scripted(ResponseTemplate::new(502), &out).await;
    assert_eq!(one(&server, change(7, "blocklist", Action::Suppress)).await, Outcome::Applied);
}

#[tokio::test]
async fn every_refusal_is_known_by_its_code_and_tells_no_more() {
    let table = [
        (problem(400, "invalid_parameter", "p7@example.org"), refused("invalid_parameter")),
        (problem(400, "p7@example.org", ""), refused("bad_request")),
        (ResponseTemplate::new(400), refused("bad_request")),
        (unknown_contact(), Outcome::NotFound),
    ];
    for (answer, wanted) in table {
        let server = always(answer).await;
        assert_eq!(one(&server, change(7, "blocklist", Action::Suppress)).await, wanted);
        assert_eq!(lines(&server).await.len(), 1, "a refusal is no reason to ask again");
    }
    for moved in [problem(404, "method_not_allowed", ""), ResponseTemplate::new(404)] {
        let error = push(&connect(&always(moved).await, json!({})), vec![change(7, "40", Action::Suppress)]).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Contract, "a moved interface is no missing contact");
    }
}

#[tokio::test]
async fn a_contact_that_is_being_worked_on_is_tried_again_and_then_later() {
    let server = MockServer::start().await;
    let early = ResponseTemplate::new(425);
    Mock::given(any()).respond_with(early.clone()).up_to_n_times(2).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&server).await;
    assert_eq!(one(&server, change(7, "blocklist", Action::Suppress)).await, Outcome::Applied);
    let server = always(early).await;
    assert_eq!(one(&server, change(7, "blocklist", Action::Suppress)).await, Outcome::Later(None));
    assert_eq!(lines(&server).await.len(), 3);
}

#[tokio::test]
async fn every_change_of_a_batch_is_answered_once_by_its_own_answer() {
    let server = MockServer::start().await;
    for id in 0..12_u64 {
        let template = match id % 4 {
            0 => problem(400, "invalid_parameter", ""),
            1 => unknown_contact(),
            2 => ResponseTemplate::new(404),
            _ => ResponseTemplate::new(204),
        };
        let put = Mock::given(method("PUT")).and(path(format!("/v3/contacts/{id}")));
        put.respond_with(template).expect(1).mount(&server).await;
    }
    let changes = (0..12).map(|id| change(id, "blocklist", Action::Suppress)).collect();
    let outcomes = push(&connect(&server, json!({})), changes).await.unwrap();
    assert_eq!(outcomes.len(), 12);
    for ((id, outcome), place) in outcomes.into_iter().zip(0..) {
        assert_eq!(id, place.to_string());
        let wanted = match place % 4 {
            0 => refused("invalid_parameter"),
            1 => Outcome::NotFound,
            // One poisonous contact keeps nobody else waiting.
            2 => Outcome::Later(None),
            _ => Outcome::Applied,
        };
        assert_eq!(outcome, wanted, "{place}");
    }
    server.verify().await;
}

#[tokio::test]
async fn a_closed_door_is_an_error_and_is_not_knocked_at_again() {
    for (answer, kind, calls) in [
        (problem(401, "unauthorized", ""), ErrorKind::Config, 1),
        (problem(403, "permission_denied", ""), ErrorKind::Scope, 1),
        (ResponseTemplate::new(404), ErrorKind::Contract, 3),
    ] {
        let server = always(answer).await;
        let changes = (0..40).map(|id| change(id, "blocklist", Action::Suppress)).collect();
        let error = push(&connect(&server, json!({})), changes).await.unwrap_err();
        assert_eq!((error.kind(), lines(&server).await.len()), (kind, calls));
    }
}

#[tokio::test]
async fn a_key_that_is_revoked_midway_leaves_what_was_done_and_postpones_the_rest() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).up_to_n_times(5).mount(&server).await;
    Mock::given(any()).respond_with(problem(401, "unauthorized", "")).mount(&server).await;
    let changes = (0..20).map(|id| change(id, "blocklist", Action::Suppress)).collect();
    let outcomes = push(&connect(&server, json!({})), changes).await.unwrap();
    assert!(outcomes[..5].iter().all(|(_, outcome)| *outcome == Outcome::Applied));
    assert!(outcomes[5..].iter().all(|(_, outcome)| *outcome == Outcome::Later(None)));
    assert_eq!(lines(&server).await.len(), 6);
}

#[tokio::test]
async fn an_empty_batch_sends_nothing() {
    let server = Fake::holding([]).serve().await;
    assert!(push(&connect(&server, json!({})), Vec::new()).await.unwrap().is_empty());
    assert!(lines(&server).await.is_empty());
}
