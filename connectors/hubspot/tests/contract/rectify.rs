//! Correcting an address: what the old one refused, the new one refuses before it is anybody's.

use serde_json::{Value, json};
use unisson_connector::{ErrorKind, Outcome, Result};
use unisson_consent::Address;
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{CONTACTS, CX, STATUSES, contact, define, definition, open, refused, target};

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

async fn on(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(server).await;
}

/// A portal that holds contact 512 with these properties and takes every change.
async fn holding(properties: Value) -> MockServer {
    let server = MockServer::start().await;
    define(&server, json!([definition("7", "Newsletter"), definition("8", "Offers")])).await;
    let missing = ResponseTemplate::new(404).set_body_json(json!({"status": "error", "category": "OBJECT_NOT_FOUND"}));
    Mock::given(any()).respond_with(missing).with_priority(9).mount(&server).await;
    on(&server, "GET", &format!("{CONTACTS}/512"), ok(contact(512, 0, properties))).await;
    let changed = Mock::given(method("PATCH")).and(path(format!("{CONTACTS}/512")));
    changed.respond_with(ok(json!({"id": "512", "properties": {}}))).with_priority(8).mount(&server).await;
    server
}

/// The new address takes what is set for it.
async fn choosing(server: &MockServer) {
    let set = json!({"subscriberIdString": "new@example.org", "subscriptionId": 7, "status": "UNSUBSCRIBED",
        "setStatusSuccessReason": "REQUESTED_CHANGE_OCCURRED"});
    let set = ok(json!({"status": "COMPLETE", "results": [set]}));
    on(server, "POST", &format!("{STATUSES}/new%40example.org"), set).await;
    let all = json!({"subscriberIdString": "new@example.org", "subscriptionId": 7, "status": "UNSUBSCRIBED",
        "wideStatusType": "PORTAL_WIDE"});
    let all = ok(json!({"status": "COMPLETE", "results": [all]}));
    on(server, "POST", &format!("{STATUSES}/new%40example.org/unsubscribe-all"), all).await;
}

async fn rectify(server: &MockServer) -> Result<Outcome> {
    let [from, to] = ["Person512@example.org", "new@example.org"].map(|email| Address::email(email).unwrap());
    open(server, json!({})).rectify().unwrap().rectify(&CX, &target("512", &[]), &from, &to).await
}

async fn call(server: &MockServer, from: &Address, to: &Address) -> Outcome {
    open(server, json!({})).rectify().unwrap().rectify(&CX, &target("512", &[]), from, to).await.unwrap()
}

/// What was written: method, path and body.
async fn written(server: &MockServer) -> Vec<(String, String, Value)> {
    let all = server.received_requests().await.unwrap();
    let writes = all.into_iter().filter(|request| request.method.as_str() != "GET");
    writes
        .map(|request| {
            let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
            (request.method.to_string(), request.url.path().to_owned(), body)
        })
        .collect()
}

fn patch(properties: Value) -> (String, String, Value) {
    ("PATCH".to_owned(), format!("{CONTACTS}/512"), json!({"properties": properties}))
}

#[tokio::test]
async fn the_address_alone_is_changed_where_nothing_was_refused() {
    let server = holding(json!({})).await;
    assert_eq!(rectify(&server).await.unwrap(), Outcome::Applied);
    assert_eq!(written(&server).await, [patch(json!({"email": "new@example.org"}))]);
}

#[tokio::test]
async fn what_the_old_address_refused_is_set_for_the_new_one_first() {
    let one = holding(json!({"hs_email_optout_7": "true"})).await;
    choosing(&one).await;
    assert_eq!(rectify(&one).await.unwrap(), Outcome::Applied);
    let refusal = json!({"subscriptionId": 7, "statusState": "UNSUBSCRIBED", "channel": "EMAIL"});
    let at = format!("{STATUSES}/new%40example.org");
    assert_eq!(
        written(&one).await,
        [("POST".to_owned(), at.clone(), refusal), patch(json!({"email": "new@example.org"}))]
    );

    let told = holding(json!({})).await;
    choosing(&told).await;
    let wide = json!({"subscriberIdString": "person512@example.org", "subscriptionId": 7, "status": "UNSUBSCRIBED",
        "source": "PORTAL_WIDE_STATUS"});
    let chosen = ok(json!({"status": "COMPLETE", "results": [wide]}));
    on(&told, "GET", &format!("{STATUSES}/person512%40example.org"), chosen).await;
    assert_eq!(rectify(&told).await.unwrap(), Outcome::Applied);
    let paths: Vec<String> = written(&told).await.into_iter().map(|(_, path, _)| path).collect();
    assert_eq!(paths, [format!("{at}/unsubscribe-all"), format!("{CONTACTS}/512")]);
}

#[tokio::test]
async fn an_address_whose_refusals_cannot_be_carried_stays() {
    let server = holding(json!({"hs_email_optout_7": "true"})).await;
    assert_eq!(rectify(&server).await.unwrap(), refused("refusals_not_carried"));
    assert!(written(&server).await.iter().all(|(method, ..)| method != "PATCH"));
}

#[tokio::test]
async fn the_address_of_another_contact_is_not_taken_from_it() {
    let server = holding(json!({"hs_email_optout_7": "true"})).await;
    choosing(&server).await;
    on(&server, "GET", &format!("{CONTACTS}/new%40example.org"), ok(json!({"id": "777", "properties": {}}))).await;
    assert_eq!(rectify(&server).await.unwrap(), refused("address_of_another_contact"));
    assert!(written(&server).await.is_empty(), "not even a refusal is set for another's address");
}

#[tokio::test]
async fn nothing_is_written_where_nothing_is_to_be_corrected() {
    let table = [
        (json!({"email": "NEW@example.org"}), Outcome::AlreadySo),
        (json!({"email": "bob@example.org"}), refused("address_changed")),
        (
            json!({"email": "bob@example.org", "hs_additional_emails": "x@example.org;person512@example.org"}),
            refused("additional_address_is_changed_by_hand"),
        ),
    ];
    for (properties, wanted) in table {
        let server = holding(properties).await;
        assert_eq!(rectify(&server).await.unwrap(), wanted);
        assert!(written(&server).await.is_empty());
    }
    let [email, postal] = [Address::email("a@example.org"), Address::postal("1 rue X")].map(Option::unwrap);
    assert_eq!(call(&holding(json!({})).await, &postal, &postal).await, refused("no_such_field"));
    assert_eq!(call(&holding(json!({})).await, &email, &postal).await, refused("no_such_field"));
}

#[tokio::test]
async fn a_number_is_corrected_where_it_is_held() {
    let server = holding(json!({"phone": "+33 6 00 00 00 09", "mobilephone": "+33600000001"})).await;
    let [old, new] = ["+33600000001", "+33600000002"].map(|number| Address::phone(number, None).unwrap());
    assert_eq!(call(&server, &old, &new).await, Outcome::Applied);
    assert_eq!(written(&server).await, [patch(json!({"mobilephone": "+33600000002"}))]);
    assert_eq!(call(&holding(json!({"phone": "+33600000002"})).await, &old, &new).await, Outcome::AlreadySo);
    assert_eq!(call(&holding(json!({})).await, &old, &new).await, refused("address_changed"));
}

#[tokio::test]
async fn the_answers_to_a_correction_are_read_by_their_class() {
    let error = |status, category: &str| {
        let body = json!({"status": "error", "category": category, "message": "new@example.org"});
        ResponseTemplate::new(status).set_body_json(body)
    };
    let table = [
        (error(409, "CONFLICT"), Ok(refused("address_of_another_contact"))),
        (error(400, "VALIDATION_ERROR"), Ok(refused("VALIDATION_ERROR"))),
        (error(404, "OBJECT_NOT_FOUND"), Ok(Outcome::NotFound)),
        (error(403, "MISSING_SCOPES"), Err(ErrorKind::Scope)),
    ];
    for (answer, wanted) in table {
        let server = holding(json!({})).await;
        on(&server, "PATCH", &format!("{CONTACTS}/512"), answer).await;
        assert_eq!(rectify(&server).await.map_err(|error| error.kind()), wanted);
    }
}
