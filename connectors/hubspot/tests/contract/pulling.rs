//! Full sweeps: every contact once, a proof of the end, and no success with a gap.

use serde_json::{Value, json};
use unisson_connector::{Cursor, ErrorKind, Next, Presence, Proof};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{CONTACTS, DEFINITIONS, Portal, contact, define, definition, drain, ids, jane, open, page, seen};

const PROPERTIES: &str = "email,hs_additional_emails,mobilephone,hs_email_optout,hs_email_bad_address,\
    hs_email_hard_bounce_reason_enum,hs_email_quarantined,hs_email_quarantined_reason,phone,hs_country_region_code,\
    hs_email_optout_7";

fn crowd(count: u64) -> Vec<Value> {
    (1..=count).map(|id| contact(id, 1_700_000_000_000, json!({}))).collect()
}

#[tokio::test]
async fn a_sweep_asks_for_a_hundred_contacts_with_every_property_it_reads() {
    let server = Portal::of(crowd(101)).serve().await;
    drain(&open(&server, json!({})), "contacts", None).await.unwrap();

    let requests = seen(&server, CONTACTS).await;
    assert_eq!(requests.len(), 2);
    let query = |place: usize| requests[place].url.query_pairs().into_owned().collect::<Vec<_>>();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let first = vec![pair("limit", "100"), pair("archived", "false"), pair("properties", PROPERTIES)];
    assert_eq!(query(0), first);
    assert_eq!(query(1), [first, vec![pair("after", "101")]].concat());
    assert!(requests[0].headers["authorization"].to_str().unwrap().starts_with("Bearer pat-eu1-"));
    assert!(requests[0].body.is_empty());
}

#[tokio::test]
async fn every_contact_is_seen_once_however_the_pages_fall() {
    for (count, pages) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (1_234, 13)] {
        let server = Portal::of(crowd(count)).serve().await;
        let read = drain(&open(&server, json!({})), "contacts", None).await.unwrap();
        let expected: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
        assert_eq!(ids(&read.observations), expected);
        assert_eq!((read.proof, read.pages), (Proof::NoNextLink, pages), "{count}");
        assert!(read.resume.is_some());
        assert_eq!(seen(&server, DEFINITIONS).await.len(), 1);
    }
}

#[tokio::test]
async fn an_empty_page_with_a_further_link_is_not_the_end() {
    let server = MockServer::start().await;
    define(&server, json!([])).await;
    for (after, rows, next) in [
        (None, vec![jane(json!({}))], Some("a")),
        (Some("a"), vec![], Some("b")),
        (Some("b"), vec![contact(600, 0, json!({}))], None),
    ] {
        let mut body = json!({"results": rows});
        if let Some(next) = next {
            body["paging"] = json!({"next": {"after": next}});
        }
        let listing = Mock::given(method("GET")).and(path(CONTACTS));
        let listing = match after {
            Some(after) => listing.and(query_param("after", after)),
            None => listing.and(query_param_is_missing("after")),
        };
        listing.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
    }
    let read = drain(&open(&server, json!({})), "contacts", None).await.unwrap();
    assert_eq!(ids(&read.observations), ["512", "600"]);
}

#[tokio::test]
async fn an_end_without_rows_is_asked_for_twice() {
    // Once it comes of a fault, and the announced rows are there the second time; then it is the truth.
    for (spoilt, expected) in [(1, vec!["512", "600"]), (2, vec!["512"])] {
        let server = MockServer::start().await;
        define(&server, json!([])).await;
        let announcing = json!({"results": [jane(json!({}))], "paging": {"next": {"after": "600"}}});
        let listing = Mock::given(method("GET")).and(path(CONTACTS)).and(query_param_is_missing("after"));
        listing.respond_with(ResponseTemplate::new(200).set_body_json(announcing)).mount(&server).await;
        for (rows, times) in [(json!([]), spoilt), (json!([contact(600, 0, json!({}))]), 9)] {
            let listing = Mock::given(method("GET")).and(path(CONTACTS)).and(query_param("after", "600"));
            let answer = ResponseTemplate::new(200).set_body_json(json!({"results": rows}));
            listing.respond_with(answer).up_to_n_times(times).mount(&server).await;
        }
        let read = drain(&open(&server, json!({})), "contacts", None).await.unwrap();
        assert_eq!(ids(&read.observations), expected);
        assert_eq!(read.proof, Proof::NoNextLink);
    }
}

/// A server whose listing hands out tokens in a circle; the rows differ unless `same_rows`.
async fn circle(length: u64, same_rows: bool) -> MockServer {
    let server = MockServer::start().await;
    define(&server, json!([])).await;
    let answer = move |request: &wiremock::Request| {
        let after = request
            .url
            .query_pairs()
            .find(|(key, _)| key == "after")
            .map_or(0, |(_, token)| token.parse().unwrap_or(0));
        let (id, next) = if same_rows { (1, after + 1) } else { (after + 1, after % length + 1) };
        let body = json!({"results": [contact(id, 0, json!({}))], "paging": {"next": {"after": next.to_string()}}});
        ResponseTemplate::new(200).set_body_json(body)
    };
    Mock::given(method("GET")).and(path(CONTACTS)).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn tokens_that_turn_in_a_circle_end_the_pass_with_an_error() {
    for (length, calls_max) in [(1, 3), (2, 4), (3, 5), (15, 18), (40, 150)] {
        let server = circle(length, false).await;
        let error = drain(&open(&server, json!({})), "contacts", None).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Contract, "{length}");
        let calls = seen(&server, CONTACTS).await.len();
        assert!(calls <= calls_max, "{length}: {calls}");
    }
}

#[tokio::test]
async fn fresh_tokens_for_the_same_rows_are_a_circle_too() {
    let server = circle(0, true).await;
    let error = drain(&open(&server, json!({})), "contacts", None).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert_eq!(seen(&server, CONTACTS).await.len(), 2);
}

#[tokio::test]
async fn a_failure_under_the_status_of_a_success_is_never_the_end() {
    let json = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    let raw = |body: &str, kind: &str| ResponseTemplate::new(200).set_body_raw(body.to_owned(), kind);
    for answer in [
        raw("<html><body>Down for maintenance</body></html>", "text/html"),
        raw("<html><body>Down for maintenance</body></html>", "application/json"),
        raw(r#"{"results": [{"id": "1", "#, "application/json"),
        json(json!({"status": "error", "message": "internal", "category": "INTERNAL"})),
        json(json!({"status": "error", "results": []})),
        json(json!({"paging": {}})),
        json(json!({"results": null})),
        json(json!({"results": [], "paging": {"next": {"link": "only"}}})),
    ] {
        let server = MockServer::start().await;
        define(&server, json!([])).await;
        Mock::given(method("GET")).and(path(CONTACTS)).respond_with(answer).mount(&server).await;
        let error = page(&open(&server, json!({})), "contacts", None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract, "{error}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_reject_and_the_others_are_read() {
    let server = MockServer::start().await;
    define(&server, json!([])).await;
    let rows = json!([{"properties": {"email": "canary@example.org"}}, jane(json!({})), "canary", {"id": "canary@example.org"}]);
    let answer = ResponseTemplate::new(200).set_body_json(json!({"results": rows}));
    Mock::given(method("GET")).and(path(CONTACTS)).respond_with(answer).mount(&server).await;
    let read = page(&open(&server, json!({})), "contacts", None).await.unwrap();
    assert_eq!(ids(&read.observations), ["512"]);
    let places: Vec<&str> = read.rejects.iter().map(|reject| reject.place.as_str()).collect();
    assert_eq!(places, ["row 1 of the page", "row 3 of the page", "row 4 of the page"]);
    assert!(!format!("{:?}", read.rejects).contains("canary"));
}

#[tokio::test]
async fn archived_contacts_are_a_stream_of_their_own_without_an_incremental_pass() {
    let server = Portal::of(vec![jane(json!({"hs_email_optout_7": "true"}))]).serve().await;
    let hubspot = open(&server, json!({"enterprise": true}));
    let read = drain(&hubspot, "archived", None).await.unwrap();
    assert_eq!(read.observations[0].presence, Presence::Archived);
    assert_eq!(read.resume, None);
    let requests = seen(&server, CONTACTS).await;
    assert!(requests[0].url.query().unwrap().contains("archived=true"));

    let streams = hubspot.pull().unwrap().streams(&crate::portal::CX).await.unwrap();
    assert_eq!(streams.iter().map(|stream| stream.id.0.as_str()).collect::<Vec<_>>(), ["contacts", "archived"]);
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_refused_and_never_quietly_begun_anew() {
    let server = Portal::of(crowd(150)).serve().await;
    let hubspot = open(&server, json!({}));
    let Next::More(own) = page(&hubspot, "contacts", None).await.unwrap().next else { panic!("there is more") };
    let half: String = own.0.chars().take(own.0.len() / 2).collect();
    let newer = own.0.replace("\"v\":1", "\"v\":2");
    for (stream, text) in
        [("contacts", ""), ("contacts", "{}"), ("contacts", &half), ("contacts", &newer), ("archived", &own.0)]
    {
        let error = page(&hubspot, stream, Some(&Cursor(text.to_owned()))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(error.to_string().contains("start a full sweep"), "{error}");
    }
    let error = page(&hubspot, "companies", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_cursor_goes_on_in_another_process() {
    let server = Portal::of(crowd(250)).serve().await;
    let Next::More(cursor) = page(&open(&server, json!({})), "contacts", None).await.unwrap().next else {
        panic!("more")
    };
    let rest = drain(&open(&server, json!({})), "contacts", Some(cursor)).await.unwrap();
    assert_eq!(rest.observations.len(), 150);
    assert_eq!(seen(&server, DEFINITIONS).await.len(), 1, "the pass keeps the subscription types it began with");
}

#[tokio::test]
async fn only_live_email_subscription_types_are_read() {
    let server = MockServer::start().await;
    let mut retired = definition("8", "Old");
    retired["isActive"] = json!(false);
    let mut calls = definition("9", "Calls");
    calls["communicationMethod"] = json!("Phone");
    let mut unsaid = definition("10", "Unsaid");
    unsaid["communicationMethod"] = json!(null);
    define(&server, json!([definition("7", "News"), retired, calls, unsaid])).await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({"results": [jane(json!({}))]}));
    Mock::given(method("GET")).and(path(CONTACTS)).respond_with(answer).mount(&server).await;
    let read = page(&open(&server, json!({})), "contacts", None).await.unwrap();
    let slots = &read.observations[0].slots;
    let scopes: Vec<_> = slots.iter().map(|slot| slot.scope.clone()).collect();
    assert_eq!(scopes, [unisson_consent::Scope::default(), crate::portal::list("7"), crate::portal::list("10")]);
}

#[tokio::test]
async fn too_many_subscription_types_are_an_error_rather_than_a_part_of_them() {
    let server = Portal::default().serve().await;
    server.reset().await;
    define(&server, (0..251).map(|id| definition(&id.to_string(), "x")).collect()).await;
    let error = page(&open(&server, json!({})), "contacts", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bounds);
}
