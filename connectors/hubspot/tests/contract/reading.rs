//! What a contact says: subscriptions, opt-outs, bounces and identity, in canonical words.

use serde_json::{Value, json};
use unisson_connector::{Event, Observation, Slot};
use unisson_consent::{Actor, Audience, Bounce, Evidence, Kind, Level, Occurred, Relation, Scope, Status};
use wiremock::matchers::{body_json, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{Portal, STATUSES, contact, jane, list, open, page, seen};

const BATCH_READ: &str = "/communication-preferences/v4/statuses/batch/read";
const JANE: &str = "person512@example.org";
const JANES_STATUSES: &str = "/communication-preferences/v4/statuses/person512%40example.org";

fn told(email: &str, status: &str, more: Value) -> Value {
    let mut told = json!({"subscriberIdString": email, "channel": "EMAIL", "subscriptionId": 7,
        "subscriptionName": "Newsletter", "status": status, "source": "SUBSCRIPTION_STATUS",
        "timestamp": "2026-05-02T20:00:00Z"});
    told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    told
}

fn envelope(results: Value) -> Value {
    json!({"status": "COMPLETE", "results": results, "startedAt": "x", "completedAt": "x"})
}

/// Jane as read with one status from the preferences interface.
async fn read_with(properties: Value, statuses: Value) -> Observation {
    let server = Portal::of(vec![jane(properties)]).serve().await;
    let answer = ResponseTemplate::new(200).set_body_json(envelope(statuses));
    Mock::given(method("GET"))
        .and(path(JANES_STATUSES))
        .and(query_param("channel", "EMAIL"))
        .respond_with(answer)
        .mount(&server)
        .await;
    read(&server, json!({"statuses": "single"})).await
}

/// Jane as read from her properties alone.
async fn read_from(properties: Value) -> Observation {
    read(&Portal::of(vec![jane(properties)]).serve().await, json!({})).await
}

async fn read(server: &MockServer, settings: Value) -> Observation {
    page(&open(server, settings), "contacts", None).await.unwrap().observations.remove(0)
}

fn slot<'o>(seen: &'o Observation, scope: &Scope) -> &'o Slot {
    seen.slots.iter().find(|slot| slot.scope == *scope).unwrap()
}

fn at(text: &str) -> Occurred {
    Occurred::Instant(text.parse().unwrap())
}

#[tokio::test]
async fn every_documented_status_has_its_meaning_and_any_other_is_no_grant() {
    let set = at("2026-05-02T20:00:00Z");
    for (word, status, since) in [
        ("SUBSCRIBED", Status::Subscribed, set),
        ("UNSUBSCRIBED", Status::Unsubscribed, set),
        ("NOT_SPECIFIED", Status::Never, Occurred::Unknown),
        ("OPTED_IN_AGAIN", Status::Unknown, Occurred::Unknown),
        ("subscribed", Status::Unknown, Occurred::Unknown),
    ] {
        let seen = read_with(json!({}), json!([told(JANE, word, json!({}))])).await;
        let slot = slot(&seen, &list("7"));
        assert_eq!((slot.status, slot.since), (status, since), "{word}");
        assert_eq!(slot.evidence, Evidence::default());
    }
}

#[tokio::test]
async fn of_two_statuses_for_one_type_the_no_counts() {
    for words in [["SUBSCRIBED", "UNSUBSCRIBED"], ["UNSUBSCRIBED", "SUBSCRIBED"]] {
        let statuses = words.map(|word| told(JANE, word, json!({})));
        let seen = read_with(json!({}), json!(statuses)).await;
        assert_eq!(slot(&seen, &list("7")).status, Status::Unsubscribed);
    }
}

#[tokio::test]
async fn a_legal_basis_is_a_label_and_at_most_traceable() {
    for (basis, capture, contract) in [
        ("CONSENT_WITH_NOTICE", true, false),
        ("PERFORMANCE_OF_CONTRACT", false, true),
        ("LEGITIMATE_INTEREST_PQL", false, false),
        ("LEGITIMATE_INTEREST_CLIENT", false, false),
        ("LEGITIMATE_INTEREST_OTHER", false, false),
        ("PROCESS_AND_STORE", false, false),
        ("NON_GDPR", false, false),
        ("A_LABEL_OF_TOMORROW", false, false),
    ] {
        let label = json!({"legalBasis": basis, "legalBasisExplanation": "They ticked a box"});
        let seen = read_with(json!({}), json!([told(JANE, "SUBSCRIBED", label.clone())])).await;
        let evidence = &slot(&seen, &list("7")).evidence;
        assert_eq!(evidence, &Evidence { capture, ..Evidence::default() }, "{basis}");
        assert!(evidence.level() <= Level::Traceable);
        let relation = Kind::Relationship { what: Relation::Contract, opt_out_offered: false, similar: false };
        let kinds: Vec<&Kind> = seen.events.iter().map(|event| &event.kind).collect();
        assert_eq!(kinds, if contract { vec![&relation] } else { vec![] }, "{basis}");

        let out = read_with(json!({}), json!([told(JANE, "UNSUBSCRIBED", label)])).await;
        assert!(out.events.is_empty(), "{basis}");
        assert_eq!(slot(&out, &list("7")).evidence, Evidence::default());
    }
}

#[tokio::test]
async fn a_time_at_the_epoch_is_no_time() {
    for stamp in [json!("1970-01-01T00:00:00Z"), json!("soon"), json!(null)] {
        let seen = read_with(json!({}), json!([told(JANE, "UNSUBSCRIBED", json!({"timestamp": stamp}))])).await;
        assert_eq!(slot(&seen, &list("7")).since, Occurred::Unknown);
    }
}

#[tokio::test]
async fn an_opt_out_of_everything_is_a_slot_of_its_own_whoever_says_so() {
    let set = at("2026-05-02T20:00:00Z");
    for source in ["PORTAL_WIDE", "PORTAL_WIDE_STATUS", "BRAND_WIDE_STATUS", "BUSINESS_UNIT_WIDE"] {
        for field in ["source", "wideStatusType"] {
            let seen = read_with(json!({}), json!([told(JANE, "UNSUBSCRIBED", json!({field: source}))])).await;
            let wide = slot(&seen, &Scope::default());
            assert_eq!(
                (wide.status, wide.since, wide.actor),
                (Status::Unsubscribed, set, Actor::DataSubject),
                "{source}"
            );
        }
    }
    let seen = read_from(json!({"hs_email_optout": "true"})).await;
    assert_eq!(slot(&seen, &Scope::default()).status, Status::Unsubscribed);
    // What is wide but no opt-out, or an opt-out but not wide, is none.
    for told in [told(JANE, "SUBSCRIBED", json!({"source": "PORTAL_WIDE"})), told(JANE, "UNSUBSCRIBED", json!({}))] {
        let seen = read_with(json!({}), json!([told])).await;
        assert_eq!(slot(&seen, &Scope::default()).status, Status::Never);
    }
}

#[tokio::test]
async fn properties_show_opt_outs_and_claim_nothing_else() {
    for (value, status) in [
        (json!("true"), Status::Unsubscribed),
        (json!(true), Status::Unsubscribed),
        (json!("Yes"), Status::Unsubscribed),
        (json!("false"), Status::Never),
        (json!(""), Status::Never),
        (json!(null), Status::Never),
    ] {
        let seen = read_from(json!({"hs_email_optout_7": value})).await;
        let slot = slot(&seen, &list("7"));
        assert_eq!((slot.status, slot.since), (status, Occurred::Unknown), "{value}");
    }
}

#[tokio::test]
async fn the_copy_counts_only_where_the_original_says_neither_yes_nor_no() {
    let opted_out = || json!({"hs_email_optout_7": "true"});
    for (statuses, status) in [
        (json!([told(JANE, "SUBSCRIBED", json!({}))]), Status::Subscribed),
        (json!([told(JANE, "NOT_SPECIFIED", json!({}))]), Status::Unsubscribed),
        (json!([told(JANE, "NEW_WORD", json!({}))]), Status::Unsubscribed),
        (json!([]), Status::Unsubscribed),
        (json!([told(JANE, "SUBSCRIBED", json!({"subscriptionId": 70}))]), Status::Unsubscribed),
    ] {
        let seen = read_with(opted_out(), statuses).await;
        assert_eq!(slot(&seen, &list("7")).status, status);
    }
}

#[tokio::test]
async fn bounces_are_hard_only_where_the_address_is_dead() {
    for (properties, kinds) in [
        (json!({"hs_email_hard_bounce_reason_enum": "UNKNOWN_USER"}), vec![Kind::Bounce(Bounce::Hard)]),
        (json!({"hs_email_hard_bounce_reason_enum": "CONTENT"}), vec![Kind::Bounce(Bounce::Sender)]),
        (json!({"hs_email_hard_bounce_reason_enum": "POLICY"}), vec![Kind::Bounce(Bounce::Sender)]),
        (json!({"hs_email_hard_bounce_reason_enum": "SPAM"}), vec![Kind::Bounce(Bounce::Sender)]),
        (json!({"hs_email_hard_bounce_reason_enum": "MAILBOX_FULL"}), vec![Kind::Bounce(Bounce::Soft)]),
        (json!({"hs_email_hard_bounce_reason_enum": "OTHER"}), vec![Kind::Bounce(Bounce::Soft)]),
        (json!({"hs_email_hard_bounce_reason_enum": "OF_TOMORROW"}), vec![Kind::Bounce(Bounce::Soft)]),
        (json!({"hs_email_hard_bounce_reason_enum": ""}), vec![]),
        (json!({"hs_email_bad_address": "true"}), vec![Kind::Bounce(Bounce::Hard)]),
        (json!({"hs_email_bad_address": "false"}), vec![]),
        (
            json!({"hs_email_quarantined": "true", "hs_email_quarantined_reason": "RECIPIENT_COMPLAINT"}),
            vec![Kind::Complaint],
        ),
        (
            json!({"hs_email_quarantined": "true", "hs_email_quarantined_reason": "UNDELIVERABLE_ADDRESS"}),
            vec![Kind::Bounce(Bounce::Hard)],
        ),
        (
            json!({"hs_email_quarantined": "true", "hs_email_quarantined_reason": "ON_LIST_IMPORT"}),
            vec![Kind::Bounce(Bounce::Sender)],
        ),
        (json!({"hs_email_quarantined": "true"}), vec![Kind::Bounce(Bounce::Sender)]),
        (json!({"hs_email_quarantined": "false", "hs_email_quarantined_reason": "RECIPIENT_COMPLAINT"}), vec![]),
    ] {
        let seen = read_from(properties.clone()).await;
        assert_eq!(seen.events.iter().map(|event| event.kind.clone()).collect::<Vec<_>>(), kinds, "{properties}");
    }
}

#[tokio::test]
async fn an_event_keeps_its_id_from_one_read_to_the_next_and_differs_between_contacts() {
    let bounced = || json!({"hs_email_hard_bounce_reason_enum": "UNKNOWN_USER", "hs_email_bad_address": "true"});
    let server = Portal::of(vec![jane(bounced()), contact(513, 0, bounced())]).serve().await;
    let ids = async || {
        let read = page(&open(&server, json!({})), "contacts", None).await.unwrap();
        let events = read.observations.into_iter().flat_map(|seen| seen.events);
        events.map(|event: Event| event.native_id.unwrap()).collect::<Vec<_>>()
    };
    let first = ids().await;
    assert_eq!(first, ["512:bad_address", "512:bounce:UNKNOWN_USER", "513:bad_address", "513:bounce:UNKNOWN_USER"]);
    assert_eq!(first, ids().await);
}

#[tokio::test]
async fn identity_is_read_from_the_properties_that_the_operator_named() {
    let settings = json!({"phone_property": "tel", "country_property": "land", "customer_property": "kunde",
        "audience_property": "kind"});
    let properties = json!({
        "email": " Person512@Example.org ", "hs_additional_emails": "old@example.org;;PERSON512@example.org; other@example.net",
        "tel": "+33 6 12 34 56 78", "mobilephone": "0612345679", "land": "Deutschland", "kunde": "K-1", "kind": "B2B",
        "phone": "unread", "firstname": "unread",
    });
    let seen = read(&Portal::of(vec![jane(properties)]).serve().await, settings).await;
    assert_eq!(seen.who.emails, ["Person512@Example.org", "old@example.org", "other@example.net"]);
    assert_eq!(seen.who.phones, ["+33 6 12 34 56 78", "0612345679"]);
    assert_eq!(seen.who.country.unwrap().as_str(), "DE");
    assert_eq!(seen.who.customer.unwrap().as_str(), "K-1");
    assert_eq!(seen.who.audience, Some(Audience::B2b));
}

#[tokio::test]
async fn statuses_are_read_in_batches_of_a_hundred_where_the_account_has_them() {
    let contacts = (1..=150).map(|id| contact(id, 0, json!({}))).chain([contact(151, 0, json!({"email": null}))]);
    let server = Portal::of(contacts.collect()).serve().await;
    let answer = |request: &wiremock::Request| {
        let body: Value = request.body_json().unwrap();
        let of = |email: &Value| json!({"subscriberIdString": email, "statuses": [told(email.as_str().unwrap(), "SUBSCRIBED", json!({}))]});
        let results: Vec<Value> = body["inputs"].as_array().unwrap().iter().rev().map(of).collect();
        ResponseTemplate::new(200).set_body_json(envelope(json!(results)))
    };
    Mock::given(method("POST"))
        .and(path(BATCH_READ))
        .and(query_param("channel", "EMAIL"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let since = unisson_connector::Cursor(
        json!({"v": 1, "stream": "contacts", "pages": 0, "began": null, "lists": [], "place": {"search": {"from": 0, "above": 0}}}).to_string(),
    );
    let read = page(&open(&server, json!({"enterprise": true})), "contacts", Some(&since)).await.unwrap();
    let subscribed =
        read.observations.iter().filter(|seen| slot(seen, &list("7")).status == Status::Subscribed).count();
    assert_eq!(subscribed, 150);
    let sizes: Vec<usize> = seen(&server, BATCH_READ)
        .await
        .iter()
        .map(|request| request.body_json::<Value>().unwrap()["inputs"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 50]);
}

#[tokio::test]
async fn an_address_that_a_batch_refuses_is_read_from_its_properties() {
    let server = Portal::of(vec![jane(json!({})), contact(513, 0, json!({"hs_email_optout_7": "true"}))]).serve().await;
    let body = json!({"status": "COMPLETE", "numErrors": 1,
        "results": [{"subscriberIdString": "PERSON512@example.org", "statuses": [told(JANE, "SUBSCRIBED", json!({}))]}],
        "errors": [{"status": "error", "category": "VALIDATION_ERROR", "message": "no", "errors": [], "links": {},
            "context": {"subscriberIdString": ["person513@example.org"]}}]});
    let inputs = json!({"inputs": ["person512@example.org", "person513@example.org"]});
    Mock::given(method("POST"))
        .and(path(BATCH_READ))
        .and(body_json(inputs))
        .respond_with(ResponseTemplate::new(207).set_body_json(body))
        .mount(&server)
        .await;
    let read = page(&open(&server, json!({"enterprise": true})), "contacts", None).await.unwrap();
    let statuses: Vec<Status> = read.observations.iter().map(|seen| slot(seen, &list("7")).status).collect();
    assert_eq!(statuses, [Status::Subscribed, Status::Unsubscribed]);
}

#[tokio::test]
async fn a_passing_error_of_a_batch_does_not_turn_dated_states_into_undated_ones() {
    let server = Portal::of(vec![jane(json!({}))]).serve().await;
    let body = json!({"status": "COMPLETE", "results": [], "errors": [{"category": "RATE_LIMITS", "context": {}}]});
    Mock::given(method("POST"))
        .and(path(BATCH_READ))
        .respond_with(ResponseTemplate::new(207).set_body_json(body))
        .mount(&server)
        .await;
    let error = page(&open(&server, json!({"enterprise": true})), "contacts", None).await.unwrap_err();
    assert_eq!(error.kind(), unisson_connector::ErrorKind::Transient);
}

#[tokio::test]
async fn an_account_without_batch_calls_is_read_one_by_one_and_asked_for_them_only_once() {
    let server = Portal::of(vec![jane(json!({}))]).serve().await;
    let refusal = json!({"status": "error", "category": "MISSING_SCOPES", "message": "no"});
    Mock::given(method("POST"))
        .and(path(BATCH_READ))
        .respond_with(ResponseTemplate::new(403).set_body_json(refusal))
        .mount(&server)
        .await;
    let answer = ResponseTemplate::new(200).set_body_json(envelope(json!([told(JANE, "SUBSCRIBED", json!({}))])));
    Mock::given(method("GET")).and(path(JANES_STATUSES)).respond_with(answer).mount(&server).await;
    let hubspot = open(&server, json!({"enterprise": true}));
    for _ in 0..2 {
        let read = page(&hubspot, "contacts", None).await.unwrap();
        assert_eq!(slot(&read.observations[0], &list("7")).status, Status::Subscribed);
    }
    assert_eq!(seen(&server, BATCH_READ).await.len(), 1);
    assert_eq!(seen(&server, JANES_STATUSES).await.len(), 2);
}

#[tokio::test]
async fn an_address_unknown_to_the_preferences_is_read_from_its_properties() {
    for status in [400, 404] {
        let server = Portal::of(vec![jane(json!({"hs_email_optout_7": "true"}))]).serve().await;
        let refusal =
            ResponseTemplate::new(status).set_body_json(json!({"status": "error", "category": "VALIDATION_ERROR"}));
        Mock::given(method("GET")).and(path(JANES_STATUSES)).respond_with(refusal).mount(&server).await;
        let seen = read(&server, json!({"statuses": "single"})).await;
        assert_eq!(slot(&seen, &list("7")).status, Status::Unsubscribed);
    }
}

#[tokio::test]
async fn a_contact_without_a_usable_address_is_not_asked_about() {
    let contacts = vec![contact(1, 0, json!({"email": null})), contact(2, 0, json!({"email": ".."}))];
    let server = Portal::of(contacts).serve().await;
    let read = page(&open(&server, json!({"statuses": "single"})), "contacts", None).await.unwrap();
    assert_eq!(read.observations.len(), 2);
    let asked = server.received_requests().await.unwrap();
    assert!(asked.iter().all(|request| !request.url.path().starts_with(STATUSES)));
}
