//! Correcting an address: whoever was blocklisted stays it, although the vendor forgets it with the address.

use serde_json::{Value, json};
use unisson_connector::{Outcome, Result};
use unisson_consent::Address;
use wiremock::MockServer;

use crate::fake::{CX, Fake, blocked, connect, contact, lines};
use crate::push::target;

async fn rectify_as(server: &MockServer, record: &str, from: Option<Address>, to: Option<Address>) -> Result<Outcome> {
    let who = target(record, "p7@example.org");
    connect(server, json!({})).rectify().unwrap().rectify(&CX, &who, &from.unwrap(), &to.unwrap()).await
}

async fn rectify(server: &MockServer) -> Result<Outcome> {
    rectify_as(server, "7", Address::email("P7@example.org"), Address::email("New@example.org")).await
}

fn refused(code: &str) -> Outcome {
    Outcome::Refused(code.to_owned())
}

fn with(changes: &Value) -> Value {
    let mut contact = contact(7, 0);
    contact.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    contact
}

async fn writes(server: &MockServer) -> Vec<String> {
    lines(server).await.into_iter().filter(|line| !line.starts_with("GET ")).collect()
}

fn put(body: &Value) -> String {
    format!("PUT /v3/contacts/7 identifierType=contact_id {body}")
}

#[tokio::test]
async fn a_blocklisting_is_kept_in_the_same_call_with_the_lists_left_and_the_senders_shut_out() {
    let fake = Fake::holding([with(&json!({ "emailBlacklisted": true, "listUnsubscribed": [41] }))]);
    fake.change(|state| state.blocked = vec![blocked(7, "adminBlocked"), blocked(8, "adminBlocked")]);
    let server = fake.serve().await;
    assert_eq!(rectify(&server).await.unwrap(), Outcome::Applied);
    let body = json!({
        "attributes": {"EMAIL": "New@example.org"}, "emailBlacklisted": true, "smsBlacklisted": false,
        "smtpBlacklistSender": ["news@shop.example"], "unlinkListIds": [41],
    });
    assert_eq!(writes(&server).await, [put(&body)]);
    let held = &fake.contacts()[0];
    assert_eq!((&held["email"], &held["emailBlacklisted"]), (&json!("new@example.org"), &json!(true)));
}

#[tokio::test]
async fn a_dead_address_shuts_no_sender_out_of_the_new_one() {
    let fake = Fake::holding([contact(7, 0)]);
    fake.change(|state| state.blocked = vec![blocked(7, "hardBounce")]);
    let server = fake.serve().await;
    assert_eq!(rectify(&server).await.unwrap(), Outcome::Applied);
    let body =
        json!({ "attributes": {"EMAIL": "New@example.org"}, "emailBlacklisted": false, "smsBlacklisted": false });
    assert_eq!(writes(&server).await, [put(&body)]);
}

#[tokio::test]
async fn a_blocklisting_that_is_gone_all_the_same_is_set_again_or_told() {
    let fake = Fake::holding([with(&json!({ "emailBlacklisted": true }))]);
    fake.change(|state| state.forgets = 1);
    let server = fake.serve().await;
    assert_eq!(rectify(&server).await.unwrap(), Outcome::Applied);
    assert_eq!(writes(&server).await.last(), Some(&put(&json!({ "emailBlacklisted": true }))));
    assert_eq!(fake.contacts()[0]["emailBlacklisted"], json!(true));

    let fake = Fake::holding([with(&json!({ "emailBlacklisted": true }))]);
    fake.change(|state| state.forgets = 2);
    let error = rectify(&fake.serve().await).await.unwrap_err();
    assert!(error.to_string().contains("set it by hand") && !error.to_string().contains('@'), "{error}");
}

#[tokio::test]
async fn nothing_is_written_where_nothing_is_to_be_corrected() {
    let table = [
        (with(&json!({ "email": "NEW@example.org" })), Outcome::AlreadySo),
        (with(&json!({ "email": "bob@example.org" })), refused("address_changed")),
        (with(&json!({ "emailBlacklisted": null })), refused("blocklist_not_shown")),
        (contact(8, 0), Outcome::NotFound),
    ];
    for (held, wanted) in table {
        let server = Fake::holding([held]).serve().await;
        assert_eq!(rectify(&server).await.unwrap(), wanted);
        assert!(writes(&server).await.is_empty());
    }
    let other = json!({"id": 9, "email": "new@example.org", "attributes": {}});
    let server = Fake::holding([contact(7, 0), other]).serve().await;
    assert_eq!(rectify(&server).await.unwrap(), refused("address_of_another_contact"));
    let postal = || Address::postal("1 rue X");
    assert_eq!(rectify_as(&server, "7", postal(), postal()).await.unwrap(), refused("no_such_field"));
    let email = || Address::email("p7@example.org");
    assert_eq!(rectify_as(&server, "blocked/00ff", email(), email()).await.unwrap(), refused("no_contact"));
    assert!(writes(&server).await.is_empty());
}

#[tokio::test]
async fn a_number_is_corrected_without_letting_texts_through() {
    let fake = Fake::holding([with(&json!({ "smsBlacklisted": true, "attributes": {"SMS": "33600000001"} }))]);
    let server = fake.serve().await;
    let [from, to] = ["+33600000001", "+33600000002"].map(|number| Address::phone(number, None));
    assert_eq!(rectify_as(&server, "7", from, to).await.unwrap(), Outcome::Applied);
    let body = json!({ "attributes": {"SMS": "+33600000002"}, "emailBlacklisted": false, "smsBlacklisted": true });
    assert_eq!(writes(&server).await, [put(&body)]);
}
