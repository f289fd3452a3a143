//! Incremental passes: what was modified since the last one, however much it is.

use serde_json::{Value, json};
use unisson_connector::{Cursor, ErrorKind, Next, Proof};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{Portal, SEARCH, contact, define, drain, ids, open, page, seen};

const NOON: &str = "Tue, 24 Nov 2026 12:00:00 GMT";
const NOON_MS: i64 = 1_795_521_600_000;
const OVERLAP_MS: i64 = 5 * 60 * 1000;

fn since(from_ms: i64) -> Cursor {
    let text = json!({"v": 1, "stream": "contacts", "pages": 0, "began": null, "lists": [],
        "place": {"search": {"from": from_ms, "above": 0}}});
    Cursor(text.to_string())
}

fn from_of(cursor: Option<&Cursor>) -> Value {
    serde_json::from_str::<Value>(&cursor.unwrap().0).unwrap()["place"]["search"]["from"].clone()
}

async fn answering(body: Value) -> MockServer {
    let server = MockServer::start().await;
    define(&server, json!([])).await;
    let answer = ResponseTemplate::new(200).set_body_json(body).insert_header("date", NOON);
    Mock::given(method("POST")).and(path(SEARCH)).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn a_search_is_sent_exactly_as_documented() {
    let server = Portal::of((1..=201).map(|id| contact(id, NOON_MS, json!({}))).collect()).serve().await;
    drain(&open(&server, json!({})), "contacts", Some(since(NOON_MS))).await.unwrap();

    let requests = seen(&server, SEARCH).await;
    assert_eq!(requests.len(), 2);
    let properties = [
        "email",
        "hs_additional_emails",
        "mobilephone",
        "hs_email_optout",
        "hs_email_bad_address",
        "hs_email_hard_bounce_reason_enum",
        "hs_email_quarantined",
        "hs_email_quarantined_reason",
        "phone",
        "hs_country_region_code",
        "hs_email_optout_7",
    ];
    let body = |filters: Value| {
        json!({
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": properties,
            "limit": 200,
        })
    };
    let modified = json!({"propertyName": "lastmodifieddate", "operator": "GTE", "value": NOON_MS.to_string()});
    let behind = json!({"propertyName": "hs_object_id", "operator": "GT", "value": "200"});
    assert_eq!(requests[0].body_json::<Value>().unwrap(), body(json!([modified])));
    assert_eq!(requests[1].body_json::<Value>().unwrap(), body(json!([modified, behind])));
}

#[tokio::test]
async fn what_was_modified_is_seen_once_however_the_pages_fall() {
    for (count, pages) in [(0, 1), (1, 1), (200, 1), (201, 2), (999, 5)] {
        let mut contacts: Vec<Value> = (1..=count).map(|id| contact(id, NOON_MS, json!({}))).collect();
        contacts.push(contact(5_000, NOON_MS - 1, json!({})));
        let server = Portal::of(contacts).serve().await;
        let read = drain(&open(&server, json!({})), "contacts", Some(since(NOON_MS))).await.unwrap();
        assert_eq!(ids(&read.observations), (1..=count).map(|id| id.to_string()).collect::<Vec<_>>());
        assert_eq!((read.proof, read.pages), (Proof::NoNextLink, pages), "{count}");
    }
}

#[tokio::test]
async fn more_than_ten_thousand_of_one_moment_are_all_seen() {
    let contacts = (1..=10_450).map(|id| contact(id, NOON_MS, json!({}))).collect();
    let server = Portal::of(contacts).serve().await;
    let read = drain(&open(&server, json!({})), "contacts", Some(since(NOON_MS))).await.unwrap();
    assert_eq!(ids(&read.observations), (1..=10_450).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(read.pages, 53);
}

#[tokio::test]
async fn a_contact_that_is_modified_while_the_search_is_read_hides_no_other() {
    // After each search one contact of those already shown is modified: with offsets, the one behind would slip through.
    let touch: fn(&mut Vec<Value>) = |held| {
        let oldest = held.iter_mut().find(|row| row["properties"]["touched"].is_null()).unwrap();
        oldest["properties"]["touched"] = json!("yes");
        oldest["properties"]["lastmodifieddate"] = json!("2026-11-24T12:30:00Z");
    };
    let contacts = (1..=700).map(|id| contact(id, NOON_MS + i64::try_from(id).unwrap(), json!({}))).collect();
    let server = Portal::of(contacts).restless(touch).serve().await;
    let read = drain(&open(&server, json!({})), "contacts", Some(since(NOON_MS))).await.unwrap();
    assert_eq!(ids(&read.observations), (1..=700).map(|id| id.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_next_pass_starts_when_this_one_began_by_the_platforms_clock() {
    let empty = json!({"total": 0, "results": []});
    let server = answering(empty).await;
    let read = drain(&open(&server, json!({})), "contacts", Some(since(1_700_000_000_000))).await.unwrap();
    assert_eq!(from_of(read.resume.as_ref()), json!(NOON_MS - OVERLAP_MS));
    // It never moves back, whatever the platform's clock says.
    let late = drain(&open(&server, json!({})), "contacts", Some(since(NOON_MS))).await.unwrap();
    assert_eq!(from_of(late.resume.as_ref()), json!(NOON_MS));
}

#[tokio::test]
async fn a_sweep_hands_over_to_the_pass_that_catches_what_changed_meanwhile() {
    let server = MockServer::start().await;
    define(&server, json!([])).await;
    for (after, body, date) in [
        (None, json!({"results": [], "paging": {"next": {"after": "2"}}}), NOON),
        (Some("2"), json!({"results": []}), "Tue, 24 Nov 2026 15:00:00 GMT"),
    ] {
        let listing = Mock::given(method("GET")).and(path(crate::portal::CONTACTS));
        let listing = match after {
            Some(after) => listing.and(wiremock::matchers::query_param("after", after)),
            None => listing.and(wiremock::matchers::query_param_is_missing("after")),
        };
        let answer = ResponseTemplate::new(200).set_body_json(body).insert_header("date", date);
        listing.respond_with(answer).mount(&server).await;
    }
    let read = drain(&open(&server, json!({})), "contacts", None).await.unwrap();
    assert_eq!(from_of(read.resume.as_ref()), json!(NOON_MS - OVERLAP_MS));
}

#[tokio::test]
async fn rows_out_of_order_are_an_error_because_the_last_id_would_skip_some() {
    let rows = json!([contact(9, NOON_MS, json!({})), contact(3, NOON_MS, json!({}))]);
    let server = answering(json!({"total": 2, "results": rows})).await;
    let error = page(&open(&server, json!({})), "contacts", Some(&since(0))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
}

#[tokio::test]
async fn a_search_that_shows_fewer_than_it_counts_is_incomplete() {
    let server = answering(json!({"total": 7, "results": []})).await;
    let error = page(&open(&server, json!({})), "contacts", Some(&since(0))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
}

#[tokio::test]
async fn an_announced_page_of_a_search_without_rows_is_asked_for_twice() {
    let server = MockServer::start().await;
    define(&server, json!([])).await;
    let first = json!({"total": 2, "results": [contact(1, NOON_MS, json!({}))], "paging": {"next": {"after": "1"}}});
    let rest = json!({"total": 1, "results": [contact(2, NOON_MS, json!({}))]});
    for body in [first, json!({"total": 0, "results": []}), rest] {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(method("POST")).and(path(SEARCH)).respond_with(answer).up_to_n_times(1).mount(&server).await;
    }
    let read = drain(&open(&server, json!({})), "contacts", Some(since(0))).await.unwrap();
    assert_eq!(ids(&read.observations), ["1", "2"]);
}

#[tokio::test]
async fn an_empty_page_of_a_search_that_announces_more_is_an_error() {
    let server = answering(json!({"total": 7, "results": [], "paging": {"next": {"after": "200"}}})).await;
    let error = page(&open(&server, json!({})), "contacts", Some(&since(0))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
}

#[tokio::test]
async fn a_pass_between_two_pages_keeps_its_place() {
    let server = Portal::of((1..=250).map(|id| contact(id, NOON_MS, json!({}))).collect()).serve().await;
    let Next::More(cursor) = page(&open(&server, json!({})), "contacts", Some(&since(0))).await.unwrap().next else {
        panic!("there is more")
    };
    let rest = drain(&open(&server, json!({})), "contacts", Some(cursor)).await.unwrap();
    assert_eq!(ids(&rest.observations), (201..=250).map(|id| id.to_string()).collect::<Vec<_>>());
}
