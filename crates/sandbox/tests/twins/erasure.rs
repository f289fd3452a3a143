//! Erasures that go wrong, on every twin: forgotten, late, an archive, a read-back that is blocked, a platform that is down.

use reqwest::Method;
use serde_json::{Value, json};
use unisson_sandbox::{Fault, Handle, Lag, Plot, Rule, Sandbox, System};

use crate::client::{Client, brevo, encoded, hash, hubspot, mailchimp, sandbox};

const LETTER: &str = "/lists/a1f0c3d9e7";
const CONTACTS: &str = "/crm/v3/objects/contacts";

/// One record of one twin, and how it is erased and read.
struct Record<'s> {
    name: &'static str,
    handle: &'s Handle,
    client: Client,
    erase: (Method, String, Option<Value>),
    read: String,
    /// How an archived one is read.
    read_archived: String,
}

impl Record<'_> {
    async fn erase(&self) -> u16 {
        let (method, path, body) = self.erase.clone();
        self.client.send(method, &path, body).await.unwrap().status
    }

    async fn status(&self) -> u16 {
        self.client.get(&self.read).await.status
    }

    fn inject(&self, fault: Fault) {
        self.handle.inject(Rule::new(fault).method(self.erase.0.as_str()).on(&self.erase.1)).unwrap();
    }
}

fn records(sandbox: &Sandbox) -> Vec<Record<'_>> {
    let who = |system| sandbox.population().with_plot(Plot::Single).next().unwrap().spelling(system);
    let member = format!("{LETTER}/members/{}", hash(&who(System::Letter)));
    let crm = sandbox.population().with_plot(Plot::LeftLetter).next().unwrap().spelling(System::Crm);
    let id = sandbox.hubspot().contact(&crm).unwrap()["id"].as_str().unwrap().to_owned();
    let address = sandbox.brevo().addresses()[0].clone();
    let contact = format!("/contacts/{}", sandbox.brevo().contact(&address).unwrap()["id"]);
    vec![
        Record {
            name: "mailchimp",
            handle: sandbox.mailchimp().handle(),
            client: mailchimp(sandbox),
            erase: (Method::POST, format!("{member}/actions/delete-permanent"), None),
            read_archived: member.clone(),
            read: member,
        },
        Record {
            name: "hubspot",
            handle: sandbox.hubspot().handle(),
            client: hubspot(sandbox),
            erase: (Method::POST, format!("{CONTACTS}/gdpr-delete"), Some(json!({"objectId": id}))),
            read: format!("{CONTACTS}/{id}"),
            read_archived: format!("{CONTACTS}/{id}?archived=true"),
        },
        Record {
            name: "brevo",
            handle: sandbox.brevo().handle(),
            client: brevo(sandbox),
            erase: (Method::DELETE, contact.clone(), None),
            read_archived: contact.clone(),
            read: contact,
        },
    ]
}

#[tokio::test]
async fn an_erasure_that_is_acknowledged_can_be_forgotten_or_late() {
    let sandbox = sandbox().await;
    for record in records(&sandbox) {
        record.inject(Fault::FalseAcknowledgement);
        assert_eq!((record.erase().await, record.status().await), (204, 200), "{}", record.name);
        record.handle.clear_faults();
        record.inject(Fault::LateEffect(Lag::Reads(2)));
        assert_eq!(record.erase().await, 204, "{}", record.name);
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(record.status().await);
        }
        assert_eq!(seen, [200, 200, 404], "{}", record.name);
    }
}

#[tokio::test]
async fn an_erasure_can_turn_out_to_be_an_archive() {
    let sandbox = sandbox().await;
    for record in records(&sandbox) {
        record.inject(Fault::ArchiveInstead);
        assert_eq!(record.erase().await, 204, "{}", record.name);
        let kept = record.client.get(&record.read_archived).await;
        assert_eq!(kept.status, 200, "{}", record.name);
        let is_out_of_use = match record.name {
            "mailchimp" => kept.json()["status"] == "archived",
            "hubspot" => kept.json()["archived"] == true && record.status().await == 404,
            _ => kept.json()["emailBlacklisted"] == true && kept.json()["listIds"] == json!([]),
        };
        assert!(is_out_of_use, "{}: {}", record.name, kept.text);
        assert_eq!(record.erase().await, 204, "{}: once only", record.name);
        assert_eq!(record.client.get(&record.read_archived).await.status, 404, "{}", record.name);
    }
}

#[tokio::test]
async fn an_erased_record_can_be_hidden_from_the_read_back_and_from_nobody_else() {
    let sandbox = sandbox().await;
    for record in records(&sandbox) {
        record.inject(Fault::HideErased);
        assert_eq!(record.status().await, 200, "{}: nothing is hidden before", record.name);
        assert_eq!((record.erase().await, record.status().await), (204, 403), "{}", record.name);
        let never = match record.name {
            "mailchimp" => format!("{LETTER}/members/{}", hash("nobody@example.org")),
            "hubspot" => format!("{CONTACTS}/99999999"),
            _ => "/contacts/99999999".to_owned(),
        };
        assert_eq!(record.client.get(&never).await.status, 404, "{}", record.name);
        let reset = Client::new(record.handle.origin(), "").post("/_control/reset", json!({})).await;
        assert_eq!((reset.status, record.status().await), (200, 200), "{}", record.name);
        assert_eq!((record.erase().await, record.status().await), (204, 404), "{}", record.name);
    }
}

#[tokio::test]
async fn a_platform_that_is_down_erases_nothing() {
    let sandbox = sandbox().await;
    for record in records(&sandbox) {
        let control = Client::new(record.handle.origin(), "");
        control.post("/_control/outage", json!({"on": true})).await;
        assert_eq!((record.erase().await, record.status().await), (503, 503), "{}", record.name);
        control.post("/_control/outage", json!({"on": false})).await;
        assert_eq!(record.status().await, 200, "{}", record.name);
    }
}

#[tokio::test]
async fn a_contact_is_found_by_additional_address_number_and_in_the_archive() {
    let sandbox = sandbox().await;
    let client = hubspot(&sandbox);
    let search = async |property: &str, operator: &str, value: &str| {
        let filter = json!({"propertyName": property, "operator": operator, "value": value});
        let answer = client.post(&format!("{CONTACTS}/search"), json!({"filterGroups": [{"filters": [filter]}]})).await;
        (answer.status, answer.json()["total"].as_u64())
    };
    let contacts = || sandbox.hubspot().addresses().into_iter().filter_map(|email| sandbox.hubspot().contact(&email));
    let held = |name: &str| contacts().find_map(|contact| contact["properties"][name].as_str().map(str::to_owned));
    let additional = held("hs_additional_emails").unwrap();
    let second = additional.split(';').next().unwrap();
    assert_eq!(search("hs_additional_emails", "CONTAINS_TOKEN", second).await, (200, Some(1)));
    assert_eq!(search("hs_additional_emails", "EQ", second).await.0, 400);
    let phone = held("phone").unwrap();
    assert!(search("phone", "EQ", &phone).await.1 >= Some(1));
    assert_eq!(search("mobilephone", "EQ", &phone).await, (200, Some(0)));
    assert_eq!(search("shoe_size", "EQ", "38").await.0, 400);

    let names = client.get("/crm/v3/properties/contacts").await.json();
    assert!(names["results"].as_array().unwrap().iter().any(|property| property["name"] == "hs_additional_emails"));
    let who = sandbox.hubspot().addresses()[0].clone();
    let id = sandbox.hubspot().contact(&who).unwrap()["id"].as_str().unwrap().to_owned();
    let by_address = |archived| format!("{CONTACTS}/{}?idProperty=email&archived={archived}", encoded(&who));
    assert_eq!(client.get(&by_address(true)).await.status, 404);
    assert_eq!(client.delete(&format!("{CONTACTS}/{id}")).await.status, 204);
    assert_eq!(client.get(&by_address(true)).await.json()["id"], json!(id));
    assert_eq!(client.get(&by_address(false)).await.status, 404);
    let batch = async |archived| {
        let path = format!("{CONTACTS}/batch/read?archived={archived}");
        client.post(&path, json!({"inputs": [{"id": id}]})).await.json()["results"].as_array().unwrap().len()
    };
    assert_eq!((batch(true).await, batch(false).await), (1, 0));
}
