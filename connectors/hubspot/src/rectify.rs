//! Carrying a corrected address to a contact.
//!
//! HubSpot keeps what a person chose by address, not by contact: a new address would have chosen nothing. So every refusal
//! of the old address is set for the new one first, and the contact gets its address only then. Another contact that has
//! the new address keeps it: two contacts are joined by hand.

use async_trait::async_trait;
use serde_json::json;
use unisson_connector::{Cx, Outcome, Rectify, Result, Target};
use unisson_consent::{Address, AddressKind};
use unisson_sdk::segment;

use crate::push::Wish;
use crate::wire::{Contact, Envelope, ItemError, SubscriptionState, SubscriptionStatus};
use crate::{CONTACTS, HubSpot, STATUSES};

const DURING: &str = "give a contact another address";
/// How a contact with several addresses separates them.
const SEPARATOR: char = ';';

#[async_trait]
impl Rectify for HubSpot {
    async fn rectify(&self, _cx: &Cx<'_>, who: &Target, from: &Address, to: &Address) -> Result<Outcome> {
        let Ok(id) = who.record.as_str().parse::<u64>() else { return Ok(refused("no_contact_id")) };
        match (from.kind(), to.kind()) {
            (AddressKind::Email, AddressKind::Email) => self.correct_email(id, from, to).await,
            (AddressKind::Phone, AddressKind::Phone) => self.correct_phone(id, from, to).await,
            _ => Ok(refused("no_such_field")),
        }
    }
}

impl HubSpot {
    async fn correct_email(&self, id: u64, from: &Address, to: &Address) -> Result<Outcome> {
        let lists: Vec<String> = self.definitions().await?.into_iter().map(|definition| definition.id).collect();
        let Some(contact) = self.held(&id.to_string(), &lists).await? else { return Ok(Outcome::NotFound) };
        let primary = contact.text("email").unwrap_or_default();
        if is(&primary, to) {
            return Ok(Outcome::AlreadySo);
        }
        if !is(&primary, from) {
            let additional = contact.text("hs_additional_emails").unwrap_or_default();
            let is_additional = additional.split(SEPARATOR).any(|email| is(email, from));
            let code = if is_additional { "additional_address_is_changed_by_hand" } else { "address_changed" };
            return Ok(refused(code));
        }
        let new = to.raw().trim();
        if self.owner(new).await?.is_some_and(|owner| owner != contact.id) {
            return Ok(refused("address_of_another_contact"));
        }
        for wish in self.refusals(&contact, &primary, &lists).await? {
            match self.deliver_one(wish, new).await? {
                Outcome::Applied | Outcome::AlreadySo => {}
                Outcome::Later(wait) => return Ok(Outcome::Later(wait)),
                _ => return Ok(refused("refusals_not_carried")),
            }
        }
        self.set(&contact.id, "email", new).await
    }

    async fn correct_phone(&self, id: u64, from: &Address, to: &Address) -> Result<Outcome> {
        let Some(contact) = self.held(&id.to_string(), &[]).await? else { return Ok(Outcome::NotFound) };
        let names = [self.fields.phone.as_str(), "mobilephone"];
        let holding = |wanted| names.iter().find(|name| contact.text(name).is_some_and(|held| is(&held, wanted)));
        match (holding(from), holding(to)) {
            (Some(name), _) => self.set(&contact.id, name, to.raw().trim()).await,
            (None, Some(_)) => Ok(Outcome::AlreadySo),
            (None, None) => Ok(refused("address_changed")),
        }
    }

    /// A contact in use, as far as a correction needs it.
    async fn held(&self, id: &str, lists: &[String]) -> Result<Option<Contact>> {
        let call = self.client.get(&format!("{CONTACTS}/{id}"));
        let call = call.query("properties", self.fields.properties(lists).join(",")).query("archived", false);
        let reply = self.send(call, &[404, 429], DURING).await?;
        if reply.status() == 404 { Ok(None) } else { reply.json().map(Some) }
    }

    /// The id of the contact that has an address already.
    async fn owner(&self, email: &str) -> Result<Option<String>> {
        let call = self.client.get(&format!("{CONTACTS}/{}", segment(email))).query("idProperty", "email");
        let reply = self.send(call.query("properties", "hs_object_id"), &[404, 429], DURING).await?;
        if reply.status() == 404 { Ok(None) } else { Ok(Some(reply.json::<Contact>()?.id)) }
    }

    /// What the old address is out of: by the preferences interface where it may be asked, and by the contact's own copy.
    async fn refusals(&self, contact: &Contact, email: &str, lists: &[String]) -> Result<Vec<Wish>> {
        let call = self.client.get(&format!("{STATUSES}/{}", segment(email))).query("channel", "EMAIL");
        let reply = self.send(call, &[400, 403, 404, 429], DURING).await?;
        let told = match reply.status() {
            200 => reply.json::<Envelope<SubscriptionStatus>>()?.finished(DURING)?.results,
            _ => Vec::new(),
        };
        let is_out = |told: &&SubscriptionStatus| told.status == SubscriptionState::Unsubscribed;
        if contact.flag("hs_email_optout") || told.iter().filter(is_out).any(SubscriptionStatus::is_wide) {
            return Ok(vec![Wish::OutOfAll]);
        }
        let copies = lists.iter().filter(|list| contact.flag(&format!("hs_email_optout_{list}")));
        let mut out: Vec<u64> = copies.filter_map(|list| list.parse().ok()).collect();
        out.extend(told.iter().filter(is_out).map(|told| told.subscription_id));
        out.sort_unstable();
        out.dedup();
        Ok(out.into_iter().map(|list| Wish::One(list, SubscriptionState::Unsubscribed)).collect())
    }

    async fn set(&self, id: &str, property: &str, value: &str) -> Result<Outcome> {
        let call = self.client.patch(&format!("{CONTACTS}/{id}")).json(&json!({"properties": {property: value}}));
        let reply = self.send(call.repeatable(), &[400, 404, 409, 429], DURING).await?;
        Ok(match reply.status() {
            404 => Outcome::NotFound,
            409 => refused("address_of_another_contact"),
            400.. => refused(&reply.json::<ItemError>().map(|error| error.category).unwrap_or_default().code()),
            _ => Outcome::Applied,
        })
    }
}

/// Whether a text is this address, in whatever spelling.
fn is(text: &str, wanted: &Address) -> bool {
    let held = Address::of_kind(wanted.kind(), text, None);
    held.is_some_and(|held| held.suppress_key() == wanted.suppress_key())
}

fn refused(code: &str) -> Outcome {
    Outcome::Refused(code.to_owned())
}
