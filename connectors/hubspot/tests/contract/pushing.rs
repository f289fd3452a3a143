//! Opt-outs and opt-ins: what is sent, and what each answer means for each change.

use serde_json::{Value, json};
use unisson_connector::{Action, ErrorKind, Outcome};
use unisson_consent::{Channel, Channels, Purposes, Scope};
use wiremock::matchers::{body_json, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{STATUSES, batch, list, open, push, refused, seen};

const JANE: &str = "jane@example.org";
const JANES: &str = "/communication-preferences/v4/statuses/jane%40example.org";
const JOHN: &str = "john@example.org";

fn batch_path(what: &str) -> String {
    format!("{STATUSES}/batch/{what}")
}

fn told(email: &str, status: &str, reason: &str) -> Value {
    json!({"subscriberIdString": email, "channel": "EMAIL", "subscriptionId": 7, "status": status, "source": "API",
        "timestamp": "2026-11-24T12:00:00Z", "setStatusSuccessReason": reason})
}

fn done(results: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"status": "COMPLETE", "results": results}))
}

async fn answering(verb: &str, on: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method(verb)).and(path(on)).respond_with(answer).mount(&server).await;
    server
}

/// What the only request was: its query and its body.
async fn sent(server: &MockServer) -> (Option<String>, Value) {
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    let body = if requests[0].body.is_empty() { Value::Null } else { requests[0].body_json().unwrap() };
    (requests[0].url.query().map(str::to_owned), body)
}

#[tokio::test]
async fn an_opt_out_of_one_type_is_one_call() {
    let server = answering("POST", JANES, done(json!([told(JANE, "UNSUBSCRIBED", "REQUESTED_CHANGE_OCCURRED")]))).await;
    let outcomes =
        push(&open(&server, json!({})), batch(Action::Suppress, &list("7"), &["Jane@Example.org"])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Applied]);
    let body = json!({"subscriptionId": 7, "statusState": "UNSUBSCRIBED", "channel": "EMAIL"});
    assert_eq!(sent(&server).await, (None, body));
}

#[tokio::test]
async fn an_opt_in_names_its_basis_and_nobody() {
    let server = answering("POST", JANES, done(json!([told(JANE, "SUBSCRIBED", "RESUBSCRIBE_OCCURRED")]))).await;
    let hubspot = open(&server, json!({"statuses": "single"}));
    let outcomes = push(&hubspot, batch(Action::Subscribe, &list("7"), &[JANE])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Applied]);
    let body = json!({"subscriptionId": 7, "statusState": "SUBSCRIBED", "channel": "EMAIL",
        "legalBasis": "CONSENT_WITH_NOTICE",
        "legalBasisExplanation": "Consent given to the controller and kept in its register of consents"});
    assert_eq!(sent(&server).await, (None, body));
}

#[tokio::test]
async fn an_opt_out_of_everything_is_one_call_without_a_body() {
    let on = format!("{JANES}/unsubscribe-all");
    let server =
        answering("POST", &on, done(json!([told(JANE, "UNSUBSCRIBED", "UNSUBSCRIBE_FROM_ALL_OCCURRED")]))).await;
    let outcomes = push(&open(&server, json!({})), batch(Action::Suppress, &Scope::default(), &[JANE])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Applied]);
    assert_eq!(sent(&server).await, (Some("channel=EMAIL&verbose=true".to_owned()), Value::Null));
}

#[tokio::test]
async fn an_answer_without_a_body_is_done_where_the_platform_sends_none() {
    let on = format!("{JANES}/unsubscribe-all");
    for answer in [ResponseTemplate::new(204), done(json!([]))] {
        let server = answering("POST", &on, answer).await;
        let outcomes =
            push(&open(&server, json!({})), batch(Action::Suppress, &Scope::default(), &[JANE])).await.unwrap();
        assert_eq!(outcomes, [Outcome::Applied]);
    }
}

#[tokio::test]
async fn what_was_so_before_is_told_apart() {
    for (status, reason, action, outcome) in [
        ("UNSUBSCRIBED", "NO_STATUS_CHANGE", Action::Suppress, Outcome::AlreadySo),
        ("UNSUBSCRIBED", "UNSUBSCRIBE_FROM_ALL_OCCURRED", Action::Suppress, Outcome::Applied),
        ("UNSUBSCRIBED", "A_REASON_OF_TOMORROW", Action::Suppress, Outcome::Applied),
        ("SUBSCRIBED", "NO_STATUS_CHANGE", Action::Suppress, Outcome::Unknown),
        ("NOT_SPECIFIED", "REQUESTED_CHANGE_OCCURRED", Action::Suppress, Outcome::Unknown),
        ("SUBSCRIBED", "NO_STATUS_CHANGE", Action::Subscribe, Outcome::AlreadySo),
        ("UNSUBSCRIBED", "NO_STATUS_CHANGE", Action::Subscribe, refused("kept_out")),
    ] {
        let server = answering("POST", JANES, done(json!([told(JANE, status, reason)]))).await;
        let outcomes = push(&open(&server, json!({})), batch(action, &list("7"), &[JANE])).await.unwrap();
        assert_eq!(outcomes, [outcome], "{status} {reason}");
    }
}

#[tokio::test]
async fn an_opt_out_of_everything_that_leaves_a_type_subscribed_is_read_back() {
    let on = format!("{JANES}/unsubscribe-all");
    let left = [told(JANE, "UNSUBSCRIBED", "REQUESTED_CHANGE_OCCURRED"), told(JANE, "SUBSCRIBED", "NO_STATUS_CHANGE")];
    let server = answering("POST", &on, done(json!(left))).await;
    let outcomes = push(&open(&server, json!({})), batch(Action::Suppress, &Scope::default(), &[JANE])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Unknown]);
}

#[tokio::test]
async fn silence_about_the_asked_type_is_no_success() {
    let mut other = told(JANE, "UNSUBSCRIBED", "REQUESTED_CHANGE_OCCURRED");
    other["subscriptionId"] = json!(8);
    for results in [json!([]), json!([other])] {
        let server = answering("POST", JANES, done(results)).await;
        let outcomes = push(&open(&server, json!({})), batch(Action::Suppress, &list("7"), &[JANE])).await.unwrap();
        assert_eq!(outcomes, [Outcome::Unknown]);
    }
}

#[tokio::test]
async fn a_refusal_is_read_by_its_class() {
    for (status, category, outcome) in [
        (400, "VALIDATION_ERROR", refused("VALIDATION_ERROR")),
        (400, "INVALID_EMAIL", refused("INVALID_EMAIL")),
        (400, "OBJECT_NOT_FOUND", Outcome::NotFound),
        (404, "OBJECT_NOT_FOUND", Outcome::NotFound),
        (409, "CONFLICT", Outcome::Later(None)),
        (400, "RATE_LIMITS", Outcome::Later(None)),
        (400, "A_CLASS_OF_TOMORROW", Outcome::Later(None)),
    ] {
        let body = json!({"status": "error", "category": category, "message": "jane@example.org is no address"});
        let server = answering("POST", JANES, ResponseTemplate::new(status).set_body_json(body)).await;
        let outcomes = push(&open(&server, json!({})), batch(Action::Suppress, &list("7"), &[JANE])).await.unwrap();
        assert_eq!(outcomes, [outcome], "{category}");
    }
}

#[tokio::test]
async fn a_maintenance_page_is_no_success() {
    for (on, scope) in [(JANES.to_owned(), list("7")), (format!("{JANES}/unsubscribe-all"), Scope::default())] {
        let html = ResponseTemplate::new(200).set_body_raw("<html>Back soon</html>", "text/html");
        let server = answering("POST", &on, html).await;
        let error = push(&open(&server, json!({})), batch(Action::Suppress, &scope, &[JANE])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
    }
}

#[tokio::test]
async fn what_was_done_before_a_failure_is_told_and_the_rest_waits() {
    let server = answering("POST", JANES, done(json!([told(JANE, "UNSUBSCRIBED", "REQUESTED_CHANGE_OCCURRED")]))).await;
    let html = ResponseTemplate::new(200).set_body_raw("<html>Back soon</html>", "text/html");
    Mock::given(method("POST"))
        .and(path(format!("{STATUSES}/john%40example.org")))
        .respond_with(html)
        .mount(&server)
        .await;
    let changes = batch(Action::Suppress, &list("7"), &["zoe@example.org", JOHN, JANE]);
    let outcomes = push(&open(&server, json!({})), changes).await.unwrap();
    assert_eq!(outcomes, [Outcome::Later(None), Outcome::Unknown, Outcome::Applied]);
}

#[tokio::test]
async fn a_missing_permission_is_an_error_of_the_whole_batch() {
    let server =
        answering("POST", JANES, ResponseTemplate::new(403).set_body_json(json!({"category": "MISSING_SCOPES"}))).await;
    let error = push(&open(&server, json!({})), batch(Action::Suppress, &list("7"), &[JANE])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Scope);
}

#[tokio::test]
async fn a_batch_of_one_type_is_one_call_and_matched_by_address() {
    let inputs: Vec<Value> = [JANE, JOHN, "zoe@example.org"].iter()
        .map(|email| json!({"subscriberIdString": email, "subscriptionId": 7, "statusState": "UNSUBSCRIBED", "channel": "EMAIL"}))
        .collect();
    let errors = json!([{"category": "VALIDATION_ERROR", "context": {"subscriberIdString": [JOHN]}}]);
    let body = json!({"status": "COMPLETE", "numErrors": 1, "errors": errors,
        "results": [told("JANE@example.org", "UNSUBSCRIBED", "NO_STATUS_CHANGE")]});
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(batch_path("write")))
        .and(body_json(json!({"inputs": inputs})))
        .respond_with(ResponseTemplate::new(207).set_body_json(body))
        .expect(1)
        .mount(&server)
        .await;
    let changes = batch(Action::Suppress, &list("7"), &["zoe@example.org", JOHN, JANE]);
    let outcomes = push(&open(&server, json!({"enterprise": true})), changes).await.unwrap();
    assert_eq!(outcomes, [Outcome::Unknown, refused("VALIDATION_ERROR"), Outcome::AlreadySo]);
}

#[tokio::test]
async fn a_batch_of_opt_outs_of_everything_is_one_call() {
    let of = |email: &str| json!({"subscriberIdString": email, "statuses": [told(email, "UNSUBSCRIBED", "UNSUBSCRIBE_FROM_ALL_OCCURRED")]});
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(batch_path("unsubscribe-all")))
        .and(query_param("channel", "EMAIL"))
        .and(query_param("verbose", "true"))
        .and(body_json(json!({"inputs": [JANE, JOHN]})))
        .respond_with(done(json!([of(JOHN), of(JANE)])))
        .expect(1)
        .mount(&server)
        .await;
    let hubspot = open(&server, json!({"enterprise": true}));
    let outcomes = push(&hubspot, batch(Action::Suppress, &Scope::default(), &[JANE, JOHN, JANE])).await.unwrap();
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Applied, Outcome::Applied]);
}

#[tokio::test]
async fn a_batch_that_is_refused_whole_is_delivered_one_by_one() {
    for (status, batch_calls) in [(400, 2), (403, 1)] {
        let server =
            answering("POST", JANES, done(json!([told(JANE, "UNSUBSCRIBED", "REQUESTED_CHANGE_OCCURRED")]))).await;
        let refusal =
            ResponseTemplate::new(status).set_body_json(json!({"status": "error", "category": "VALIDATION_ERROR"}));
        Mock::given(method("POST")).and(path(batch_path("write"))).respond_with(refusal).mount(&server).await;
        let hubspot = open(&server, json!({"enterprise": true}));
        for _ in 0..2 {
            let outcomes = push(&hubspot, batch(Action::Suppress, &list("7"), &[JANE])).await.unwrap();
            assert_eq!(outcomes, [Outcome::Applied]);
        }
        assert_eq!(seen(&server, &batch_path("write")).await.len(), batch_calls, "{status}");
    }
}

#[tokio::test]
async fn what_the_platform_cannot_do_is_refused_without_a_call() {
    let server = MockServer::start().await;
    let hubspot = open(&server, json!({"enterprise": true}));
    let sms = Scope { purposes: Purposes::AllMarketing, channels: Channels::one(Channel::Sms) };
    let named = Scope { purposes: Purposes::Named(vec!["newsletter".into()]), ..Scope::default() };
    for (action, scope, email, outcome) in [
        (Action::Suppress, sms, JANE, refused("only_email")),
        (Action::Suppress, named, JANE, refused("only_subscription_types")),
        (Action::Suppress, list("seven"), JANE, refused("no_such_subscription_type")),
        (Action::Subscribe, Scope::default(), JANE, refused("subscribe_names_no_type")),
        (Action::MarkInvalid, list("7"), JANE, refused("not_offered")),
        (Action::Reconfirm, list("7"), JANE, refused("not_offered")),
        (Action::Suppress, list("7"), " ", refused("no_email_address")),
        (Action::Suppress, list("7"), "no-address", refused("no_email_address")),
    ] {
        assert_eq!(push(&hubspot, batch(action, &scope, &[email])).await.unwrap(), [outcome]);
    }
    assert!(push(&hubspot, batch(Action::Suppress, &list("7"), &[])).await.unwrap().is_empty());
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn opt_ins_are_offered_only_where_they_can_be_read_back() {
    let server = MockServer::start().await;
    for (settings, actions) in [
        (json!({}), vec![Action::Suppress]),
        (json!({"statuses": "single"}), vec![Action::Suppress, Action::Subscribe]),
        (json!({"enterprise": true}), vec![Action::Suppress, Action::Subscribe]),
    ] {
        let hubspot = open(&server, settings);
        let spec = hubspot.push().unwrap().spec();
        assert_eq!((&spec.actions, spec.batch_max.get(), spec.idempotent), (&actions, 100, true));
    }
}
