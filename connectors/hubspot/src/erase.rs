//! Erasing contacts for good and seeing that they are gone.
//!
//! It erases by id only, never by address: HubSpot puts an address it does not know on a blocklist instead, which is new
//! data about the person. Archiving is no erasure and is never used. HubSpot keeps an erased address out of imports but
//! lets it back in through forms, a connected inbox and the interface, so the host's own tombstone is the guard.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use unisson_connector::{Cx, Erase, EraseSpec, Erasing, Error, ErrorKind, Result, Sighting, Target, Ticket};
use unisson_consent::AddressKind;
use unisson_sdk::read_row;

use crate::wire::{Contact, ContactPage, ItemError, filter};
use crate::{CONTACTS, HubSpot, SEARCH};

/// The record disappears at once, the index of searches follows within minutes, and the purge behind both takes up to 30
/// days. <https://knowledge.hubspot.com/privacy-and-consent/how-do-i-perform-a-gdpr-delete-in-hubspot>
const SPEC: EraseSpec = EraseSpec {
    asynchronous: true,
    settles_in: Duration::from_mins(15),
    residual_max: Duration::from_hours(24 * 30),
    keeps_tombstone: false,
};
/// How many alternatives one search may have.
const GROUPS: usize = 5;
/// How many addresses of one person are looked for; beyond it the platform would have to be asked for ever.
const ADDRESSES: usize = 100;

#[async_trait]
impl Erase for HubSpot {
    fn spec(&self) -> &EraseSpec {
        &SPEC
    }

    async fn erase(&self, _cx: &Cx<'_>, who: &Target) -> Result<Erasing> {
        let Ok(id) = who.record.as_str().parse::<u64>() else {
            return Ok(Erasing::Refused("no_contact_id".to_owned()));
        };
        // A merged contact answers under its old id with the new one, and only that one can be erased.
        let held = match self.find(id, false).await? {
            Some(held) => held,
            None => match self.find(id, true).await? {
                Some(held) => held,
                None => return Ok(Erasing::AlreadyAbsent),
            },
        };
        let during = "erase a contact (it needs the permission to delete contacts permanently)";
        let call = self.client.post(&format!("{CONTACTS}/gdpr-delete")).json(&json!({"objectId": held})).repeatable();
        let reply = self.send(call, &[400, 404, 409, 429], during).await?;
        Ok(match reply.status() {
            404 => Erasing::AlreadyAbsent,
            400.. => Erasing::Refused(reply.json::<ItemError>().map(|error| error.category).unwrap_or_default().code()),
            // There is no job to ask for: the ticket only says which call was made.
            _ => Erasing::Accepted(Ticket("gdpr-delete".to_owned())),
        })
    }

    async fn verify(&self, _cx: &Cx<'_>, who: &Target, _ticket: Option<&Ticket>) -> Result<Sighting> {
        match self.look_for(who).await {
            Err(error) if error.kind() == ErrorKind::Scope => Ok(Sighting::Unverified),
            seen => seen,
        }
    }
}

impl HubSpot {
    /// The id under which a contact is held now, in use or archived.
    async fn find(&self, id: u64, archived: bool) -> Result<Option<String>> {
        let call = self.client.get(&format!("{CONTACTS}/{id}")).query("properties", "hs_object_id");
        let reply = self.send(call.query("archived", archived), &[404, 429], "look for a contact").await?;
        if reply.status() == 404 { Ok(None) } else { Ok(Some(reply.json::<Contact>()?.id)) }
    }

    async fn look_for(&self, who: &Target) -> Result<Sighting> {
        if let Ok(id) = who.record.as_str().parse() {
            if self.find(id, false).await?.is_some() {
                return Ok(Sighting::Present);
            }
            if self.find(id, true).await?.is_some() {
                return Ok(Sighting::Archived);
            }
        }
        let during = "search for the addresses of an erased contact";
        let mut emails: Vec<String> = Vec::new();
        for address in who.addresses.iter().filter(|address| address.kind() == AddressKind::Email) {
            emails.extend([address.raw().trim().to_lowercase(), address.canonical().to_owned()]);
        }
        emails.sort_unstable();
        emails.dedup();
        if emails.len() > ADDRESSES {
            return Err(Error::new(ErrorKind::Bounds, during).with("addresses", emails.len()));
        }
        let mut stale = false;
        for group in emails.chunks(GROUPS) {
            let groups: Vec<Value> =
                group.iter().map(|email| json!({"filters": [filter("email", "EQ", email)]})).collect();
            let body = json!({"filterGroups": groups, "properties": ["hs_object_id"], "limit": 10});
            let reply = self.send(self.client.post(SEARCH).json(&body).repeatable(), &[429], during).await?;
            let page = reply.json::<ContactPage>()?.checked(during)?;
            let is_record =
                |row: &RawValue| read_row::<Contact>(row.get()).is_ok_and(|contact| contact.id == who.record.as_str());
            if page.results.iter().any(|row| !is_record(row)) {
                return Ok(Sighting::Present);
            }
            stale |= !page.results.is_empty();
        }
        // The index still lists a contact that is gone: it lags, and the next look will tell.
        Ok(if stale { Sighting::Unverified } else { Sighting::Absent })
    }
}
