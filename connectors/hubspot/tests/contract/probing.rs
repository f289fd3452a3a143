//! Settings, allowances and the probe that writes nothing.

use std::time::Duration;

use serde_json::{Value, json};
use unisson_connector::{Allowance, ErrorKind};
use unisson_hubspot::KIND;
use wiremock::matchers::{body_string_contains, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::portal::{CONTACTS, CX, DEFINITIONS, build, define, definition, open, page};

async fn account(server: &MockServer) {
    let body = json!({"portalId": 62_515, "timeZone": "Europe/Paris", "dataHostingLocation": "eu1", "accountType": "STANDARD",
        "uiDomain": "app-eu1.hubspot.com", "utcOffset": "+01:00"});
    let get = Mock::given(method("GET")).and(path("/account-info/v3/details"));
    get.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(server).await;
}

#[tokio::test]
async fn a_probe_lists_the_subscription_types_and_only_reads() {
    let server = MockServer::start().await;
    account(&server).await;
    define(&server, json!([definition("7", "Newsletter"), definition("8", "Offers")])).await;
    let contacts = Mock::given(method("GET")).and(path(CONTACTS)).and(query_param("limit", "1"));
    contacts.respond_with(ResponseTemplate::new(200).set_body_json(json!({"results": []}))).mount(&server).await;
    let account = open(&server, json!({"enterprise": true})).probe(&CX).await.unwrap();
    assert_eq!(account.name, "portal 62515");
    let lists: Vec<(&str, &str)> = account.lists.iter().map(|list| (list.id.as_str(), list.title.as_str())).collect();
    assert_eq!(lists, [("7", "Newsletter"), ("8", "Offers")]);
    assert_eq!(account.gaps, Vec::<String>::new());
    assert_eq!(account.notes, ["data hosted in eu1", "time zone Europe/Paris"]);
    assert!(server.received_requests().await.unwrap().iter().all(|request| request.method.as_str() == "GET"));
}

#[tokio::test]
async fn a_probe_names_the_scopes_that_are_missing_and_what_properties_do_not_say() {
    let server = MockServer::start().await;
    account(&server).await;
    for on in [DEFINITIONS, CONTACTS] {
        Mock::given(method("GET")).and(path(on)).respond_with(ResponseTemplate::new(403)).mount(&server).await;
    }
    let account = open(&server, json!({})).probe(&CX).await.unwrap();
    assert_eq!(account.gaps.len(), 2);
    assert!(account.gaps[0].contains("communication_preferences.read"));
    assert!(account.gaps[1].contains("crm.objects.contacts.read"));
    assert!(account.notes.iter().any(|note| note.contains("statuses = \"single\"")));
}

#[tokio::test]
async fn a_bad_token_is_an_error_of_the_configuration() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let error = open(&server, json!({})).probe(&CX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

/// What becomes of a call that is answered like this, again and again.
async fn limited(answer: ResponseTemplate) -> ErrorKind {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path(DEFINITIONS)).respond_with(answer).mount(&server).await;
    page(&open(&server, json!({})), "contacts", None).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_used_up_allowance_says_how_long_to_wait() {
    let body = |policy| json!({"status": "error", "errorType": "RATE_LIMIT", "policyName": policy, "message": "limit"});
    let saying = |policy| limited(ResponseTemplate::new(429).set_body_json(body(policy)));
    let (daily, burst, second, unknown, silent) = tokio::join!(
        saying("DAILY"),
        saying("TEN_SECONDLY_ROLLING"),
        saying("SECONDLY"),
        saying("A_POLICY_OF_TOMORROW"),
        limited(ResponseTemplate::new(429).set_body_raw("<html></html>", "text/html")),
    );
    assert_eq!(daily, ErrorKind::RateLimited(Some(Duration::from_hours(1))));
    assert_eq!(burst, ErrorKind::RateLimited(Some(Duration::from_secs(10))));
    assert_eq!(second, ErrorKind::RateLimited(Some(Duration::from_secs(1))));
    assert_eq!((unknown, silent), (ErrorKind::RateLimited(None), ErrorKind::RateLimited(None)));
}

#[tokio::test]
async fn a_wait_that_the_platform_names_counts_before_any_other() {
    for status in [429, 477] {
        let answer = ResponseTemplate::new(status).insert_header("retry-after", "7200");
        let answer = answer.set_body_json(json!({"policyName": "DAILY"}));
        assert_eq!(limited(answer).await, ErrorKind::RateLimited(Some(Duration::from_hours(2))), "{status}");
    }
}

#[tokio::test]
async fn an_oauth_app_gets_its_access_token_at_the_same_host_first() {
    let server = MockServer::start().await;
    account(&server).await;
    define(&server, json!([])).await;
    let token =
        json!({"token_type": "bearer", "access_token": "given", "refresh_token": "REFRESH", "expires_in": 1800});
    Mock::given(method("POST"))
        .and(path("/oauth/v1/token"))
        .and(body_string_contains("grant_type=refresh_token"))
        .and(body_string_contains("client_secret=SECRET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(token))
        .expect(1)
        .mount(&server)
        .await;
    let contacts = Mock::given(method("GET")).and(path(CONTACTS)).and(header("authorization", "Bearer given"));
    contacts.respond_with(ResponseTemplate::new(200).set_body_json(json!({"results": []}))).mount(&server).await;
    let app = json!({"client_id": "app", "client_secret": {"env": "SECRET"}, "refresh_token": {"env": "REFRESH"}});
    let hubspot = build(json!({"oauth": app, "base_url": server.uri()})).unwrap();
    assert_eq!(hubspot.probe(&CX).await.unwrap().name, "portal 62515");
}

fn refusal(settings: Value) -> String {
    build(settings).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn settings_that_cannot_work_are_refused_in_words_that_say_what_to_write() {
    let token = || json!({"env": "TOKEN"});
    let oauth = || json!({"client_id": "app", "client_secret": {"env": "SECRET"}, "refresh_token": {"env": "REFRESH"}});
    assert!(refusal(json!({})).contains("give the token of a private app, or oauth"));
    assert!(refusal(json!({"token": token(), "oauth": oauth()})).contains("not both"));
    assert!(refusal(json!({"token": "pat-eu1-canary"})).contains("env"));
    assert!(!refusal(json!({"token": "pat-eu1-canary"})).contains("canary"));
    assert!(refusal(json!({"token": token(), "base_url": "nowhere"})).contains("base_url"));
    assert!(refusal(json!({"token": token(), "phone_property": "phone,email"})).contains("phone_property"));
    assert!(refusal(json!({"token": token(), "customer_property": ""})).contains("customer_property"));
    assert!(refusal(json!({"token": token(), "enterprize": true})).contains("enterprize"));
    assert_eq!(refusal(json!({"token": token()})), "");
    assert_eq!(refusal(json!({"oauth": oauth()})), "");
}

#[test]
fn the_allowances_follow_the_plan_and_cite_the_vendor() {
    let oauth = json!({"client_id": "app", "client_secret": {"env": "SECRET"}, "refresh_token": {"env": "REFRESH"}});
    for (settings, calls) in [
        (json!({"token": {"env": "TOKEN"}}), 100),
        (json!({"token": {"env": "TOKEN"}, "tier": "professional"}), 190),
        (json!({"oauth": oauth, "tier": "professional"}), 110),
    ] {
        let hubspot = build(settings).unwrap();
        let rates: Vec<_> = hubspot.info().limits.iter().map(|limit| (limit.path_part, limit.allowance)).collect();
        let rate =
            |calls: u32, secs| Allowance::Rate { calls: calls.try_into().unwrap(), per: Duration::from_secs(secs) };
        assert_eq!(rates, [("", rate(calls, 10)), ("/search", rate(4, 1))]);
        assert!(hubspot.info().limits.iter().all(|limit| limit.docs.starts_with("https://developers.hubspot.com/")));
    }
    assert_eq!(((KIND.info)().kind, KIND.name), ("hubspot", "hubspot"));
}
