//! Writing: one request for one change, and every answer read for what it says.

use std::sync::Arc;

use serde_json::{Value, json};
use unisson_connector::{Action, Batch, Change, ChangeId, Connector, ErrorKind, Outcome, Result, Target};
use unisson_consent::{Address, Channel, Channels, ListId, Purposes, RecordId, Scope};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, LIST, always, connect, lines, problem};

/// The digest of `ada@example.org`.
pub(crate) const ADA: &str = "5bfcf2d8e394674550332640d72db509";

pub(crate) fn target(address: Option<&str>) -> Target {
    let addresses = address.and_then(Address::email).into_iter().collect();
    Target { record: RecordId::new(format!("{LIST}/c0ffee")), addresses }
}

fn change(slot: &str, action: Action, address: &str) -> Change {
    Change {
        id: ChangeId(address.to_owned()),
        target: target(Some(address)),
        scope: Scope { purposes: Purposes::List(ListId::new(slot)), channels: Channels::one(Channel::Email) },
        action,
        reason: "withdrawn",
    }
}

async fn push(connector: &Arc<dyn Connector>, changes: Vec<Change>) -> Result<Vec<(String, Outcome)>> {
    let outcomes = connector.push().unwrap().push(&CX, Batch::new(changes)).await?;
    Ok(outcomes.into_iter().map(|(id, outcome)| (id.0, outcome)).collect())
}

async fn one(connector: &Arc<dyn Connector>, change: Change) -> Outcome {
    push(connector, vec![change]).await.unwrap().remove(0).1
}

/// A server on which every change comes true.
async fn obedient(member: Value) -> MockServer {
    always(ResponseTemplate::new(200).set_body_json(member)).await
}

#[tokio::test]
async fn every_change_is_one_patch_of_the_one_thing_it_is_about() {
    let slots = ["", "/interest/9143cf3bd1", "/permission/ab12", "/sms"];
    let status = |word: &str| json!({ "status": word });
    let interest = |is_in: bool| json!({ "interests": {"9143cf3bd1": is_in} });
    let permission =
        |is_in: bool| json!({ "marketing_permissions": [{"marketing_permission_id": "ab12", "enabled": is_in}] });
    let sms = |word: &str| json!({ "sms_subscription_status": word });
    let table = [
        (slots[0], Action::Suppress, Some(status("unsubscribed"))),
        (slots[0], Action::Subscribe, Some(status("subscribed"))),
        (slots[0], Action::Reconfirm, Some(status("pending"))),
        (slots[0], Action::MarkInvalid, Some(status("cleaned"))),
        (slots[1], Action::Suppress, Some(interest(false))),
        (slots[1], Action::Subscribe, Some(interest(true))),
        (slots[1], Action::Reconfirm, None),
        (slots[1], Action::MarkInvalid, Some(status("cleaned"))),
        (slots[2], Action::Suppress, Some(permission(false))),
        (slots[2], Action::Subscribe, Some(permission(true))),
        (slots[2], Action::Reconfirm, None),
        (slots[2], Action::MarkInvalid, Some(status("cleaned"))),
        (slots[3], Action::Suppress, Some(sms("unsubscribed"))),
        (slots[3], Action::Subscribe, Some(sms("subscribed"))),
        (slots[3], Action::Reconfirm, None),
        (slots[3], Action::MarkInvalid, None),
    ];
    for (slot, action, body) in table {
        let mut answer = json!({ "status": "subscribed" });
        answer
            .as_object_mut()
            .unwrap()
            .extend(body.clone().unwrap_or_default().as_object().cloned().unwrap_or_default());
        let server = obedient(answer).await;
        let outcome =
            one(&connect(&server, json!({})), change(&format!("{LIST}{slot}"), action, " Ada@Example.org")).await;
        let sent = lines(&server).await;
        if let Some(body) = body {
            let question = format!("PATCH /3.0/lists/{LIST}/members/{ADA} skip_merge_validation=true {body}");
            assert_eq!(sent, [question], "{slot} {action:?}");
            assert_eq!(outcome, Outcome::Applied, "{slot} {action:?}");
        } else {
            assert!(sent.is_empty(), "{slot} {action:?}");
            assert_eq!(outcome, Outcome::Refused("slot_cannot_take_this_change".to_owned()));
        }
    }
}

#[tokio::test]
async fn what_was_accepted_but_not_done_is_not_called_done() {
    let interest = format!("{LIST}/interest/9143cf3bd1");
    let (undone, outside) = ("accepted_but_not_done", "audience_not_subscribed");
    let table = [
        (LIST, Action::Suppress, json!({ "status": "subscribed" }), undone),
        (LIST, Action::Subscribe, json!({ "status": "pending" }), undone),
        (LIST, Action::Suppress, json!({ "status": "on_holiday" }), undone),
        (&interest, Action::Suppress, json!({ "status": "subscribed", "interests": {"9143cf3bd1": true} }), undone),
        (&interest, Action::Subscribe, json!({ "status": "unsubscribed", "interests": {"9143cf3bd1": true} }), outside),
    ];
    for (slot, action, answer, code) in table {
        let server = obedient(answer.clone()).await;
        let outcome = one(&connect(&server, json!({})), change(slot, action, "ada@example.org")).await;
        assert_eq!(outcome, Outcome::Refused(code.to_owned()), "{answer}");
    }
}

#[tokio::test]
async fn every_refusal_is_known_by_its_title() {
    let throttle =
        "ada@example.org has signed up to a lot of lists very recently; we're not allowing more signups for now";
    let refused = |code: &str| Outcome::Refused(code.to_owned());
    let table = [
        (400, "Member In Compliance State", "is in a compliance state", refused("member_in_compliance_state")),
        (400, "Forgotten Email Not Subscribed", "was permanently deleted", refused("forgotten_email_not_subscribed")),
        (400, "Member Exists", "is already a list member", refused("member_exists")),
        (400, "Invalid Resource", "looks fake or invalid", refused("invalid_resource")),
        (400, "Invalid Resource", throttle, Outcome::Later(None)),
        (400, "ada@example.org is not welcome", "", refused("bad_request")),
        (404, "Resource Not Found", "", Outcome::NotFound),
    ];
    for (status, title, detail, wanted) in table {
        let server = always(problem(status, title, detail)).await;
        let outcome = one(&connect(&server, json!({})), change(LIST, Action::Subscribe, "ada@example.org")).await;
        assert_eq!(outcome, wanted, "{title}: {detail}");
        assert_eq!(lines(&server).await.len(), 1, "a refusal is no reason to ask again");
    }
    let body = json!({ "title": "Invalid Resource", "errors": [{"field": "email_address", "message": throttle}] });
    let server = always(ResponseTemplate::new(400).set_body_raw(body.to_string(), "application/problem+json")).await;
    let outcome = one(&connect(&server, json!({})), change(LIST, Action::Subscribe, "ada@example.org")).await;
    assert_eq!(outcome, Outcome::Later(None));
}

#[tokio::test]
async fn every_change_of_a_batch_is_answered_once_by_its_own_answer() {
    let server = MockServer::start().await;
    let hash = |number: usize| hash_of(&format!("p{number}@example.org"));
    for number in 0..25 {
        let template = match number % 5 {
            0 => problem(400, "Member In Compliance State", ""),
            1 => problem(404, "Resource Not Found", ""),
            2 => ResponseTemplate::new(200).set_body_raw("<html>", "text/html"),
            _ => ResponseTemplate::new(200).set_body_json(json!({ "status": "unsubscribed" })),
        };
        let member = path(format!("/3.0/lists/{LIST}/members/{}", hash(number)));
        Mock::given(method("PATCH")).and(member).respond_with(template).expect(1).mount(&server).await;
    }
    let changes = (0..25).map(|number| change(LIST, Action::Suppress, &format!("p{number}@example.org"))).collect();
    let outcomes = push(&connect(&server, json!({})), changes).await.unwrap();
    assert_eq!(outcomes.len(), 25);
    for (number, (id, outcome)) in outcomes.into_iter().enumerate() {
        assert_eq!(id, format!("p{number}@example.org"));
        let wanted = match number % 5 {
            0 => Outcome::Refused("member_in_compliance_state".to_owned()),
            1 => Outcome::NotFound,
            2 => Outcome::Later(None),
            _ => Outcome::Applied,
        };
        assert_eq!(outcome, wanted, "{number}");
    }
    server.verify().await;
}

#[tokio::test]
async fn an_answer_that_tells_nothing_is_repeated_only_where_that_is_harmless() {
    for (action, wanted) in [
        (Action::Suppress, Outcome::Later(None)),
        (Action::MarkInvalid, Outcome::Later(None)),
        (Action::Subscribe, Outcome::Unknown),
        (Action::Reconfirm, Outcome::Unknown),
    ] {
        for body in [json!({ "error": "busy" }), json!([]), json!({ "status": null })] {
            let server = obedient(body.clone()).await;
            let outcome = one(&connect(&server, json!({})), change(LIST, action, "ada@example.org")).await;
            assert_eq!(outcome, wanted, "{action:?} answered by {body}");
        }
    }
    let lost = always(ResponseTemplate::new(502)).await;
    let outcome = one(&connect(&lost, json!({})), change(LIST, Action::Reconfirm, "ada@example.org")).await;
    assert_eq!(outcome, Outcome::Unknown);
    assert_eq!(lines(&lost).await.len(), 1, "a person is not asked twice");
}

#[tokio::test]
async fn no_address_is_ever_told_to_a_list_that_may_not_hold_it() {
    let server = obedient(json!({ "status": "unsubscribed" })).await;
    let changes = (0..30).map(|number| change(LIST, Action::Suppress, &format!("p{number}@example.org"))).collect();
    push(&connect(&server, json!({})), changes).await.unwrap();
    for sent in lines(&server).await {
        assert!(sent.starts_with("PATCH "), "only a change of what is there: {sent}");
        assert!(!sent.contains("example.org"), "a digest tells nobody who is not known: {sent}");
    }
}

#[tokio::test]
async fn a_batch_that_nobody_let_in_is_an_error_and_stops_early() {
    let server = always(problem(401, "API Key Invalid", "")).await;
    let changes = (0..40).map(|number| change(LIST, Action::Suppress, &format!("p{number}@example.org"))).collect();
    let error = push(&connect(&server, json!({})), changes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(lines(&server).await.len(), 10, "one round, then no more");
}

#[tokio::test]
async fn a_key_that_is_revoked_midway_leaves_what_was_done_and_postpones_the_rest() {
    let server = MockServer::start().await;
    let done = ResponseTemplate::new(200).set_body_json(json!({ "status": "unsubscribed" }));
    Mock::given(any()).respond_with(done).up_to_n_times(10).mount(&server).await;
    Mock::given(any()).respond_with(problem(401, "API Key Invalid", "")).mount(&server).await;
    let changes = (0..40).map(|number| change(LIST, Action::Suppress, &format!("p{number}@example.org"))).collect();
    let outcomes = push(&connect(&server, json!({})), changes).await.unwrap();
    assert!(outcomes[..10].iter().all(|(_, outcome)| *outcome == Outcome::Applied));
    assert!(outcomes[10..].iter().all(|(_, outcome)| *outcome == Outcome::Later(None)));
    assert_eq!(lines(&server).await.len(), 20);
}

#[tokio::test]
async fn an_empty_batch_sends_nothing() {
    let server = obedient(json!({})).await;
    assert!(push(&connect(&server, json!({})), Vec::new()).await.unwrap().is_empty());
    assert!(lines(&server).await.is_empty());
}

#[tokio::test]
async fn a_slot_of_somebody_else_is_refused_and_nothing_is_sent() {
    let server = obedient(json!({ "status": "unsubscribed" })).await;
    let connector = connect(&server, json!({}));
    for slot in ["b7", "a6b5da1054/tag/1", ""] {
        let outcome = one(&connector, change(slot, Action::Suppress, "ada@example.org")).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{slot}: {outcome:?}");
    }
    let mut everything = change(LIST, Action::Suppress, "ada@example.org");
    everything.scope = Scope::default();
    assert!(matches!(one(&connector, everything).await, Outcome::Refused(_)));
    assert!(lines(&server).await.is_empty());
}

#[tokio::test]
async fn a_contact_known_by_phone_only_is_named_by_its_lasting_id() {
    let server = obedient(json!({ "status": "", "sms_subscription_status": "unsubscribed" })).await;
    let mut sms = change(&format!("{LIST}/sms"), Action::Suppress, "ada@example.org");
    sms.target = target(None);
    assert_eq!(one(&connect(&server, json!({})), sms).await, Outcome::Applied);
    assert!(lines(&server).await[0].starts_with(&format!("PATCH /3.0/lists/{LIST}/members/c0ffee ")));
}

/// The name a member has in a path, as documented.
fn hash_of(text: &str) -> String {
    use md5::Digest as _;
    format!("{:032x}", u128::from_be_bytes(md5::Md5::digest(text.as_bytes()).into()))
}
