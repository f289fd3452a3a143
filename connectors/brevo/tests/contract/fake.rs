//! A server that behaves as Brevo documents, and misbehaves on request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use unisson_connector::{Connector, Cursor, Cx, Next, Observation, Page, Proof, Reject, Result, StreamId};
use unisson_sdk::{BuildError, Host, MemoryTokens, SecretRef, Secrets};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) const CX: Cx<'static> = Cx { run: "test" };
/// When the server says that it is.
pub(crate) const NOON: &str = "Wed, 01 Jan 2025 12:00:00 GMT";

/// Another key for every connector: what an account is told to wait for is remembered in the whole process.
struct Key;

static KEYS: AtomicU32 = AtomicU32::new(0);

impl Secrets for Key {
    fn resolve(&self, _: &SecretRef) -> std::result::Result<secrecy::SecretString, BuildError> {
        Ok(format!("xkeysib-canary-{}", KEYS.fetch_add(1, Ordering::Relaxed)).into())
    }
}

/// Builds a connector with these settings besides the key.
pub(crate) fn build(settings: &Value) -> std::result::Result<Arc<dyn Connector>, BuildError> {
    let mut table = json!({ "api_key": { "env": "BREVO_API_KEY" } });
    table.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let host = Host { instance: "brevo", secrets: &Key, tokens: Arc::new(MemoryTokens::default()) };
    (unisson_brevo::KIND.build)(table, &host)
}

/// A connector that talks to this server, as fast as the vendor ever allows.
pub(crate) fn connect(server: &MockServer, mut settings: Value) -> Arc<dyn Connector> {
    settings["base_url"] = json!(format!("{}/v3", server.uri()));
    settings["tier"] = json!("extended");
    build(&settings).unwrap()
}

/// One request as it was on the wire.
pub(crate) fn line(request: &Request) -> String {
    let query: Vec<String> = request.url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    let body = match request.body.as_slice() {
        [] => String::new(),
        text => serde_json::from_slice::<Value>(text).unwrap().to_string(),
    };
    let parts = [request.method.as_str(), request.url.path(), &query.join("&"), &body];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
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

pub(crate) fn ok(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

pub(crate) fn problem(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "code": code, "message": message }))
}

pub(crate) fn unknown_contact() -> ResponseTemplate {
    problem(404, "document_not_found", "Contact does not exist")
}

/// A contact as the vendor shows it, on list 40; it was last modified so many seconds after the start of 2025.
pub(crate) fn contact(id: u64, seconds: i64) -> Value {
    let modified = jiff::Timestamp::from_second(1_735_689_600 + seconds).unwrap();
    json!({
        "id": id, "email": format!("p{id}@example.org"), "emailBlacklisted": false, "smsBlacklisted": false,
        "createdAt": "2024-05-12T14:30:00.000+02:00", "modifiedAt": modified.to_string(), "listIds": [40],
        "listUnsubscribed": null, "attributes": {"FIRSTNAME": "Ada"}, "a_field_of_next_year": [1, {"x": null}],
    })
}

pub(crate) fn blocked(number: u32, code: &str) -> Value {
    json!({
        "email": format!("p{number}@example.org"), "senderEmail": "news@shop.example",
        "reason": {"code": code, "message": "Admin blocked"}, "blockedAt": "2025-03-04T05:06:07.000Z",
    })
}

/// How one answer of a listing is spoilt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Empty,
    Short(usize),
    Hole(usize),
    Again,
    First,
    Html,
    ErrorInside,
    Nothing,
    Half,
    Promise(u64),
    FalseEnd,
    Busy,
}

type Deed = Box<dyn FnOnce(&mut State) + Send>;

/// What the server holds.
pub(crate) struct State {
    pub(crate) contacts: Vec<Value>,
    pub(crate) blocked: Vec<Value>,
    /// What happens before the page of this number.
    pub(crate) deeds: BTreeMap<usize, Deed>,
    /// How the page of this number is spoilt.
    pub(crate) faults: BTreeMap<usize, Fault>,
    /// How every page from the first of these on is spoilt.
    pub(crate) lasting: Option<(usize, Fault)>,
    /// The time it says it is.
    pub(crate) served: Option<&'static str>,
    /// How many changes to come forget that they are to blocklist.
    pub(crate) forgets: u32,
    pages: usize,
    told: Vec<Value>,
}

#[derive(Clone)]
pub(crate) struct Fake(pub(crate) Arc<Mutex<State>>);

impl Fake {
    pub(crate) fn holding(contacts: impl IntoIterator<Item = Value>) -> Self {
        Self(Arc::new(Mutex::new(State {
            contacts: contacts.into_iter().collect(),
            blocked: Vec::new(),
            deeds: BTreeMap::new(),
            faults: BTreeMap::new(),
            lasting: None,
            served: Some(NOON),
            forgets: 0,
            pages: 0,
            told: Vec::new(),
        })))
    }

    pub(crate) async fn serve(&self) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(self.clone()).mount(&server).await;
        server
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    pub(crate) fn contacts(&self) -> Vec<Value> {
        self.0.lock().unwrap().contacts.clone()
    }
}

impl Respond for Fake {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let key = request.headers.get("api-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
        if !key.starts_with("xkeysib-canary-") || request.headers["accept"] != "application/json" {
            return problem(401, "unauthorized", "Key not found");
        }
        let mut state = self.0.lock().unwrap();
        match (request.method.as_str(), request.url.path()) {
            ("GET", "/v3/contacts") => state.page(request, 1_000),
            ("GET", "/v3/smtp/blockedContacts") => state.page(request, 100),
            (_, path) => match path.strip_prefix("/v3/contacts/") {
                Some(id) => state.one(request, id),
                None => problem(404, "method_not_allowed", "no such path"),
            },
        }
    }
}

impl State {
    fn page(&mut self, request: &Request, limit_max: usize) -> ResponseTemplate {
        let number = self.pages;
        self.pages += 1;
        if let Some(deed) = self.deeds.remove(&number) {
            deed(self);
        }
        let lasting = self.lasting.filter(|(first, _)| number >= *first).map(|(_, fault)| fault);
        let fault = self.faults.remove(&number).or(lasting);
        let rows = if limit_max == 100 { &self.blocked } else { &self.contacts };
        let mut body = listing(rows, request, limit_max);
        self.told.push(body.clone());
        let offset = query(request)["offset"].parse::<u64>().unwrap();
        let rows = body["contacts"].as_array_mut().unwrap();
        match fault {
            None => {}
            Some(Fault::Empty) => rows.clear(),
            Some(Fault::Short(missing)) => rows.truncate(rows.len().saturating_sub(missing)),
            Some(Fault::Hole(at)) if at < rows.len() => drop(rows.remove(at)),
            Some(Fault::Hole(_)) => {}
            Some(Fault::Again) => body = self.told[number.saturating_sub(1)].clone(),
            Some(Fault::First) => body = self.told[0].clone(),
            Some(Fault::FalseEnd) => body = json!({ "contacts": [], "count": offset }),
            Some(Fault::Html) => {
                return ResponseTemplate::new(200).set_body_raw("<html>Back soon</html>", "text/html");
            }
            Some(Fault::ErrorInside) => body = json!({ "code": "internal", "message": "p1@example.org" }),
            Some(Fault::Nothing) => body = json!({}),
            Some(Fault::Half) => {
                let text = body.to_string();
                return ResponseTemplate::new(200).set_body_raw(&text[..text.len() / 2], "application/json");
            }
            Some(Fault::Promise(more)) => body["count"] = json!(body["count"].as_u64().unwrap() + more),
            Some(Fault::Busy) => return problem(429, "too_many_requests", "").insert_header("retry-after", "1"),
        }
        match self.served {
            Some(date) => ok(&body).insert_header("date", date),
            None => ok(&body).insert_header("date", "yesterday"),
        }
    }

    fn one(&mut self, request: &Request, id: &str) -> ResponseTemplate {
        let kind = query(request)["identifierType"].clone();
        let held = self.contacts.iter().position(|contact| is_called(contact, &kind, id));
        let Some(held) = held else { return unknown_contact() };
        match request.method.as_str() {
            "GET" => ok(&self.contacts[held]),
            "PUT" => {
                assert_eq!(request.headers["content-type"], "application/json");
                let mut wanted: Value = serde_json::from_slice(&request.body).unwrap();
                if self.forgets > 0 {
                    self.forgets -= 1;
                    wanted.as_object_mut().unwrap().remove("emailBlacklisted");
                }
                change(&mut self.contacts[held], &wanted);
                ResponseTemplate::new(204)
            }
            "DELETE" => {
                self.contacts.remove(held);
                ResponseTemplate::new(204)
            }
            other => panic!("{other} is never sent"),
        }
    }
}

/// Whether a contact has this name. A number may be a telephone's or an id: every call says which it is.
fn is_called(contact: &Value, kind: &str, name: &str) -> bool {
    let text = |value: &Value| value.as_str().map(str::to_lowercase);
    match kind {
        "contact_id" => contact["id"].as_u64() == name.parse().ok(),
        "email_id" => text(&contact["email"]) == Some(name.replace("%40", "@").to_lowercase()),
        "phone_id" => text(&contact["attributes"]["SMS"]).as_deref() == Some(name.trim_start_matches("%2B")),
        "ext_id" => contact["attributes"]["EXT_ID"] == name,
        other => panic!("{other} is never asked"),
    }
}

/// Changes a contact as documented. A new address clears a blocklisting, unless the same call sets it.
fn change(contact: &mut Value, wanted: &Value) {
    for (name, wanted) in wanted.as_object().unwrap() {
        let has = |lists: &Value, list: &Value| lists.as_array().is_some_and(|lists| lists.contains(list));
        match name.as_str() {
            "emailBlacklisted" | "smsBlacklisted" => contact[name] = wanted.clone(),
            "attributes" => {
                if let Some(email) = wanted["EMAIL"].as_str() {
                    (contact["email"], contact["emailBlacklisted"]) = (json!(email.to_lowercase()), json!(false));
                }
                if let Some(number) = wanted["SMS"].as_str() {
                    contact["attributes"]["SMS"] = json!(number.trim_start_matches('+'));
                }
            }
            "smtpBlacklistSender" => assert_eq!(wanted, &json!(["news@shop.example"])),
            "unlinkListIds" => contact["listIds"].as_array_mut().unwrap().retain(|list| !has(wanted, list)),
            "listIds" => {
                contact["listIds"].as_array_mut().unwrap().extend(wanted.as_array().unwrap().clone());
                if let Some(left) = contact["listUnsubscribed"].as_array_mut() {
                    left.retain(|list| !has(wanted, list));
                }
            }
            other => panic!("{other} is never written"),
        }
    }
}

fn query(request: &Request) -> BTreeMap<String, String> {
    request.url.query_pairs().into_owned().collect()
}

/// The listing as documented: filtered, in the order of creation, cut.
fn listing(rows: &[Value], request: &Request, limit_max: usize) -> Value {
    let mut query = query(request);
    let mut number = |name: &str| query.remove(name).unwrap().parse::<usize>().unwrap();
    let (limit, offset) = (number("limit"), number("offset"));
    assert!(limit <= limit_max, "the vendor gives at most {limit_max} rows at once");
    assert_eq!(query.remove("sort").as_deref(), Some("asc"), "the newest first would shift every offset");
    let since = query.remove("modifiedSince").map(|text| {
        assert_eq!(text.len(), "2025-01-01T00:00:00.000Z".len(), "{text} is not in the documented form");
        text.parse::<jiff::Timestamp>().unwrap()
    });
    assert!(query.is_empty() && (since.is_none() || limit_max == 1_000), "{query:?} is never asked");
    let modified = |row: &Value| row["modifiedAt"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let rows: Vec<&Value> = rows.iter().filter(|row| since.is_none_or(|since| modified(row) > since)).collect();
    let shown: Vec<&Value> = rows.iter().copied().skip(offset).take(limit).collect();
    json!({ "contacts": shown, "count": rows.len() })
}

pub(crate) async fn page(connector: &Arc<dyn Connector>, stream: &str, from: Option<&Cursor>) -> Result<Page> {
    connector.pull().unwrap().page(&CX, &StreamId(stream.to_owned()), from).await
}

#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) observations: Vec<Observation>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) resume: Option<Cursor>,
    pub(crate) pages: usize,
}

/// A pass to its end, as a host makes it.
pub(crate) async fn pass(connector: &Arc<dyn Connector>, stream: &str, from: Option<Cursor>) -> Result<Pass> {
    let mut pass = Pass { observations: Vec::new(), rejects: Vec::new(), resume: from, pages: 0 };
    let mut patience = 2;
    for _ in 0..200 {
        let page = match page(connector, stream, pass.resume.as_ref()).await {
            // A host asks again where that may help.
            Err(error) if error.kind().may_pass() && patience > 0 => {
                patience -= 1;
                continue;
            }
            page => page?,
        };
        pass.pages += 1;
        pass.observations.extend(page.observations);
        pass.rejects.extend(page.rejects);
        match page.next {
            Next::More(cursor) => pass.resume = Some(cursor),
            Next::End { proof, resume } => {
                assert_eq!(proof, Proof::TotalReached);
                pass.resume = resume;
                return Ok(pass);
            }
        }
    }
    panic!("the pass does not end");
}
