//! A server that behaves as Mailchimp documents, and misbehaves on request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use unisson_connector::{Connector, Cx};
use unisson_sdk::{BuildError, Host, MemoryTokens, SecretRef, Secrets};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) const LIST: &str = "a6b5da1054";
pub(crate) const CX: Cx<'static> = Cx { run: "test" };

/// A key for a data centre that does not exist, another one for every connector: what an account is told to wait for is
/// remembered in the whole process.
struct Key;

static KEYS: AtomicU32 = AtomicU32::new(0);

impl Secrets for Key {
    fn resolve(&self, _: &SecretRef) -> Result<secrecy::SecretString, BuildError> {
        Ok(format!("canary-key-{}-us0", KEYS.fetch_add(1, Ordering::Relaxed)).into())
    }
}

/// Builds a connector with these settings besides the key.
pub(crate) fn build(settings: &Value) -> Result<Arc<dyn Connector>, BuildError> {
    let mut table = json!({ "api_key": { "env": "MAILCHIMP_KEY" } });
    table.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let host = Host { instance: "mailchimp", secrets: &Key, tokens: Arc::new(MemoryTokens::default()) };
    (unisson_mailchimp::KIND.build)(table, &host)
}

/// A connector that talks to this server.
pub(crate) fn connect(server: &MockServer, mut settings: Value) -> Arc<dyn Connector> {
    settings["base_url"] = json!(format!("{}/3.0", server.uri()));
    build(&settings).unwrap()
}

/// One request as it was on the wire.
pub(crate) fn line(request: &Request) -> String {
    let mut query: Vec<String> = request.url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    query.sort();
    let body = match request.body.as_slice() {
        [] => String::new(),
        text => serde_json::from_slice::<Value>(text).unwrap().to_string(),
    };
    format!("{} {} {} {body}", request.method, request.url.path(), query.join("&")).trim().to_owned()
}

/// Every request the server got, in order.
pub(crate) async fn lines(server: &MockServer) -> Vec<String> {
    server.received_requests().await.unwrap().iter().map(line).collect()
}

/// Answers everything with this.
pub(crate) async fn always(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    server
}

pub(crate) fn problem(status: u16, title: &str, detail: &str) -> ResponseTemplate {
    let body = json!({ "type": "", "title": title, "status": status, "detail": detail, "instance": "" });
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/problem+json")
}

/// A member as the vendor shows it; its last change is so many seconds after the start of 2025.
pub(crate) fn member(id: u32, seconds: u32, status: &str) -> Value {
    let changed = jiff::Timestamp::from_second(1_735_689_600 + i64::from(seconds)).unwrap();
    json!({
        "id": format!("{id:032x}"), "contact_id": format!("c{id}"), "unique_email_id": format!("u{id}"),
        "email_address": format!("p{id}@example.org"), "status": status, "interests": {"9143cf3bd1": true},
        "ip_signup": "", "timestamp_signup": "", "ip_opt": "203.0.113.7",
        "timestamp_opt": "2025-01-05T10:04:11+00:00", "source": "API - Generic",
        "last_changed": changed.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        "merge_fields": {"FNAME": "Ada"}, "a_field_of_next_year": [1, {"x": null}],
    })
}

/// How one answer is spoilt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Empty,
    Short(usize),
    Again,
    Html,
    ErrorInside,
    Half,
    Promise(u64),
    FalseEnd,
    Busy,
}

type Deed = Box<dyn FnOnce(&mut Vec<Value>) + Send>;

/// What the server holds: one audience.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) members: Vec<Value>,
    /// What happens before the answer of this number.
    pub(crate) deeds: BTreeMap<usize, Deed>,
    /// How the answer of this number is spoilt.
    pub(crate) faults: BTreeMap<usize, Fault>,
    /// How every answer from the first of these on is spoilt.
    pub(crate) lasting: Option<(usize, Fault)>,
    answers: usize,
    before: Option<Value>,
}

#[derive(Clone, Default)]
pub(crate) struct Fake(pub(crate) Arc<Mutex<State>>);

impl Fake {
    pub(crate) fn holding(members: impl IntoIterator<Item = Value>) -> Self {
        let fake = Self::default();
        fake.0.lock().unwrap().members = members.into_iter().collect();
        fake
    }

    pub(crate) async fn serve(&self) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(self.clone()).mount(&server).await;
        server
    }
}

impl Respond for Fake {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        if request.url.path() != format!("/3.0/lists/{LIST}/members") {
            return problem(404, "Resource Not Found", "The requested resource could not be found.");
        }
        let number = state.answers;
        state.answers += 1;
        if let Some(deed) = state.deeds.remove(&number) {
            deed(&mut state.members);
        }
        let lasting = state.lasting.filter(|(first, _)| number >= *first).map(|(_, fault)| fault);
        let fault = state.faults.remove(&number).or(lasting);
        let mut body = listing(&state.members, request);
        let before = match fault {
            Some(Fault::Again) => state.before.clone(),
            _ => state.before.replace(body.clone()),
        };
        let rows = |body: &mut Value| body["members"].as_array().unwrap().len();
        match fault {
            None => {}
            Some(Fault::FalseEnd) => body = json!({ "members": [], "total_items": offset(request) }),
            Some(Fault::Empty) => body["members"] = json!([]),
            Some(Fault::Short(missing)) => {
                let kept = rows(&mut body).saturating_sub(missing);
                body["members"].as_array_mut().unwrap().truncate(kept);
            }
            Some(Fault::Again) => body = before.unwrap_or(body),
            Some(Fault::Html) => {
                return ResponseTemplate::new(200).set_body_raw("<html>Back soon</html>", "text/html");
            }
            Some(Fault::ErrorInside) => body = json!({ "error": "internal", "email": "p1@example.org" }),
            Some(Fault::Half) => {
                let text = body.to_string();
                return ResponseTemplate::new(200).set_body_raw(&text[..text.len() / 2], "application/json");
            }
            Some(Fault::Promise(more)) => body["total_items"] = json!(body["total_items"].as_u64().unwrap() + more),
            Some(Fault::Busy) => return problem(429, "Too Many Requests", "You have exceeded the limit."),
        }
        ResponseTemplate::new(200).set_body_json(body)
    }
}

fn offset(request: &Request) -> usize {
    let offset = request.url.query_pairs().find(|(name, _)| name == "offset").unwrap().1;
    offset.parse().unwrap()
}

/// The listing as documented: filtered, ordered, cut.
fn listing(members: &[Value], request: &Request) -> Value {
    let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
    let number = |name: &str, default: usize| query.get(name).map_or(default, |text| text.parse().unwrap());
    assert_eq!(query.get("sort_field").map(String::as_str), Some("last_changed"));
    assert_eq!(query.get("sort_dir").map(String::as_str), Some("ASC"));
    let changed = |member: &Value| member["last_changed"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let since = query.get("since_last_changed").map(|text| text.parse::<jiff::Timestamp>().unwrap());
    let wants_archived = query.get("status").is_some_and(|status| status == "archived");
    let mut rows: Vec<Value> = members
        .iter()
        .filter(|member| (member["status"] == "archived") == wants_archived)
        .filter(|member| since.is_none_or(|since| changed(member) > since))
        .cloned()
        .collect();
    rows.sort_by_key(|member| (changed(member), member["id"].to_string()));
    let total = rows.len();
    let count = number("count", 10);
    assert!(count <= 1000, "the vendor gives at most 1000 rows at once");
    let rows: Vec<Value> = rows.into_iter().skip(number("offset", 0)).take(count).collect();
    json!({ "members": rows, "list_id": LIST, "total_items": total, "_links": [] })
}
