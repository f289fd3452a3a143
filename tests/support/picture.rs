//! A company seen from outside: whom it must not contact, what every platform shows, what the ledger holds, what still
//! waits. Two companies that went through the same show the same picture.

use std::collections::{BTreeMap, BTreeSet};

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
    /// What differs from another picture, in a few lines; `None` where nothing does.
    pub fn unlike(&self, other: &Self) -> Option<String> {
        let keys: BTreeSet<&String> = self.seen.keys().chain(other.seen.keys()).collect();
        let differing = keys.into_iter().filter(|key| self.seen.get(*key) != other.seen.get(*key));
        let mut lines: Vec<String> = differing
            .map(|key| format!("{key}: {}", difference(self.seen.get(key), other.seen.get(key))))
            .collect();
        let more = lines.len().saturating_sub(TOLD_MAX);
        lines.truncate(TOLD_MAX);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
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
        let mut seen = BTreeMap::new();
        seen.extend(self.suppressions().await.into_iter().map(|line| (format!("suppression {line}"), json!(true))));
        seen.extend(self.members());
        seen.extend(self.contacts());
        seen.extend(self.campaigns());
        let store = self.store();
        let mut facts = store.prepare("SELECT hex(id) FROM fact").expect("a store");
        let ids = facts.query_map([], |row| row.get::<_, String>(0)).expect("facts");
        seen.extend(ids.map(|id| (format!("fact {}", id.expect("an id")), json!(true))));
        const WAITING: &str = "SELECT i.name, o.action, o.state, COUNT(*) FROM outbox AS o \
             JOIN instance AS i ON i.no = o.instance WHERE o.state NOT IN ('done', 'gone', 'cancelled') GROUP BY 1, 2, 3";
        let mut waiting = store.prepare(WAITING).expect("a store");
        let rows = waiting.query_map([], |row| {
            let (name, action, state): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((format!("waiting {name} {action} {state}"), json!(row.get::<_, i64>(3)?)))
        });
        seen.extend(rows.expect("changes").map(|row| row.expect("a change")));
        Picture { seen }
    }

    /// Its store, for reading or for what only time would do to it.
    ///
    /// # Panics
    /// Where it cannot be opened.
    pub fn store(&self) -> Connection {
        Connection::open(self.path().join("unisson.db")).expect("the store opens")
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
