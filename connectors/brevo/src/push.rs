//! Writing changes: one `PUT` of one contact for each, by its id and with nothing in it but the one thing to change.
//!
//! Attributes are never sent: a new address would clear the blocklisting. Imports are not used: they create whom they do
//! not find, and no system is told an address it does not hold. Leaving a list by the interface leaves no mark there, so
//! the host's memory is what keeps a person off it.

use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use unisson_connector::{
    Action, Batch, Calls, Change, Cx, Error, ErrorKind, Outcome, Outcomes, Push, PushSpec, Result, Target,
};
use unisson_consent::AddressKind;
use unisson_sdk::Reply;

use crate::names::{Place, contact_id};
use crate::wire::{Contact, code, is_unknown_contact};
use crate::{Brevo, CONTACTS};

const DURING: &str = "change a Brevo contact";
/// The changes taken at once: some seconds of work at the vendor's pace.
const CHANGES_MAX: NonZeroUsize = NonZeroUsize::new(100).unwrap();
/// How many changes in a row may fail before the rest of a batch is left for later.
const FAILURES_MAX: u32 = 3;
/// How often a contact that the vendor is still working on is tried.
const TRIES_MAX: u32 = 3;

/// What it can do. The vendor documents no delay between a write and the reads after it; it has no word for an address
/// that is dead, and asks nobody again.
pub(crate) fn spec() -> PushSpec {
    PushSpec {
        actions: vec![Action::Suppress, Action::Subscribe],
        batch_max: CHANGES_MAX,
        idempotent: false,
        read_after_write_lag: Duration::ZERO,
    }
}

#[async_trait]
impl Push for Brevo {
    fn spec(&self) -> &PushSpec {
        &self.push
    }

    /// An opt-in is looked at before and after.
    fn calls(&self, action: Action, changes: usize) -> Calls {
        let each = if action == Action::Subscribe { 3 } else { 1 };
        Calls { path: CONTACTS, count: each * changes as u64 }
    }

    async fn push(&self, _: &Cx<'_>, batch: Batch) -> Result<Outcomes> {
        let (mut outcomes, mut done, mut failures) = (Vec::new(), false, 0);
        for change in batch.changes() {
            match self.change(change).await {
                Ok(outcome) => {
                    (done, failures) = (true, 0);
                    outcomes.push(outcome);
                }
                Err(error) => {
                    failures += 1;
                    let wait = if let ErrorKind::RateLimited(wait) = error.kind() { wait } else { None };
                    outcomes.push(Outcome::Later(wait));
                    // A door that is closed to all is not knocked at again and again.
                    let is_shut =
                        matches!(error.kind(), ErrorKind::Config | ErrorKind::Scope | ErrorKind::RateLimited(_));
                    if is_shut || failures == FAILURES_MAX || outcomes.len() == batch.changes().len() {
                        if !done {
                            return Err(error);
                        }
                        break;
                    }
                }
            }
        }
        let mut outcomes = outcomes.into_iter();
        Ok(batch.settle(|_| outcomes.next().unwrap_or(Outcome::Later(None))))
    }
}

impl Brevo {
    async fn change(&self, change: &Change) -> Result<Outcome> {
        let (id, place, body) = match understand(change) {
            Ok(understood) => understood,
            Err(code) => return Ok(Outcome::Refused(code.to_owned())),
        };
        let action = change.action;
        if action == Action::Subscribe {
            let held = self.contact(&id, "contact_id").await?;
            if let Some(outcome) = needless(held.as_ref(), place, &change.target) {
                return Ok(outcome);
            }
        }
        let (is_clean, failure) = match self.put(&id, &body).await {
            Ok(reply) if reply.status() == 204 && action == Action::Suppress => return Ok(Outcome::Applied),
            Ok(reply) if reply.status() >= 300 => return refusal(&reply),
            Ok(reply) => (reply.status() == 204, None),
            Err(error) if matches!(error.kind(), ErrorKind::Transient | ErrorKind::Lost | ErrorKind::Contract) => {
                (false, Some(error))
            }
            Err(error) => return Err(error),
        };
        // The answer was lost, or says nothing.
        match (self.contact(&id, "contact_id").await, failure) {
            (Ok(None), _) => Ok(Outcome::NotFound),
            (Ok(Some(held)), _) if shows(&held, place, action) => Ok(Outcome::Applied),
            (Ok(Some(_)), None) if is_clean => Ok(Outcome::Refused("accepted_but_not_done".to_owned())),
            // Doing an opt-out again is harmless; an opt-in done again may overtake an opt-out.
            _ if action == Action::Subscribe => Ok(Outcome::Unknown),
            (_, Some(error)) => Err(error),
            (_, None) => Ok(Outcome::Later(None)),
        }
    }

    /// Sends a change, again where the vendor says that it is still working on the contact.
    pub(crate) async fn put(&self, id: &str, body: &Value) -> Result<Reply> {
        let mut tries = 0;
        loop {
            let call = self.client.put(&format!("{CONTACTS}/{id}")).query("identifierType", "contact_id").json(body);
            let reply = self.send(call, &[400, 404, 425, 429], DURING).await?;
            tries += 1;
            if reply.status() != 425 || tries == TRIES_MAX {
                return Ok(reply);
            }
        }
    }
}

/// Whose contact, which slot and the one thing to write, or why it cannot be written.
fn understand(change: &Change) -> std::result::Result<(String, Place, Value), &'static str> {
    let id = contact_id(&change.target.record).ok_or("no_contact")?.to_string();
    let place = Place::parse(&change.scope).ok_or("no_such_slot")?;
    let body = match (place, change.action) {
        (Place::Blocklist, Action::Suppress) => json!({ "emailBlacklisted": true }),
        (Place::SmsBlocklist, Action::Suppress) => json!({ "smsBlacklisted": true }),
        (Place::List(list), Action::Suppress) => json!({ "unlinkListIds": [list] }),
        (Place::List(list), Action::Subscribe) => json!({ "listIds": [list] }),
        (Place::Blocklist | Place::SmsBlocklist, Action::Subscribe) => return Err("blocklist_is_lifted_by_hand"),
        (_, Action::MarkInvalid | Action::Reconfirm) => return Err("not_offered"),
    };
    Ok((id, place, body))
}

/// What becomes of an opt-in that must not be written: the contact is in, is shut, or is somebody else's by now.
fn needless(held: Option<&Contact>, place: Place, target: &Target) -> Option<Outcome> {
    let Some(held) = held else { return Some(Outcome::NotFound) };
    let lower = |email: &str| email.trim().to_lowercase();
    let meant = target.address(AddressKind::Email).map(|address| lower(address.raw()));
    if shows(held, place, Action::Subscribe) {
        Some(Outcome::AlreadySo)
    } else if held.email_blacklisted != Some(false) {
        Some(Outcome::Refused("on_the_blocklist".to_owned()))
    } else if meant.is_none() || meant != held.email.as_deref().map(lower) {
        Some(Outcome::Refused("address_changed".to_owned()))
    } else {
        None
    }
}

/// Whether a contact shows what was wanted.
fn shows(held: &Contact, place: Place, action: Action) -> bool {
    match place {
        Place::Blocklist => held.email_blacklisted == Some(true),
        Place::SmsBlocklist => held.sms_blacklisted == Some(true),
        Place::List(list) => {
            let is_on = held.list_ids.contains(&list) && !held.list_unsubscribed.contains(&list);
            if action == Action::Subscribe { is_on && held.email_blacklisted == Some(false) } else { !is_on }
        }
    }
}

/// What a refused change means.
pub(crate) fn refusal(reply: &Reply) -> Result<Outcome> {
    match reply.status() {
        404 if is_unknown_contact(reply) => Ok(Outcome::NotFound),
        // Only Brevo's own words say that a contact is not there; a moved interface answers 404 as well.
        404 => Err(Error::new(ErrorKind::Contract, DURING).with("status", 404)),
        425 => Ok(Outcome::Later(None)),
        _ => Ok(Outcome::Refused(code(reply).unwrap_or("bad_request").to_owned())),
    }
}
