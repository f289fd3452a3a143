//! Answers of a platform as documents: read as the parser reads them, or refused in words that hold nothing of them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::runtime::Runtime;
use unisson_connector::{ErrorKind, Result};
use unisson_sdk::{Auth, Client, Link, Reply, Request, Response, Transport};

use super::silence::{names_nobody, told};

/// Words that answers are made of.
pub const WORDS: &[&[u8]] = &[
    b"{\"total\":2,\"rows\":[]}",
    b"{\"email\":\"ada@example.org\",\"n\":1,\"kind\":\"on\",\"more\":{}}",
    b"\"total\":",
    b"\"rows\":[",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"1e400",
    b"-0",
    b"\"\\ud83d\"",
    b"\\u0000",
    b"null",
    b"true",
    b"\xef\xbb\xbf",
    b"[[[[[[[[[[[[[[[[",
    b"]]]]]]]]]]]]]]]]",
    b"{\"\":",
    b"\"ada@example.org\":",
    b"}",
    b"]",
    b",",
    b"\"",
    b"\xff",
];

/// The platform, and what it answers next.
#[derive(Debug)]
struct Twin(Arc<Mutex<Response>>);

#[async_trait]
impl Transport for Twin {
    async fn send(&self, _request: Request) -> Result<Response> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

struct Stage {
    answer: Arc<Mutex<Response>>,
    client: Client,
    runtime: Runtime,
}

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::new);

/// A page as a platform may document it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Listing {
    total: u64,
    rows: Vec<Row>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    email: String,
    n: i64,
    kind: Word,
    #[serde(default)]
    more: BTreeMap<String, Option<bool>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    On,
    Off,
}

/// Reads bytes as an answer; the first one says as what.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let Some((which, body)) = input.split_first() else { return };
    let kind: &[u8] = match which % 16 {
        13 => body,
        14 => b"text/html; charset=utf-8",
        15 => b"application/problem+json",
        _ => b"application/json",
    };
    let reply = STAGE.reply(kind, body);
    match which % 4 {
        0 => read::<Listing>(&reply, body, |a, b| a == b),
        1 => read::<Value>(&reply, body, |a, b| a == b),
        2 => read::<Vec<Box<RawValue>>>(&reply, body, |a, b| a.len() == b.len()),
        _ => read::<IgnoredAny>(&reply, body, |_, _| true),
    }
}

/// Reads an answer and compares it with what the parser makes of it by itself.
fn read<T: DeserializeOwned>(reply: &Reply, body: &[u8], same: impl Fn(&T, &T) -> bool) {
    match reply.json::<T>() {
        Ok(document) => {
            let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
            let by_itself = serde_json::from_slice::<T>(text);
            assert!(by_itself.is_ok_and(|by_itself| same(&document, &by_itself)), "an answer is what it says");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Contract);
            names_nobody(&told(&error));
        }
    }
}

impl Stage {
    fn new() -> Self {
        let answer = Arc::new(Mutex::new(answer(b"application/json", b"")));
        let link = Link::new("https://api.example.org".parse().expect("an address"), Auth::None);
        let client = link.connect_over(Arc::new(Twin(Arc::clone(&answer)))).expect("a link");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        Self { answer, client, runtime }
    }

    fn reply(&self, kind: &[u8], body: &[u8]) -> Reply {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer(kind, body);
        self.runtime.block_on(self.client.get("/rows").send("read a page")).expect("an answer")
    }
}

fn answer(kind: &[u8], body: &[u8]) -> Response {
    let mut headers = HeaderMap::new();
    if let Ok(kind) = HeaderValue::from_bytes(kind) {
        headers.insert("content-type", kind);
    }
    Response { status: StatusCode::OK, headers, body: Bytes::copy_from_slice(body) }
}
