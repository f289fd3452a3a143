//! Telling what is held: contacts in use and archived, whole, and what their addresses chose.

use serde_json::{Value, json};
use unisson_connector::{ErrorKind, FieldValue, Gathered, Presence, Result, Seek};
use unisson_consent::{Address, CustomerNo, RecordId};
use wiremock::matchers::{any, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{CONTACTS, CX, SEARCH, STATUSES, contact, define, definition, open, seen};

const PROPERTIES: &str = "/crm/v3/properties/contacts";
const BATCH: &str = "/crm/v3/objects/contacts/batch/read";

fn ok(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn shut() -> ResponseTemplate {
    ResponseTemplate::new(403).set_body_json(json!({"status": "error", "category": "MISSING_SCOPES"}))
}

async fn on(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(server).await;
}

/// What a batch read shows of contacts in use, or of archived ones.
async fn reading(server: &MockServer, archived: &str, rows: Value) {
    let body = json!({"status": "COMPLETE", "results": rows});
    let mock = Mock::given(path(BATCH)).and(query_param("archived", archived));
    mock.respond_with(ok(body)).mount(server).await;
}

/// A portal with one subscription type and with nobody who is found.
async fn portal() -> MockServer {
    let server = MockServer::start().await;
    define(&server, json!([definition("7", "Newsletter")])).await;
    let missing = ResponseTemplate::new(404).set_body_json(json!({"status": "error", "category": "OBJECT_NOT_FOUND"}));
    Mock::given(any()).respond_with(missing).with_priority(9).mount(&server).await;
    let names = json!({"results": [{"name": "email"}, {"name": "shoe_size"}]});
    Mock::given(path(PROPERTIES)).respond_with(ok(names)).with_priority(8).mount(&server).await;
    let nobody = ok(json!({"results": [], "total": 0}));
    Mock::given(path(SEARCH)).respond_with(nobody).with_priority(8).mount(&server).await;
    let none = ok(json!({"status": "COMPLETE", "results": []}));
    Mock::given(path(BATCH)).respond_with(none).with_priority(8).mount(&server).await;
    server
}

fn jane() -> Seek {
    Seek { addresses: Address::email(" Person512@example.org ").into_iter().collect(), ..Seek::default() }
}

async fn gather(server: &MockServer, who: &Seek) -> Result<Gathered> {
    open(server, json!({"customer_property": "customer_no"})).access().unwrap().gather(&CX, who).await
}

#[tokio::test]
async fn a_contact_is_found_by_address_number_and_id_and_told_whole_and_once() {
    let server = portal().await;
    let by_address = format!("{CONTACTS}/person512%40example.org");
    on(&server, "GET", &by_address, ok(json!({"id": "512", "properties": {}}))).await;
    on(
        &server,
        "POST",
        SEARCH,
        ok(json!({"results": [{"id": "512", "properties": {}}, {"id": "900", "properties": {}}], "total": 2})),
    )
    .await;
    let properties = json!({"shoe_size": "38", "nickname": null, "hs_email_optout_7": "true"});
    reading(&server, "false", json!([contact(512, 0, properties)])).await;
    reading(&server, "true", json!([contact(900, 0, json!({}))])).await;
    let chosen = json!({"status": "COMPLETE", "results": [{"subscriptionId": 7, "status": "UNSUBSCRIBED"}]});
    on(&server, "GET", &format!("{STATUSES}/person512%40example.org"), ok(chosen)).await;
    let who = Seek {
        addresses: [Address::email("Person512@example.org"), Address::phone("+33600000001", None)]
            .into_iter()
            .flatten()
            .collect(),
        customers: vec![CustomerNo::new("C-1")],
        records: vec![RecordId::new("512"), RecordId::new("901")],
    };
    let told = gather(&server, &who).await.unwrap();
    let found: Vec<(&str, &str, Presence)> = told
        .holdings
        .iter()
        .map(|held| (held.observation.record.as_str(), held.kind.as_str(), held.observation.presence))
        .collect();
    assert_eq!(found, [("512", "contact", Presence::Present), ("900", "archived contact", Presence::Archived)]);
    let fields = &told.holdings[0].fields;
    let value = |path: &str| fields.iter().find(|field| field.path == path).map(|field| field.value.clone());
    assert_eq!(value("/properties/shoe_size"), Some(FieldValue::Text("38".to_owned())));
    assert_eq!(value("/properties/nickname"), None, "a property that is not set tells nothing");
    assert_eq!(value("/subscription_preferences/0/0/status"), Some(FieldValue::Text("UNSUBSCRIBED".to_owned())));
    assert_eq!(told.holdings[0].observation.slots.len(), 2, "it is what a pull would tell");
    assert!(told.unseen.iter().any(|place| place.starts_with("deals")), "{:?}", told.unseen);

    let search: Value = seen(&server, SEARCH).await[0].body_json().unwrap();
    let by = |property: &str, operator: &str, value: &str| json!({"filters": [{"propertyName": property, "operator": operator, "value": value}]});
    let wanted = json!([
        by("email", "EQ", "person512@example.org"),
        by("hs_additional_emails", "CONTAINS_TOKEN", "person512@example.org"),
        by("mobilephone", "EQ", "+33600000001"),
        by("phone", "EQ", "+33600000001"),
        by("customer_no", "EQ", "C-1"),
    ]);
    assert_eq!(search, json!({"filterGroups": wanted, "properties": ["hs_object_id"], "limit": 100}));
    let batch: Value = seen(&server, BATCH).await[0].body_json().unwrap();
    assert_eq!(batch["inputs"], json!([{"id": "512"}, {"id": "900"}, {"id": "901"}]));
    let asked = batch["properties"].as_array().unwrap();
    assert!(["shoe_size", "hs_email_optout_7", "email"].iter().all(|name| asked.contains(&json!(name))), "{asked:?}");
}

#[tokio::test]
async fn every_spelling_is_asked_for_in_use_and_archived() {
    let server = portal().await;
    let who = Seek { addresses: Address::email("Old@Bücher.example").into_iter().collect(), ..Seek::default() };
    let told = gather(&server, &who).await.unwrap();
    assert!(told.holdings.is_empty() && !told.unseen.is_empty());
    for spelling in ["old%40b%C3%BCcher.example", "old%40xn--bcher-kva.example"] {
        let queries: Vec<String> = seen(&server, &format!("{CONTACTS}/{spelling}"))
            .await
            .iter()
            .map(|request| request.url.query().unwrap_or_default().to_owned())
            .collect();
        let asked = |archived: bool| format!("idProperty=email&properties=hs_object_id&archived={archived}");
        assert_eq!(queries, [asked(false), asked(true)]);
    }
    assert!(seen(&server, BATCH).await.is_empty(), "nobody was found, so nobody is read");
}

#[tokio::test]
async fn a_place_that_may_not_be_looked_at_is_unseen_and_the_rest_is_told() {
    let server = portal().await;
    on(&server, "GET", PROPERTIES, shut()).await;
    on(&server, "GET", &format!("{STATUSES}/person512%40example.org"), shut()).await;
    on(&server, "GET", &format!("{CONTACTS}/person512%40example.org"), ok(json!({"id": "512", "properties": {}})))
        .await;
    reading(&server, "false", json!([contact(512, 0, json!({}))])).await;
    let told = gather(&server, &jane()).await.unwrap();
    assert_eq!(told.holdings.len(), 1);
    for place in ["properties of a contact other", "subscription preferences of an address: add"] {
        assert!(told.unseen.iter().any(|unseen| unseen.starts_with(place)), "{:?}", told.unseen);
    }
}

#[tokio::test]
async fn contacts_that_cannot_be_looked_for_are_an_error_that_names_nobody() {
    let html = ResponseTemplate::new(200).set_body_raw("<html>person512@example.org</html>", "text/html");
    let crowd = ok(json!({"results": [{"id": "1"}], "paging": {"next": {"after": "100"}}}));
    for (answer, kind) in [(shut(), ErrorKind::Scope), (html, ErrorKind::Contract), (crowd, ErrorKind::Bounds)] {
        let server = portal().await;
        on(&server, "POST", SEARCH, answer).await;
        let error = gather(&server, &jane()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(!format!("{error} {error:?}").contains("example.org"), "{error:?}");
    }
}

#[tokio::test]
async fn what_was_found_prints_nobody() {
    let server = portal().await;
    on(&server, "GET", &format!("{CONTACTS}/person512%40example.org"), ok(json!({"id": "512", "properties": {}})))
        .await;
    reading(&server, "false", json!([contact(512, 0, json!({}))])).await;
    let told = gather(&server, &jane()).await.unwrap();
    let shown = format!("{told:?} {:?}", jane());
    assert!(shown.contains("Holding") && !shown.contains("example.org"), "{shown}");
}
