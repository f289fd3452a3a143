//! A small portal: contacts that can be listed and searched under the platform's own rules, and the means to talk to it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use serde_json::{Value, json};
use unisson_connector::{
    Action, Batch, Change, ChangeId, Connector, Cursor, Cx, Next, Observation, Outcome, Page, Proof, StreamId, Target,
};
use unisson_consent::{Address, Channel, Channels, ListId, Purposes, RecordId, Scope};
use unisson_hubspot::KIND;
use unisson_sdk::{BuildError, Host, MemoryTokens, SecretRef, Secrets};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) const CONTACTS: &str = "/crm/v3/objects/contacts";
pub(crate) const SEARCH: &str = "/crm/v3/objects/contacts/search";
pub(crate) const STATUSES: &str = "/communication-preferences/v4/statuses";
pub(crate) const DEFINITIONS: &str = "/communication-preferences/v4/definitions";
/// The most results that a search ever shows.
const SEARCH_CAP: usize = 10_000;
/// More pages than any test reads: where a pass that does not end is stopped.
const PAGES_MAX: usize = 300;

pub(crate) const CX: Cx<'static> = Cx { run: "test" };

/// Every secret has the value that its reference names.
struct Names;

impl Secrets for Names {
    fn resolve(&self, reference: &SecretRef) -> Result<SecretString, BuildError> {
        match reference {
            SecretRef::Env(name) => Ok(SecretString::from(name.clone())),
            SecretRef::File(_) => Err(BuildError::new("", "no files here")),
        }
    }
}

pub(crate) fn build(settings: Value) -> Result<Arc<dyn Connector>, BuildError> {
    (KIND.build)(settings, &Host { instance: "crm", secrets: &Names, tokens: Arc::new(MemoryTokens::default()) })
}

/// A connector for the server, with these settings beside token and address.
pub(crate) fn open(server: &MockServer, settings: Value) -> Arc<dyn Connector> {
    // An account of its own for each connector: allowances are kept by account, and servers are used again.
    static ACCOUNTS: AtomicUsize = AtomicUsize::new(0);
    let token = format!("pat-eu1-{}", ACCOUNTS.fetch_add(1, Ordering::Relaxed));
    let mut table = json!({"token": {"env": token}, "base_url": server.uri()});
    let extra = settings.as_object().expect("settings are a table").clone();
    table.as_object_mut().expect("a table").extend(extra);
    build(table).expect("the settings are valid")
}

/// One read of a stream to its end.
pub(crate) struct Read {
    pub(crate) observations: Vec<Observation>,
    pub(crate) proof: Proof,
    pub(crate) resume: Option<Cursor>,
    pub(crate) pages: usize,
}

pub(crate) async fn page(
    hubspot: &Arc<dyn Connector>,
    stream: &str,
    from: Option<&Cursor>,
) -> unisson_connector::Result<Page> {
    hubspot.pull().expect("it pulls").page(&CX, &StreamId(stream.to_owned()), from).await
}

pub(crate) async fn drain(
    hubspot: &Arc<dyn Connector>,
    stream: &str,
    from: Option<Cursor>,
) -> unisson_connector::Result<Read> {
    let (mut from, mut observations) = (from, Vec::new());
    for pages in 1..=PAGES_MAX {
        let read = page(hubspot, stream, from.as_ref()).await?;
        observations.extend(read.observations);
        match read.next {
            Next::More(cursor) => from = Some(cursor),
            Next::End { proof, resume } => return Ok(Read { observations, proof, resume, pages }),
        }
    }
    panic!("the pass did not end within {PAGES_MAX} pages");
}

pub(crate) fn ids(observations: &[Observation]) -> Vec<String> {
    observations.iter().map(|seen| seen.record.as_str().to_owned()).collect()
}

/// A contact as the platform shows it: its id, when it was modified (milliseconds), and further properties.
pub(crate) fn contact(id: u64, modified_ms: i64, properties: Value) -> Value {
    let mut all = json!({
        "email": format!("person{id}@example.org"),
        "hs_object_id": id.to_string(),
        "lastmodifieddate": jiff::Timestamp::from_millisecond(modified_ms).expect("a time").to_string(),
    });
    let extra = properties.as_object().expect("properties are a table").clone();
    all.as_object_mut().expect("a table").extend(extra);
    json!({"id": id.to_string(), "properties": all, "createdAt": "2019-10-30T03:30:17.883Z", "archived": false})
}

pub(crate) fn jane(properties: Value) -> Value {
    contact(512, 1_700_000_000_000, properties)
}

/// Contacts under the platform's rules of listing and searching.
#[derive(Clone, Default)]
pub(crate) struct Portal {
    contacts: Arc<Mutex<Vec<Value>>>,
    /// What becomes of the contacts after each search.
    after_search: Option<fn(&mut Vec<Value>)>,
}

impl Portal {
    pub(crate) fn of(contacts: Vec<Value>) -> Self {
        Self { contacts: Arc::new(Mutex::new(contacts)), after_search: None }
    }

    pub(crate) fn restless(self, after_search: fn(&mut Vec<Value>)) -> Self {
        Self { after_search: Some(after_search), ..self }
    }

    /// A server with these contacts and one live subscription type, `7`.
    pub(crate) async fn serve(self) -> MockServer {
        let server = MockServer::start().await;
        define(&server, json!([definition("7", "Newsletter")])).await;
        Mock::given(method("GET")).and(path(CONTACTS)).respond_with(Listing(self.clone())).mount(&server).await;
        Mock::given(method("POST")).and(path(SEARCH)).respond_with(Searching(self)).mount(&server).await;
        server
    }
}

pub(crate) fn definition(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "isActive": true, "isDefault": false, "isInternal": false,
        "communicationMethod": "Email", "purpose": "Marketing", "businessUnitId": 0})
}

pub(crate) async fn define(server: &MockServer, definitions: Value) {
    let envelope = json!({"status": "COMPLETE", "results": definitions, "startedAt": "x", "completedAt": "x"});
    let answer = ResponseTemplate::new(200).set_body_json(envelope);
    Mock::given(method("GET")).and(path(DEFINITIONS)).respond_with(answer).mount(server).await;
}

fn number(row: &Value) -> u64 {
    row["id"].as_str().and_then(|id| id.parse().ok()).expect("a numeric id")
}

fn modified(row: &Value) -> i64 {
    let text = row["properties"]["lastmodifieddate"].as_str().expect("a time");
    text.parse::<jiff::Timestamp>().expect("a time").as_millisecond()
}

fn rows(rows: &[Value], next: Option<String>, total: Option<usize>) -> ResponseTemplate {
    let mut body = json!({"results": rows});
    if let Some(next) = next {
        body["paging"] = json!({"next": {"after": next, "link": "https://api.hubapi.com/elsewhere"}});
    }
    if let Some(total) = total {
        body["total"] = json!(total);
    }
    ResponseTemplate::new(200).set_body_json(body)
}

struct Listing(Portal);

impl Respond for Listing {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked =
            |name: &str| request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let limit: usize = asked("limit").map_or(10, |limit| limit.parse().expect("a number"));
        assert!(limit <= 100, "the platform refuses more than 100");
        let after: u64 = asked("after").map_or(0, |after| after.parse().expect("a token of ours"));
        let mut held: Vec<Value> = self.0.contacts.lock().expect("no panic").clone();
        held.sort_by_key(number);
        held.retain(|row| number(row) >= after);
        let shown = &held[..limit.min(held.len())];
        rows(shown, held.get(limit).map(|row| number(row).to_string()), None)
    }
}

struct Searching(Portal);

impl Respond for Searching {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().expect("a search is JSON");
        let limit = usize::try_from(body["limit"].as_u64().expect("a limit")).expect("small");
        let start: usize = body["after"].as_str().map_or(0, |after| after.parse().expect("an offset"));
        if limit > 200 || start + limit > SEARCH_CAP {
            return ResponseTemplate::new(400)
                .set_body_json(json!({"status": "error", "category": "VALIDATION_ERROR"}));
        }
        let mut held = self.0.contacts.lock().expect("no panic");
        let filters = body["filterGroups"][0]["filters"].as_array().expect("filters").clone();
        let mut found: Vec<Value> =
            held.iter().filter(|row| filters.iter().all(|filter| meets(row, filter))).cloned().collect();
        match body["sorts"][0]["propertyName"].as_str() {
            Some("hs_object_id") => found.sort_by_key(number),
            Some("lastmodifieddate") => found.sort_by_key(modified),
            other => panic!("no sort on {other:?}"),
        }
        let end = found.len().min(start + limit);
        let next = (end < found.len()).then(|| end.to_string());
        if let Some(change) = self.0.after_search {
            change(&mut held);
        }
        rows(&found[start.min(end)..end], next, Some(found.len()))
    }
}

fn meets(row: &Value, filter: &Value) -> bool {
    let value: i64 = filter["value"].as_str().expect("values are text").parse().expect("a number");
    let held = match filter["propertyName"].as_str() {
        Some("lastmodifieddate") => modified(row),
        Some("hs_object_id") => i64::try_from(number(row)).expect("small"),
        other => panic!("no filter on {other:?}"),
    };
    match filter["operator"].as_str() {
        Some("GTE") => held >= value,
        Some("GT") => held > value,
        other => panic!("no operator {other:?}"),
    }
}

/// The requests that the server saw on a path, with the words of their query sorted.
pub(crate) async fn seen(server: &MockServer, on: &str) -> Vec<Request> {
    let all = server.received_requests().await.expect("requests are recorded");
    all.into_iter().filter(|request| request.url.path() == on).collect()
}

pub(crate) fn list(id: &str) -> Scope {
    Scope { purposes: Purposes::List(ListId::new(id)), channels: Channels::one(Channel::Email) }
}

pub(crate) fn target(id: &str, emails: &[&str]) -> Target {
    Target { record: RecordId::new(id), addresses: emails.iter().filter_map(|email| Address::email(email)).collect() }
}

/// A batch of one action on one scope, for one record of each address.
pub(crate) fn batch(action: Action, scope: &Scope, emails: &[&str]) -> Batch {
    let change = |(place, email): (usize, &&str)| Change {
        id: ChangeId(format!("change {place}")),
        target: target(&(place + 1).to_string(), &[email]),
        scope: scope.clone(),
        action,
        reason: "withdrawn",
    };
    Batch::new(emails.iter().enumerate().map(change).collect())
}

/// What became of each change of the batch, in its order.
pub(crate) async fn push(hubspot: &Arc<dyn Connector>, batch: Batch) -> unisson_connector::Result<Vec<Outcome>> {
    let outcomes = hubspot.push().expect("it pushes").push(&CX, batch).await?;
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

pub(crate) fn refused(code: &str) -> Outcome {
    Outcome::Refused(code.to_owned())
}
