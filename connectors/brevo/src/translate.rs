//! The one place where Brevo's words become observations (consent model 3.6).
//!
//! A word nobody has mapped is never a grant, and no list reads as opted in while the blocklist shuts it. Nothing here is
//! evidence: Brevo shows neither when nor where nor on which text somebody opted in.

use unisson_connector::{Event, Identity, Observation, Presence, Slot};
use unisson_consent::{Actor, Bounce, Country, CustomerNo, Evidence, Kind, Occurred, RecordId, Status, Via};

use crate::names::{Place, blocked_record, transactional};
use crate::wire::{Blocked, Contact};

/// The attributes that are read for identity, as the operator named them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    pub(crate) customer: Option<String>,
    pub(crate) country: Option<String>,
}

impl Fields {
    /// A contact as an observation. One without address and number is there, and says nothing.
    pub(crate) fn contact(&self, contact: &Contact) -> Observation {
        let phone = contact.attribute("SMS").and_then(|number| international(&number));
        let named = |name: &Option<String>| name.as_ref().and_then(|name| contact.attribute(name));
        let mut slots = Vec::new();
        if contact.email.is_some() {
            slots.push(slot(Place::Blocklist, blocklist(contact.email_blacklisted)));
            slots.extend(lists(contact));
        }
        if phone.is_some() {
            slots.push(slot(Place::SmsBlocklist, blocklist(contact.sms_blacklisted)));
        }
        let who = Identity {
            emails: contact.email.iter().cloned().collect(),
            phones: phone.into_iter().collect(),
            customer: named(&self.customer).map(CustomerNo::new),
            country: named(&self.country).and_then(|code| Country::parse(&code)),
            ..Identity::default()
        };
        let record = RecordId::new(contact.id.to_string());
        Observation { record, who, presence: Presence::Present, slots, events: Vec::new() }
    }
}

/// A blocked address as an observation of its own record, or why it cannot be one: the same address makes it the
/// contact's. It is on a list of those who get nothing, so whatever the reason is called, it is out.
pub(crate) fn blocked(blocked: &Blocked) -> Result<Observation, &'static str> {
    let email = blocked.email.clone().ok_or("the blocked row names no address: report it to Brevo")?;
    let since = Occurred::parse(&blocked.since);
    let (status, actor) = match blocked.code() {
        "hardBounce" => (None, Actor::Machine),
        // One through the interface may be the customer's own page for it: it counts as the person's.
        "unsubscribedViaMA" | "unsubscribedViaEmail" | "unsubscribedViaApi" => {
            (Some(Status::Unsubscribed), Actor::DataSubject)
        }
        "contactFlaggedAsSpam" => (Some(Status::Complained), Actor::MailboxProvider),
        "adminBlocked" => (Some(Status::Blocked), Actor::Operator),
        // What nobody has mapped is a block of the platform's.
        _ => (Some(Status::Blocked), Actor::Machine),
    };
    let (record, scope) = (blocked_record(blocked), transactional());
    let mut seen = Observation {
        record: record.clone(),
        who: Identity { emails: vec![email], ..Identity::default() },
        presence: Presence::Present,
        slots: Vec::new(),
        events: Vec::new(),
    };
    match status {
        Some(status) => seen.slots.push(Slot { scope, status, since, actor, evidence: Evidence::default() }),
        // The address is dead, which says nothing of the person: an event, as there is no place to write to.
        None => seen.events.push(Event {
            native_id: Some(record.as_str().to_owned()),
            kind: Kind::Bounce(Bounce::Hard),
            occurred: since,
            seq: None,
            actor,
            via: Via::Message,
            scope,
        }),
    }
    Ok(seen)
}

/// What a blocklist shows. Not to be on it is no opt-in. To be on it may come of a refusal, a complaint, a dead address or
/// staff, and the contact does not say which: that it was the person is the reading under which it cannot be annulled.
fn blocklist(flag: Option<bool>) -> Status {
    match flag {
        Some(true) => Status::Unsubscribed,
        Some(false) => Status::Never,
        None => Status::Unknown,
    }
}

/// The lists a contact is on or has left. Behind the blocklist a list is neither in nor out.
fn lists(contact: &Contact) -> impl Iterator<Item = Slot> {
    let left = contact.list_unsubscribed.iter().map(|list| slot(Place::List(*list), Status::Unsubscribed));
    let status = match contact.email_blacklisted {
        Some(false) => Status::Subscribed,
        Some(true) => Status::Off,
        None => Status::Unknown,
    };
    // The mark of the vendor's double opt-in, set on the click. An import can set it too, it has no time and names no
    // list: by itself it lifts no claim above the lowest level.
    let mark = contact.attribute("DOUBLE_OPT-IN").is_some_and(|mark| mark == "1" || mark.eq_ignore_ascii_case("yes"));
    let evidence = Evidence { doi: mark && status == Status::Subscribed, ..Evidence::default() };
    let on = contact.list_ids.iter().filter(|list| !contact.list_unsubscribed.contains(list));
    left.chain(on.map(move |list| Slot { evidence: evidence.clone(), ..slot(Place::List(*list), status) }))
}

/// A slot as a contact shows it: without a time, because `modifiedAt` moves with every change of anything.
fn slot(place: Place, status: Status) -> Slot {
    let (scope, evidence) = (place.scope(), Evidence::default());
    Slot { scope, status, since: Occurred::Unknown, actor: Actor::DataSubject, evidence }
}

/// A number with its country code, which Brevo keeps without a sign in front.
fn international(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    (!digits.is_empty()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests;
