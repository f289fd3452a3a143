//! One contact: what is kept of it, and how its properties are shown. Every value is text or null.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::state::State;
use crate::population::{ContactSeed, Person, Preference, Preferences, Topic};

/// The id of the contact at position zero.
pub(super) const FIRST_ID: u64 = 10_001;

/// Stands for "not of the population".
pub(super) const NOBODY: u32 = u32::MAX;

/// What is shown where a call asks for nothing in particular.
const SHOWN: [&str; 6] = ["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"];

/// The properties that the API may set, beside `email`.
pub(super) const WRITABLE: [&str; 7] =
    ["country", "customer_no", "firstname", "hs_legal_basis", "lastname", "lifecyclestage", "phone"];

/// The properties that the API may not set.
pub(super) const READ_ONLY: [&str; 13] = [
    "createdate",
    "hs_additional_emails",
    "hs_email_bad_address",
    "hs_email_bounce",
    "hs_email_hard_bounce_reason_enum",
    "hs_email_is_ineligible",
    "hs_email_optout",
    "hs_email_quarantined",
    "hs_email_quarantined_reason",
    "hs_emailconfirmationstatus",
    "hs_marketable_status",
    "hs_object_id",
    "lastmodifieddate",
];

/// The prefix of the properties for opt-outs of one subscription type.
pub(super) const OPT_OUT_OF: &str = "hs_email_optout_";

/// What is kept of a contact. Times are milliseconds since 1970, zero where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contact {
    /// The person's index, or [`NOBODY`].
    pub(super) who: u32,
    pub(super) bounced: bool,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    pub(super) archived_ms: i64,
    pub(super) extra: Option<Box<Extra>>,
}

/// What a contact has that the population did not give it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Extra {
    /// The primary address and the additional ones.
    pub(super) emails: Option<Vec<String>>,
    /// Properties that were set; empty text is a property that was cleared.
    pub(super) properties: BTreeMap<String, String>,
}

impl Contact {
    pub(super) fn seeded(who: u32, seed: &ContactSeed) -> Self {
        Self {
            who,
            bounced: seed.bounced,
            created_ms: seed.created_ms,
            modified_ms: seed.modified_ms,
            archived_ms: 0,
            extra: None,
        }
    }

    /// A contact that came by the API or a form, not by the population. An empty address is none.
    pub(super) fn fresh(email: &str, now_ms: i64) -> Self {
        let emails = if email.is_empty() { Vec::new() } else { vec![email.to_lowercase()] };
        let extra = Extra { emails: Some(emails), ..Extra::default() };
        Self {
            who: NOBODY,
            bounced: false,
            created_ms: now_ms,
            modified_ms: now_ms,
            archived_ms: 0,
            extra: Some(Box::new(extra)),
        }
    }

    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }
}

/// A contact being shown, with what is computed once for all its properties.
struct Shown<'a> {
    contact: &'a Contact,
    id: String,
    person: Option<Person>,
    emails: Vec<String>,
    preferences: Preferences,
}

impl State {
    /// The addresses of a contact, the primary one first.
    pub(super) fn emails(&self, contact: &Contact) -> Vec<String> {
        if let Some(emails) = contact.extra.as_ref().and_then(|extra| extra.emails.as_ref()) {
            return emails.clone();
        }
        let seed = ContactSeed::of(&self.population.person(contact.who));
        seed.map(|seed| std::iter::once(seed.email).chain(seed.additional).collect()).unwrap_or_default()
    }

    /// A contact as the API shows it, with these properties or the usual ones. Unknown properties are left out.
    pub(super) fn show(&self, (at, contact): (u32, &Contact), properties: &[String]) -> Value {
        let emails = self.emails(contact);
        let shown = Shown {
            contact,
            id: (FIRST_ID + u64::from(at)).to_string(),
            person: (contact.who != NOBODY).then(|| self.population.person(contact.who)),
            preferences: emails.first().map(|email| self.preferences(email)).unwrap_or_default(),
            emails,
        };
        let usual: Vec<String>;
        let names = if properties.is_empty() {
            usual = SHOWN.iter().map(|name| (*name).to_owned()).collect();
            &usual
        } else {
            properties
        };
        let mut map = Map::new();
        // These three come whether or not they are asked for.
        for name in names.iter().map(String::as_str).chain(["hs_object_id", "createdate", "lastmodifieddate"]) {
            if let Some(value) = shown.property(name) {
                map.insert(name.to_owned(), value);
            }
        }
        let mut body = json!({
            "id": shown.id,
            "properties": map,
            "createdAt": time(contact.created_ms),
            "updatedAt": time(contact.modified_ms),
            "archived": contact.archived_ms != 0,
        });
        if contact.archived_ms != 0 {
            body["archivedAt"] = json!(time(contact.archived_ms));
        }
        body
    }

    /// Every property that [`State::show`] knows.
    pub(super) fn all_properties() -> Vec<String> {
        let topics = Topic::ALL.iter().map(|topic| format!("{OPT_OUT_OF}{}", topic.id()));
        let fixed = WRITABLE.iter().chain(&READ_ONLY).chain(&["email"]).map(|name| (*name).to_owned());
        fixed.chain(topics).collect()
    }
}

impl Shown<'_> {
    /// The value of a property, null where it is not set; `None` where there is no such property.
    fn property(&self, name: &str) -> Option<Value> {
        let own = self.contact.extra.as_ref().and_then(|extra| extra.properties.get(name));
        if let Some(own) = own {
            return Some(text_or_null(Some(own.clone()).filter(|own| !own.is_empty())));
        }
        let of_person = |read: fn(&Person) -> Option<String>| self.person.as_ref().and_then(read);
        let flag = |on: bool| Some(on.to_string());
        let value = match name {
            "email" => self.emails.first().cloned(),
            "hs_additional_emails" => {
                Some(self.emails.get(1..).unwrap_or_default().join(";")).filter(|all| !all.is_empty())
            }
            "firstname" => of_person(|person| Some(person.first().to_owned())),
            "lastname" => of_person(|person| Some(person.last().to_owned())),
            "country" => of_person(|person| Some(person.country().to_owned())),
            "phone" => of_person(Person::phone),
            "customer_no" => of_person(Person::customer_no),
            "hs_legal_basis" => of_person(|person| ContactSeed::of(person).map(|seed| seed.legal_basis.to_owned())),
            "lifecyclestage" => Some("lead".to_owned()),
            "hs_object_id" => Some(self.id.clone()),
            "createdate" => Some(time(self.contact.created_ms)),
            "lastmodifieddate" => Some(time(self.contact.modified_ms)),
            "hs_email_optout" => flag(self.preferences.all_out_ms.is_some()),
            "hs_email_bad_address" | "hs_email_is_ineligible" => flag(self.contact.bounced),
            "hs_email_bounce" => Some(u8::from(self.contact.bounced).to_string()),
            "hs_email_hard_bounce_reason_enum" => self.contact.bounced.then(|| "UNKNOWN_USER".to_owned()),
            "hs_email_quarantined" => flag(false),
            "hs_marketable_status" => flag(!self.contact.bounced),
            "hs_email_quarantined_reason" | "hs_emailconfirmationstatus" => None,
            _ => return self.opt_out_of(name),
        };
        Some(text_or_null(value))
    }

    /// The property for the opt-out of one subscription type: `true` or not set.
    fn opt_out_of(&self, name: &str) -> Option<Value> {
        let topic = Topic::of_id(name.strip_prefix(OPT_OUT_OF)?.parse().ok()?)?;
        let out = self.preferences.topics[topic as usize].state == Preference::Unsubscribed;
        Some(text_or_null(out.then(|| "true".to_owned())))
    }
}

fn text_or_null(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::String)
}

/// A time as the portal writes it.
pub(super) fn time(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_contacts_fit_into_memory() {
        assert!(size_of::<Option<Contact>>() <= 40, "{}", size_of::<Option<Contact>>());
    }
}
