//! Telling what is held: every audience, under every name a member can have, each record once.

use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use unisson_connector::{ErrorKind, FieldValue, Gathered, Presence, Result, Seek};
use unisson_consent::{Address, RecordId};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, LIST, connect, lines, member, problem};
use crate::push::ADA;

const OTHER: &str = "b7";

fn seek(emails: &[&str], records: &[&str]) -> Seek {
    Seek {
        addresses: emails.iter().filter_map(|email| Address::email(email)).collect(),
        records: records.iter().map(RecordId::new).collect(),
        ..Seek::default()
    }
}

fn ada() -> Seek {
    seek(&["Ada@example.org"], &[])
}

async fn answer(server: &MockServer, at: &str, template: ResponseTemplate) {
    Mock::given(path(format!("/3.0/lists{at}"))).respond_with(template).mount(server).await;
}

fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// Two audiences without anybody in them, and without spam reports.
async fn account() -> MockServer {
    let server = MockServer::start().await;
    let lists = json!([{"id": LIST, "name": "Letter"}, {"id": OTHER, "name": "Offers"}]);
    answer(&server, "", ok(&json!({ "lists": lists, "total_items": 2 }))).await;
    let missing = problem(404, "Resource Not Found", "");
    Mock::given(any()).respond_with(missing).with_priority(9).mount(&server).await;
    for list in [LIST, OTHER] {
        let none = ok(&json!({ "abuse_reports": [], "total_items": 0 }));
        let at = path(format!("/3.0/lists/{list}/abuse-reports"));
        Mock::given(at).respond_with(none).with_priority(8).mount(&server).await;
    }
    server
}

async fn gather(server: &MockServer, settings: Value, who: &Seek) -> Result<Gathered> {
    connect(server, settings).access().unwrap().gather(&CX, who).await
}

fn found(gathered: &Gathered) -> Vec<(&str, &str)> {
    gathered.holdings.iter().map(|held| (held.observation.record.as_str(), held.kind.as_str())).collect()
}

fn hash(text: &str) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()))
}

#[tokio::test]
async fn a_person_is_found_in_every_audience_archived_and_reported_and_each_record_once() {
    let server = account().await;
    answer(&server, &format!("/{LIST}/members/{ADA}"), ok(&member(1, 0, "subscribed"))).await;
    answer(&server, &format!("/{LIST}/members/c1"), ok(&member(1, 0, "subscribed"))).await;
    answer(&server, &format!("/{OTHER}/members/c9"), ok(&member(9, 0, "archived"))).await;
    let report =
        |id: u32, email: &str| json!({ "id": id, "email_address": email, "date": "2025-01-05T10:00:00+00:00" });
    let reports = json!([report(42, "ADA@example.org"), report(43, "bob@example.org")]);
    answer(&server, &format!("/{LIST}/abuse-reports"), ok(&json!({ "abuse_reports": reports, "total_items": 2 })))
        .await;
    let records = [format!("{LIST}/c1"), format!("{OTHER}/c9")];
    let who = seek(&["Ada@example.org"], &records.each_ref().map(String::as_str));
    let told = gather(&server, json!({}), &who).await.unwrap();
    let wanted = [
        (format!("{LIST}/c1"), "member of the audience Letter"),
        (format!("{LIST}/complaint/42"), "spam report in the audience Letter"),
        (format!("{OTHER}/c9"), "member of the audience Offers"),
    ];
    assert_eq!(found(&told), wanted.each_ref().map(|(record, kind)| (record.as_str(), *kind)));
    let presences: Vec<Presence> = told.holdings.iter().map(|held| held.observation.presence).collect();
    assert_eq!(presences, [Presence::Present, Presence::Present, Presence::Archived]);
    let name = told.holdings[0].fields.iter().find(|field| field.path == "/merge_fields/FNAME").unwrap();
    assert_eq!(name.value, FieldValue::Text("Ada".to_owned()));
    assert_eq!(told.holdings[0].observation.slots.len(), 2, "it is what a pull would tell");
    assert!(told.unseen.iter().any(|place| place.contains("e-commerce")), "{:?}", told.unseen);
}

#[tokio::test]
async fn every_spelling_is_asked_for_by_its_digest_and_nothing_is_written() {
    let server = account().await;
    let told = gather(&server, json!({}), &seek(&[" Ada@Bücher.example "], &[])).await.unwrap();
    assert!(told.holdings.is_empty() && !told.unseen.is_empty());
    let sent = lines(&server).await;
    for spelling in ["ada@bücher.example", "ada@xn--bcher-kva.example"] {
        for list in [LIST, OTHER] {
            let asked = format!("GET /3.0/lists/{list}/members/{} exclude_fields=_links", hash(spelling));
            assert!(sent.contains(&asked), "{asked} is not in {sent:?}");
        }
    }
    let reports =
        format!("GET /3.0/lists/{OTHER}/abuse-reports count=1000&exclude_fields=_links,abuse_reports._links&offset=0");
    assert!(sent.contains(&reports), "{sent:?}");
    assert!(sent.iter().all(|line| line.starts_with("GET ")), "{sent:?}");
}

#[tokio::test]
async fn an_audience_that_is_left_out_is_said_to_be_unseen() {
    let server = account().await;
    answer(&server, &format!("/{OTHER}/members/{ADA}"), ok(&member(1, 0, "subscribed"))).await;
    let told = gather(&server, json!({ "audiences": [LIST] }), &ada()).await.unwrap();
    assert!(told.holdings.is_empty());
    assert!(told.unseen.contains(&"1 audiences of the account that `audiences` leaves out".to_owned()));
}

#[tokio::test]
async fn a_place_that_may_not_be_looked_at_is_unseen_and_the_others_are_told() {
    let server = account().await;
    answer(&server, &format!("/{LIST}/members/{ADA}"), problem(403, "Forbidden", "ada@example.org")).await;
    answer(&server, &format!("/{OTHER}/abuse-reports"), problem(403, "Forbidden", "")).await;
    answer(&server, &format!("/{OTHER}/members/{ADA}"), ok(&member(1, 0, "unsubscribed"))).await;
    let told = gather(&server, json!({}), &ada()).await.unwrap();
    assert_eq!(found(&told), [("b7/c1", "member of the audience Offers")]);
    for place in ["members of the audience Letter", "spam reports of the audience Offers"] {
        assert!(told.unseen.iter().any(|unseen| unseen.starts_with(place)), "{:?}", told.unseen);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_that_names_nobody() {
    let html = ResponseTemplate::new(200).set_body_raw("<html>ada@example.org</html>", "text/html");
    let moved = ResponseTemplate::new(404).set_body_json(json!({ "error": "ada@example.org" }));
    let nobody = ok(&json!({ "id": ADA, "contact_id": "c1", "full_name": "Ada" }));
    for template in [html, moved, nobody] {
        let server = account().await;
        answer(&server, &format!("/{LIST}/members/{ADA}"), template).await;
        let error = gather(&server, json!({}), &ada()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(!format!("{error} {error:?}").to_lowercase().contains("ada"), "{error:?}");
    }
    let server = account().await;
    let short = ok(&json!({ "abuse_reports": [], "total_items": 3 }));
    answer(&server, &format!("/{LIST}/abuse-reports"), short).await;
    assert_eq!(gather(&server, json!({}), &ada()).await.unwrap_err().kind(), ErrorKind::Incomplete);
}

#[tokio::test]
async fn what_was_found_prints_nobody() {
    let server = account().await;
    answer(&server, &format!("/{LIST}/members/{ADA}"), ok(&member(1, 0, "subscribed"))).await;
    let told = gather(&server, json!({}), &ada()).await.unwrap();
    let shown = format!("{told:?} {:?}", ada());
    assert!(!shown.contains("example.org") && !shown.contains("Ada") && shown.contains("Holding"), "{shown}");
}
