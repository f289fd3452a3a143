//! One contact: what is kept of it, and how it is shown.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value, json};

use super::state::State;
use crate::population::{BlockReason, CampaignSeed, Fate, List, Person};

/// The id of the contact at position zero.
pub(super) const FIRST_ID: u64 = 1;

/// Stands for "not of the population".
pub(super) const NOBODY: u32 = u32::MAX;

/// The attributes of the account beside the identifiers; writes to others are ignored.
pub(super) const ATTRIBUTES: [&str; 6] = ["FIRSTNAME", "LASTNAME", "COUNTRY", "DOUBLE_OPT-IN", "OPT_IN", "OPTIN_TIME"];

/// The attributes that name one contact, beside the address.
pub(super) const SMS: &str = "SMS";
pub(super) const EXT_ID: &str = "EXT_ID";

/// The campaign of which the statistics tell.
const CAMPAIGN: u32 = 21;

/// What is kept of a contact. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contact {
    /// The person's index, or [`NOBODY`].
    pub(super) who: u32,
    pub(super) blacklisted: bool,
    pub(super) no_texts: bool,
    /// One bit per list.
    pub(super) lists: u8,
    /// One bit per list that the person left.
    pub(super) left: u8,
    /// Why the contact is blocklisted, which only the statistics tell.
    pub(super) why: Why,
    pub(super) why_ms: i64,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    pub(super) extra: Option<Box<Extra>>,
}

/// Why a contact is blocklisted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Unsaid,
    Person,
    Admin,
    Bounce,
    Spam,
}

/// What a contact has that the population did not give it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Extra {
    pub(super) email: Option<String>,
    /// Attributes that were set; null is one that was cleared.
    pub(super) attributes: Map<String, Value>,
}

/// How times are written. The platform does both, depending on the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// That of the account, an hour ahead.
    Account,
    /// UTC.
    Utc,
}

impl Contact {
    pub(super) fn seeded(who: u32, seed: &CampaignSeed) -> Self {
        let why = match seed.fate {
            Fate::Left | Fate::LeftAll => Why::Person,
            Fate::Bounced => Why::Bounce,
            Fate::Complained => Why::Spam,
            Fate::Removed => Why::Admin,
            _ => Why::Unsaid,
        };
        Self {
            who,
            blacklisted: seed.blacklisted,
            no_texts: seed.no_texts,
            lists: seed.lists,
            left: seed.left,
            why,
            why_ms: seed.modified_ms,
            created_ms: seed.created_ms,
            modified_ms: seed.modified_ms,
            extra: None,
        }
    }

    /// A contact that came by the API or a form, not by the population.
    pub(super) fn fresh(email: Option<String>, now_ms: i64) -> Self {
        Self {
            who: NOBODY,
            blacklisted: false,
            no_texts: false,
            lists: 0,
            left: 0,
            why: Why::Unsaid,
            why_ms: now_ms,
            created_ms: now_ms,
            modified_ms: now_ms,
            extra: Some(Box::new(Extra { email, ..Extra::default() })),
        }
    }

    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Blocklists the contact for campaigns, or lifts that. The first reason stays.
    pub(super) fn block(&mut self, on: bool, (why, at_ms): (Why, i64)) {
        if self.blacklisted != on {
            self.blacklisted = on;
            (self.why, self.why_ms) = (if on { why } else { Why::Unsaid }, at_ms);
        }
    }

    /// Puts the contact on these lists. Who left one of them is back on it.
    pub(super) fn join(&mut self, lists: u8) {
        self.lists |= lists;
        self.left &= !lists;
    }
}

impl State {
    /// The address of a contact; `None` for one that has only a telephone number or an id of the customer's.
    pub(super) fn email(&self, contact: &Contact) -> Option<String> {
        let own = contact.extra.as_ref().and_then(|extra| extra.email.clone());
        own.or_else(|| self.person(contact).map(|person| Self::address(&person)))
    }

    pub(super) fn person(&self, contact: &Contact) -> Option<Person> {
        (contact.who != NOBODY).then(|| self.population.person(contact.who))
    }

    pub(super) fn attributes(&self, contact: &Contact) -> Map<String, Value> {
        let mut shown = self.person(contact).map(|person| seeded_attributes(&person)).unwrap_or_default();
        for (name, value) in contact.extra.iter().flat_map(|extra| &extra.attributes) {
            if value.is_null() {
                shown.remove(name);
            } else {
                shown.insert(name.clone(), value.clone());
            }
        }
        shown
    }

    /// A contact as the API shows it.
    pub(super) fn show(&self, (at, contact): (u32, &Contact), zone: Zone) -> Value {
        let named = |bits: u8| -> Vec<u64> {
            List::ALL.into_iter().filter(|list| bits & list.bit() != 0).map(List::id).collect()
        };
        let left = named(contact.left);
        let mut body = json!({
            "id": FIRST_ID + u64::from(at),
            "emailBlacklisted": contact.blacklisted,
            "smsBlacklisted": contact.no_texts,
            "createdAt": time(contact.created_ms, zone),
            "modifiedAt": time(contact.modified_ms, zone),
            "listIds": named(contact.lists),
            "listUnsubscribed": if left.is_empty() { Value::Null } else { json!(left) },
            "attributes": self.attributes(contact),
        });
        if let Some(email) = self.email(contact) {
            body["email"] = json!(email);
        }
        body
    }
}

/// What campaigns did to a contact between these moments: the only place where a reason shows.
pub(super) fn statistics(contact: &Contact, (from_ms, until_ms): (i64, i64)) -> Value {
    let within = (from_ms..=until_ms).contains(&contact.why_ms) && contact.blacklisted;
    let event = |why| if within && contact.why == why { vec![shown_event(contact.why_ms)] } else { Vec::new() };
    json!({
        "messagesSent": [], "delivered": [], "opened": [], "clicked": [], "softBounces": [],
        "hardBounces": event(Why::Bounce),
        "complaints": event(Why::Spam),
        "unsubscriptions": {"userUnsubscription": event(Why::Person), "adminUnsubscription": event(Why::Admin)},
    })
}

fn shown_event(at_ms: i64) -> Value {
    json!({"campaignId": CAMPAIGN, "eventTime": time(at_ms, Zone::Account)})
}

fn seeded_attributes(person: &Person) -> Map<String, Value> {
    let mut shown = Map::new();
    let Some(seed) = CampaignSeed::of(person) else { return shown };
    shown.insert("FIRSTNAME".into(), json!(person.first()));
    shown.insert("LASTNAME".into(), json!(person.last()));
    shown.insert("COUNTRY".into(), json!(person.country()));
    if let Some(number) = person.customer_no() {
        shown.insert(EXT_ID.into(), json!(number));
    }
    if let Some(phone) = seed.phone(person) {
        shown.insert(SMS.into(), json!(phone));
    }
    match seed.fate {
        Fate::Confirmed => {
            shown.insert("DOUBLE_OPT-IN".into(), json!("1"));
            shown.insert("OPTIN_TIME".into(), json!(time(seed.created_ms, Zone::Utc)));
        }
        Fate::Joined | Fate::NoTexts => {
            shown.insert("OPT_IN".into(), json!(true));
        }
        _ => {}
    }
    shown
}

/// The reason of a block that comes with a blocklisting for this reason.
pub(super) fn block_of(why: Why) -> Option<BlockReason> {
    match why {
        Why::Bounce => Some(BlockReason::Bounce),
        Why::Spam => Some(BlockReason::Spam),
        Why::Admin => Some(BlockReason::ByAdmin),
        Why::Person | Why::Unsaid => None,
    }
}

/// A time as the platform writes it: with milliseconds unless there are none.
pub(super) fn time(at_ms: i64, zone: Zone) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let fraction = if at_ms % 1_000 == 0 { "" } else { "%.3f" };
    match zone {
        Zone::Utc => at.strftime(&format!("%Y-%m-%dT%H:%M:%S{fraction}Z")).to_string(),
        Zone::Account => {
            let civil = TimeZone::fixed(Offset::constant(1)).to_datetime(at);
            civil.strftime(&format!("%Y-%m-%dT%H:%M:%S{fraction}+01:00")).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_contacts_fit_into_memory() {
        assert!(size_of::<Option<Contact>>() <= 48, "{}", size_of::<Option<Contact>>());
    }

    #[test]
    fn both_ways_to_write_a_time_mean_the_same_moment() {
        for at_ms in [1_793_491_200_000, 1_793_491_200_250] {
            let [utc, account] = [Zone::Utc, Zone::Account].map(|zone| time(at_ms, zone).parse::<Timestamp>().unwrap());
            assert_eq!((utc, utc.as_millisecond()), (account, at_ms));
        }
        assert_eq!(time(1_793_491_200_000, Zone::Account), "2026-11-01T01:00:00+01:00");
        assert_eq!(time(1_793_491_200_250, Zone::Utc), "2026-11-01T00:00:00.250Z");
    }
}
