//! Pages of mail platforms and CRMs over HTTP, and cursors of anybody's: a page is understood row by row or refused, and a
//! cursor is a connector's own or refused.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;
use serde_json::{Value, json};
use unisson_connector::{Connector, Cursor};
use unisson_sdk::{BuildError, Host, Kind, MemoryTokens, SecretRef, Secrets};

use super::connector::{page, sound};
use super::raw::{Answer, Raw};

/// Words that pages and cursors are made of.
pub const WORDS: &[&[u8]] = &[
    b"\0{\"members\":[",
    b"\0{\"contacts\":[",
    b"\0{\"results\":[",
    b"],\"total_items\":1}",
    b"],\"count\":1}",
    b"],\"paging\":{\"next\":{\"after\":\"1\"}}}",
    b"\"email_address\":\"ada@example.org\"",
    b"\"email\":\"ada@example.org\"",
    b"\"status\":\"subscribed\"",
    b"\"last_changed\":\"2220-01-01T00:00:00+00:00\"",
    b"\"id\":18446744073709551616",
    b"\"interests\":{\"ada@example.org\":1}",
    b"\"emailBlacklisted\":true",
    b"\"listIds\":[1,1]",
    b"\"attributes\":null",
    b"\"properties\":{\"email\":\"ada@example.org\",\"hs_email_optout\":\"true\"}",
    b"null",
    b"[[[[[[[[[[[[",
    b"1e400",
    b"\\u0000",
    b"{\"format\":1,\"stream\":\"a1\",",
    b"-9223372036854775808",
    b"\xff",
    b",",
    b"\"",
];

/// After how many calls a connector is made anew, with an account that has its allowances whole.
const CALLS_MAX: u64 = 25;

/// Streams, each of a connector with settings beside where the platform is.
const STREAMS: [(&Kind, &str, &str); 7] = [
    (
        &unisson_mailchimp::KIND,
        "a1",
        r#"{"api_key":{"env":"K"},"page_size":4,
        "forms":[{"source":"F","notice":"N3","double_opt_in":true,"slots":["a1/interest/i1"]}]}"#,
    ),
    (&unisson_mailchimp::KIND, "a1/complaints", r#"{"api_key":{"env":"K"}}"#),
    (&unisson_hubspot::KIND, "contacts", r#"{"token":{"env":"K"},"customer_property":"customer"}"#),
    (&unisson_hubspot::KIND, "archived", r#"{"token":{"env":"K"},"audience_property":"audience"}"#),
    (&unisson_hubspot::KIND, "contacts", r#"{"token":{"env":"K"},"enterprise":true}"#),
    (
        &unisson_brevo::KIND,
        "contacts",
        r#"{"api_key":{"env":"K"},"page_size":4,"tier":"extended","customer_attribute":"NO"}"#,
    ),
    (&unisson_brevo::KIND, "blocked", r#"{"api_key":{"env":"K"},"tier":"extended"}"#),
];

/// The subscription types of the CRM.
const DEFINITIONS: &str = r#"{"status":"COMPLETE","results":[{"id":"7","name":"News","isActive":true}]}"#;

/// A key that nobody had before: what an account is told to wait for is remembered in the whole process.
struct Fresh;

static KEYS: AtomicU64 = AtomicU64::new(0);

impl Secrets for Fresh {
    fn resolve(&self, _: &SecretRef) -> Result<SecretString, BuildError> {
        Ok(format!("key-{}-us1", KEYS.fetch_add(1, Ordering::Relaxed)).into())
    }
}

/// A platform that answers what it is told to, and the connectors to it.
struct Stage {
    platform: Raw,
    /// The page, and what stands behind it: statuses of its addresses.
    bodies: Arc<Mutex<(Vec<u8>, Vec<u8>)>>,
    connectors: RefCell<BTreeMap<usize, Arc<dyn Connector>>>,
    calls: Cell<u64>,
}

thread_local! {
    static STAGE: Stage = Stage::new();
}

/// Reads bytes as a page: the first one says of which stream, what stands before the first NUL is the cursor it is asked
/// for with, and what stands behind the second one is a further answer.
///
/// # Panics
/// Where a promise is broken.
pub fn run(input: &[u8]) {
    let Some((which, rest)) = input.split_first() else { return };
    let mut parts = rest.splitn(3, |byte| *byte == 0);
    let cursor = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let body = parts.next().unwrap_or_default();
    let further = parts.next().unwrap_or(br#"{"results":[]}"#);
    let from = Some(Cursor(cursor)).filter(|cursor| !cursor.0.is_empty());
    STAGE.with(|stage| {
        let place = usize::from(*which) % STREAMS.len();
        let (_, stream, _) = STREAMS[place];
        *stage.bodies.lock().unwrap_or_else(PoisonError::into_inner) = (body.to_vec(), further.to_vec());
        let connector = stage.connector(place, from.is_some());
        let first = page(&*connector, stream, from.as_ref());
        let second = page(&*connector, stream, from.as_ref());
        match (first, second) {
            (Ok(first), Ok(second)) => {
                assert_eq!(first, second, "the same answer says the same");
                sound(&first, from.as_ref(), rest.len());
            }
            (Err(first), Err(second)) => assert_eq!(first.kind(), second.kind(), "the same answer says the same"),
            _ => panic!("the same answer is a page and none"),
        }
    });
}

impl Stage {
    fn new() -> Self {
        let bodies = Arc::new(Mutex::new((Vec::new(), Vec::new())));
        let told = Arc::clone(&bodies);
        let platform = Raw::start(move |request| {
            let (body, further) = told.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let answer = if request.contains("/definitions") {
                Answer::json(DEFINITIONS)
            } else if request.contains("/statuses/") {
                Answer::json(further)
            } else {
                Answer::json(body)
            };
            answer.with("date: Wed, 01 Jan 2025 12:00:00 GMT")
        });
        Self { platform, bodies, connectors: RefCell::default(), calls: Cell::new(0) }
    }

    fn connector(&self, place: usize, is_search: bool) -> Arc<dyn Connector> {
        // A search has an allowance of four calls in a second.
        if self.calls.get().is_multiple_of(if is_search { 2 } else { CALLS_MAX }) {
            self.connectors.borrow_mut().clear();
        }
        self.calls.set(self.calls.get() + 1);
        let (kind, _, settings) = STREAMS[place];
        let build = || {
            let mut settings: Value = serde_json::from_str(settings).expect("settings");
            settings["base_url"] = json!(self.platform.base_url());
            let host = Host { instance: "fuzz", secrets: &Fresh, tokens: Arc::new(MemoryTokens::default()) };
            (kind.build)(settings, &host).expect("the settings are understood")
        };
        Arc::clone(self.connectors.borrow_mut().entry(place).or_insert_with(build))
    }
}
