//! The one place where HubSpot's words become canonical ones (consent model 3.6). It refuses to guess: what nobody mapped
//! is never a grant, a vendor's label is never evidence, and what looks like an opt-out is one.

use unisson_connector::{Event, Identity, Observation, Presence, Slot};
use unisson_consent::{
    Actor, Audience, Bounce, Channel, Channels, Country, CustomerNo, Evidence, Kind, ListId, Occurred, Purposes,
    RecordId, Relation, Scope, Status, Via,
};

use crate::wire::{Contact, LegalBasis, SubscriptionState, SubscriptionStatus};

/// The contact properties that are read for identity, as the operator named them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    pub(crate) phone: String,
    pub(crate) country: String,
    pub(crate) customer: Option<String>,
    pub(crate) audience: Option<String>,
}

impl Fields {
    /// The properties to ask for: identity, reachability, and the opt-outs of all e-mail and of each subscription type.
    pub(crate) fn properties(&self, lists: &[String]) -> Vec<String> {
        let named = [Some(&self.phone), Some(&self.country), self.customer.as_ref(), self.audience.as_ref()];
        let fixed = FIXED.split(' ').map(str::to_owned);
        fixed.chain(named.into_iter().flatten().cloned()).chain(lists.iter().map(|list| opt_out(list))).collect()
    }
}

/// What every contact is asked for.
const FIXED: &str = "email hs_additional_emails mobilephone hs_email_optout hs_email_bad_address \
    hs_email_hard_bounce_reason_enum hs_email_quarantined hs_email_quarantined_reason";

/// One contact on its way from wire to observation.
pub(crate) struct Translation<'a> {
    /// Where identity is found.
    pub(crate) fields: &'a Fields,
    /// The ids of the live e-mail subscription types.
    pub(crate) lists: &'a [String],
    pub(crate) contact: &'a Contact,
    /// What the preferences interface says; empty where only properties were read.
    pub(crate) statuses: &'a [SubscriptionStatus],
    pub(crate) presence: Presence,
}

impl Translation<'_> {
    /// The contact in canonical words.
    pub(crate) fn observation(&self) -> Observation {
        Observation {
            record: RecordId::new(&self.contact.id),
            who: self.identity(),
            presence: self.presence,
            slots: std::iter::once(self.wide()).chain(self.lists.iter().map(|list| self.slot(list))).collect(),
            events: self.bounces().chain(self.contracts()).collect(),
        }
    }

    fn identity(&self) -> Identity {
        let named = |name: &Option<String>| name.as_ref().and_then(|name| self.contact.text(name));
        let customer = self.fields.customer.as_ref().and_then(|name| self.contact.identifier(name));
        let additional = self.contact.text("hs_additional_emails").unwrap_or_default();
        let mut emails: Vec<String> = self.contact.text("email").into_iter().collect();
        for email in additional.split(';').map(str::trim).filter(|email| !email.is_empty()) {
            if !emails.iter().any(|held| held.eq_ignore_ascii_case(email)) {
                emails.push(email.to_owned());
            }
        }
        let mut phones: Vec<String> =
            [self.fields.phone.as_str(), "mobilephone"].iter().filter_map(|p| self.contact.text(p)).collect();
        phones.dedup();
        Identity {
            emails,
            phones,
            customer: customer.map(CustomerNo::new),
            country: self.contact.text(&self.fields.country).and_then(|text| country(&text)),
            audience: named(&self.fields.audience).and_then(|text| audience(&text)),
            ..Identity::default()
        }
    }

    /// What the contact shows for one subscription type. The preferences interface is the original, the contact's own
    /// opt-out property a copy of it: the copy counts where the original says neither yes nor no.
    fn slot(&self, list: &str) -> Slot {
        // Of two for one type, the no counts.
        let told = self.statuses.iter().filter(|told| told.subscription_id.to_string() == list);
        let told = told.min_by_key(|told| told.status != SubscriptionState::Unsubscribed);
        let scope = email(Purposes::List(ListId::new(list)));
        match told.map(|told| (told, status(told.status))) {
            Some((told, status @ (Status::Subscribed | Status::Unsubscribed))) => {
                // A legal basis is a label that staff or a form put there: it can show where, never what was said.
                let capture = status == Status::Subscribed && told.legal_basis == Some(LegalBasis::ConsentWithNotice);
                Slot { evidence: Evidence { capture, ..Evidence::default() }, ..slot(scope, status, since(told)) }
            }
            _ if self.contact.flag(&opt_out(list)) => slot(scope, Status::Unsubscribed, Occurred::Unknown),
            Some((_, status)) => slot(scope, status, Occurred::Unknown),
            // Without the interface a subscription cannot be told from silence. Silence claims nothing.
            None => slot(scope, Status::Never, Occurred::Unknown),
        }
    }

    /// The opt-out of everything; one of a single brand is widened to the channel. The slot is there without one too, so
    /// that an opt-out that is lifted and made again is seen as a second one.
    fn wide(&self) -> Slot {
        let told = self.statuses.iter().find(|told| told.status == SubscriptionState::Unsubscribed && told.is_wide());
        match told {
            Some(told) => slot(Scope::default(), Status::Unsubscribed, since(told)),
            None if self.contact.flag("hs_email_optout") => {
                slot(Scope::default(), Status::Unsubscribed, Occurred::Unknown)
            }
            None => slot(Scope::default(), Status::Never, Occurred::Unknown),
        }
    }

    /// What the properties say of deliveries. They carry no time and are about the primary address.
    fn bounces(&self) -> impl Iterator<Item = Event> {
        let bad = self.contact.text("hs_email_bad_address").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let bounced = self.contact.text("hs_email_hard_bounce_reason_enum").map(|reason| (bounce(&reason), reason));
        let quarantined = self.contact.flag("hs_email_quarantined");
        let reason = self.contact.text("hs_email_quarantined_reason").unwrap_or_default();
        [
            bad.then(|| (Kind::Bounce(Bounce::Hard), "bad_address".to_owned())),
            bounced.map(|(bounce, reason)| (Kind::Bounce(bounce), format!("bounce:{reason}"))),
            quarantined.then(|| (quarantine(&reason), format!("quarantine:{reason}"))),
        ]
        .into_iter()
        .flatten()
        .map(|(kind, what)| {
            let actor = if kind == Kind::Complaint { Actor::MailboxProvider } else { Actor::Machine };
            Event { actor, ..self.event(kind, &what) }
        })
    }

    /// A subscription on the basis of a contract is the vendor's word that a contract runs. The other bases say less: a
    /// legitimate interest is a balancing that a label cannot make, storing is no contact, and `NON_GDPR` is no basis.
    fn contracts(&self) -> impl Iterator<Item = Event> {
        let label = |told: &&SubscriptionStatus| {
            told.status == SubscriptionState::Subscribed && told.legal_basis == Some(LegalBasis::PerformanceOfContract)
        };
        self.statuses.iter().filter(label).map(|told| {
            let list = told.subscription_id.to_string();
            let kind = Kind::Relationship { what: Relation::Contract, opt_out_offered: false, similar: false };
            let scope = email(Purposes::List(ListId::new(&list)));
            let event = self.event(kind, &format!("contract:{list}"));
            Event { scope, occurred: since(told), actor: Actor::Operator, ..event }
        })
    }

    /// An event whose id stays the same for the same contact and cause: a property read every day is told once.
    fn event(&self, kind: Kind, what: &str) -> Event {
        Event {
            native_id: Some(format!("{}:{what}", self.contact.id)),
            kind,
            occurred: Occurred::Unknown,
            seq: None,
            actor: Actor::Machine,
            via: Via::Message,
            scope: Scope::default(),
        }
    }
}

/// A slot without evidence. The interface does not say who acted; that it was the person is the reading under which an
/// opt-out can never be annulled, and an opt-in is capped by its evidence anyway.
fn slot(scope: Scope, status: Status, since: Occurred) -> Slot {
    Slot { scope, status, since, actor: Actor::DataSubject, evidence: Evidence::default() }
}

fn email(purposes: Purposes) -> Scope {
    Scope { purposes, channels: Channels::one(Channel::Email) }
}

/// The property that says whether a contact opted out of one subscription type.
fn opt_out(list: &str) -> String {
    format!("hs_email_optout_{list}")
}

/// The table of states (consent model 3.6). Total; an unknown word is never a grant.
fn status(state: SubscriptionState) -> Status {
    match state {
        SubscriptionState::Subscribed => Status::Subscribed,
        SubscriptionState::Unsubscribed => Status::Unsubscribed,
        SubscriptionState::NotSpecified => Status::Never,
        SubscriptionState::Unknown => Status::Unknown,
    }
}

/// When a status was set. The epoch stands for "no time": taken at its word it would date an opt-out before any consent.
fn since(told: &SubscriptionStatus) -> Occurred {
    match Occurred::parse(told.timestamp.as_deref().unwrap_or_default()) {
        Occurred::Instant(at) if at <= jiff::Timestamp::UNIX_EPOCH => Occurred::Unknown,
        occurred => occurred,
    }
}

/// HubSpot calls all of these hard. Only an unknown user says that the address is dead; content, policy and spam are the
/// sender's doing, and a full mailbox or a word nobody knows is a failure of this one time.
fn bounce(reason: &str) -> Bounce {
    match reason {
        "UNKNOWN_USER" => Bounce::Hard,
        "CONTENT" | "POLICY" | "SPAM" => Bounce::Sender,
        _ => Bounce::Soft,
    }
}

/// A quarantine is HubSpot's own guard against abuse. It is a complaint or a dead address where it says so. The other
/// reasons (an import, a bounce rate, an account under review) are about the sender, so they are no block by staff:
/// that would silence the person on every channel of every system.
fn quarantine(reason: &str) -> Kind {
    match reason {
        "RECIPIENT_COMPLAINT" => Kind::Complaint,
        "UNDELIVERABLE_ADDRESS" => Kind::Bounce(Bounce::Hard),
        _ => Kind::Bounce(Bounce::Sender),
    }
}

fn audience(text: &str) -> Option<Audience> {
    match text.to_ascii_lowercase().as_str() {
        "b2c" | "consumer" => Some(Audience::B2c),
        "b2b" | "business" => Some(Audience::B2b),
        _ => None,
    }
}

/// An ISO 3166-1 code, or one of the names that mean one country in the languages they are written in. A wrong country
/// would choose a wrong law, so anything else is none.
fn country(text: &str) -> Option<Country> {
    let code = text.to_ascii_uppercase();
    match code.as_str() {
        "UK" => return Country::parse("GB"),
        "EL" => return Country::parse("GR"),
        _ if ISO_3166.split(' ').any(|known| known == code) => return Country::parse(&code),
        _ => {}
    }
    let name = text.to_lowercase();
    let named = COUNTRY_NAMES.split(';').filter_map(|line| line.split_once('='));
    named
        .filter(|(_, names)| names.split(',').any(|known| known == name))
        .find_map(|(code, _)| Country::parse(code.trim()))
}

/// ISO 3166-1 alpha-2, <https://www.iso.org/obp/ui/#search>.
const ISO_3166: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
    FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
    MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
    RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// English and native names of the countries whose rules the policies know: the Union, the EEA, Switzerland, the United
/// Kingdom, the United States and Canada.
const COUNTRY_NAMES: &str = "AT=austria,österreich;BE=belgium,belgique,belgië,belgien;BG=bulgaria,българия;\
    CA=canada;CH=switzerland,schweiz,suisse,svizzera;CY=cyprus,κύπρος;CZ=czech republic,czechia,česko;\
    DE=germany,deutschland,allemagne;DK=denmark,danmark;EE=estonia,eesti;ES=spain,españa,espagne;FI=finland,suomi;\
    FR=france,frankreich,francia;GB=united kingdom,great britain,royaume-uni;GR=greece,ελλάδα;HR=croatia,hrvatska;\
    HU=hungary,magyarország;IE=ireland,éire;IS=iceland,ísland;IT=italy,italia,italie;LI=liechtenstein;\
    LT=lithuania,lietuva;LU=luxembourg,luxemburg;LV=latvia,latvija;MT=malta;NL=netherlands,the netherlands,nederland;\
    NO=norway,norge;PL=poland,polska;PT=portugal;RO=romania,românia;SE=sweden,sverige;SI=slovenia,slovenija;\
    SK=slovakia,slovensko;US=united states,united states of america,usa";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use unisson_consent::Level;

    use super::*;

    fn observe(contact: Value, statuses: Value) -> Observation {
        let contact: Contact = serde_json::from_value(contact).unwrap();
        let statuses: Vec<SubscriptionStatus> = serde_json::from_value(statuses).unwrap();
        let fields = Fields { phone: "phone".to_owned(), country: "country".to_owned(), ..Fields::default() };
        let (lists, presence) = (["7".to_owned()], Presence::Present);
        Translation { fields: &fields, lists: &lists, contact: &contact, statuses: &statuses, presence }.observation()
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            Just(json!([])),
            Just(json!({"nested": true})),
        ]
    }

    proptest! {
        #[test]
        fn only_the_word_subscribed_claims_an_opt_in_and_never_more_than_a_traceable_one(
            word in prop_oneof![Just("SUBSCRIBED".to_owned()), Just("UNSUBSCRIBED".to_owned()), ".*"],
            basis in prop_oneof![Just("CONSENT_WITH_NOTICE".to_owned()), ".*"],
            source in ".*",
        ) {
            let told = json!([{"subscriberIdString": "a@example.org", "subscriptionId": 7, "status": word,
                "source": source, "legalBasis": basis, "timestamp": "2026-05-02T20:00:00Z"}]);
            for slot in observe(json!({"id": "1", "properties": {}}), told).slots {
                prop_assert!(slot.status != Status::Subscribed || word == "SUBSCRIBED");
                prop_assert!(slot.evidence.level() <= Level::Traceable);
            }
        }

        #[test]
        fn no_property_whatever_it_holds_claims_an_opt_in(values in proptest::collection::vec(any_value(), 12)) {
            let lists = ["7".to_owned()];
            let names = Fields { phone: "phone".to_owned(), ..Fields::default() }.properties(&lists);
            let properties: serde_json::Map<String, Value> = names.into_iter().zip(values).collect();
            let seen = observe(json!({"id": "1", "properties": properties}), json!([]));
            prop_assert_eq!(seen.slots.len(), 2);
            for slot in seen.slots {
                prop_assert!(matches!(slot.status, Status::Unsubscribed | Status::Never));
            }
        }

        #[test]
        fn a_country_is_a_code_of_the_standard_or_none(text in ".{0,20}") {
            let known = country(&text).is_none_or(|country| ISO_3166.split(' ').any(|code| code == country.as_str()));
            prop_assert!(known);
        }
    }

    #[test]
    fn countries_are_read_from_codes_and_names_that_mean_one() {
        for (text, code) in [
            ("fr", Some("FR")),
            ("FR", Some("FR")),
            ("UK", Some("GB")),
            ("EL", Some("GR")),
            ("France", Some("FR")),
            ("DEUTSCHLAND", Some("DE")),
            ("Österreich", Some("AT")),
            ("United States", Some("US")),
            ("Georgia", None),
            ("XX", None),
            ("FRA", None),
            ("", None),
        ] {
            assert_eq!(country(text).map(|country| country.as_str().to_owned()).as_deref(), code, "{text}");
        }
        let named = COUNTRY_NAMES.split(';').map(|line| line.split_once('=').unwrap().0);
        assert!(named.map(|code| Country::parse(code).unwrap()).all(|code| ISO_3166.contains(code.as_str())));
        assert_eq!(ISO_3166.split(' ').count(), 249);
    }
}
