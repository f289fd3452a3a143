//! Faults of answers and connections.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use unisson_sandbox::{Audience, Fault, Framing, Handle, Plot, RetryAfter, Rule, Sandbox, Status, System};

use crate::client::{encoded, hash, hubspot, mailchimp, sandbox, until};

const LETTER: &str = "/lists/a1f0c3d9e7";
const CONTACTS: &str = "/crm/v3/objects/contacts";
const STATUSES: &str = "/communication-preferences/v4/statuses";

fn inject(handle: &Handle, fault: Fault) {
    handle.inject(Rule::new(fault)).unwrap();
}

fn single(sandbox: &Sandbox) -> String {
    sandbox.population().with_plot(Plot::Single).next().unwrap().spelling(System::Letter)
}

#[tokio::test]
async fn a_429_says_when_to_come_back_as_it_is_told() {
    let sandbox = sandbox().await;
    let (handle, client) = (sandbox.mailchimp().handle(), mailchimp(&sandbox));
    for (after, expected) in [
        (RetryAfter::Seconds(6), Some("6")),
        (RetryAfter::Date(7), Some("Sun, 01 Nov 2026 00:00:07 GMT")),
        (RetryAfter::Text("soon".into()), Some("soon")),
        (RetryAfter::Bare, None),
    ] {
        handle.clear_faults();
        inject(handle, Fault::RateLimited(after));
        let answer = client.get("/ping").await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, expected));
        assert_eq!(answer.header("date"), Some("Sun, 01 Nov 2026 00:00:00 GMT"));
        assert_eq!(client.get("/ping").await.status, 200, "once only");
    }
    inject(sandbox.hubspot().handle(), Fault::RateLimited(RetryAfter::Bare));
    assert_eq!(hubspot(&sandbox).get(CONTACTS).await.json()["errorType"], "RATE_LIMIT");
}

#[tokio::test]
async fn refusals_have_the_vendors_form() {
    let sandbox = sandbox().await;
    let (mail, crm) = (mailchimp(&sandbox), hubspot(&sandbox));
    for fault in [Fault::ServerError(503), Fault::Unauthorized] {
        let expected = if fault == Fault::Unauthorized { 401 } else { 503 };
        inject(sandbox.mailchimp().handle(), fault.clone());
        let answer = mail.get("/ping").await;
        assert_eq!((answer.status, answer.json()["status"].as_u64()), (expected, Some(u64::from(expected))));
        assert_eq!(mail.get("/ping").await.status, 200);
        sandbox.mailchimp().handle().clear_faults();
        inject(sandbox.hubspot().handle(), fault);
        let answer = crm.get(CONTACTS).await;
        assert_eq!((answer.status, &answer.json()["status"]), (expected, &json!("error")));
        sandbox.hubspot().handle().clear_faults();
    }
    assert_eq!(mail.get("/nonsense").await.status, 404);
    assert_eq!(crm.get("/nonsense").await.status, 404);
}

#[tokio::test]
async fn answers_that_only_look_like_success() {
    let sandbox = sandbox().await;
    let (handle, client) = (sandbox.mailchimp().handle(), mailchimp(&sandbox));
    inject(handle, Fault::HtmlPage);
    let html = client.get(&format!("{LETTER}/members")).await;
    assert_eq!((html.status, html.header("content-type")), (200, Some("text/html; charset=utf-8")));
    handle.clear_faults();
    inject(handle, Fault::ErrorInside);
    let inside = client.get(&format!("{LETTER}/members")).await;
    assert!(inside.status == 200 && inside.json()["error"].is_string());
    handle.clear_faults();
    inject(handle, Fault::TruncatedJson);
    let half = client.get(&format!("{LETTER}/members")).await;
    assert_eq!(half.status, 200);
    assert!(half.text.starts_with('{') && half.json().is_null());
    assert_eq!(half.header("content-length"), Some(half.text.len().to_string().as_str()));
}

#[tokio::test]
async fn an_error_can_quote_the_address_of_the_call() {
    let sandbox = sandbox().await;
    let who = "quoted@example.org";
    inject(sandbox.mailchimp().handle(), Fault::AddressInError);
    let body = json!({"members": [{"email_address": who, "status": "unsubscribed"}]});
    let answer = mailchimp(&sandbox).post(LETTER, body).await;
    assert!(answer.status == 400 && answer.text.contains(who));
    inject(sandbox.hubspot().handle(), Fault::AddressInError);
    let answer = hubspot(&sandbox).get(&format!("{STATUSES}/{}?channel=EMAIL", encoded(who))).await;
    assert!(answer.status == 400 && answer.text.contains(who));
}

#[tokio::test]
async fn a_body_can_be_cut_however_it_is_framed() {
    let sandbox = sandbox().await;
    let client = mailchimp(&sandbox);
    for framing in [Framing::Length, Framing::Chunked] {
        inject(sandbox.mailchimp().handle(), Fault::CutBody(framing));
        let cut = client.send(Method::GET, &format!("{LETTER}/members?count=100"), None).await;
        let error = cut.unwrap_err();
        assert!(error.is_body() || error.is_decode(), "the head arrives, the body does not: {framing:?}");
        sandbox.mailchimp().handle().clear_faults();
        assert_eq!(client.get("/ping").await.status, 200);
    }
}

#[tokio::test]
async fn a_body_can_stall_and_a_client_that_waits_no_longer_is_free_to_go() {
    let sandbox = sandbox().await;
    inject(sandbox.mailchimp().handle(), Fault::StallBody(30_000));
    let client = mailchimp(&sandbox);
    let call = client.get("/lists");
    assert!(tokio::time::timeout(Duration::from_millis(300), call).await.is_err());
    assert_eq!(client.get("/lists").await.status, 200);
}

#[tokio::test]
async fn a_stall_ends_with_a_cut() {
    let sandbox = sandbox().await;
    inject(sandbox.mailchimp().handle(), Fault::StallBody(200));
    let begun = Instant::now();
    assert!(mailchimp(&sandbox).send(Method::GET, "/lists", None).await.is_err());
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_dropped_call_changes_nothing_and_a_lost_answer_changes_what_was_asked() {
    let sandbox = sandbox().await;
    let (handle, client, who) = (sandbox.mailchimp().handle(), mailchimp(&sandbox), single(&sandbox));
    let path = format!("{LETTER}/members/{}", hash(&who));
    let body = Some(json!({"status": "unsubscribed"}));
    inject(handle, Fault::DropCall);
    assert!(client.send(Method::PATCH, &path, body.clone()).await.is_err());
    assert_eq!(sandbox.mailchimp().status(Audience::Letter, &who), Some(Status::Subscribed));
    handle.clear_faults();
    inject(handle, Fault::LostAnswer);
    assert!(client.send(Method::PATCH, &path, body).await.is_err());
    assert_eq!(sandbox.mailchimp().status(Audience::Letter, &who), Some(Status::Unsubscribed));
    let calls = handle.calls();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [None, None]);
    assert_eq!(calls.iter().map(|call| call.fault).collect::<Vec<_>>(), [Some("drop_call"), Some("lost_answer")]);
}

#[tokio::test]
async fn a_false_acknowledgement_looks_like_success_and_changes_nothing() {
    let sandbox = sandbox().await;
    let (mail, crm, who) = (mailchimp(&sandbox), hubspot(&sandbox), single(&sandbox));
    let handle = sandbox.mailchimp().handle();
    handle.inject(Rule::new(Fault::FalseAcknowledgement).always()).unwrap();
    let path = format!("{LETTER}/members/{}", hash(&who));
    let before = sandbox.mailchimp().member(Audience::Letter, &who);
    let answer = mail.patch(&path, json!({"status": "unsubscribed"})).await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("unsubscribed")));
    let erased = mail.post(&format!("{path}/actions/delete-permanent"), json!({})).await;
    assert_eq!(erased.status, 204);
    let rows = json!([{"email_address": "lied@example.org", "status": "subscribed"}]);
    assert_eq!(mail.post(LETTER, json!({"members": rows})).await.json()["total_created"], 1);
    assert_eq!(sandbox.mailchimp().member(Audience::Letter, &who), before);
    assert_eq!(sandbox.mailchimp().member(Audience::Letter, "lied@example.org"), None);

    sandbox.hubspot().handle().inject(Rule::new(Fault::FalseAcknowledgement).always()).unwrap();
    let person = sandbox.population().with_plot(Plot::LeftLetter).next().unwrap().spelling(System::Crm);
    let before = sandbox.hubspot().contact(&person);
    let out = format!("{STATUSES}/{}/unsubscribe-all?channel=EMAIL", encoded(&person));
    assert_eq!(crm.send(Method::POST, &out, None).await.unwrap().status, 200);
    let erase = json!({"objectId": person, "idProperty": "email"});
    assert_eq!(crm.post(&format!("{CONTACTS}/gdpr-delete"), erase).await.status, 204);
    assert_eq!(sandbox.hubspot().contact(&person), before);
    assert!(!sandbox.hubspot().is_out_of_all(&person) && !sandbox.hubspot().is_blocked(&person));
}

#[tokio::test]
async fn single_rows_of_a_batch_can_be_refused() {
    let sandbox = sandbox().await;
    sandbox.mailchimp().handle().inject(Rule::new(Fault::RefuseRows(vec![1])).method("POST")).unwrap();
    let row = |who: &str| json!({"email_address": who, "status": "unsubscribed"});
    let rows = json!([row("a@example.org"), row("b@example.org"), row("c@example.org")]);
    let answer = mailchimp(&sandbox).post(LETTER, json!({"members": rows})).await.json();
    assert_eq!((&answer["total_created"], &answer["error_count"]), (&json!(2), &json!(1)));
    assert_eq!(answer["errors"][0]["email_address"], "b@example.org");

    sandbox.hubspot().handle().inject(Rule::new(Fault::RefuseRows(vec![0])).on("/batch/unsubscribe-all")).unwrap();
    let path = format!("{STATUSES}/batch/unsubscribe-all?channel=EMAIL");
    let answer = hubspot(&sandbox).post(&path, json!({"inputs": ["a@example.org", "b@example.org"]})).await;
    assert_eq!(answer.status, 207);
    assert!(!sandbox.hubspot().is_out_of_all("a@example.org") && sandbox.hubspot().is_out_of_all("b@example.org"));
}

#[tokio::test]
async fn a_late_answer_is_late() {
    let sandbox = sandbox().await;
    inject(sandbox.hubspot().handle(), Fault::DelayAnswer(200));
    let begun = Instant::now();
    assert_eq!(hubspot(&sandbox).get(CONTACTS).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_call_log_counts_and_names_nobody() {
    let sandbox = sandbox().await;
    let (client, who) = (mailchimp(&sandbox), single(&sandbox));
    client.get(&format!("{LETTER}/members/{}", encoded(&who))).await;
    client.patch(&format!("{LETTER}/members/{}", hash(&who)), json!({"status": "unsubscribed"})).await;
    client.get("/nonsense").await;
    let handle = sandbox.mailchimp().handle();
    let calls = handle.calls();
    assert_eq!(calls[0].template, "/3.0/lists/{list}/members/{member}");
    assert_eq!((calls[1].write, calls[1].status, calls[2].status), (true, Some(200), Some(404)));
    assert_eq!((handle.tally().calls, handle.tally().writes), (3, 1));
    assert!(!format!("{calls:?}").contains('@'));
    handle.forget();
    assert_eq!(handle.tally().calls, 0);
}

#[tokio::test]
async fn a_call_that_its_client_gave_up_is_counted_and_carried_out() {
    let sandbox = sandbox().await;
    let (handle, client, who) = (sandbox.mailchimp().handle(), mailchimp(&sandbox), single(&sandbox));
    inject(handle, Fault::DelayAnswer(60_000));
    let path = format!("{LETTER}/members/{}", hash(&who));
    let call = tokio::spawn(async move { client.patch(&path, json!({"status": "unsubscribed"})).await.status });
    until(|| sandbox.mailchimp().status(Audience::Letter, &who) == Some(Status::Unsubscribed)).await;
    call.abort();
    assert_eq!((handle.tally().writes, handle.calls()[0].status), (1, None));
}
