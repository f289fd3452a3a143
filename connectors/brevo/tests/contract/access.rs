//! Telling what is held: the contact under every name, and what blocks its addresses.

use serde_json::{Value, json};
use unisson_connector::{ErrorKind, FieldValue, Gathered, Result, Seek};
use unisson_consent::{Address, CustomerNo, RecordId};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, Fake, blocked, connect, contact, lines, ok, problem, unknown_contact};

fn seek(emails: &[&str]) -> Seek {
    Seek { addresses: emails.iter().filter_map(|email| Address::email(email)).collect(), ..Seek::default() }
}

async fn gather(server: &MockServer, settings: Value, who: &Seek) -> Result<Gathered> {
    connect(server, settings).access().unwrap().gather(&CX, who).await
}

fn kinds(told: &Gathered) -> Vec<&str> {
    told.holdings.iter().map(|held| held.kind.as_str()).collect()
}

#[tokio::test]
async fn a_person_is_found_by_address_number_customer_and_id_and_each_record_once() {
    let texter = json!({"id": 8, "emailBlacklisted": false, "smsBlacklisted": true, "listIds": [], "listUnsubscribed": null,
        "attributes": {"SMS": "33600000001"}});
    let shopper = json!({"id": 9, "email": "shop@example.org", "emailBlacklisted": true, "smsBlacklisted": false,
        "listIds": [4], "listUnsubscribed": [5], "attributes": {"EXT_ID": "C-1"}});
    let fake = Fake::holding([contact(7, 0), texter, shopper, contact(10, 0)]);
    fake.change(|state| state.blocked = vec![blocked(3, "hardBounce"), blocked(7, "adminBlocked")]);
    let server = fake.serve().await;
    let who = Seek {
        addresses: [Address::email(" P7@example.org"), Address::phone("+33600000001", None)]
            .into_iter()
            .flatten()
            .collect(),
        customers: vec![CustomerNo::new("C-1")],
        records: vec![RecordId::new("7"), RecordId::new("blocked/00ff"), RecordId::new("99")],
    };
    let told = gather(&server, json!({ "customer_attribute": "ext_id" }), &who).await.unwrap();
    let blocked = "address blocked for transactional messages";
    assert_eq!(kinds(&told), ["contact", "contact", "contact", blocked]);
    let records: Vec<&str> = told.holdings.iter().map(|held| held.observation.record.as_str()).collect();
    assert_eq!(records[..3], ["7", "8", "9"]);
    let name = told.holdings[0].fields.iter().find(|field| field.path == "/attributes/FIRSTNAME").unwrap();
    assert_eq!(name.value, FieldValue::Text("Ada".to_owned()));
    let reason = told.holdings[3].fields.iter().find(|field| field.path == "/reason/code").unwrap();
    assert_eq!(reason.value, FieldValue::Text("adminBlocked".to_owned()));
    assert!(told.unseen.iter().any(|place| place == "logs of transactional messages"), "{:?}", told.unseen);
    assert!(lines(&server).await.iter().all(|line| line.starts_with("GET ")));
}

#[tokio::test]
async fn every_spelling_is_asked_for_with_its_type() {
    let server = Fake::holding([]).serve().await;
    let mut who = seek(&["Ada@Bücher.example"]);
    who.customers.push(CustomerNo::new("C-1"));
    let told = gather(&server, json!({}), &who).await.unwrap();
    assert!(told.holdings.is_empty());
    let asked = |name: &str| format!("GET /v3/contacts/{name} identifierType=email_id");
    let spelt = ["Ada%40B%C3%BCcher.example", "ada%40xn--bcher-kva.example"].map(asked);
    let blocks = "GET /v3/smtp/blockedContacts limit=100&offset=0&sort=asc".to_owned();
    assert_eq!(lines(&server).await, [&spelt[0], &spelt[1], &blocks].map(String::as_str));
    assert!(told.unseen.iter().any(|place| place.starts_with("contacts known by a customer number")));
}

#[tokio::test]
async fn a_long_blocklist_is_read_to_its_end() {
    let fake = Fake::holding([]);
    fake.change(|state| state.blocked = (0..250).map(|number| blocked(number, "adminBlocked")).collect());
    let told = gather(&fake.serve().await, json!({}), &seek(&["p249@example.org"])).await.unwrap();
    assert_eq!(told.holdings.len(), 1);
    let told =
        gather(&fake.serve().await, json!({ "transactional": false }), &seek(&["p249@example.org"])).await.unwrap();
    assert!(told.holdings.is_empty() && told.unseen.iter().any(|place| place.ends_with("the settings leave them out")));
}

#[tokio::test]
async fn a_place_that_may_not_be_looked_at_is_unseen_and_the_other_is_told() {
    let fake = Fake::holding([contact(7, 0)]);
    fake.change(|state| state.blocked = vec![blocked(7, "adminBlocked")]);
    for (at, kind, place) in [
        ("/v3/smtp/blockedContacts", "contact", "addresses blocked for transactional messages: the key"),
        ("/v3/contacts/p7%40example.org", "address blocked for transactional messages", "contacts: the key"),
    ] {
        let server = MockServer::start().await;
        let shut = problem(403, "permission_denied", "p7@example.org");
        Mock::given(path(at)).respond_with(shut).with_priority(1).mount(&server).await;
        Mock::given(any()).respond_with(fake.clone()).with_priority(9).mount(&server).await;
        let told = gather(&server, json!({}), &seek(&["p7@example.org"])).await.unwrap();
        assert_eq!(kinds(&told), [kind]);
        assert!(told.unseen.iter().any(|unseen| unseen.starts_with(place)), "{:?}", told.unseen);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_that_names_nobody() {
    let html = ResponseTemplate::new(200).set_body_raw("<html>p7@example.org</html>", "text/html");
    let short = ok(&json!({ "contacts": [], "count": 3 }));
    let nobody = || ok(&json!({ "contacts": [], "count": 0 }));
    for (contacts, blocks, kind) in [
        (html, nobody(), ErrorKind::Contract),
        (ResponseTemplate::new(404), nobody(), ErrorKind::Contract),
        (unknown_contact(), short, ErrorKind::Incomplete),
    ] {
        let server = MockServer::start().await;
        Mock::given(path("/v3/smtp/blockedContacts")).respond_with(blocks).mount(&server).await;
        Mock::given(any()).respond_with(contacts).with_priority(9).mount(&server).await;
        let error = gather(&server, json!({}), &seek(&["p7@example.org"])).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error} {error:?}").contains("example.org"), "{error:?}");
    }
}

#[tokio::test]
async fn what_was_found_prints_nobody() {
    let who = seek(&["p7@example.org"]);
    let told = gather(&Fake::holding([contact(7, 0)]).serve().await, json!({}), &who).await.unwrap();
    let shown = format!("{told:?} {who:?}");
    assert!(shown.contains("Holding") && !shown.contains("example.org"), "{shown}");
}
