//! A company seen from outside: whom it must not contact, what every platform shows, what the ledger holds, what still
//! waits. Two companies that went through the same show the same picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};
use unisson_sandbox::{Audience, SUBSCRIPTION_IDS, Status};

use crate::Company;

/// How many differences are told.
const TOLD_MAX: usize = 8;

/// What is seen of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Everything that is seen, by what it is.
    seen: BTreeMap<String, Value>,
}

impl Picture {
    /// What differs from the picture of another company, in a few lines; `None` where nothing does.
    ///
    /// One difference is none: a refusal that the platform shows in a place where a write of ours is taken to be shown is
    /// heard by the one of the two that has read that place in between. A no too many is no harm.
    pub fn unlike(&self, other: &Self) -> Option<String> {
        let keys: BTreeSet<&String> = self.seen.keys().chain(other.seen.keys()).collect();
        let heard = |key: &str| match (self.seen.get(key), other.seen.get(key)) {
            (Some(says), None) => key.starts_with("fact ") && says["status"] == "unsubscribed",
            _ => false,
        };
        let differing =
            keys.into_iter().filter(|key| self.seen.get(*key) != other.seen.get(*key)).filter(|key| !heard(key));
        let mut lines: Vec<String> =
            differing.map(|key| format!("{key}: {}", difference(self.seen.get(key), other.seen.get(key)))).collect();
        let more = lines.len().saturating_sub(TOLD_MAX);
        lines.truncate(TOLD_MAX);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// What a fact says, without whom it is about and when it was heard.
fn said(fact: &Value) -> Value {
    let says = &fact["says"];
    let parts = ["kind", "occurred", "actor", "purposes", "channels"].map(|part| (part.to_owned(), says[part].clone()));
    let mut said = serde_json::Map::from_iter(parts);
    said.insert("system".to_owned(), fact["system"].clone());
    said.insert("status".to_owned(), says["detail"]["status"].clone());
    Value::Object(said)
}

/// What two values differ in, part by part.
fn difference(one: Option<&Value>, other: Option<&Value>) -> String {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let differing = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
            let told = differing.map(|name| format!("{name} {}", difference(one.get(name), other.get(name))));
            told.collect::<Vec<_>>().join(", ")
        }
        (one, other) => {
            let told = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            format!("{} and not {}", told(one), told(other))
        }
    }
}

impl Company {
    /// Its picture.
    ///
    /// # Panics
    /// Where its store cannot be read.
    pub async fn picture(&self) -> Picture {
        const WAITING: &str = "SELECT i.name, o.action, o.state, COUNT(*) FROM outbox AS o \
             JOIN instance AS i ON i.no = o.instance WHERE o.state NOT IN ('done', 'gone', 'cancelled') GROUP BY 1, 2, 3";
        let mut seen = BTreeMap::new();
        seen.extend(self.suppressions().await.into_iter().map(|line| (format!("suppression {line}"), json!(true))));
        seen.extend(self.members());
        seen.extend(self.contacts());
        seen.extend(self.campaigns());
        seen.extend(self.facts().await);
        let store = self.store();
        let mut waiting = store.prepare(WAITING).expect("a store");
        let rows = waiting.query_map([], |row| {
            let (name, action, state): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((format!("waiting {name} {action} {state}"), json!(row.get::<_, i64>(3)?)))
        });
        seen.extend(rows.expect("changes").map(|row| row.expect("a change")));
        Picture { seen }
    }

    /// What its ledger holds, without anybody's name: every fact and what it says.
    async fn facts(&self) -> Vec<(String, Value)> {
        let export = self.run(&["ledger", "export"]).await;
        assert_eq!(export.code, 0, "{}", export.err);
        let lines = export.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        let facts = lines.filter(|line| line["line"] == "fact");
        facts.map(|fact| (format!("fact {}", fact["id"].as_str().unwrap_or_default()), said(&fact))).collect()
    }

    /// Its store, for reading or for what only time would do to it.
    ///
    /// # Panics
    /// Where it cannot be opened.
    pub fn store(&self) -> Connection {
        Connection::open(self.store_path()).expect("the store opens")
    }

    /// Where its settings put the store.
    ///
    /// # Panics
    /// Where they do not say.
    pub fn store_path(&self) -> PathBuf {
        let settings = std::fs::read_to_string(self.path().join("unisson.toml")).expect("settings");
        let (_, after) = settings.split_once("\"sqlite:").expect("the settings name a store");
        self.path().join(after.split('"').next().unwrap_or_default())
    }

    fn members(&self) -> impl Iterator<Item = (String, Value)> {
        let mail = self.twins.mailchimp();
        let audiences = [Audience::Letter, Audience::Events];
        audiences.into_iter().flat_map(move |audience| {
            let addresses = Status::ALL.into_iter().flat_map(move |status| mail.addresses(audience, status));
            addresses.map(move |address| {
                let shown = mail.member(audience, &address).unwrap_or_default();
                (format!("member {audience:?} {address}"), shown)
            })
        })
    }

    fn contacts(&self) -> impl Iterator<Item = (String, Value)> {
        let crm = self.twins.hubspot();
        crm.addresses().into_iter().map(move |address| {
            let choices = SUBSCRIPTION_IDS.map(|topic| crm.choice(&address, topic));
            let (out, blocked) = (crm.is_out_of_all(&address), crm.is_blocked(&address));
            let shown = json!({"contact": crm.contact(&address), "choices": choices, "out": out, "blocked": blocked});
            (format!("contact {address}"), shown)
        })
    }

    fn campaigns(&self) -> impl Iterator<Item = (String, Value)> {
        let campaigns = self.twins.brevo();
        campaigns.addresses().into_iter().map(move |address| {
            let shown = json!({"contact": campaigns.contact(&address), "blocks": campaigns.blocks(&address)});
            (format!("campaign contact {address}"), shown)
        })
    }
}
