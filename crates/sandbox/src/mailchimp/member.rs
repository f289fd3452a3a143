//! One member of an audience: what is kept of it, and how it is shown.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fields::{Part, Pick};
use super::state::State;
use crate::hash::{hex, key};
use crate::population::{Audience, Lock, MemberSeed, Person, Reason, Status};

/// Stands for "not of the population".
pub(super) const NOBODY: u32 = u32::MAX;

/// What is kept of a member. Times are seconds since 1970, zero where there is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    /// The person's index, or [`NOBODY`].
    pub(super) who: u32,
    pub(super) status: Status,
    pub(super) lock: Lock,
    pub(super) reason: Reason,
    pub(super) sms: Sms,
    /// One bit per interest.
    pub(super) topics: u8,
    /// One bit per marketing permission.
    pub(super) permissions: u8,
    pub(super) changed: i64,
    /// When they reported spam.
    pub(super) complained: i64,
    pub(super) extra: Option<Box<Extra>>,
}

/// What a member has that the population did not give it. Empty text stands for nothing, as on the wire.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Extra {
    pub(super) email: Option<String>,
    pub(super) merge: Map<String, Value>,
    pub(super) email_type: Option<String>,
    pub(super) language: Option<String>,
    pub(super) vip: Option<bool>,
    pub(super) source: Option<String>,
    pub(super) signed_up: Option<i64>,
    pub(super) ip_signup: Option<String>,
    pub(super) opted_in: Option<i64>,
    pub(super) ip_opt: Option<String>,
    pub(super) sms_phone: Option<String>,
    /// When the subscription to short messages changed, which no other change moves.
    pub(super) sms_changed: Option<i64>,
    pub(super) tags: Option<Vec<String>>,
}

/// Whether a member takes short messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sms {
    None,
    Subscribed,
    Unsubscribed,
    Pending,
}

impl Sms {
    const ALL: [Self; 4] = [Self::None, Self::Subscribed, Self::Unsubscribed, Self::Pending];

    fn as_str(self) -> &'static str {
        match self {
            Self::None => "nonsubscribed",
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Pending => "pending",
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sms| sms.as_str() == word)
    }
}

impl Member {
    pub(super) fn seeded(who: u32, seed: &MemberSeed) -> Self {
        Self {
            who,
            status: seed.status,
            lock: seed.lock,
            reason: seed.reason,
            sms: if seed.sms { Sms::Subscribed } else { Sms::None },
            topics: seed.topics,
            permissions: seed.permissions,
            changed: seed.changed,
            complained: if seed.reason == Reason::Abuse { seed.changed } else { 0 },
            extra: None,
        }
    }

    /// A member that came by the API or a form, not by the population.
    pub(super) fn fresh(status: Status, extra: Extra) -> Self {
        Self {
            who: NOBODY,
            status,
            lock: Lock::Open,
            reason: Reason::None,
            sms: Sms::None,
            topics: 0,
            permissions: 0,
            changed: 0,
            complained: 0,
            extra: Some(Box::new(extra)),
        }
    }

    /// The address, where it is not the population's.
    pub(super) fn own_email(&self) -> Option<&str> {
        self.extra.as_ref().and_then(|extra| extra.email.as_deref())
    }

    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// When the member opted in; what the population says, unless the API said otherwise.
    pub(super) fn opted_in(&self, seed: Option<&MemberSeed>) -> i64 {
        let own = self.extra.as_ref().and_then(|extra| extra.opted_in);
        own.unwrap_or_else(|| seed.map_or(0, |seed| seed.opted_in))
    }

    /// When the member signed up, likewise.
    pub(super) fn signed_up(&self, seed: Option<&MemberSeed>) -> i64 {
        let own = self.extra.as_ref().and_then(|extra| extra.signed_up);
        own.unwrap_or_else(|| seed.map_or(0, |seed| seed.signed_up))
    }
}

/// An interest, a marketing permission: its id and its name. The ids differ from audience to audience.
pub(super) type Named = (&'static str, &'static str);

/// The interests of an audience, in the order of their bits.
pub(super) fn interests(audience: Audience) -> &'static [Named] {
    match audience {
        Audience::Letter => &[("9143cf3bd1", "News"), ("3a2a927344", "Offers"), ("f9c8f5f0ff", "Partners")],
        Audience::Events => &[("c6a1d9e042", "Webinars"), ("0d47b83e5a", "Fairs")],
    }
}

/// The marketing permissions of an audience, in the order of their bits; none without GDPR fields.
pub(super) fn permissions(audience: Audience) -> &'static [Named] {
    match audience {
        Audience::Letter => {
            &[("4b1e7a90c2", "Email"), ("8d30f5e6a1", "Direct mail"), ("e2c49b7d58", "Customized online advertising")]
        }
        Audience::Events => &[],
    }
}

/// The merge field that must be filled, if the audience has one.
pub(super) fn required_field(audience: Audience) -> Option<&'static str> {
    (audience == Audience::Events).then_some("COMPANY")
}

/// The id that stays when the address changes.
pub(super) fn contact_id(audience: Audience, at: u32) -> String {
    format!("{:016x}{:08x}{:08x}", key(audience.id()), !at, at ^ 0x5bd1_e995)
}

/// The position that a contact id names, if it is one of this audience.
pub(super) fn position_of(audience: Audience, id: &str) -> Option<u32> {
    let at = u32::from_str_radix(id.get(24..)?, 16).ok()? ^ 0x5bd1_e995;
    (contact_id(audience, at) == id.to_ascii_lowercase()).then_some(at)
}

impl State {
    /// The merge fields of a member; a field that is not filled is empty text.
    pub(super) fn merge_fields(&self, audience: Audience, member: &Member) -> Map<String, Value> {
        let person = self.person(member);
        let text = |value: Option<String>| Value::String(value.unwrap_or_default());
        let of = |name: fn(&Person) -> Option<String>| text(person.as_ref().and_then(name));
        let mut fields = Map::new();
        fields.insert("FNAME".into(), of(|person| Some(person.first().to_owned())));
        fields.insert("LNAME".into(), of(|person| Some(person.last().to_owned())));
        fields.insert("PHONE".into(), of(Person::phone));
        fields.insert("CUSTNO".into(), of(Person::customer_no));
        if let Some(required) = required_field(audience) {
            // Every other member came in before the field was required.
            let company =
                |person: &Person| person.index().is_multiple_of(2).then(|| format!("{} & Sons", person.last()));
            fields.insert(required.into(), of(company));
        }
        for (name, value) in member.extra.iter().flat_map(|extra| &extra.merge) {
            fields.insert(name.clone(), value.clone());
        }
        fields
    }

    pub(super) fn person(&self, member: &Member) -> Option<Person> {
        (member.who != NOBODY).then(|| self.population.person(member.who))
    }

    pub(super) fn seed_of(&self, audience: Audience, member: &Member) -> Option<MemberSeed> {
        self.person(member).and_then(|person| MemberSeed::of(audience, &person))
    }

    /// The member at this position as the API shows it; `None` for a gap.
    pub(super) fn show(&self, (audience, at): (Audience, u32), pick: Pick<'_>) -> Option<Value> {
        let member = self.roll(audience).member(at)?;
        let person = self.person(member);
        let seed = person.as_ref().and_then(|person| MemberSeed::of(audience, person));
        let none = Extra::default();
        let extra = member.extra.as_deref().unwrap_or(&none);
        let email = self.email(audience, member);
        let path = |hash: &str| format!("/3.0/lists/{}/members/{hash}", audience.id());
        let mut part = Part::new(pick)
            .put("id", || json!(hex(&email)))
            .put("email_address", || json!(email))
            .put("unique_email_id", || json!(format!("{:010x}", key(&contact_id(audience, at)) >> 24)))
            .put("contact_id", || json!(contact_id(audience, at)))
            .put("web_id", || json!(100_000_000 + u64::from(at)))
            .put("email_type", || json!(extra.email_type.as_deref().unwrap_or("html")))
            .put("status", || json!(member.status.as_str()))
            .put("unsubscribe_reason", || json!(member.reason.as_str()))
            .put("consents_to_one_to_one_messaging", || json!(member.sms == Sms::Subscribed))
            .put("merge_fields", || Value::Object(self.merge_fields(audience, member)))
            .put("interests", || flags(interests(audience), member.topics))
            .put("stats", || json!({"avg_open_rate": f64::from(at % 90) / 100.0, "avg_click_rate": 0.04}))
            .put("last_changed", || json!(time(member.changed)))
            .put("language", || json!(extra.language.clone().unwrap_or_else(|| language(person.as_ref()).into())))
            .put("vip", || json!(extra.vip.unwrap_or_default()))
            .put("member_rating", || json!(at % 5 + 1))
            .put("email_client", || json!(""))
            .put("list_id", || json!(audience.id()))
            .put("location", || location(person.as_ref()))
            .put("full_name", || {
                json!(person.as_ref().map_or(String::new(), |who| format!("{} {}", who.first(), who.last())))
            });
        part = put_proof(part, (member, extra), (seed.as_ref(), person.as_ref()));
        part = put_sms(part, (member, extra), (seed.as_ref(), person.as_ref()));
        let tags = tags(extra, person.as_ref());
        part = part
            .put("tags_count", || json!(tags.len()))
            .put("tags", || json!(tags))
            .put("_links", || json!([{"rel": "self", "href": path(&hex(&email)), "method": "GET"}]));
        if !permissions(audience).is_empty() {
            part = part.list("marketing_permissions", |_| shown_permissions(audience, member.permissions));
        }
        Some(part.into_value())
    }
}

/// What the platform can show for the opt-in.
fn put_proof<'a>(
    part: Part<'a>,
    (member, extra): (&Member, &Extra),
    (seed, person): (Option<&MemberSeed>, Option<&Person>),
) -> Part<'a> {
    let ip = |known: bool| if known { person.map(Person::ip).unwrap_or_default() } else { String::new() };
    part.put("timestamp_signup", || json!(time(member.signed_up(seed))))
        .put("ip_signup", || {
            json!(extra.ip_signup.clone().unwrap_or_else(|| ip(seed.is_some_and(|seed| seed.signed_up != 0))))
        })
        .put("timestamp_opt", || json!(time(member.opted_in(seed))))
        .put("ip_opt", || json!(extra.ip_opt.clone().unwrap_or_else(|| ip(seed.is_some_and(|seed| seed.opt_ip)))))
        .put("source", || {
            let own = extra.source.as_deref();
            json!(own.unwrap_or_else(|| seed.map_or("", |seed| seed.source.as_str())))
        })
}

fn put_sms<'a>(
    part: Part<'a>,
    (member, extra): (&Member, &Extra),
    (seed, person): (Option<&MemberSeed>, Option<&Person>),
) -> Part<'a> {
    let known = member.sms != Sms::None;
    let changed = extra.sms_changed.unwrap_or_else(|| seed.map_or(member.changed, |seed| seed.changed));
    part.put("sms_phone_number", || {
        let seeded = || person.filter(|_| known).and_then(Person::phone).unwrap_or_default();
        json!(extra.sms_phone.clone().unwrap_or_else(seeded))
    })
    .put("sms_subscription_status", || json!(member.sms.as_str()))
    .put("sms_subscription_last_updated", || json!(if known { time(changed) } else { String::new() }))
}

fn tags(extra: &Extra, person: Option<&Person>) -> Vec<Value> {
    let seeded = || person.and_then(Person::customer_no).map(|_| "customer".to_owned()).into_iter().collect();
    let names = extra.tags.clone().unwrap_or_else(seeded);
    names.iter().map(|name| json!({"id": key(name) % 100_000, "name": name})).collect()
}

fn flags(named: &[Named], bits: u8) -> Value {
    Value::Object(
        named.iter().enumerate().map(|(bit, (id, _))| ((*id).to_owned(), json!(bits >> bit & 1 == 1))).collect(),
    )
}

fn shown_permissions(audience: Audience, bits: u8) -> Vec<Value> {
    permissions(audience)
        .iter()
        .enumerate()
        .map(|(bit, (id, text))| json!({"marketing_permission_id": id, "text": text, "enabled": bits >> bit & 1 == 1}))
        .collect()
}

fn language(person: Option<&Person>) -> &'static str {
    match person.map_or("", Person::country) {
        "FR" | "BE" => "fr",
        "DE" | "AT" => "de",
        "NL" => "nl",
        _ => "en",
    }
}

fn location(person: Option<&Person>) -> Value {
    let country = person.map_or("", Person::country);
    json!({"latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": country, "timezone": "", "region": ""})
}

/// A time as the platform writes it; empty text where there is none.
pub(super) fn time(at_s: i64) -> String {
    match Timestamp::from_second(at_s) {
        Ok(at) if at_s != 0 => at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_members_fit_into_memory() {
        assert!(size_of::<Option<Member>>() <= 40, "{}", size_of::<Option<Member>>());
    }

    #[test]
    fn a_contact_id_names_one_position_of_one_audience() {
        for at in [0, 1, 77, u32::MAX] {
            assert_eq!(position_of(Audience::Letter, &contact_id(Audience::Letter, at)), Some(at));
            assert_eq!(position_of(Audience::Events, &contact_id(Audience::Letter, at)), None);
        }
        assert_eq!(position_of(Audience::Letter, "short"), None);
    }
}
