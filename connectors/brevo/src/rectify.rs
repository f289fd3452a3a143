//! Carrying a corrected address or number to a contact.
//!
//! Brevo clears the blocklisting of a contact whose address changes. So the blocklisting, the lists that the person left
//! and the senders that may not write to the old address go into the same call, the contact is read back, and a
//! blocklisting that is gone all the same is set again.

use async_trait::async_trait;
use serde_json::{Value, json};
use unisson_connector::{Cx, Error, ErrorKind, Outcome, Rectify, Result, Target};
use unisson_consent::{Address, AddressKind};
use unisson_sdk::segment;

use crate::Brevo;
use crate::names::contact_id;
use crate::push::refusal;
use crate::wire::Contact;

/// The senders that one call can shut out.
const SENDERS_MAX: usize = 100;

#[async_trait]
impl Rectify for Brevo {
    async fn rectify(&self, _: &Cx<'_>, who: &Target, from: &Address, to: &Address) -> Result<Outcome> {
        let refused = |code: &str| Ok(Outcome::Refused(code.to_owned()));
        let Some(id) = contact_id(&who.record).map(|id| id.to_string()) else { return refused("no_contact") };
        let (name, kind) = match (from.kind(), to.kind()) {
            (AddressKind::Email, AddressKind::Email) => ("EMAIL", "email_id"),
            (AddressKind::Phone, AddressKind::Phone) => ("SMS", "phone_id"),
            _ => return refused("no_such_field"),
        };
        let Some(held) = self.contact(&id, "contact_id").await? else { return Ok(Outcome::NotFound) };
        if shows(&held, to) {
            return Ok(Outcome::AlreadySo);
        }
        if !shows(&held, from) {
            return refused("address_changed");
        }
        let new = if to.kind() == AddressKind::Phone { to.canonical() } else { to.raw().trim() };
        if self.contact(&segment(new), kind).await?.is_some_and(|other| other.id != held.id) {
            return refused("address_of_another_contact");
        }
        // What is not shown cannot be kept.
        let (Some(no_mail), Some(no_texts)) = (held.email_blacklisted, held.sms_blacklisted) else {
            return refused("blocklist_not_shown");
        };
        let senders = self.shut_senders(from).await?;
        let mut body = json!({
            "attributes": { name: new }, "emailBlacklisted": no_mail, "smsBlacklisted": no_texts,
        });
        if !held.list_unsubscribed.is_empty() {
            body["unlinkListIds"] = json!(held.list_unsubscribed);
        }
        if !senders.is_empty() {
            body["smtpBlacklistSender"] = json!(senders);
        }
        let reply = match self.put(&id, &body).await {
            Err(error) if matches!(error.kind(), ErrorKind::Lost | ErrorKind::Contract) => return Ok(Outcome::Unknown),
            reply => reply?,
        };
        if reply.status() >= 300 {
            return refusal(&reply);
        }
        self.settle(&id, &held, to).await
    }
}

impl Brevo {
    /// Reads back whether the contact has its new address and every refusal that it had, and sets again what is gone.
    async fn settle(&self, id: &str, before: &Contact, to: &Address) -> Result<Outcome> {
        for is_mended in [false, true] {
            let Some(now) = self.contact(id, "contact_id").await? else { return Ok(Outcome::NotFound) };
            if !shows(&now, to) {
                return Ok(Outcome::Refused("accepted_but_not_done".to_owned()));
            }
            let lost = lost(before, &now);
            if lost.as_object().is_none_or(serde_json::Map::is_empty) {
                return Ok(Outcome::Applied);
            }
            if !is_mended {
                self.put(id, &lost).await?;
            }
        }
        Err(Error::new(ErrorKind::Refused, "keep the blocklisting of a Brevo contact: set it by hand"))
    }

    /// The senders whose messages the person does not get. A dead address is no refusal and stays with the old one.
    async fn shut_senders(&self, from: &Address) -> Result<Vec<String>> {
        if !self.transactional || from.kind() != AddressKind::Email {
            return Ok(Vec::new());
        }
        let rows = self.blocked_rows(&[from]).await?;
        let refusals = rows.into_iter().map(|(_, blocked)| blocked).filter(|blocked| blocked.code() != "hardBounce");
        let mut senders: Vec<String> =
            refusals.map(|blocked| blocked.sender_email).filter(|sender| !sender.is_empty()).collect();
        senders.sort_unstable();
        senders.dedup();
        if senders.len() > SENDERS_MAX {
            let error = Error::new(ErrorKind::Bounds, "carry the blocked senders of a Brevo contact");
            return Err(error.with("senders", senders.len()).with("at most", SENDERS_MAX));
        }
        Ok(senders)
    }
}

/// What has to be set again for a contact to refuse what it refused before.
fn lost(before: &Contact, now: &Contact) -> Value {
    let mut again = json!({});
    if before.email_blacklisted == Some(true) && now.email_blacklisted != Some(true) {
        again["emailBlacklisted"] = json!(true);
    }
    if before.sms_blacklisted == Some(true) && now.sms_blacklisted != Some(true) {
        again["smsBlacklisted"] = json!(true);
    }
    let rejoined: Vec<&u64> = now.list_ids.intersection(&before.list_unsubscribed).collect();
    if !rejoined.is_empty() {
        again["unlinkListIds"] = json!(rejoined);
    }
    again
}

/// Whether a contact has this address or number, in whatever spelling.
fn shows(contact: &Contact, wanted: &Address) -> bool {
    let held = match wanted.kind() {
        AddressKind::Email => contact.email.as_deref().and_then(Address::email),
        AddressKind::Phone => contact.attribute("SMS").and_then(|number| {
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            Address::phone(&format!("+{}", digits.strip_prefix("00").unwrap_or(&digits)), None)
        }),
        AddressKind::Postal => None,
    };
    held.is_some_and(|held| held.suppress_key() == wanted.suppress_key())
}
