//! Looking: everything that can be mapped, and nothing written.

use serde_json::{Value, json};
use unisson_connector::{Allowance, ErrorKind};
use unisson_consent::{Channel, Channels};
use wiremock::matchers::{any, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{CX, always, connect, lines, problem};

async fn account() -> MockServer {
    let server = MockServer::start().await;
    let answers = [
        ("/3.0/ping", json!({ "health_status": "Everything's Chimpy!" })),
        ("/3.0/", json!({ "account_id": "8d3a3db4d97663a9074efcc16", "account_name": "Example Ltd" })),
        (
            "/3.0/lists",
            json!({ "total_items": 2, "lists": [
                {"id": "a6b5", "name": "News", "marketing_permissions": true, "stats": {"member_count": 12}},
                {"id": "b7", "name": "Partners", "marketing_permissions": false, "stats": {}},
            ]}),
        ),
        (
            "/3.0/lists/a6b5/interest-categories",
            json!({ "total_items": 1, "categories": [{"id": "k1", "title": "Topics"}] }),
        ),
        (
            "/3.0/lists/a6b5/interest-categories/k1/interests",
            json!({ "total_items": 2, "interests": [
                {"id": "i1", "name": "Events", "subscriber_count": "3"}, {"id": "i2", "name": "Offers"},
            ]}),
        ),
        ("/3.0/lists/b7/interest-categories", json!({ "total_items": 0, "categories": [] })),
        (
            "/3.0/lists/a6b5/members",
            json!({ "total_items": 12, "members": [{ "marketing_permissions": [
                {"marketing_permission_id": "p1", "text": "Email", "enabled": false},
                {"marketing_permission_id": "p2", "text": "Direct Mail", "enabled": false},
            ]}]}),
        ),
    ];
    for (place, body) in answers {
        Mock::given(path(place)).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_probe_lists_what_can_be_mapped_and_only_reads() {
    let server = account().await;
    let account = connect(&server, json!({})).probe(&CX).await.unwrap();
    assert_eq!(account.name, "Example Ltd");
    let lists: Vec<(&str, &str)> = account.lists.iter().map(|list| (list.id.as_str(), list.title.as_str())).collect();
    assert_eq!(
        lists,
        [
            ("a6b5", "News"),
            ("a6b5/interest/i1", "Topics: Events"),
            ("a6b5/interest/i2", "Topics: Offers"),
            ("a6b5/permission/p1", "Email"),
            ("a6b5/permission/p2", "Direct Mail"),
            ("b7", "Partners"),
        ]
    );
    assert_eq!(account.lists[0].members, Some(12));
    assert_eq!(account.lists[4].channels, Channels::one(Channel::Postal));
    assert!(account.gaps.is_empty());
    let sent = lines(&server).await;
    assert!(sent.iter().all(|line| line.starts_with("GET ")), "{sent:?}");
    assert_eq!(sent[0], "GET /3.0/ping");
    let fields = "lists.id,lists.name,lists.marketing_permissions,lists.stats.member_count";
    assert_eq!(sent[2], format!("GET /3.0/lists count=1000&fields=total_items,{fields}&offset=0"));
}

#[tokio::test]
async fn a_configured_audience_that_is_not_there_is_a_gap() {
    let server = account().await;
    let account = connect(&server, json!({ "audiences": ["b7", "gone"] })).probe(&CX).await.unwrap();
    assert_eq!(account.lists.len(), 1);
    assert_eq!(account.gaps.len(), 1);
    assert!(account.gaps[0].contains("gone") && account.gaps[0].contains("audiences"), "{:?}", account.gaps);
}

#[tokio::test]
async fn a_wrong_key_is_a_matter_of_settings() {
    let server = always(problem(401, "API Key Invalid", "canary-key-us0")).await;
    let error = connect(&server, json!({})).probe(&CX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    assert_eq!(lines(&server).await.len(), 1, "a wrong key is not tried twice");
}

#[tokio::test]
async fn long_listings_are_read_to_their_total_or_not_at_all() {
    let lists = |from: usize, many: usize| -> Value {
        let lists: Vec<Value> = (from..from + many).map(|number| json!({ "id": format!("l{number}") })).collect();
        json!({ "lists": lists, "total_items": 1_500 })
    };
    let server = MockServer::start().await;
    let answer = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    Mock::given(query_param("offset", "0")).respond_with(answer(lists(0, 1_000))).mount(&server).await;
    Mock::given(query_param("offset", "1000")).respond_with(answer(lists(1_000, 500))).mount(&server).await;
    let streams = connect(&server, json!({})).pull().unwrap().streams(&CX).await.unwrap();
    assert_eq!(streams.len(), 4_500);

    let server = MockServer::start().await;
    Mock::given(query_param("offset", "0")).respond_with(answer(lists(0, 1_000))).mount(&server).await;
    Mock::given(any()).respond_with(answer(lists(0, 0))).with_priority(9).mount(&server).await;
    let error = connect(&server, json!({})).pull().unwrap().streams(&CX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
}

#[test]
fn the_limits_are_the_vendors_and_say_where_it_states_them() {
    let info = (unisson_mailchimp::KIND.info)();
    assert_eq!((info.kind, unisson_mailchimp::KIND.name), ("mailchimp", "mailchimp"));
    assert_eq!(info.limits.len(), 1);
    assert!(matches!(info.limits[0].allowance, Allowance::Concurrent(ten) if ten.get() == 10));
    assert!(info.limits[0].docs.starts_with("https://mailchimp.com/"));
}
