//! What the CRM holds of each person at the start: a contact, and the subscription states of its address.

use super::person::{Person, System};
use super::plot::Plot;

/// The subscription types of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Topic {
    Newsletter,
    Offers,
    Events,
}

impl Topic {
    pub(crate) const ALL: [Self; 3] = [Self::Newsletter, Self::Offers, Self::Events];

    /// The id of the subscription type.
    pub(crate) fn id(self) -> u32 {
        match self {
            Self::Newsletter => 91_001,
            Self::Offers => 91_002,
            Self::Events => 91_003,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Newsletter => "Newsletter",
            Self::Offers => "Offers",
            Self::Events => "Events",
        }
    }

    pub(crate) fn of_id(id: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| u64::from(topic.id()) == id)
    }
}

/// What an address said about one subscription type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Preference {
    #[default]
    NotSpecified,
    Subscribed,
    Unsubscribed,
}

impl Preference {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotSpecified => "NOT_SPECIFIED",
            Self::Subscribed => "SUBSCRIBED",
            Self::Unsubscribed => "UNSUBSCRIBED",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::NotSpecified, Self::Subscribed, Self::Unsubscribed].into_iter().find(|state| state.as_str() == word)
    }
}

/// By what hand a subscription state came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Origin {
    #[default]
    Unknown,
    Form,
    Import,
    PreferencePage,
    Api,
}

impl Origin {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Form => "Form submission",
            Self::Import => "Import",
            Self::PreferencePage => "Subscription preferences page",
            Self::Api => "API",
        }
    }
}

/// One subscription state with when and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Choice {
    pub(crate) state: Preference,
    pub(crate) origin: Origin,
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The legal basis that came with it, one of the portal's words.
    pub(crate) basis: Option<&'static str>,
    /// The explanation that came with the basis.
    pub(crate) explanation: Option<Box<str>>,
}

/// Everything an address said. It belongs to the address, not to a contact, and outlives one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Preferences {
    /// Since when the address is opted out of everything, in milliseconds since 1970.
    pub(crate) all_out_ms: Option<i64>,
    pub(crate) topics: [Choice; 3],
}

impl Preferences {
    /// The state that counts for a type: an opt-out of everything covers each type.
    pub(crate) fn effective(&self, topic: Topic) -> Choice {
        let own = &self.topics[topic as usize];
        match self.all_out_ms {
            Some(at_ms) => {
                Choice { state: Preference::Unsubscribed, origin: Origin::PreferencePage, at_ms, ..Choice::default() }
            }
            None => own.clone(),
        }
    }
}

/// A contact as the population begets it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContactSeed {
    pub(crate) email: String,
    pub(crate) additional: Vec<String>,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    pub(crate) bounced: bool,
    pub(crate) legal_basis: &'static str,
    pub(crate) preferences: Preferences,
}

const BASIS_CONSENT: &str = "Freely given consent from contact";
const BASIS_CONTRACT: &str = "Performance of a contract";
const BASIS_INTEREST: &str = "Legitimate interest – existing customer";

impl ContactSeed {
    /// What the CRM holds of this person; `None` where it does not know them.
    pub(crate) fn of(person: &Person) -> Option<Self> {
        known(person).then(|| {
            let dates = person.dates;
            let created = if person.plot() == Plot::Reimported { dates.imported } else { dates.signed_up };
            let preferences = preferences(person);
            // A choice does not move the contact's modification date; an opt-out of everything does.
            let modified = match person.plot() {
                Plot::LeftAllInCrm | Plot::BouncedInCrm => dates.left,
                Plot::Torn | Plot::Reimported => dates.imported,
                _ => dates.bought,
            };
            Self {
                email: person.spelling(System::Crm),
                additional: if person.plot() == Plot::TwoAddresses { vec![person.email()] } else { Vec::new() },
                created_ms: created * 1_000 + i64::from(person.index() % 1_000),
                modified_ms: modified.max(created) * 1_000 + i64::from(person.index() % 1_000),
                bounced: person.plot() == Plot::BouncedInCrm,
                legal_basis: match person.plot() {
                    Plot::CustomerOnly | Plot::Waiting => BASIS_CONTRACT,
                    Plot::Unproven | Plot::CrmOnly => BASIS_INTEREST,
                    _ => BASIS_CONSENT,
                },
                preferences,
            }
        })
    }
}

fn known(person: &Person) -> bool {
    match person.plot() {
        Plot::Proven | Plot::Single | Plot::Unproven => person.draws.crm < 55,
        Plot::Role | Plot::FileOnly | Plot::CallOnly => false,
        Plot::LeftEvents | Plot::WithoutOffers | Plot::Malformed => person.draws.crm < 70,
        _ => true,
    }
}

fn preferences(person: &Person) -> Preferences {
    let dates = person.dates;
    let choice = |state, origin, at_s: i64| Choice {
        state,
        origin,
        at_ms: at_s * 1_000,
        basis: (origin == Origin::Form && state == Preference::Subscribed).then_some("CONSENT_WITH_NOTICE"),
        explanation: None,
    };
    let joined = |at_s| choice(Preference::Subscribed, Origin::Form, at_s);
    let left = || choice(Preference::Unsubscribed, Origin::PreferencePage, dates.left);
    let brought = |at_s| choice(Preference::Subscribed, Origin::Import, at_s);
    let nothing = Choice::default;
    let topics = match person.plot() {
        Plot::Torn => [brought(dates.imported), nothing(), left()],
        Plot::LeftInCrm | Plot::Cased | Plot::Tagged => [left(), joined(dates.signed_up), nothing()],
        Plot::Reimported => [brought(dates.imported), brought(dates.imported), nothing()],
        Plot::Waiting | Plot::CustomerOnly => [nothing(), nothing(), nothing()],
        Plot::WithoutOffers => [joined(dates.signed_up), left(), nothing()],
        Plot::LeftEvents => [joined(dates.signed_up), nothing(), joined(dates.signed_up)],
        Plot::Unproven => [brought(dates.signed_up), brought(dates.signed_up), nothing()],
        _ => [joined(dates.confirmed), joined(dates.confirmed), nothing()],
    };
    let all_out_ms = (person.plot() == Plot::LeftAllInCrm).then_some(dates.left * 1_000);
    Preferences { all_out_ms, topics }
}
