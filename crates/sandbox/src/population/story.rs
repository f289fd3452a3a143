//! A few people to tell about: who they are and what each system says of them, in words.

use jiff::Timestamp;

use super::Population;
use super::campaign::CampaignSeed;
use super::crm::{ContactSeed, Preference, Topic};
use super::file::rows;
use super::mailing::{Audience, MemberSeed};
use super::person::{Person, System};
use super::plot::Plot;

/// Somebody worth explaining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The person.
    pub person: Person,
    /// What is particular about them, in a sentence.
    pub title: &'static str,
    /// What each system says, one entry for each record.
    pub sayings: Vec<Saying>,
}

/// What one record says of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Saying {
    /// Where the record is.
    pub system: System,
    /// The address as it is spelt there; empty where the record has none.
    pub address: String,
    /// What the record says, in words.
    pub words: String,
}

impl std::fmt::Debug for Saying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Saying({}: {})", self.system.title(), self.words)
    }
}

/// The stories told, the one with the most disagreement first.
const TOLD: [Plot; 8] = [
    Plot::Torn,
    Plot::Proven,
    Plot::Reimported,
    Plot::Complained,
    Plot::TwoAddresses,
    Plot::Idn,
    Plot::CustomerOnly,
    Plot::Malformed,
];

pub(super) fn figures(population: &Population) -> Vec<Figure> {
    TOLD.into_iter()
        .filter_map(|plot| population.with_plot(plot).next())
        .map(|person| Figure { title: person.plot().title(), sayings: sayings(&person), person })
        .collect()
}

fn sayings(person: &Person) -> Vec<Saying> {
    let mut told = Vec::new();
    for audience in Audience::ALL {
        if let Some(seed) = MemberSeed::of(audience, person) {
            let system = audience.system();
            let reason = seed.reason.as_str();
            let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            let words = format!("{} since {}{why}, came by {}", seed.status, day(seed.changed), seed.source.as_str());
            told.push(Saying { system, address: person.spelling(system), words });
        }
    }
    if let Some(seed) = CampaignSeed::of(person) {
        let system = System::Campaigns;
        told.push(Saying { system, address: person.spelling(system), words: seed.words(day) });
    }
    if let Some(contact) = ContactSeed::of(person) {
        let words = contact_words(&contact);
        told.push(Saying { system: System::Crm, address: contact.email, words });
    }
    for row in rows(person) {
        let words = [
            ("opted in", &row.newsletter_opt_in),
            ("opted out", &row.newsletter_opt_out),
            ("source", &row.source),
            ("last sale", &row.sale_date),
            ("opt-out offered", &row.opt_out_offered),
            ("may be called", &row.may_call),
        ];
        let words: Vec<String> = words
            .into_iter()
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| format!("{name} {cell}"))
            .collect();
        told.push(Saying { system: System::File, address: row.email, words: words.join(", ") });
    }
    told
}

fn contact_words(contact: &ContactSeed) -> String {
    let mut words: Vec<String> = Topic::ALL
        .into_iter()
        .map(|topic| (topic, contact.preferences.effective(topic)))
        .filter(|(_, choice)| choice.state != Preference::NotSpecified)
        .map(|(topic, choice)| {
            let state = choice.state.as_str().to_lowercase();
            let at = day(choice.at_ms / 1_000);
            format!("{} {state} since {at} ({})", topic.title(), choice.origin.as_str())
        })
        .collect();
    if words.is_empty() {
        words.push("no choice on record".to_owned());
    }
    if !contact.additional.is_empty() {
        words.push("a second address on the same record".to_owned());
    }
    words.join(", ")
}

fn day(at_s: i64) -> String {
    let at = Timestamp::from_second(at_s).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%d").to_string()
}
