//! One invented person: names, addresses, the dates of what happened to them.

use std::fmt;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::campaign::Fate;
use super::phone;
use super::plot::Plot;

/// The five places that hold people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// The mail platform's audience that gets the letter.
    Letter,
    /// The mail platform's audience that gets invitations.
    Events,
    /// The campaign platform.
    Campaigns,
    /// The CRM.
    Crm,
    /// The export of the shop and its call centre.
    File,
}

impl System {
    /// The place in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Letter => "Mailchimp, letter",
            Self::Events => "Mailchimp, events",
            Self::Campaigns => "Brevo",
            Self::Crm => "HubSpot",
            Self::File => "shop export",
        }
    }
}

const FIRST: [&str; 40] = [
    "Tilda", "Bramwell", "Orsina", "Kelvar", "Mirelle", "Dorian", "Ysolde", "Fenwick", "Calista", "Rowan", "Petra",
    "Anselm", "Liora", "Corvin", "Sabine", "Hadrian", "Ottilie", "Joris", "Elspeth", "Tobin", "Marisol", "Lucan",
    "Verena", "Aldous", "Ines", "Casimir", "Romy", "Florian", "Thea", "Magnus", "Celeste", "Edmar", "Noor", "Silvan",
    "Avelin", "Gideon", "Paloma", "Ruben", "Linnea", "Oswin",
];

const LAST: [&str; 40] = [
    "Marlow",
    "Quillfeather",
    "Dunmore",
    "Ashgrove",
    "Veltman",
    "Harrowgate",
    "Lindqvar",
    "Pemberley",
    "Castellane",
    "Thornbury",
    "Weidenbach",
    "Okonda",
    "Fairweather",
    "Montclair",
    "Brackwater",
    "Silverlund",
    "Ravensloe",
    "Ettinger",
    "Larkspur",
    "Vandermeulen",
    "Hollowell",
    "Branthwaite",
    "Solenne",
    "Kettering",
    "Morvane",
    "Aldermoor",
    "Tessaro",
    "Wrenfield",
    "Goldammer",
    "Peverell",
    "Nightingale",
    "Oakhurst",
    "Delacroy",
    "Steinholt",
    "Umberton",
    "Calloway",
    "Farrowdale",
    "Juniper",
    "Zellweide",
    "Hartsong",
];

/// Countries with their share of a hundred.
const COUNTRIES: [(&str, u32); 7] = [("FR", 60), ("DE", 14), ("GB", 9), ("BE", 6), ("US", 5), ("NL", 4), ("AT", 2)];

const DOMAINS: [&str; 5] = ["example.org", "example.com", "example.net", "mail.example", "post.example"];

/// Internationalised domains with their A-labels (RFC 5890).
const IDN_DOMAINS: [(&str, &str); 3] = [
    ("bücher.example", "xn--bcher-kva.example"),
    ("café.example", "xn--caf-dma.example"),
    ("münchen.example", "xn--mnchen-3ya.example"),
];

const ROLES: [&str; 4] = ["info", "contact", "sales", "office"];

const DAY_S: i64 = 86_400;

/// An invented person. `Debug` prints the index and the story only, as for a real one.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    index: u32,
    plot: Plot,
    first: &'static str,
    last: &'static str,
    country: &'static str,
    domain: &'static str,
    pub(super) draws: Draws,
    pub(super) dates: Dates,
}

/// What chance decided for a person beyond the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Draws {
    /// Below a hundred, for the events audience.
    pub(super) events: u32,
    /// Below a hundred, for the CRM.
    pub(super) crm: u32,
    /// Below a hundred, for the file.
    pub(super) file: u32,
    /// Below a hundred, for whether they bought something.
    pub(super) bought: u32,
    /// Below a hundred, for whether they take short messages.
    pub(super) sms: u32,
    /// Below a thousand, for the campaign platform.
    pub(super) campaign: u32,
}

/// When things happened to a person, in seconds since 1970; each later than the one before and all before the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dates {
    /// They filled in the form.
    pub(super) signed_up: i64,
    /// They clicked the confirmation.
    pub(super) confirmed: i64,
    /// They bought something.
    pub(super) bought: i64,
    /// They left, bounced or complained.
    pub(super) left: i64,
    /// Somebody imported an old list.
    pub(super) imported: i64,
}

impl Person {
    pub(super) fn new(seed: u64, index: u32, epoch_s: i64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ (u64::from(index) << 24));
        let plot = Plot::of(index, rng.random_range(0..1_000));
        let first = FIRST[rng.random_range(0..FIRST.len())];
        let last = LAST[rng.random_range(0..LAST.len())];
        let country = if plot == Plot::CallOnly { "FR" } else { country(rng.random_range(0..100)) };
        let domain = match plot {
            Plot::Idn => IDN_DOMAINS[rng.random_range(0..IDN_DOMAINS.len())].0,
            Plot::Cased => DOMAINS[0],
            _ => DOMAINS[rng.random_range(0..DOMAINS.len())],
        };
        let draws = Draws {
            events: rng.random_range(0..100),
            crm: rng.random_range(0..100),
            file: rng.random_range(0..100),
            bought: rng.random_range(0..100),
            sms: rng.random_range(0..100),
            campaign: 0,
        };
        let dates = dates(&mut rng, plot, epoch_s);
        // Drawn last: what is drawn later does not change who everybody was before.
        let draws = Draws { campaign: rng.random_range(0..1_000), ..draws };
        Self { index, plot, first, last, country, domain, draws, dates }
    }

    /// The place in the population.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// What their systems say of them, in short.
    pub fn plot(&self) -> Plot {
        self.plot
    }

    /// What became of them on the campaign platform.
    pub fn fate(&self) -> Fate {
        Fate::of((self.plot, self.index), self.draws.campaign)
    }

    /// The invented given name.
    pub fn first(&self) -> &'static str {
        self.first
    }

    /// The invented family name.
    pub fn last(&self) -> &'static str {
        self.last
    }

    /// The country, ISO 3166-1 alpha-2.
    pub fn country(&self) -> &'static str {
        self.country
    }

    /// The telephone number in E.164 form, for about one person in five. It lies in a range reserved for fiction.
    pub fn phone(&self) -> Option<String> {
        if self.plot == Plot::CallOnly {
            return Some(phone::landline(self.index));
        }
        self.index.is_multiple_of(5).then(|| phone::number(self.country, self.index / 5)).flatten()
    }

    /// The number by which the shop, the CRM and the mail platform know a customer, for about half the people.
    pub fn customer_no(&self) -> Option<String> {
        let bought = self.draws.bought < 50 || matches!(self.plot, Plot::CustomerOnly | Plot::CallOnly | Plot::Torn);
        bought.then(|| format!("C{:07}", self.index + 100_000))
    }

    /// The address without any of the spellings that systems give it, internationalised domains as U-labels.
    pub fn email(&self) -> String {
        match self.plot {
            Plot::Role => format!("{}@firm{}.example", ROLES[self.index as usize % ROLES.len()], self.index),
            _ => format!("{}@{}", self.local(), self.domain),
        }
    }

    /// The address as this system spells it, whether or not the system holds the person: the systems' own listings tell
    /// that.
    pub fn spelling(&self, system: System) -> String {
        let plain = self.email();
        match (self.plot, system) {
            (Plot::Cased, System::Letter) => {
                format!("{}.{}{}@Example.Org", self.first, self.last, base36(self.index))
            }
            (Plot::Cased | Plot::Torn, System::File) => plain.to_uppercase(),
            (Plot::Tagged, System::Letter | System::Events) => format!("{}+letter@{}", self.local(), self.domain),
            (Plot::Idn, System::Crm | System::Events | System::Campaigns) => {
                format!("{}@{}", self.local(), a_label(self.domain))
            }
            (Plot::TwoAddresses, System::Crm) => format!("{}.work@{}", self.local(), self.domain),
            (Plot::Malformed, System::File) => self.malformed(),
            _ => plain,
        }
    }

    /// The network address they signed up from, in a block reserved for documentation.
    pub(crate) fn ip(&self) -> String {
        let block = ["192.0.2", "198.51.100", "203.0.113"][self.index as usize % 3];
        format!("{block}.{}", self.index / 3 % 254 + 1)
    }

    fn local(&self) -> String {
        format!("{}.{}{}", self.first.to_ascii_lowercase(), self.last.to_ascii_lowercase(), base36(self.index))
    }

    /// The address as a careless hand typed it. None of these can be written to.
    fn malformed(&self) -> String {
        let (local, domain) = (self.local(), self.domain);
        match self.index % 6 {
            0 => format!("{local}.{domain}"),
            1 => format!("{local}@@{domain}"),
            2 => format!("{local}@"),
            3 => format!("{local} {domain}"),
            4 => format!("{local}@{}", domain.replace('.', "..")),
            _ => format!("{local}\u{200b}@{domain}"),
        }
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({}, {:?}, …)", self.index, self.plot)
    }
}

/// The A-label of one of the internationalised domains, any other domain as it is.
fn a_label(domain: &'static str) -> &'static str {
    IDN_DOMAINS.iter().find(|(unicode, _)| *unicode == domain).map_or(domain, |(_, ascii)| ascii)
}

fn country(draw: u32) -> &'static str {
    let mut left = draw;
    for (country, share) in COUNTRIES {
        match left.checked_sub(share) {
            Some(rest) => left = rest,
            None => return country,
        }
    }
    "FR"
}

fn dates(rng: &mut Xoshiro256PlusPlus, plot: Plot, epoch_s: i64) -> Dates {
    let age_s = match plot {
        Plot::Unproven | Plot::Torn | Plot::Reimported => rng.random_range(4 * 365 * DAY_S..9 * 365 * DAY_S),
        Plot::Waiting => rng.random_range(2 * DAY_S..20 * DAY_S),
        _ => rng.random_range(60 * DAY_S..4 * 365 * DAY_S),
    };
    // Seconds are kept whole, and everything after the sign-up falls into what is left of the time until the epoch.
    let signed_up = epoch_s - age_s;
    let confirmed = signed_up + rng.random_range(40..7_200);
    let quarter = (age_s - 7_200) / 4;
    let bought = confirmed + rng.random_range(1..quarter);
    let left = bought + rng.random_range(1..quarter);
    let imported = left + rng.random_range(1..quarter);
    Dates { signed_up, confirmed, bought, left, imported }
}

/// The index in digits and letters: what makes an address unique.
fn base36(mut value: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(value % 36, 36).unwrap_or('0'));
        value /= 36;
        if value == 0 {
            break;
        }
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn person(index: u32) -> Person {
        Person::new(1, index, 1_793_491_200)
    }

    #[test]
    fn addresses_are_unique_whatever_their_case() {
        let distinct: BTreeSet<String> = (0..20_000).map(|index| person(index).email().to_lowercase()).collect();
        assert_eq!(distinct.len(), 20_000);
    }

    #[test]
    fn every_address_lies_under_a_reserved_domain() {
        for person in (0..5_000).map(person).filter(|person| person.plot() != Plot::Malformed) {
            for system in [System::Letter, System::Events, System::Campaigns, System::Crm, System::File] {
                let address = person.spelling(system).to_lowercase();
                let (_, domain) = address.rsplit_once('@').unwrap();
                let reserved = matches!(domain, "example.org" | "example.com" | "example.net");
                assert!(reserved || domain.ends_with(".example"), "{person:?}");
            }
        }
    }

    #[test]
    fn both_spellings_of_a_domain_are_one_domain() {
        for (unicode, ascii) in IDN_DOMAINS {
            assert_eq!(idna::domain_to_ascii(unicode).unwrap(), ascii);
        }
    }

    #[test]
    fn things_happen_in_order_and_before_the_epoch() {
        for dates in (0..5_000).map(|index| person(index).dates) {
            assert!(dates.signed_up < dates.confirmed && dates.confirmed < dates.bought);
            assert!(dates.bought < dates.left && dates.left < dates.imported && dates.imported < 1_793_491_200);
        }
    }

    #[test]
    fn another_seed_gives_other_people() {
        let other = (0..100).filter(|index| Person::new(2, *index, 0).email() == Person::new(1, *index, 0).email());
        assert!(other.count() < 5);
    }

    #[test]
    fn debug_output_names_nobody() {
        let shown = format!("{:?}", person(3));
        assert!(!shown.contains('@') && !shown.contains(person(3).last()));
    }
}
