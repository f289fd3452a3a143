//! Ordinary answers over a real connection, and what is refused of extraordinary ones.

use flate2::Compression;
use flate2::write::GzEncoder;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use unisson_connector::ErrorKind;
use unisson_sdk::{Auth, Reply, segment};
use wiremock::matchers::{body_json, body_string, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::script::{Script, answer, with};
use crate::support::{assert_kind, brisk, link, shown};

#[derive(Debug, Deserialize)]
struct Page {
    members: Vec<Member>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only read into")]
struct Member {
    id: u64,
}

/// A reply with this body, read over no network.
async fn reply(content_type: &str, body: &[u8]) -> Reply {
    let mut response = with(answer(200), "content-type", content_type);
    response.body = body.to_vec().into();
    let client = link("https://api.example.org").connect_over(Script::playing(vec![response])).unwrap();
    client.get("/a").send("read a page").await.unwrap()
}

#[tokio::test]
async fn a_call_says_what_it_was_told_to_say() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/3.0/lists/a%2Fb/members"))
        .and(query_param("email", "jane+x@example.org"))
        .and(query_param("count", "100"))
        .and(header("authorization", "Basic YW55OmtleQ=="))
        .and(header("accept", "application/json"))
        .and(header("x-version", "7"))
        .respond_with(
            ResponseTemplate::new(200).insert_header("x-left", "9").set_body_json(json!({ "members": [{ "id": 1 }] })),
        )
        .expect(1)
        .mount(&server)
        .await;
    let mut link = brisk(&format!("{}/3.0/", server.uri()));
    link.auth = Auth::Basic { user: "any".to_owned(), password: SecretString::from("key") };
    let client = link.connect().unwrap();
    let call = client.get(&format!("/lists/{}/members", segment("a/b"))).query("email", "jane+x@example.org");
    let reply = call.query("count", 100).header("x-version", 7).send("read a page").await.unwrap();
    assert_eq!((reply.status(), reply.header("X-Left")), (200, Some("9")));
    assert_eq!(reply.json::<Page>().unwrap().members.len(), 1);
}

#[tokio::test]
async fn bodies_are_sent_as_json_or_as_a_form() {
    let server = MockServer::start().await;
    let json_body = Mock::given(method("PATCH")).and(header("content-type", "application/json"));
    json_body
        .and(body_json(json!({ "a": [1] })))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    let form = Mock::given(method("POST")).and(header("content-type", "application/x-www-form-urlencoded"));
    form.and(body_string("a=1+%26&b=")).respond_with(ResponseTemplate::new(204)).expect(1).mount(&server).await;
    let client = brisk(&server.uri()).connect().unwrap();
    assert_eq!(client.patch("/a").json(&json!({ "a": [1] })).send("write").await.unwrap().status(), 204);
    assert_eq!(client.post("/a").form(&[("a", "1 &"), ("b", "")]).send("write").await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    let server = MockServer::start().await;
    let mut text = GzEncoder::new(Vec::new(), Compression::default());
    text.write_all(br#"{"members":[]}"#).unwrap();
    let answer = ResponseTemplate::new(200).set_body_raw(text.finish().unwrap(), "application/json");
    let asked = Mock::given(method("GET")).and(header("accept-encoding", "gzip"));
    asked.respond_with(answer.insert_header("content-encoding", "gzip")).mount(&server).await;
    let client = brisk(&server.uri()).connect().unwrap();
    client.get("/a").send("read").await.unwrap().json::<Page>().unwrap();
}

#[tokio::test]
async fn a_next_link_is_followed_on_its_own_host_only() {
    let server = MockServer::start().await;
    let second = Mock::given(method("GET"))
        .and(path("/v2/contacts"))
        .and(query_param("after", "b=c"))
        .and(query_param("count", "2"));
    second.respond_with(ResponseTemplate::new(200).set_body_json(json!({}))).expect(1).mount(&server).await;
    let client = brisk(&format!("{}/v1", server.uri())).connect().unwrap();
    let next = format!("{}/v2/contacts?after=b%3Dc#part", server.uri());
    client.get_link(&next).query("count", 2).send("read the next page").await.unwrap();

    let script = Script::playing(vec![answer(200)]);
    let client = link("https://api.example.org/v1").connect_over(script.clone()).unwrap();
    for foreign in [
        "https://evil.example/v1/contacts",
        "https://api.example.org.evil.example/",
        "http://api.example.org/v1/contacts",
        "https://api.example.org:8443/v1/contacts",
        "https://api.example.org@evil.example/",
        "https://user:password@api.example.org/",
        "//evil.example/",
        "ftp://api.example.org/",
        "javascript:alert(1)",
    ] {
        let error = client.get_link(foreign).send("read the next page").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Bounds | ErrorKind::Contract), "{foreign}");
        assert!(!shown(&error).contains("evil"), "{error}");
    }
    for path in ["contacts", "/../admin", "/%2e%2e/admin", "/a?b", "//evil.example/", "/contacts/%", "/\\evil.example"]
    {
        assert_kind(client.get(path).send("read").await, ErrorKind::Bounds);
    }
    assert_kind(client.delete(&format!("/contacts/{}", segment(""))).send("erase").await, ErrorKind::Bounds);
    assert_kind(client.get("/a").header("x-bad", "a\nb").send("read").await, ErrorKind::Refused);
    assert_eq!(script.count(), 0, "nothing of this may be sent");
}

#[tokio::test]
async fn p05_p07_what_is_not_json_is_no_page() {
    for content_type in ["text/html; charset=utf-8", "text/plain", "application/xml", "jane@example.org"] {
        let error = reply(content_type, br#"{"members":[]}"#).await.json::<Page>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
        assert!(!shown(&error).contains("jane"), "{error}");
    }
    let html =
        reply("application/json", b"<!doctype html><p>Down for jane@example.org").await.json::<Page>().unwrap_err();
    assert_eq!(html.to_string(), "read a page (contract, status 200, fault no valid JSON)");
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json", "text/json"]
    {
        reply(content_type, b"\xef\xbb\xbf {\"members\":[]} ").await.json::<Page>().unwrap();
    }
}

#[tokio::test]
async fn p06_half_a_document_is_no_page() {
    let whole = br#"{"members":[{"id":1}]}"#;
    for length in 0..whole.len() {
        let error = reply("application/json", &whole[..length]).await.json::<Page>().unwrap_err();
        assert_eq!((error.kind(), error.context()[1].1.as_str()), (ErrorKind::Contract, "half a document"));
    }
    assert_kind(
        reply("application/json", br#"{"members":[]}{"members":[]}"#).await.json::<Page>(),
        ErrorKind::Contract,
    );
}

#[tokio::test]
async fn p04_d14_a_document_that_is_not_as_documented_is_named_by_place_and_never_by_value() {
    for (text, fault) in [
        (r#"{"error":"jane@example.org"}"#, "at members, fault missing"),
        (r#"{"members":[{"id":1},{}]}"#, "at members[1].id, fault missing"),
        (r#"{"members":[{"id":"jane@example.org"}]}"#, "at members[0].id, fault a string where u64 belongs"),
        (r#"{"members":[{"id":-4711}]}"#, "at members[0].id, fault a value that does not fit: expected u64"),
        (r#"{"members":null}"#, "at members, fault null where a sequence belongs"),
        (r#""jane@example.org""#, "at the top, fault a string where struct Page belongs"),
    ] {
        let error = reply("application/json", text.as_bytes()).await.json::<Page>().unwrap_err();
        assert_eq!(error.to_string(), format!("read a page (contract, status 200, {fault})"));
        assert!(!shown(&error).contains("jane") && !shown(&error).contains("4711"), "{}", shown(&error));
    }
    let text = br#"{"jane@example.org":{"id":"x"},"+4930901820":{}}"#;
    let error = reply("application/json", text).await.json::<BTreeMap<String, Member>>().unwrap_err();
    assert_eq!(error.to_string(), "read a page (contract, status 200, at {key}.id, fault a string where u64 belongs)");
    assert_kind(reply("application/json", b"{\"members\":\"\xff\"}").await.json::<Value>(), ErrorKind::Contract);
}

#[tokio::test]
async fn p16_a_deep_document_is_refused_and_no_stack_overflows() {
    let nested = |levels: usize| format!("{{\"members\":[],\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    for levels in [127, 128, 10_000, 1_000_000] {
        let deep = reply("application/json", nested(levels).as_bytes()).await;
        assert_kind(deep.json::<Value>(), ErrorKind::Contract);
        deep.json::<Page>().expect("nobody reads that part, so it is skipped");
        let read = format!("{{\"members\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_kind(reply("application/json", read.as_bytes()).await.json::<Page>(), ErrorKind::Contract);
    }
    let shallow = reply("application/json", nested(126).as_bytes()).await;
    shallow.json::<Page>().unwrap();
    shallow.json::<Value>().unwrap();
    let brackets_in_text = format!("{{\"members\":[],\"x\":\"{}\\\"[\"}}", "[".repeat(1_000));
    reply("application/json", brackets_in_text.as_bytes()).await.json::<Page>().unwrap();
}
