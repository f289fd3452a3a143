//! Writing one contact: create, change, delete.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::contact::{ATTRIBUTES, Contact, EXT_ID, FIRST_ID, SMS, Why};
use super::contacts::named;
use super::refuse::Trouble;
use super::state::{Kind, State};
use crate::message::{Answer, Ask, ErasureBend, Reply};
use crate::population::{BlockReason, List};

/// The address that the account itself is registered under. Its contact cannot be deleted.
pub(super) const OWNER: &str = "owner@shop.example";

/// What a write wants. Unknown fields are ignored, as the platform ignores them.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Wish {
    pub(super) email: Option<String>,
    #[serde(rename = "ext_id", alias = "extId")]
    ext_id: Option<String>,
    attributes: Option<Map<String, Value>>,
    pub(super) email_blacklisted: Option<bool>,
    sms_blacklisted: Option<bool>,
    list_ids: Option<Vec<u64>>,
    unlink_list_ids: Option<Vec<u64>>,
    update_enabled: Option<bool>,
    smtp_blacklist_sender: Option<Vec<String>>,
}

fn wish(ask: &Ask) -> Result<Wish, Trouble> {
    ask.json().map_err(|error| Trouble::invalid(error.to_string()))
}

/// POST: a new contact, or a change of one that is there where the call allows it.
pub(super) fn create(state: &mut State, ask: &Ask) -> Answer {
    let wish = wish(ask)?;
    let attribute = |name: &str| wish.attributes.as_ref().and_then(|all| all.get(name)).and_then(text);
    let names = [
        (Kind::Email, "email", wish.email.clone()),
        (Kind::Phone, "SMS", attribute(SMS).map(|phone| dialled(&phone))),
        (Kind::External, "ext_id", wish.ext_id.clone().or_else(|| attribute(EXT_ID))),
    ];
    if names.iter().all(|(_, _, name)| name.is_none()) {
        return Err(Trouble::missing("one of email, SMS and ext_id is required").into());
    }
    let there = names.iter().find_map(|(kind, word, name)| Some((*word, state.find(*kind, name.as_deref()?)?)));
    match there {
        Some((_, at)) if wish.update_enabled == Some(true) => {
            state.change(at, &wish)?;
            // Only an update takes senders to block; on a creation the platform passes over them.
            state.block_senders(at, &wish);
            Ok(Reply::no_content())
        }
        Some((word, _)) => Err(Trouble::duplicate(word).into()),
        None => {
            let at = state.create(&wish)?;
            Ok(Reply::json(201, &json!({"id": FIRST_ID + u64::from(at)})))
        }
    }
}

/// PUT: changes a contact that is there.
pub(super) fn update(state: &mut State, ask: &Ask) -> Answer {
    let wish = wish(ask)?;
    let at = named(state, ask)?;
    state.change(at, &wish)?;
    state.block_senders(at, &wish);
    Ok(Reply::no_content())
}

/// DELETE: removes a contact for good, and its blocklisting with it. What blocks its address for transactional mail stays.
pub(super) fn delete(state: &mut State, ask: &Ask) -> Answer {
    if ask.param(0).eq_ignore_ascii_case(OWNER) {
        return Err(Trouble::new(405, "method_not_allowed", "the account's own address cannot be deleted").into());
    }
    let at = named(state, ask)?;
    match ask.bend.erasure {
        // There is no archive here: out of use is out of every list and on the blocklist.
        ErasureBend::Archive => {
            let every_list = Some(List::ALL.into_iter().map(List::id).collect());
            state
                .change(at, &Wish { email_blacklisted: Some(true), unlink_list_ids: every_list, ..Wish::default() })?;
            return Ok(Reply::no_content());
        }
        ErasureBend::Hide => state.hides_erased = true,
        ErasureBend::Straight => {}
    }
    state.put(at, None);
    Ok(Reply::no_content())
}

impl State {
    /// Adds a contact and returns its position.
    pub(super) fn create(&mut self, wish: &Wish) -> Result<u32, Trouble> {
        if let Some(email) = &wish.email {
            check_address(email)?;
        }
        let mut contact = Contact::fresh(wish.email.clone().map(|email| email.to_lowercase()), self.clock.now_ms());
        self.fill((None, &mut contact), wish)?;
        Ok(self.add(contact))
    }

    /// Changes the contact at this position. The date of modification moves where something changes.
    pub(super) fn change(&mut self, at: u32, wish: &Wish) -> Result<(), Trouble> {
        let old = self.contact(at).cloned().ok_or_else(|| Trouble::not_found("Contact"))?;
        let mut contact = old.clone();
        self.fill((Some(at), &mut contact), wish)?;
        if contact != old {
            contact.modified_ms = self.clock.now_ms();
            self.put(at, Some(contact));
        }
        Ok(())
    }

    fn fill(&self, (at, contact): (Option<u32>, &mut Contact), wish: &Wish) -> Result<(), Trouble> {
        let (join, unlink) = (bits(wish.list_ids.as_ref())?, bits(wish.unlink_list_ids.as_ref())?);
        for (name, value) in wish.attributes.iter().flatten() {
            self.set_attribute((at, contact), name, value)?;
        }
        if let Some(id) = &wish.ext_id {
            self.set_attribute((at, contact), EXT_ID, &json!(id))?;
        }
        let now = self.clock.now_ms();
        if let Some(on) = wish.email_blacklisted {
            contact.block(on, (Why::Admin, now));
        }
        contact.no_texts = wish.sms_blacklisted.unwrap_or(contact.no_texts);
        contact.join(join);
        contact.lists &= !unlink;
        Ok(())
    }

    /// Sets an attribute. One that the account does not have is ignored without a word.
    fn set_attribute(
        &self,
        (at, contact): (Option<u32>, &mut Contact),
        name: &str,
        value: &Value,
    ) -> Result<(), Trouble> {
        let unique = |kind, word, name: &str| match self.find(kind, name) {
            Some(other) if Some(other) != at => Err(Trouble::duplicate(word)),
            _ => Ok(()),
        };
        match name {
            "EMAIL" => {
                let email = text(value).ok_or_else(|| Trouble::invalid("EMAIL is not an e-mail address"))?;
                check_address(&email)?;
                unique(Kind::Email, "email", &email)?;
                self.readdress(contact, &email);
            }
            SMS => {
                let phone = text(value).map(|phone| dialled(&phone)).filter(|phone| !phone.is_empty());
                if let Some(phone) = &phone {
                    unique(Kind::Phone, "SMS", phone)?;
                }
                contact.extra_mut().attributes.insert(SMS.to_owned(), json!(phone));
            }
            EXT_ID => {
                let id = text(value).filter(|id| !id.is_empty());
                if let Some(id) = &id {
                    unique(Kind::External, "ext_id", id)?;
                }
                contact.extra_mut().attributes.insert(EXT_ID.to_owned(), json!(id));
            }
            _ if ATTRIBUTES.contains(&name) => {
                contact.extra_mut().attributes.insert(name.to_owned(), value.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// Gives the contact another address. The vendor says it: whoever was blocklisted no longer is.
    pub(super) fn readdress(&self, contact: &mut Contact, email: &str) {
        if self.email(contact).is_some_and(|old| old.eq_ignore_ascii_case(email)) {
            return;
        }
        contact.extra_mut().email = Some(email.to_lowercase());
        contact.block(false, (Why::Unsaid, self.clock.now_ms()));
    }

    fn block_senders(&mut self, at: u32, wish: &Wish) {
        let Some(email) = self.contact(at).and_then(|contact| self.email(contact)) else { return };
        for sender in wish.smtp_blacklist_sender.iter().flatten() {
            self.block(&email, sender, BlockReason::ByApi);
        }
    }
}

fn bits(ids: Option<&Vec<u64>>) -> Result<u8, Trouble> {
    let mut bits = 0;
    for id in ids.into_iter().flatten() {
        let list = List::of_id(*id).ok_or_else(|| Trouble::invalid("a list of this id does not exist"))?;
        bits |= list.bit();
    }
    Ok(bits)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The digits of a telephone number, without what a caller puts before the country.
pub(super) fn dialled(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    digits.strip_prefix("00").map_or(digits.clone(), str::to_owned)
}

/// Whether the platform takes this for an address.
fn check_address(email: &str) -> Result<(), Trouble> {
    let parts = email.split_once('@').filter(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && domain.split('.').all(|label| !label.is_empty())
    });
    let plain = !email.chars().any(|c| c.is_whitespace() || c.is_control()) && email.matches('@').count() == 1;
    if parts.is_some() && plain && email.len() <= 254 {
        Ok(())
    } else {
        Err(Trouble::invalid("the e-mail address is invalid"))
    }
}
