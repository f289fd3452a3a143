//! Telling everything a portal holds about one person: contacts in use and archived, with all their properties, and what
//! their addresses chose.
//!
//! Contacts are found by id and by address directly, and by a search for what only a search finds: additional addresses,
//! telephone numbers, customer numbers. What is found is then read whole.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use unisson_connector::{Access, Cx, Error, ErrorKind, Field, FieldValue, Gathered, Holding, Presence, Result, Seek};
use unisson_consent::{AddressKind, RecordId};
use unisson_sdk::{flatten, read_row, segment};

use crate::translate::Translation;
use crate::wire::{Contact, ContactPage, PropertyPage, filter};
use crate::{CONTACTS, HubSpot, SEARCH, STATUSES};

const LOOK: &str = "look for the contacts of a person";
/// How many alternatives one search may have.
const GROUPS: usize = 5;
/// How many results one search shows; one person has fewer.
const RESULTS: usize = 100;
/// How many ids, spellings and numbers of one person are looked for.
const NAMES: usize = 100;
/// How many contacts are read at once: the most the vendor takes.
const BATCH: usize = 100;
/// How many properties of a contact are read: above the most that a portal can have.
const PROPERTIES: usize = 2_000;
/// What the credentials of this connector do not reach.
const UNSEEN: [&str; 4] = [
    "deals, tickets, companies, orders, notes, calls, meetings and messages linked to a contact",
    "submissions of forms, page views and events of marketing e-mails",
    "earlier values of a contact's properties",
    "contacts whose telephone number is written in a way that nobody knows of",
];
const NO_PREFERENCES: &str = "subscription preferences of an address: add the scope communication_preferences.read";
const NO_PROPERTIES: &str =
    "properties of a contact other than those that consent needs: the credentials cannot list them";
/// What no call can find or delete.
const ORPHANS: &str = "subscription preferences of an address that no contact has, which HubSpot keeps for good";

#[async_trait]
impl Access for HubSpot {
    async fn gather(&self, _cx: &Cx<'_>, who: &Seek) -> Result<Gathered> {
        let mut unseen: BTreeSet<&str> = UNSEEN.into_iter().chain([ORPHANS]).collect();
        let mut shut = |words, error: Error| {
            if error.kind() != ErrorKind::Scope {
                return Err(error);
            }
            unseen.insert(words);
            Ok(Vec::new())
        };
        let lists: Vec<String> = match self.definitions().await {
            Ok(definitions) => definitions.into_iter().map(|definition| definition.id).collect(),
            Err(error) => shut(NO_PREFERENCES, error)?,
        };
        let mut properties = self.fields.properties(&lists);
        properties.extend(self.properties().await.or_else(|error| shut(NO_PROPERTIES, error))?);
        properties.sort_unstable();
        properties.dedup();
        let ids: Vec<String> = self.ids(who).await?.into_iter().collect();
        let mut holdings = BTreeMap::new();
        for presence in [Presence::Present, Presence::Archived] {
            for some in ids.chunks(BATCH) {
                for row in self.whole(some, &properties, presence).await? {
                    let (id, mut holding, emails) = self.holding(&row, &lists, presence).await?;
                    for (place, email) in emails.iter().enumerate() {
                        match self.preferences(email, place).await {
                            Ok(fields) => holding.fields.extend(fields),
                            Err(error) => drop(shut(NO_PREFERENCES, error)?),
                        }
                    }
                    holdings.entry(id).or_insert(holding);
                }
            }
        }
        let unseen = unseen.into_iter().map(str::to_owned).collect();
        Ok(Gathered { holdings: holdings.into_values().collect(), unseen })
    }
}

impl HubSpot {
    /// The names of all properties of a contact.
    async fn properties(&self) -> Result<Vec<String>> {
        let during = "list the properties of contacts";
        let call = self.client.get("/crm/v3/properties/contacts").query("archived", false);
        let names: Vec<String> = self.send(call, &[429], during).await?.json::<PropertyPage>()?.names();
        if names.len() > PROPERTIES {
            return Err(Error::new(ErrorKind::Bounds, during)
                .with("properties", names.len())
                .with("at most", PROPERTIES));
        }
        Ok(names)
    }

    /// The ids of everything that anything of the person leads to.
    async fn ids(&self, who: &Seek) -> Result<BTreeSet<String>> {
        let spelt = |kind| -> BTreeSet<String> {
            let held = who.addresses.iter().filter(move |address| address.kind() == kind);
            held.flat_map(|address| [address.raw().trim().to_lowercase(), address.canonical().to_owned()]).collect()
        };
        let (emails, phones) = (spelt(AddressKind::Email), spelt(AddressKind::Phone));
        let records = who.records.iter().map(RecordId::as_str).filter(|id| id.parse::<u64>().is_ok());
        let mut ids: BTreeSet<String> = records.map(str::to_owned).collect();
        let names = ids.len() + emails.len() + phones.len() + who.customers.len();
        if names > NAMES {
            return Err(Error::new(ErrorKind::Bounds, LOOK).with("names", names).with("at most", NAMES));
        }
        for email in &emails {
            for archived in [false, true] {
                ids.extend(self.by_address(email, archived).await?);
            }
        }
        let mut alternatives: Vec<Value> = Vec::new();
        for email in &emails {
            alternatives.push(filter("email", "EQ", email));
            alternatives.push(filter("hs_additional_emails", "CONTAINS_TOKEN", email));
        }
        let numbers: BTreeSet<&str> = [self.fields.phone.as_str(), "mobilephone"].into();
        alternatives.extend(phones.iter().flat_map(|phone| numbers.iter().map(|name| filter(name, "EQ", phone))));
        if let Some(name) = &self.fields.customer {
            alternatives.extend(who.customers.iter().map(|customer| filter(name, "EQ", customer.as_str())));
        }
        for group in alternatives.chunks(GROUPS) {
            ids.extend(self.search_for(group).await?);
        }
        Ok(ids)
    }

    /// The contact that has an address, primary or additional.
    async fn by_address(&self, email: &str, archived: bool) -> Result<Option<String>> {
        let call = self.client.get(&format!("{CONTACTS}/{}", segment(email))).query("idProperty", "email");
        let call = call.query("properties", "hs_object_id").query("archived", archived);
        let reply = self.send(call, &[400, 404, 429], LOOK).await?;
        // An address that HubSpot does not take for one is held by no contact.
        if reply.status() >= 400 { Ok(None) } else { Ok(Some(reply.json::<Contact>()?.id)) }
    }

    async fn search_for(&self, alternatives: &[Value]) -> Result<Vec<String>> {
        let groups: Vec<Value> = alternatives.iter().map(|filter| json!({"filters": [filter]})).collect();
        let body = json!({"filterGroups": groups, "properties": ["hs_object_id"], "limit": RESULTS});
        let reply = self.send(self.client.post(SEARCH).json(&body).repeatable(), &[429], LOOK).await?;
        let page = reply.json::<ContactPage>()?.checked(LOOK)?;
        if page.after().is_some() {
            return Err(Error::new(ErrorKind::Bounds, LOOK).with("contacts of one person", "more than 100"));
        }
        page.results.iter().map(|row| contact(row).map(|contact| contact.id)).collect()
    }

    /// Contacts with all their properties.
    async fn whole(&self, ids: &[String], properties: &[String], presence: Presence) -> Result<Vec<Box<RawValue>>> {
        let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        let body = json!({"properties": properties, "inputs": inputs});
        let call =
            self.client.post(&format!("{CONTACTS}/batch/read")).query("archived", presence == Presence::Archived);
        let reply = self.send(call.json(&body).repeatable(), &[429], "read the contacts of a person").await?;
        Ok(reply.json::<ContactPage>()?.checked(LOOK)?.results)
    }

    /// A contact with what it says, its id and its addresses.
    async fn holding(
        &self,
        row: &RawValue,
        lists: &[String],
        presence: Presence,
    ) -> Result<(String, Holding, Vec<String>)> {
        let contact = [contact(row)?];
        let observation = match self.observe(&contact, lists, presence).await {
            Ok(observations) => observations.into_iter().next(),
            Err(error) if error.kind() == ErrorKind::Scope => None,
            Err(error) => return Err(error),
        };
        let [contact] = contact;
        let observation = observation.unwrap_or_else(|| {
            Translation { fields: &self.fields, lists, contact: &contact, statuses: &[], presence }.observation()
        });
        let kind = if presence == Presence::Archived { "archived contact" } else { "contact" };
        let mut fields = flatten(row.get(), LOOK)?;
        // A portal has hundreds of properties, of which a contact has few.
        fields.retain(|field| field.value != FieldValue::Empty || !field.path.starts_with("/properties/"));
        let emails = observation.who.emails.clone();
        Ok((contact.id, Holding { observation, kind: kind.to_owned(), fields }, emails))
    }

    /// What an address of a contact chose, as fields of the contact.
    async fn preferences(&self, email: &str, place: usize) -> Result<Vec<Field>> {
        let during = "read what an address chose";
        let call = self.client.get(&format!("{STATUSES}/{}", segment(email))).query("channel", "EMAIL");
        let reply = self.send(call, &[400, 404, 429], during).await?;
        if reply.status() >= 400 {
            return Ok(Vec::new());
        }
        let told: BTreeMap<String, Box<RawValue>> = reply.json()?;
        let Some(results) = told.get("results") else {
            return Err(Error::new(ErrorKind::Contract, during).with("missing", "results"));
        };
        let mut fields = flatten(results.get(), during)?;
        for field in &mut fields {
            field.path.insert_str(0, &format!("/subscription_preferences/{place}"));
        }
        Ok(fields)
    }
}

fn contact(row: &RawValue) -> Result<Contact> {
    read_row(row.get()).map_err(|place| Error::new(ErrorKind::Contract, LOOK).with("at", place))
}
